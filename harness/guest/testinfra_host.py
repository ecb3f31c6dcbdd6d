"""The rescued guest as users' own tests see it: testinfra's host, with ``disks`` by their names in the scenario."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host
from testinfra.modules.base import InstanceModule

from harness.evidence.guest.collection import collection_script, settled_inventory
from harness.evidence.inventory import BlockDevice, Inventory
from harness.guest.booted import BootedGuest


class GuestBackend(BaseBackend):  # type: ignore[misc]
    """testinfra's commands over the harness's own connection: host key checked, a deadline around each command."""

    NAME = "rescue-harness"

    def __init__(self, guest: BootedGuest) -> None:
        super().__init__(guest.domain.name())
        self.guest = guest

    def run(self, command: str, *args: str, **_kwargs: Any) -> CommandResult:
        """Run a command.

        Raises:
            GuestError: the command does not end in time, or the guest is gone.
        """
        words = self.get_command(command, *args)
        completed = self.guest.run(words)
        return self.result(completed.exit_status, self.encode(words), completed.stdout, completed.stderr)


class GuestDisk:
    """One disk in the guest, found by its marker, whatever name the guest gave the disk."""

    def __init__(self, device: BlockDevice) -> None:
        self.facts = device

    @property
    def name(self) -> str:
        """The device node, such as /dev/vda."""
        return f"/dev/{self.facts.name}"

    @property
    def by_path(self) -> tuple[str, ...]:
        """The names of the disk's links in /dev/disk/by-path."""
        return self.facts.by_path or ()

    @property
    def by_id(self) -> tuple[str, ...]:
        """The names of the disk's links in /dev/disk/by-id."""
        return self.facts.by_id or ()

    @property
    def pci_address(self) -> str | None:
        """The address of the PCI function that the disk hangs on."""
        return self.facts.address.function

    @property
    def address(self) -> str:
        """The disk's place: PCI path, then SCSI, ATA or USB place, without any number that is given by arrival."""
        return self.facts.address.in_full

    @property
    def serial(self) -> str | None:
        """The disk's serial number as the guest sees it."""
        return self.facts.serial

    @property
    def size_bytes(self) -> int:
        """The disk's size in bytes."""
        return self.facts.size_bytes or 0

    @property
    def is_read_only(self) -> bool:
        """Whether the kernel takes the disk for read-only."""
        return self.facts.read_only

    def __repr__(self) -> str:
        return f"<disk {self.name} at {self.address}>"


class Disks(InstanceModule):  # type: ignore[misc]
    """The guest's disks by their names in the scenario: root, ephemeral0, volume1, config_drive, rescue.

    >>> host.disks["root"].name
    '/dev/vda'
    >>> host.disks["rescue"].address
    'pci 0000:00:01.2 usb 2'
    """

    @cached_property
    def inventory(self) -> Inventory:
        """The inventory that the guest showed when it was first asked; read once.

        Raises:
            GuestError: the guest does not answer, or its devices did not settle.
        """
        return settled_inventory(self._host.backend.guest.run(collection_script()).stdout)

    @cached_property
    def _by_name(self) -> dict[str, GuestDisk]:
        return {
            device.marker.disk: GuestDisk(device)
            for device in self.inventory.block_devices
            if device.marker is not None
        }

    def __getitem__(self, name: str) -> GuestDisk:
        if name not in self._by_name:
            raise KeyError(f"no disk '{name}' in the guest; there are {', '.join(sorted(self._by_name))}")
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


class GuestHost(Host):  # type: ignore[misc]
    """testinfra's host with the module ``disks``."""

    @cached_property
    def disks(self) -> Disks:
        """The guest's disks."""
        disks: Disks = Disks.get_module(self)
        return disks

    @property
    def inventory(self) -> Inventory:
        """The inventory that the guest showed when it was first asked."""
        return self.disks.inventory


def guest_host(guest: BootedGuest) -> GuestHost:
    """Return the guest as a testinfra host."""
    backend = GuestBackend(guest)
    host = GuestHost(backend)
    backend.set_host(host)
    return host
