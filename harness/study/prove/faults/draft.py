"""A domain that the reference made, for a fault to spoil in place, and the helpers that faults use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml import etree

from harness.domain.disk_names import RESCUE
from harness.domain.placement import DiskSource, Placement
from harness.domain.target_names import first_free_target
from harness.domain.xml import devices_of, disk_target, disks_of, source_of
from harness.errors import Refused
from harness.scenario.steps import Step
from harness.scenario.words import DiskBus, Role


class NotApplicable(Refused):
    """The domain has nothing that the fault could break."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, refused_by="fault")


@dataclass(frozen=True)
class Draft:
    """A domain, and the instance and state it was made from. Asking for an element it lacks raises NotApplicable.

    ``before`` is the domain of the previous state: running for a rescue, rescued for an unrescue. ``steps`` are those
    that the running instance has taken.
    """

    root: etree._Element
    placement: Placement
    before: etree._Element | None = None
    steps: tuple[Step, ...] = ()

    @property
    def devices(self) -> etree._Element:
        """The ``<devices>`` element."""
        return devices_of(self.root)

    def one(self, path: str) -> etree._Element:
        """Return the first element at a path."""
        return child(self.root, path)

    def disk(self, name: str) -> etree._Element:
        """Return the disk with this name in the scenario, found by its source."""
        source = self.placement.sources.get(name)
        for disk in disks_of(self.root):
            if source is not None and source_of(disk) == source.defined_as:
                return disk
        raise NotApplicable(f"no {name}")

    @property
    def rescue(self) -> etree._Element:
        """The rescue disk."""
        return self.disk(RESCUE)

    @property
    def root_disk(self) -> etree._Element:
        """The disk the instance boots from."""
        return self.first(Role.ROOT)

    def first(self, role: Role, bus: str | None = None) -> etree._Element:
        """Return the first disk of a role, in attach order; with ``bus``, the first on that bus."""
        for disk in self.disks(role):
            if bus in {None, disk_target(disk)[1]}:
                return disk
        raise NotApplicable(f"no {role}" if bus is None else f"no {role} on {bus}")

    def disks(self, role: Role) -> list[etree._Element]:
        """Return the disks of a role in attach order."""
        return [self.disk(name) for name in self._names(role)]

    def on_bus(self, bus: str) -> list[etree._Element]:
        """Return the instance's disks on a bus, in the domain's order."""
        rescue = self.placement.sources[RESCUE].defined_as
        return [disk for disk in disks_of(self.root) if disk_target(disk)[1] == bus and source_of(disk) != rescue]

    def source(self, role: Role) -> DiskSource:
        """Return the file of the first disk of a role."""
        for name in self._names(role):
            return self.placement.sources[name]
        raise NotApplicable(f"no {role}")

    def put_on_bus(self, disk: etree._Element, bus: DiskBus) -> None:
        """Give a disk a free name on another bus, and let libvirt choose its address."""
        taken = {disk_target(other)[0] for other in disks_of(self.root)}
        drop_addresses([disk])
        child(disk, "target").attrib.update({"dev": first_free_target(bus, taken), "bus": str(bus)})

    def brought_controllers(self) -> list[etree._Element]:
        """Return the controllers that the previous state lacks, but not model ``none``, which stands for no USB."""
        known = [] if self.before is None else devices_of(self.before).findall("controller")
        known = [each for each in known if each.get("model") != "none"]
        return [each for each in self.devices.findall("controller") if _identity(each) not in map(_identity, known)]

    def _names(self, role: Role) -> Iterator[str]:
        return (mapped.name for mapped in self.placement.mapping.of_role(role))


def child(element: etree._Element, path: str) -> etree._Element:
    """Return the first element at a path below another.

    Raises:
        NotApplicable: the path has no element.
    """
    found = element.find(path)
    if found is None:
        raise NotApplicable(f"no {path}")
    return found


def drop_addresses(devices: Iterable[etree._Element]) -> None:
    """Remove the addresses of devices, so that libvirt chooses them."""
    for device in devices:
        for address in device.findall("address"):
            device.remove(address)


def _identity(controller: etree._Element) -> tuple[str | None, str | None]:
    return controller.get("type"), controller.get("index")
