# For users: `make run`, `make suite` and `make test`. The set-up behind them is done once.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .setup
RESULTS ?= results
# A guest at a time in each; as many as there are cores, if memory allows.
WORKERS ?= logical
# What the blueprint complains of, and what it promises, by each bus and device: minutes, and the suite is three times that.
FIRST ?= scenarios/legacy scenarios/stable

.DEFAULT_GOAL := help
.PHONY: help run suite test unit lint docs bench schema tables nova-table clean

help:
	@echo "make run    set up, build the images, boot the first scenarios: $(FIRST)"
	@echo "make suite  set up, build the images, boot all shipped scenarios"
	@echo "make test   set up, run the whole test suite, with all shipped scenarios"
	@echo "make unit   the tests that need no hypervisor"
	@echo "make lint   ruff and mypy"
	@echo "make docs   build the documents into site/; a broken link is an error"
	@echo "make bench  measure speed, printed as ratios"
	@echo "make clean  remove environment, results, and what dead runs left"

PACKAGES := packages-debian.txt harness/image/releases.txt
$(STAMPS)/packages: bin/install-packages $(PACKAGES)
	@bin/install-packages $(PACKAGES)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/environment: pyproject.toml $(STAMPS)/packages
	@echo "making the virtual environment"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

run: $(STAMPS)/environment
	@$(BIN)/rescue-harness run --keep-going --results $(RESULTS) $(FIRST)

suite: $(STAMPS)/environment
	@$(BIN)/rescue-harness run --keep-going --results $(RESULTS)

test: $(STAMPS)/environment lint
	@$(BIN)/pytest -n $(WORKERS) --maxschedchunk 1 $(PYTEST_OPTIONS)

unit: $(STAMPS)/environment
	@$(BIN)/pytest tests/unit tests/agreement $(PYTEST_OPTIONS)

lint: $(STAMPS)/environment
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@said=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$said"; exit 1; }

docs: $(STAMPS)/environment
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "site/index.html"

bench: $(STAMPS)/environment
	@$(BIN)/python -m harness.benchmark

tables: $(STAMPS)/environment
	@$(BIN)/rescue-harness combinations --markdown > docs/reference/combinations.md
	@$(BIN)/rescue-harness prove --markdown > docs/reference/faults.md
	@$(BIN)/python tests/system/support/nova_faults.py > docs/nova/faults.md

# Of the Novas that were added with `rescue-harness nova add`.
NOVAS ?= 27.0.0 29.0.0 33.0.0 34.0.0
nova-table: $(STAMPS)/environment
	@folder=$$(mktemp -d) && $(BIN)/rescue-harness run --level plan --keep-going --results $$folder \
	    --implementation reference $(NOVAS:%=--implementation nova:%) scenarios/nova \
	    && $(BIN)/rescue-harness claims $$folder/2* > docs/nova/claims.md && rm -r $$folder

schema: $(STAMPS)/environment
	@$(BIN)/rescue-harness schema > harness/reading/scenario.schema.json
	@$(BIN)/rescue-harness schema --result > harness/result/result.schema.json
	@$(BIN)/rescue-harness schema --gate > harness/study/compare/gate.schema.json

clean:
	@if [ -x $(BIN)/rescue-harness ]; then $(BIN)/rescue-harness clean; fi
	@rm -rf $(VENV) $(STAMPS) $(RESULTS) site
