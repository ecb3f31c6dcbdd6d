"""Traits that change are found; those that another kernel or one more device changes by itself are not."""

from __future__ import annotations

import pytest

from harness.evidence.inventory import Inventory, State
from harness.verdict.claims import compare_rescued, compare_unrescued
from harness.verdict.finding import Finding
from harness.verdict.not_told import not_told

from ..support.verdict_inventories import EXPECTED, NORMAL, RESCUED, UNRESCUED, edited

BEFORE = {
    "cpu count": "2",
    "cpu flags": "fpu pse tsc msr pae mce cx8 apic sep",
    "memory total": "210732 kB",
    "acpi APIC": "aa",
    "acpi DSDT": "bb",
    "smbios tables": "cc",
    "tpm0 PCR 0": "dd",
    "slot 3": "0000:00:03",
}
ROOT = {"physical block size": "512", "queues": "2", "I/O errors": "none"}
NIC = {"mtu": "1500", "carrier": "1"}
FUNCTION = {"capabilities": "11 09", "virtio features": "1 2"}


def seen(
    inventory: Inventory,
    system: dict[str, str] = BEFORE,
    *,
    root: dict[str, str] = ROOT,
    nic: dict[str, str] = NIC,
    function: dict[str, str] = FUNCTION,
    kernel: str = "6.1",
) -> Inventory:
    """Return an inventory with traits of the system, the root disk, every NIC and every PCI function."""
    return edited(
        inventory,
        kernel=kernel,
        traits=system,
        block_devices=tuple(
            device.model_copy(update={"traits": root}) if device.marker and device.marker.disk == "root" else device
            for device in inventory.block_devices
        ),
        network_interfaces=tuple(each.model_copy(update={"traits": nic}) for each in inventory.network_interfaces),
        pci_devices=tuple(each.model_copy(update={"traits": function}) for each in inventory.pci_devices),
    )


def told(findings: tuple[Finding, ...]) -> set[tuple[str, str, str]]:
    return {(str(each.claim), each.before, each.after) for each in findings}


def rescued(other: Inventory) -> set[tuple[str, str, str]]:
    return told(compare_rescued(seen(NORMAL), other, EXPECTED))


def unrescued(other: Inventory) -> set[tuple[str, str, str]]:
    return told(compare_unrescued(seen(NORMAL), seen(RESCUED), other, EXPECTED))


def test_traits_that_stay_are_quiet() -> None:
    assert rescued(seen(RESCUED)) == set()
    assert unrescued(seen(UNRESCUED)) == set()


HARDWARE = [
    pytest.param({"system": {**BEFORE, "cpu count": "1"}}, ("count 2", "count 1"), id="processors"),
    pytest.param({"system": {**BEFORE, "acpi APIC": "a0"}}, ("APIC aa", "APIC a0"), id="acpi-table"),
    pytest.param({"system": {**BEFORE, "smbios tables": "c0"}}, ("tables cc", "tables c0"), id="smbios"),
    pytest.param(
        {"root": {**ROOT, "physical block size": "4096"}},
        ("physical block size 512", "physical block size 4096"),
        id="physical-block",
    ),
    pytest.param(
        {"root": {**ROOT, "I/O errors": "in the kernel's log"}},
        ("I/O errors none", "I/O errors in the kernel's log"),
        id="io-errors",
    ),
    pytest.param(
        {"function": {**FUNCTION, "capabilities": "09"}}, ("capabilities 11 09", "capabilities 09"), id="capabilities"
    ),
]
OF_THE_KERNEL = [
    pytest.param(
        {"system": {**BEFORE, "cpu flags": "fpu pse tsc msr pae mce cx8 apic sep pti"}},
        ("flags none", "flags pti"),
        id="flags",
    ),
    pytest.param({"root": {**ROOT, "queues": "1"}}, ("queues 2", "queues 1"), id="queues"),
    pytest.param(
        {"function": {**FUNCTION, "virtio features": "1"}}, ("virtio features 1 2", "virtio features 1"), id="features"
    ),
]
AFTER_UNRESCUE = [
    pytest.param({"system": {**BEFORE, "memory total": "1 kB"}}, ("total 210732 kB", "total 1 kB"), id="memory"),
    pytest.param({"system": {**BEFORE, "acpi DSDT": "b0"}}, ("DSDT bb", "DSDT b0"), id="dsdt"),
    pytest.param({"system": {**BEFORE, "tpm0 PCR 0": "d0"}}, ("PCR 0 dd", "PCR 0 d0"), id="pcr"),
    pytest.param({"system": {**BEFORE, "slot 3": "0000:00:04"}}, ("3 0000:00:03", "3 0000:00:04"), id="slot"),
    pytest.param({"nic": {**NIC, "mtu": "1450"}}, ("mtu 1500", "mtu 1450"), id="mtu"),
    pytest.param({"nic": {**NIC, "carrier": "0"}}, ("carrier 1", "carrier 0"), id="carrier"),
]


@pytest.mark.parametrize(("traits", "expected"), HARDWARE)
def test_hardware_that_changes_is_found_under_any_kernel(
    traits: dict[str, dict[str, str]], expected: tuple[str, str]
) -> None:
    for kernel in ("6.1", "6.12"):
        assert {values[1:] for values in rescued(seen(RESCUED, **traits, kernel=kernel))} == {expected}
    found = unrescued(seen(UNRESCUED, **traits))
    assert found == {("restored", *expected)}


@pytest.mark.parametrize(("traits", "expected"), OF_THE_KERNEL)
def test_what_the_kernel_has_a_say_in_is_compared_under_the_same_one(
    traits: dict[str, dict[str, str]], expected: tuple[str, str]
) -> None:
    assert {values[1:] for values in rescued(seen(RESCUED, **traits))} == {expected}
    assert rescued(seen(RESCUED, **traits, kernel="6.12")) == set()
    assert unrescued(seen(UNRESCUED, **traits)) == {("restored", *expected)}


@pytest.mark.parametrize(("traits", "expected"), AFTER_UNRESCUE)
def test_what_the_rescue_changes_by_itself_must_be_back_after_it(
    traits: dict[str, dict[str, str]], expected: tuple[str, str]
) -> None:
    assert rescued(seen(RESCUED, **traits)) == set()
    assert unrescued(seen(UNRESCUED, **traits)) == {("restored", *expected)}


def test_what_a_rescue_system_does_not_tell_is_not_compared_and_what_the_instance_no_longer_tells_is() -> None:
    silent = {name: value for name, value in BEFORE.items() if not name.startswith("acpi")}
    assert rescued(seen(RESCUED, silent)) == set()
    assert unrescued(seen(UNRESCUED, silent)) == {
        ("restored", "APIC aa", "APIC none"),
        ("restored", "DSDT bb", "DSDT none"),
    }


def test_a_nic_that_is_down_tells_nothing_of_its_carrier() -> None:
    assert unrescued(seen(UNRESCUED, nic={"mtu": "1500"})) == set()


def test_what_the_normal_state_does_not_tell_is_not_missed() -> None:
    silent = {name: value for name, value in BEFORE.items() if not name.startswith("acpi")}
    normal = seen(NORMAL, silent)
    assert compare_unrescued(normal, seen(RESCUED, silent), seen(UNRESCUED), EXPECTED) == ()


def test_what_one_state_does_not_tell_is_said() -> None:
    silent = {name: value for name, value in BEFORE.items() if name not in {"acpi APIC", "acpi DSDT"}}
    other = seen(RESCUED, silent, root={"I/O errors": "none"}, kernel="6.12")
    assert {(str(each.claim), each.what) for each in not_told(seen(NORMAL), other, State.RESCUED, EXPECTED)} >= {
        ("other-hardware", "acpi APIC"),
        ("identity", "the physical block size of root"),
    }
    told = {each.what for each in not_told(seen(NORMAL), other, State.RESCUED, EXPECTED)}
    assert not told & {"acpi DSDT", "the queues of root"}  # compared in no case like this


def test_errors_of_the_normal_state_alone_are_nobodys() -> None:
    normal = seen(NORMAL, root={**ROOT, "I/O errors": "in the kernel's log"})
    assert compare_rescued(normal, seen(RESCUED), EXPECTED) == ()
