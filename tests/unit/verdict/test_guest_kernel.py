"""The rescue system's own software is not the rescue: same place, same domain, and no driver or another rule."""

from __future__ import annotations

from typing import Any

import pytest

from harness.evidence.address import AtaUnit
from harness.evidence.inventory import Inventory, State
from harness.scenario.models import Expectation, ExpectedFinding
from harness.scenario.words import ClaimName, Level, VerdictName
from harness.verdict.claims import compare_rescued
from harness.verdict.finding import Finding
from harness.verdict.guest_kernel import attribute_to_software
from harness.verdict.outcome import meets, verdict_of
from harness.verdict.race import needs_control_boots

from ..support.verdict_inventories import (
    AHCI,
    EXPECTED,
    NIC,
    NORMAL,
    RESCUED,
    SCSI,
    STICK,
    TABLET,
    UHCI,
    address_of,
    block,
    changed,
    edited,
    nic,
    plus,
    without,
)

SCSI_PLACE = f"pci 0000:00:02.4/{SCSI}"
NIC_PLACE = "pci 0000:00:02.1/0000:01:00.0"


def attributed(
    rescued: Inventory,
    *,
    normal: Inventory = NORMAL,
    domains: tuple[Inventory, Inventory] = (NORMAL, RESCUED),
) -> tuple[Finding, ...]:
    definitions = dict(zip((State.NORMAL, State.RESCUED), domains, strict=True))
    return attribute_to_software(compare_rescued(normal, rescued, EXPECTED), normal, rescued, EXPECTED, definitions)


def causes(findings: tuple[Finding, ...]) -> set[tuple[str, str, str]]:
    return {(finding.device, finding.after, finding.cause) for finding in findings}


LOST = edited(without(RESCUED, "volume1", "volume2"), undriven=(SCSI_PLACE,))


def test_disks_without_a_driver_are_shown_and_do_not_count_against_the_rescue() -> None:
    findings = attributed(LOST)
    assert causes(findings) == {("volume1", "missing", "guest-kernel"), ("volume2", "missing", "guest-kernel")}
    assert verdict_of(findings) is VerdictName.STABLE
    assert f"the domain has it, and the guest has no driver for {SCSI_PLACE}" in findings[0].message
    assert str(findings[0]).endswith("(the rescue system's own software, not rescue)")


BY_RESCUE: dict[str, dict[str, Any]] = {
    "a driver is bound": {"rescued": edited(LOST, undriven=())},
    "another function has no driver": {"rescued": edited(LOST, undriven=(f"pci {UHCI}",))},
    "the domain lacks the disks, too": {"domains": (NORMAL, without(RESCUED, "volume1", "volume2"))},
    "the controller is another one": {
        "rescued": edited(
            LOST,
            pci_devices=tuple(
                each.model_copy(update={"vendor_device": "1000:0012"}) if each.address == SCSI else each
                for each in LOST.pci_devices
            ),
        )
    },
}


@pytest.mark.parametrize("state", BY_RESCUE.values(), ids=BY_RESCUE.keys())
def test_disks_that_the_rescue_loses_count_against_it(state: dict[str, Any]) -> None:
    findings = attributed(**({"rescued": LOST} | state))
    assert {finding.cause for finding in findings if finding.claim is ClaimName.ALL_PRESENT} == {"rescue"}


def test_without_the_domains_nothing_is_excused() -> None:
    findings = compare_rescued(NORMAL, LOST, EXPECTED)
    assert attribute_to_software(findings, NORMAL, LOST, EXPECTED, {}) == findings


def test_a_name_that_moves_up_behind_a_lost_disk_is_no_more_the_rescue_s_than_the_loss() -> None:
    first = block("sda", "ephemeral0", AHCI, unit=AtaUnit(port=1), bus="ata", driver="ahci")
    others = without(NORMAL, "ephemeral0")
    normal = plus(changed(changed(others, "volume1", name="sdb"), "volume2", name="sdc"), first)
    lost = edited(without(RESCUED, "ephemeral0"), undriven=(f"pci {AHCI}",))
    up = changed(changed(lost, "rescue", name="sdd"), "volume2", name="sdb")
    domains = (normal, plus(without(RESCUED, "ephemeral0"), first))
    up = edited(up, boot_medium="sdd")
    assert causes(attributed(up, normal=normal, domains=domains)) == {
        ("ephemeral0", "missing", "guest-kernel"),
        ("volume1", "sda", "guest-kernel"),
        ("volume2", "sdb", "guest-kernel"),
    }
    behind_rescue = changed(changed(up, "volume1", name="sdb"), "volume2", name="sdc")
    exchanged = changed(changed(up, "volume1", name="sdb"), "volume2", name="sda")
    assert not [each for each in attributed(behind_rescue, normal=normal, domains=domains) if each.is_about_a_name]
    named = [each for each in attributed(exchanged, normal=normal, domains=domains) if each.is_about_a_name]
    assert {(each.device, each.cause) for each in named} == {("volume2", "rescue")}


PREDICTED = {"name": "enp1s0", "predictable_name": "enp1s0"}
NAMED = nic(NORMAL, **PREDICTED)
SOFTWARE: dict[str, Inventory] = {
    "no predictable names": nic(RESCUED, name="eth0", predictable_name="enp1s0"),
    "no hot-plug driver": nic(RESCUED, name="ens3", predictable_name="ens3"),
    "another driver": nic(RESCUED, **PREDICTED, driver="8139too"),
    "no driver": edited(RESCUED, network_interfaces=(), undriven=(NIC_PLACE,)),
}


@pytest.mark.parametrize("rescued", SOFTWARE.values(), ids=SOFTWARE.keys())
def test_what_software_makes_of_a_network_interface_at_its_place_is_not_the_rescue_s(rescued: Inventory) -> None:
    findings = attributed(rescued, normal=NAMED)
    assert {finding.cause for finding in findings} == {"guest-kernel"}
    assert {finding.device for finding in findings} == {"nic0"}
    assert needs_control_boots(findings) == ()


MOVED: dict[str, Inventory] = {
    "another number": nic(RESCUED, name="enp2s0", predictable_name="enp1s0"),
    "an index of the domain's": nic(RESCUED, name="eno7", predictable_name="eno7"),
    "another place": nic(
        RESCUED, name="ens3", predictable_name="ens3", address=address_of("0000:00:02.1", "0000:08:00.0")
    ),
    "another MAC": nic(RESCUED, name="eth0", predictable_name="enp1s0", mac="52:54:00:00:00:09"),
    "another model": edited(
        nic(RESCUED, **PREDICTED, driver="e1000"),
        pci_devices=tuple(
            each.model_copy(update={"vendor_device": "8086:100e"}) if each.address == "0000:01:00.0" else each
            for each in RESCUED.pci_devices
        ),
    ),
    "left out of the domain": edited(RESCUED, network_interfaces=(), undriven=(NIC_PLACE,)),
}


@pytest.mark.parametrize(("what", "rescued"), MOVED.items(), ids=MOVED.keys())
def test_what_the_domain_makes_of_a_network_interface_is_the_rescue_s(what: str, rescued: Inventory) -> None:
    domain = edited(RESCUED, network_interfaces=()) if what == "left out of the domain" else RESCUED
    findings = attributed(rescued, normal=NAMED, domains=(NORMAL, domain))
    assert {finding.cause for finding in findings} == {"rescue"}


def test_names_close_up_behind_a_network_interface_without_a_driver() -> None:
    card = NIC.model_copy(update={"name": "eth1", "mac": "52:54:00:00:00:02", "address": address_of("0000:00:09.0")})
    normal = edited(NORMAL, network_interfaces=(NIC, card))
    up = edited(RESCUED, network_interfaces=(card.model_copy(update={"name": "eth0"}),), undriven=(NIC_PLACE,))
    domains = (normal, edited(RESCUED, network_interfaces=(NIC, card)))
    found = attributed(up, normal=normal, domains=domains)
    assert {(each.before, each.after, each.cause) for each in found} == {
        ("present", "missing", "guest-kernel"),
        ("eth1", "eth0", "guest-kernel"),
    }
    by_rescue = attributed(edited(up, undriven=()), normal=normal, domains=domains)
    assert {each.cause for each in by_rescue} == {"rescue"}


def test_a_network_interface_that_only_the_rescue_system_drives_is_not_new() -> None:
    normal = edited(NORMAL, network_interfaces=(), undriven=(NIC_PLACE,))
    assert causes(attributed(RESCUED, normal=normal)) == {(NIC.name, "present", "guest-kernel")}
    bare = edited(NORMAL, network_interfaces=())
    assert causes(attributed(RESCUED, normal=normal, domains=(bare, RESCUED))) == {(NIC.name, "present", "rescue")}


def test_a_usb_device_behind_a_controller_without_a_driver_is_there() -> None:
    lost = edited(RESCUED, usb_devices=(STICK,))
    assert causes(attributed(edited(lost, undriven=(f"pci {UHCI}",)))) == {("usb 0627:0001", "missing", "guest-kernel")}
    assert causes(attributed(lost)) == {("usb 0627:0001", "missing", "rescue")}
    left_out = edited(RESCUED, usb_devices=())
    undriven = edited(lost, undriven=(f"pci {UHCI}",))
    assert causes(attributed(undriven, domains=(NORMAL, left_out))) == {("usb 0627:0001", "missing", "rescue")}
    assert TABLET in NORMAL.usb_devices


def test_another_driver_of_a_disk_at_its_place_is_the_kernel_s() -> None:
    assert causes(attributed(changed(RESCUED, "config_drive", driver="ata_generic"))) == {
        ("config_drive", "driver ata_generic", "guest-kernel")
    }


def test_a_tpm_without_a_driver_is_there() -> None:
    normal = edited(NORMAL, platform={"tpm0": "TPM 2, driver tpm_crb", "tpm0 endorsement key": "ab"})
    gone = edited(RESCUED, platform={})
    domains = {"domains": (NORMAL, RESCUED)}
    assert {each.cause for each in attributed(edited(gone, undriven=("tpm",)), normal=normal)} == {"guest-kernel"}
    assert {each.cause for each in attributed(gone, normal=normal, **domains)} == {"rescue"}


EXCUSED = ExpectedFinding(claim=ClaimName.ALL_PRESENT, device="volume*", cause="guest-kernel")


def test_a_finding_of_the_guest_s_software_can_be_expected_and_need_not_be() -> None:
    findings = attributed(LOST)
    assert meets(Expectation(verdict=VerdictName.STABLE), VerdictName.STABLE, findings) is None
    wanted = Expectation(verdict=VerdictName.STABLE, findings=(EXCUSED,))
    assert meets(wanted, VerdictName.STABLE, findings) is None
    assert meets(wanted, VerdictName.STABLE, ()) is not None
    assert meets(wanted, VerdictName.STABLE, (), level=Level.PLAN) is None


def test_an_expected_loss_by_the_rescue_is_not_fulfilled_by_the_guest_s_software() -> None:
    by_rescue = EXCUSED.model_copy(update={"cause": "rescue"})
    moved = Expectation(verdict=VerdictName.MOVED, findings=(by_rescue,))
    assert meets(moved, VerdictName.STABLE, attributed(LOST)) is not None
    assert (
        meets(
            Expectation(verdict=VerdictName.STABLE, findings=(EXCUSED,)),
            VerdictName.MOVED,
            compare_rescued(NORMAL, LOST, EXPECTED),
        )
        is not None
    )
    with pytest.raises(ValueError, match="stable"):
        Expectation(verdict=VerdictName.STABLE, findings=(by_rescue,))
