"""A definition whose devices are put where the running domain has them."""

from __future__ import annotations

from harness.domain.pinning import with_addresses_of
from harness.domain.xml import address_text, devices_of, parse_domain, serialise

from ..support.domains import PC, USB_ON_PC, domain, pci_address

NIC = "<interface type='user'><mac address='52:54:00:00:00:0{number}'/>{address}</interface>"
DISK = "<disk type='file' device='disk'><target dev='{target}' bus='virtio'/>{address}</disk>"


def text(nics: dict[int, str], disks: dict[str, str]) -> str:
    devices = [NIC.format(number=number, address=pci_address(at).as_xml()) for number, at in nics.items()]
    devices += [DISK.format(target=target, address=pci_address(at).as_xml()) for target, at in disks.items()]
    return serialise(domain(PC, USB_ON_PC, *devices))


def test_definition_that_agrees_is_left_alone() -> None:
    both = text({1: "00:03.0"}, {"vda": "00:04.0", "vdb": "00:05.0"})
    assert with_addresses_of(both, both) is None


def test_devices_go_where_they_run_whatever_their_order() -> None:
    defined = text({1: "00:03.0", 2: "00:06.0"}, {"vda": "00:04.0", "vdb": "00:05.0"})
    live = text({2: "00:05.0", 1: "00:03.0"}, {"vdb": "00:06.0", "vda": "00:04.0"})
    moved = with_addresses_of(defined, live)
    assert moved is not None
    places = [address_text(device) for device in devices_of(parse_domain(moved)) if device.tag in ("interface", "disk")]
    assert places == ["PCI 0000:00:03.0", "PCI 0000:00:05.0", "PCI 0000:00:04.0", "PCI 0000:00:06.0"]
    assert with_addresses_of(moved, live) is None
