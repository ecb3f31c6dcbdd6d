"""Steps on a running guest: libvirt carries them out, and the harness waits for the guest."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import libvirt
from lxml import etree

from harness.domain.placement import DiskSource
from harness.domain.xml import devices_of, disk_target, disks_of, identity_of, parse_domain
from harness.errors import GuestError
from harness.evidence.guest.collection import collection_script, settled_inventory
from harness.evidence.inventory import Marker
from harness.evidence.marker import BLOCK_BYTES, marker_block, marker_offset
from harness.guest.booted import BootedGuest
from harness.instance.life_cycle import LIVE_AND_DEFINED, LifeCycle
from harness.instance.steps import as_text, take, take_steps
from harness.scenario.models import Scenario
from harness.scenario.steps import REBOOT, Snapshot, Step, is_rescue

_POLL_S = 0.1
_SNAPSHOT = (
    libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY
    | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA
    | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC
)
# Load the modules for a new device, as udev does in a guest that has udev; then list the present devices.
_COLDPLUG = """\
set --
for file in /sys/bus/*/devices/*/modalias; do
    [ -e "$file" ] && read -r alias <"$file" && set -- "$@" "$alias"
done
modprobe -a -b -q "$@" 2>/dev/null
for device in /sys/block/* /sys/class/net/*; do
    [ -e "$device/device" ] && echo "$device"
done
true
"""


@dataclass(frozen=True)
class RunningDomainEditor:
    """Changes a running domain and its definition together, and waits until the guest has noticed."""

    guest: BootedGuest
    take_off: Callable[[etree._Element], None]
    """Asks the guest to release a device, which may take a while."""

    def xml(self) -> str:
        """Return the XML of the running domain."""
        return str(self.guest.domain.XMLDesc(0))

    def attach(self, device: etree._Element) -> None:
        """Attach a device, and wait until the guest has it.

        Raises:
            GuestError: the guest does not show the device in time.
        """
        before = self._devices()
        self.guest.domain.attachDeviceFlags(as_text(device), LIVE_AND_DEFINED)
        self._wait(lambda: self._devices() - before, f"see the {device.tag} {identity_of(device)} that was attached")

    def detach(self, device: etree._Element) -> None:
        """Detach a device, and wait until the guest has released the device and QEMU has removed it.

        Raises:
            GuestError: the device is still there when the time is up.
        """
        before = self._devices()
        self.take_off(device)
        own = identity_of(device)

        def is_gone() -> bool:
            others = devices_of(parse_domain(self.xml())).findall(device.tag)
            return own not in map(identity_of, others) and bool(before - self._devices())

        self._wait(is_gone, f"let go of the {device.tag} {own}")

    def put_overlay(self, target: str, below: DiskSource, overlay: DiskSource) -> None:
        """Take an external snapshot of one disk."""
        root = etree.Element("domainsnapshot")
        disks = etree.SubElement(root, "disks")
        for disk in disks_of(parse_domain(self.xml())):
            name = disk_target(disk)[0]
            if name != target:
                etree.SubElement(disks, "disk", name=name, snapshot="no")
                continue
            chosen = etree.SubElement(disks, "disk", name=name, snapshot="external", type="file")
            etree.SubElement(chosen, "driver", type=overlay.format)
            etree.SubElement(chosen, "source", file=str(overlay.path))
        self.guest.domain.snapshotCreateXML(as_text(root), _SNAPSHOT)

    def write_marker(self, disk: str, token: str) -> None:
        """Write a disk's new marker in the guest, so that the overlay has the new marker above the old one.

        Raises:
            GuestError: the disk does not exist, or cannot be written to.
        """
        inventory = settled_inventory(self.guest.run(collection_script()).stdout)
        for device in inventory.block_devices:
            if device.marker is not None and device.marker.disk == disk and device.size_bytes:
                block = marker_offset(device.size_bytes) // BLOCK_BYTES
                command = f"dd of=/dev/{device.name} bs={BLOCK_BYTES} seek={block} conv=fsync,notrunc"
                done = self.guest.run(command, stdin=marker_block(Marker(disk=disk, token=token)))
                if done.exit_status == 0:
                    return
                said = done.stderr.decode(errors="replace").strip()
                raise GuestError(f"the guest could not write to {disk} after its snapshot: {said}")
        raise GuestError(f"the guest has no {disk} after its snapshot")

    def _devices(self) -> set[str]:
        return set(self.guest.run(_COLDPLUG).stdout.decode().splitlines())

    def _wait(self, condition: Callable[[], object], what: str) -> None:
        hypervisor = self.guest.hypervisor
        deadline = self.guest.command_deadline()
        while not condition():
            if hypervisor.cancelled.is_set():
                raise GuestError("the run was interrupted")
            if deadline.passed:
                raise GuestError(f"the guest did not {what} within {deadline.timeout_s:.0f} s")
            time.sleep(_POLL_S)


def take_live(step: Step, life_cycle: LifeCycle[BootedGuest]) -> BootedGuest:
    """Take a step on a running guest; the life cycle carries out reboots and rescues.

    Raises:
        HostError: libvirt does not carry out the step.
        GuestError: the guest does not play its part in time.
    """
    guest = life_cycle.running
    current = take(step, life_cycle.current, RunningDomainEditor(guest, life_cycle.take_off))
    life_cycle.settle(current, is_hot=life_cycle.is_hot or not isinstance(step, Snapshot))
    life_cycle.guest = replace(guest, live_xml=guest.domain.XMLDesc(0))
    return life_cycle.guest


def take_all_steps(scenario: Scenario, life_cycle: LifeCycle[BootedGuest]) -> BootedGuest:
    """Take all steps of a scenario on its instance, which has just booted.

    Raises:
        Refused: a rescue among the steps is refused.
        HostError, GuestError: a step cannot be taken, or a guest does not come up.
    """

    def rescue(position: int) -> bool:
        life_cycle.choose_medium(position)
        life_cycle.rescue(life_cycle.media.present.image)
        life_cycle.unrescue()
        life_cycle.choose_medium(None)
        return True

    def take_one(step: Step) -> None:
        if step != REBOOT and not is_rescue(step):
            take_live(step, life_cycle)
            return
        if step == REBOOT:
            life_cycle.reboot()
        life_cycle.settle(life_cycle.current.after(step), is_hot=False)

    take_steps(scenario.steps, take=take_one, rescue=rescue)
    return life_cycle.running
