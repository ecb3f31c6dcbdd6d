"""An instance as libvirt knows it: its domain, the domain's state, and libvirt's record of the domain."""

from __future__ import annotations

from pathlib import Path

import libvirt

from harness.domain.placement import Placement
from harness.errors import HostError
from harness.evidence.inventory import Inventory
from harness.hypervisor.domain_record import record_of
from harness.hypervisor.host import Hypervisor


class InLibvirt:
    """The part of an instance that libvirt tells about."""

    hypervisor: Hypervisor

    @property
    def placement(self) -> Placement:
        """The instance's placement."""
        raise NotImplementedError

    @property
    def console_path(self) -> Path:
        """The path of the current boot's serial log."""
        raise NotImplementedError

    @property
    def domain(self) -> libvirt.virDomain:
        """The instance's domain.

        Raises:
            HostError: libvirt does not know the domain any more.
        """
        try:
            return self.hypervisor.connection.lookupByName(self.placement.domain_name)
        except libvirt.libvirtError as error:
            raise HostError(f"libvirt lost the domain {self.placement.domain_name}: {error}") from error

    @property
    def domain_if_any(self) -> libvirt.virDomain | None:
        """The instance's domain, or None if libvirt does not know it."""
        try:
            return self.domain
        except HostError:
            return None

    def with_record(self, inventory: Inventory) -> Inventory:
        """Return the inventory of the present domain with libvirt's record of the domain."""
        record = record_of(self.domain, self.console_path.parent)
        return inventory.model_copy(update={"platform": inventory.platform | record})

    @property
    def is_active(self) -> bool:
        """True if a guest runs according to libvirt.

        Raises:
            HostError: libvirt does not know the instance's domain any more.
        """
        return bool(self.domain.isActive())

    @property
    def has_crashed(self) -> bool:
        """True if, according to libvirt, the last guest's QEMU ended although nobody had asked it to.

        Raises:
            HostError: libvirt does not know the instance's domain any more.
        """
        return tuple(self.domain.state()) == (libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED)
