"""The time that cases take, in boots of the small guest from a virtio disk under BIOS.

The unit is one boot of the small guest from a virtio disk under BIOS. The factors are measured under TCG, see
docs/design/performance.md. Control boots are not included.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.counting import counted
from harness.implementation.reference.implementation import Reference
from harness.implementation.request import request_or_none
from harness.reading.cases import SHIPPED_SUITE, Case, collect_cases
from harness.scenario.images import RescueSource, ShippedImage, UserImage, is_debian
from harness.scenario.models import Scenario
from harness.scenario.rescue_image import RescueImage
from harness.scenario.steps import REBOOT, RESCUE, is_rescue
from harness.scenario.words import DiskBus, Firmware, Level, VerdictName

CANARIES_A_BOOT = 1.55
"""The time of a boot with its share of the case's other work, in boots of the canary."""
_ABOVE_GUEST = {Level.PLAN: 0.002, Level.MACHINE: 0.3}
_UEFI = 1.5
_DEBIAN = 3.0
_USB_1_1 = 4.0
"""The further time in which firmware loads a kernel from libvirt's default USB controller."""


def boots_of(case: Case) -> float:
    """Return the time of a case, in boots, if nothing has to be booted again."""
    if case.level is not Level.GUEST:
        return _ABOVE_GUEST[case.level]
    scenario = case.point.scenario
    instance = _boot(scenario, scenario.instance.image)
    before = 1 + sum(step == REBOOT or is_rescue(step) for step in scenario.steps)
    if all(expectation.verdict is VerdictName.REFUSED for expectation in scenario.expect):
        return before * instance
    plain = sum(step == RESCUE for step in scenario.steps) + len(scenario.while_rescued)
    media = (*scenario.rescue_images, *(scenario.rescue_image for _ in range(plain)))
    rescued = sum(_boot(scenario, each.image) + _extra_of_the_medium(scenario, each) for each in media)
    return (before + 1) * instance + rescued


def _boot(scenario: Scenario, image: ShippedImage | RescueSource | UserImage) -> float:
    return (_UEFI if scenario.instance.firmware is Firmware.UEFI else 1) * (_DEBIAN if is_debian(image) else 1)


def _extra_of_the_medium(scenario: Scenario, image: RescueImage) -> float:
    request = request_or_none(scenario.instance, image)
    is_slow = request is not None and request.bus is DiskBus.USB and scenario.instance.properties.hw_usb_model is None
    return _USB_1_1 if is_slow else 0


def expected_s(cases: Iterable[Case], canary_s: float, jobs: int) -> float:
    """Estimate the seconds that cases take, ``jobs`` at once, on a host whose canary took ``canary_s``."""
    return sum(boots_of(case) for case in cases) * canary_s * CANARIES_A_BOOT / jobs


def duration_text(seconds: float) -> str:
    """Return a rough duration in words. A measurement of the host holds only as long as the host does nothing else."""
    if seconds < 50:
        return "less than a minute on an idle host"
    minutes = max(1, round(seconds / 60))
    return f"about {counted(minutes, 'minute')} on an idle host"


def rest_of_the_suite(cases: Sequence[Case], level: Level, canary_s: float, jobs: int) -> str | None:
    """Say in a sentence which part of the shipped suite a run of its folders has left out; None if none.

    Raises:
        ScenarioError: a file of the suite is wrong.
    """
    suite = SHIPPED_SUITE.resolve()
    if not all(case.file.resolve().is_relative_to(suite) for case in cases):
        return None
    whole = collect_cases([SHIPPED_SUITE], Reference(), level=level)
    left = len({case.point.id for case in whole} - {case.point.id for case in cases})
    if not left:
        return None
    duration = duration_text(expected_s(whole, canary_s, jobs))
    return f"{left} of the shipped suite's {len(whole)} cases were left out; all of it takes {duration}"
