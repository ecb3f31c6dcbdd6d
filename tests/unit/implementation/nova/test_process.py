"""A worker that answers, hangs, dies or writes rubbish: what is said of it, and that it is gone afterwards."""

from __future__ import annotations

import ast
import json
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import jsonschema
import psutil
import pytest

from harness.errors import HostError
from harness.implementation.nova.messages import Describe, MakeRescued, NovaInstance, NovaRefusal, worker_schema
from harness.implementation.nova.process import WORKER_PATH, Worker, WorkerError

DESCRIPTION = {"version": "34.0.0", "python": "3.11.2", "min_libvirt": [8, 0, 0], "min_qemu": [6, 2, 0]}
ANSWER = json.dumps({"description": DESCRIPTION})
# The arguments of Nova's Python are: -I WORKER_PATH REQUESTS ANSWERS FOLDER.
_PYTHON = """\
#!{python}
import os, sys, time
requests, answers = int(sys.argv[3]), int(sys.argv[4])
def read():
    return os.read(requests, 100000)
def write(text):
    os.write(answers, text.encode())
{body}
"""


def worker(tmp_path: Path, body: str, **variables: object) -> Worker:
    python = tmp_path / "python"
    python.write_text(_PYTHON.format(python=sys.executable, body=body))
    python.chmod(0o755)
    return Worker(python, tmp_path, tmp_path / "log", name="nova:34.0.0", **variables)  # type: ignore[arg-type]


def test_what_nova_prints_does_no_harm(tmp_path: Path) -> None:
    body = f"while read():\n    print('{{\"xml\": \"no\"}}', flush=True)\n    write('''{ANSWER}\\n''')"
    running = worker(tmp_path, body)
    for _ in range(2):
        answer = running.ask(Describe(), 30)
        assert answer.description is not None
        assert answer.description.min_libvirt == (8, 0, 0)
    running.close()
    assert not psutil.pid_exists(running.pid)
    assert '{"xml": "no"}' in (tmp_path / "log").read_text()


def test_a_worker_that_hangs_is_told_with_its_last_words_and_killed(tmp_path: Path) -> None:
    running = worker(tmp_path, "print('last words', flush=True)\ntime.sleep(600)")
    ends = time.monotonic() + 60
    while not (tmp_path / "log").read_text():
        assert time.monotonic() < ends
        time.sleep(0.01)
    with pytest.raises(WorkerError) as caught:
        running.ask(Describe(), 0.1)
    assert str(caught.value) == "nova:34.0.0: the worker did not answer 'describe' in 0 s\n  | last words"
    assert not psutil.pid_exists(running.pid)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            "read()\nsys.exit('last words')", "the worker ended with exit code 1\n  | last words", id="dies-at-work"
        ),
        pytest.param("sys.exit('last words')", "the worker ended with exit code 1\n  | last words", id="dies-at-once"),
        pytest.param("read()\nos.kill(os.getpid(), 9)", "the worker died of signal 9", id="is-killed"),
        pytest.param("read()\nwrite('Traceback\\n')", "wrote what is no answer: 'Traceback'", id="rubbish"),
        pytest.param("read()\nwrite('{\"xnl\": 1}\\n')", "wrote what is no answer: '{\"xnl\": 1}'", id="other-keys"),
        pytest.param("read()\nwrite('{\"xml\":')\nsys.exit(3)", "ended with exit code 3", id="half-an-answer"),
    ],
)
def test_a_worker_that_fails_is_told_with_its_last_words_and_killed(tmp_path: Path, body: str, expected: str) -> None:
    running = worker(tmp_path, body)
    with pytest.raises(WorkerError) as caught:
        running.ask(Describe(), 60)
    assert expected in str(caught.value)
    assert not psutil.pid_exists(running.pid)
    running.close()


def test_a_defect_of_the_worker_is_no_word_of_novas(tmp_path: Path) -> None:
    running = worker(tmp_path, 'read()\nwrite(\'{"defect": "Traceback\\\\nEdgeError: rescue wants moon"}\\n\')')
    with pytest.raises(
        HostError, match=r"does not know how to ask this Nova\n  \| Traceback\n  \| EdgeError: rescue wants moon"
    ):
        running.ask(Describe(), 30)
    running.close()


def test_an_environment_that_is_gone_is_said(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(HostError, match=r"nova:34\.0\.0: its environment does not start"):
        Worker(tmp_path / "missing", tmp_path, tmp_path / "log", name="nova:34.0.0")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_little_of_the_users_environment_reaches_nova(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_AUTH_URL", "https://cloud")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    running = worker(
        tmp_path, f"read()\nprint(sorted(os.environ))\nsys.stdout.flush()\nwrite('''{ANSWER}\\n''')\nread()"
    )
    running.ask(Describe(), 30)
    running.close()
    said = (tmp_path / "log").read_text()
    assert "PATH" in said
    assert "OS_AUTH_URL" not in said
    assert "PYTHONPATH" not in said


def test_the_schema_describes_requests_and_answers() -> None:
    schema = worker_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    instance = NovaInstance(uuid="u", memory_mib=256, nics=(), disks=())
    request = MakeRescued(instance=instance, rescue_properties={"hw_rescue_bus": "usb"}, running_xml="<domain/>")
    for message in (json.loads(request.model_dump_json()), json.loads(ANSWER)):
        jsonschema.validate(message, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"operation": "destroy"}, schema)


def imported_by(path: Path) -> list[str]:
    return [
        name
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    ]


def test_the_worker_knows_nothing_of_the_harness() -> None:
    modules = list(WORKER_PATH.rglob("*.py"))
    assert len(modules) > 2
    names = {name.split(".")[0] for path in modules for name in imported_by(path)}
    assert not names & {"harness", "pydantic"}


def test_the_worker_imports_novas_compute_before_anything_else_of_novas() -> None:
    assert imported_by(WORKER_PATH / "nova_worker" / "__init__.py") == ["nova.cmd.compute"]
    assert {name.split(".")[0] for name in imported_by(WORKER_PATH / "__main__.py")} == {"nova_worker"}


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        pytest.param(
            NovaRefusal(exception="UnsupportedRescueDevice", message="not supported", is_novas=True),
            "not supported",
            id="own",
        ),
        pytest.param(
            NovaRefusal(exception="ValueError", message="Field value USB is invalid", is_novas=False),
            "ValueError: Field value USB is invalid",
            id="of-python",
        ),
    ],
)
def test_reasons_are_novas_own_words(refusal: NovaRefusal, expected: str) -> None:
    assert refusal.reason == expected


def test_nova_waits_while_the_harness_looks_at_the_disks(tmp_path: Path) -> None:
    body = """\
assert b'"describe"' in read()
for _ in range(2):
    write('{"off": true}\\\\n')
    assert b'"go_on"' in read()
write('{"xml": "started"}\\\\n')
"""
    running = worker(tmp_path, body.replace("\\\\n", "\\n"))
    asked = running.asked(Describe(), 30)
    assert [next(asked), next(asked)] == [None, None]
    with pytest.raises(StopIteration) as ended:
        next(asked)
    assert ended.value.value.xml == "started"
    running.close()


def test_a_worker_whose_guest_cannot_be_looked_at_is_killed(tmp_path: Path) -> None:
    running = worker(tmp_path, "read()\nwrite('{\"off\": true}\\n')\nread()")
    with closing(running.asked(Describe(), 30)) as pauses:
        next(pauses)
    assert running.is_closed
    assert not psutil.pid_exists(running.pid)


def test_nobody_waits_for_a_worker_once_the_run_is_interrupted(tmp_path: Path) -> None:
    cancelled = threading.Event()
    cancelled.set()
    running = worker(tmp_path, "read()\ntime.sleep(600)", cancelled=cancelled)
    started = time.monotonic()
    with pytest.raises(WorkerError, match="the run was interrupted"):
        running.ask(Describe(), 600)
    assert time.monotonic() - started < 60


def test_what_a_worker_has_started_ends_with_it(tmp_path: Path) -> None:
    body = "import subprocess\nread()\nprint(subprocess.Popen(['sleep', '600']).pid, flush=True)\ntime.sleep(600)"
    running = worker(tmp_path, body)
    with pytest.raises(WorkerError):
        running.ask(Describe(), 5)
    child = int((tmp_path / "log").read_text())
    ends = time.monotonic() + 60
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < ends
        time.sleep(0.01)
