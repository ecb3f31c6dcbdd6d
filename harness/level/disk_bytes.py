"""The bytes of an instance's disks over one rescue: what nobody was to write, and what the rescued guest writes."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field

from harness.domain.disk_names import RESCUE
from harness.errors import GuestError
from harness.evidence.guest.collection import parse_writes, write_script
from harness.evidence.inventory import BlockKind, Inventory
from harness.guest.booted import BootedGuest
from harness.instance.life_cycle import LifeCycle
from harness.instance.storage.fingerprint import Fingerprint, disk_changes, fingerprint, joined_changes, unwritten
from harness.verdict.expected import ByteRange

Changes = dict[str, tuple[ByteRange, ...]]


@dataclass
class DiskBytes:
    """The disks' fingerprints before the boots of the guest that is rescued, and of the rescued guest.

    ``written`` has the tokens that the rescued guest wrote, by disk. ``marked`` are the disks to which steps have
    written a marker since the boot of the guest that is rescued.
    """

    since: dict[str, Fingerprint] = field(default_factory=dict)
    before: dict[str, Fingerprint] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    marked: set[str] = field(default_factory=set)

    def changes(self, normal: Inventory | None, after: dict[str, Fingerprint]) -> Changes:
        """Return the bytes that have changed by the unrescue, though nobody was to write them."""
        since = {} if normal is None else unwritten(self.since, normal)
        return joined_changes(
            disk_changes(since, self.before, marked=self.marked), disk_changes(self.before, after, self.written)
        )

    def changes_beside_the_guest(self, normal: Inventory | None, life_cycle: LifeCycle[BootedGuest]) -> Changes:
        """Return the bytes that have changed since the guest's boot, and were not the guest's to write."""
        before = {} if normal is None else unwritten(self.since, normal)
        sources = life_cycle.placement.sources
        after = {name: fingerprint(sources[name], life_cycle.folder) for name in before if name in sources}
        return disk_changes(before, after, marked=self.marked)


def write_data(guest: BootedGuest, rescued: Inventory, disks: Collection[str]) -> dict[str, str]:
    """Have a rescued guest write a token on every writable disk of the instance, and return the tokens by disk.

    Raises:
        GuestError: the guest could not write to a disk.
    """
    tokens = {
        device.marker.disk: (device.name, secrets.token_hex(8))
        for device in rescued.block_devices
        if device.marker is not None
        and not device.read_only
        and device.kind is BlockKind.DISK
        and device.marker.disk != RESCUE
        and device.marker.disk in disks
    }
    completed = guest.run(write_script(dict(tokens.values())))
    failed = sorted(name for name, good in parse_writes(completed.stdout).items() if not good)
    if failed or completed.exit_status:
        said = (completed.stdout + completed.stderr).decode(errors="replace").strip()
        raise GuestError(f"the rescued guest could not write to {', '.join(failed) or 'its disks'}: {said}")
    return {disk: token for disk, (_, token) in tokens.items()}
