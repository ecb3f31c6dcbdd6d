"""The time that passes for a guest, and the time that a boot may take, with looks in place of a clock."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.guest.boot.allowance import Allowance
from harness.guest.boot.cpu import CpuPlace
from harness.guest.boot.look import Look, VcpuTime, own_time_s
from harness.guest.boot.watch import BootWatch
from harness.guest.own_deadline import OwnDeadline

IDLE = CpuPlace(halted=True, protected=True, paging=True, long_mode=True, address=0xFFFFFFFF_8FC592EB)
ALLOWANCE = Allowance(own_s=100, far_s=400, quiet_s=5)


def look(at_s: float, *vcpus: tuple[float, float | None], cpu: CpuPlace | None = None, read: int = 0) -> Look:
    return Look(at_s, "", {"vda": read}, tuple(VcpuTime(*each) for each in vcpus), cpu)


@pytest.mark.parametrize(
    ("before", "now", "own_s"),
    [
        pytest.param(look(10, (5, 0)), look(20, (15, 0)), 10, id="alone on the host"),
        pytest.param(look(10, (5, 5)), look(20, (8, 12)), 3, id="a third of a processor"),
        pytest.param(look(10, (5, 5)), look(20, (5.1, 5.1)), 9.9, id="at rest, which takes no processor"),
        pytest.param(look(10, (5, 0), (1, 0)), look(20, (9, 6), (1, 0)), 4, id="the virtual CPU that waits most"),
        pytest.param(look(10, (5, None)), look(20, (8, None)), 3, id="nobody tells the waiting"),
        pytest.param(look(10, (5, None), cpu=IDLE), look(20, (5.1, None), cpu=IDLE), 10, id="at rest, untold"),
        pytest.param(look(10), look(20), 10, id="nothing is told"),
        pytest.param(look(0), look(6, (2, 3)), 3, id="since the start"),
        pytest.param(look(20, (5, 0)), look(20, (5, 0)), 0, id="at once"),
    ],
)
def test_guests_clock_stands_still_while_it_waits_for_a_processor(before: Look, now: Look, own_s: float) -> None:
    assert own_time_s(before, now) == pytest.approx(own_s)


def watched(seconds: int, *, share: float, reads: bool = False, stops_reading_at: int = 10_000) -> BootWatch:
    """Return the watch of a guest that got a share of a processor for so many seconds by the clock."""
    watch = BootWatch()
    for at_s in range(1, seconds + 1):
        read = min(at_s, stops_reading_at) if reads else 0
        watch = watch.after(look(at_s, (share * at_s, (1 - share) * at_s), read=read))
    return watch


@pytest.mark.parametrize(
    ("watch", "is_used_up"),
    [
        pytest.param(watched(99, share=1), False, id="still time"),
        pytest.param(watched(101, share=1), True, id="a quiet host"),
        pytest.param(watched(290, share=1 / 3), False, id="a host loaded threefold"),
        pytest.param(watched(310, share=1 / 3), True, id="its own time is over"),
        pytest.param(watched(401, share=1 / 10), True, id="the far end, however busy the host"),
        pytest.param(watched(390, share=1, reads=True), False, id="reads all the time"),
        pytest.param(watched(401, share=1, reads=True), True, id="reads for ever"),
        pytest.param(watched(110, share=1, reads=True, stops_reading_at=107), False, id="has just read"),
        pytest.param(watched(115, share=1, reads=True, stops_reading_at=107), True, id="reads no more"),
    ],
)
def test_boot_is_given_up_by_its_own_time_and_not_while_it_shows_activity(watch: BootWatch, is_used_up: bool) -> None:
    assert ALLOWANCE.is_used_up(watch) is is_used_up


@pytest.mark.parametrize(
    ("watch", "told"),
    [
        (watched(101, share=1), "within 100 s"),
        (watched(310, share=1 / 3), "within 100 s of its own time (310 s by the clock)"),
        (watched(400, share=1 / 10), "within 400 s by the clock, 40 s of them its own"),
    ],
)
def test_message_tells_the_time_that_counted(watch: BootWatch, told: str) -> None:
    assert ALLOWANCE.told(watch) == told


class Clock:
    """A clock that stands until it is told to go on, and a guest that gets a share of a processor by it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, share: float) -> None:
        self.now, self.share, self.looks = 1000.0, share, 0
        monkeypatch.setattr("harness.guest.own_deadline.time", SimpleNamespace(monotonic=lambda: self.now))

    def look(self) -> Look:
        self.looks += 1
        return look(self.now, (self.share * self.now, (1 - self.share) * self.now))


@pytest.mark.parametrize(("share", "ends_s"), [(1.0, 30), (1 / 3, 90), (0.1, 120)])
def test_command_has_its_own_time_on_a_busy_host(monkeypatch: pytest.MonkeyPatch, share: float, ends_s: int) -> None:
    clock = Clock(monkeypatch, share)
    deadline = OwnDeadline(30, 120, clock.look)
    passed = 0
    while not deadline.passed:
        clock.now += 1
        passed += 1
    assert passed == pytest.approx(ends_s, abs=2)


def test_command_that_ends_in_time_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 1.0)
    deadline = OwnDeadline(30, 120, clock.look)
    for _ in range(29):
        clock.now += 1
        assert deadline.remaining_s > 0
    assert clock.looks == 1
