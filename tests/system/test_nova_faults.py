"""Red means red, in Nova's own source: the gate notices each seeded fault by the claim that should."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.errors import GuestAfter
from harness.implementation.nova.environments import Environments
from harness.implementation.nova.implementation import Nova
from harness.implementation.reference.implementation import Reference
from harness.implementation.registry import opened
from harness.reading.cases import SHIPPED_SUITE, Case, collect_cases
from harness.run.on_ramp import OpenRun, RunOptions
from harness.run.pool import Unobserved
from harness.run.session import Session
from harness.scenario.words import Level, VerdictName
from harness.study.compare.case_comparison import Change
from harness.study.compare.case_outcome import CaseOutcome
from harness.study.compare.change_base import base_of
from harness.study.compare.sides import Sides, comparisons_of, run_on, sides_of

from .support.nova_checkout import Checkout, checkout_of
from .support.nova_data import RELEASE, Data
from .support.nova_faults import FAULTS, SeededFault, faults_page

PAGE = Path(__file__).parents[2] / "docs" / "nova" / "faults.md"


@dataclass(frozen=True)
class Bench:
    """A checkout to break, both of its sides, and what the cases of the faults come to on the base."""

    checkout: Checkout
    sides: Sides
    session: Session
    cases: dict[str, Case]
    of_base: dict[str, CaseOutcome]

    def run(self, cases: list[Case]) -> dict[str, CaseOutcome]:
        """What cases come to on the checkout as it is now, in a worker of their own."""
        return run_once(cases, Nova(self.sides.change), self.session)


def run_once(cases: list[Case], nova: Nova, session: Session) -> dict[str, CaseOutcome]:
    with opened([nova]) as held:
        run = OpenRun(replace(session, implementations=held), RunOptions(session.folder.path, jobs=1))
        (outcomes,) = run_on(cases, [nova], run, Unobserved())
    return dict(outcomes)


@pytest.fixture(scope="module")
def bench(nova_data: Data, rescue_session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("seeded")
    checkout = checkout_of(nova_data, folder / "nova")
    named = {fault.case for fault in FAULTS}
    suite = collect_cases([SHIPPED_SUITE], Reference(), level=Level.PLAN)
    cases = {case.id: case for case in suite if case.id in named}
    session = replace(rescue_session, folder=replace(rescue_session.folder, path=folder / "results"))
    checkout.replace(FAULTS[0].file, FAULTS[0].old, FAULTS[0].new)
    base = base_of(checkout.path)
    checkout.git("checkout", "--quiet", "--", ".")
    with sides_of(checkout.path, base, Environments(nova_data.folder / "nova").find(RELEASE)) as sides:
        of_base = run_once(list(cases.values()), Nova(sides.base), session)
        yield Bench(checkout, sides, session, cases, of_base)


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_seeded_fault_is_noticed_by_its_claim(fault: SeededFault, bench: Bench) -> None:
    case = bench.cases[fault.case]
    bench.checkout.replace(fault.file, fault.old, fault.new)
    try:
        of_change = bench.run([case])
    finally:
        bench.checkout.git("checkout", "--quiet", "--", ".")
    (compared,) = comparisons_of([case], bench.of_base, of_change, bench.session.hypervisor.versions)
    assert compared.kind is Change.WORSE, compared
    if fault.claim is None:
        assert compared.change.verdict is VerdictName.REFUSED
        assert (compared.change.refused_by, compared.change.guest) == ("libvirt", GuestAfter.SHUT_OFF)
    else:
        new = set(compared.change.findings) - set(compared.base.findings)
        assert fault.claim in {finding.claim for finding in new}, compared


def test_there_are_many_and_each_is_a_change_of_its_own() -> None:
    assert len(FAULTS) >= 10
    assert len({fault.name for fault in FAULTS}) == len({(fault.file, fault.old, fault.new) for fault in FAULTS})


def test_published_page_is_the_codes() -> None:
    assert PAGE.read_text() == faults_page(FAULTS), "write it anew: make tables"
