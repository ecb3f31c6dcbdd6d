"""What a case costs, in boots: who goes first, and how long a run is said to take."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.implementation.reference.implementation import Reference
from harness.reading.cases import SHIPPED_SUITE, collect_cases
from harness.run.cost import CANARIES_A_BOOT, boots_of, duration_text, expected_s, rest_of_the_suite
from harness.scenario.words import Level

HEAD = "name: one\nsummary: s\n"
INSTANCE = "instance:\n  disks: [{role: root}]\n"
VIRTIO = "rescue_image:\n  properties: {hw_rescue_bus: virtio}\n"
USB = "rescue_image:\n  properties: {hw_rescue_bus: usb}\n"
TEXTS = {
    "three states": (HEAD + INSTANCE + VIRTIO, 3),
    "refused": (HEAD + INSTANCE + VIRTIO + "expect: {verdict: refused, reason: r}\n", 1),
    "UEFI": (HEAD + INSTANCE + "  firmware: uefi\n" + VIRTIO, 4.5),
    "two Debians": (HEAD + INSTANCE + "  image: debian\n" + VIRTIO + "  image: debian\n", 9),
    "USB 1.1": (HEAD + INSTANCE + USB, 7),
    "USB 3": (HEAD + INSTANCE + "  properties: {hw_usb_model: qemu-xhci}\n" + USB, 3),
    "a reboot and a rescue before": (HEAD + INSTANCE + "steps: [reboot, rescue]\n" + VIRTIO, 6),
    "for level plan": (HEAD + "deepest_level: plan\n" + INSTANCE + VIRTIO, 0.002),
}


@pytest.mark.parametrize(("text", "boots"), TEXTS.values(), ids=TEXTS.keys())
def test_a_case_costs_its_boots(text: str, boots: float, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(text)
    (case,) = collect_cases([tmp_path], Reference(), level=Level.GUEST)
    assert boots_of(case) == pytest.approx(boots)
    assert expected_s([case, case], 2, 4) == pytest.approx(boots * CANARIES_A_BOOT)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "less than a minute"), (55, "about 1 minute"), (100, "about 2 minutes"), (1500, "about 25 minutes")],
)
def test_a_duration_is_rough(seconds: float, text: str) -> None:
    assert duration_text(seconds) == f"{text} on an idle host"


def test_what_is_left_out_of_the_shipped_suite_is_told(tmp_path: Path) -> None:
    some = collect_cases([SHIPPED_SUITE / "stable"], Reference())
    whole = collect_cases([SHIPPED_SUITE], Reference())
    told = rest_of_the_suite(some, Level.GUEST, 6, 2)
    assert told is not None
    assert told.startswith(f"{len(whole) - len(some)} of the shipped suite's {len(whole)} cases were left out; ")
    assert told.endswith(" minutes on an idle host")
    assert rest_of_the_suite(whole, Level.GUEST, 6, 2) is None
    (tmp_path / "one.yaml").write_text(HEAD + INSTANCE + VIRTIO)
    assert rest_of_the_suite(collect_cases([tmp_path], Reference()), Level.GUEST, 6, 2) is None
