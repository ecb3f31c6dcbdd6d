"""Check of steps: whether a device is there to detach, is there already, or cannot be given to a running guest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.reading.problem import Key, Problem, nearest_of, quoted
from harness.scenario.disks import ConfigDrive, Disk, RootDisk, Volume
from harness.scenario.steps import AttachNic, AttachVolume, DetachNic, DetachVolume, Snapshot, Step
from harness.scenario.words import DeviceType, DiskBus, OtherDevice, ScsiModel, VifModel, VolumeBackend

if TYPE_CHECKING:
    from harness.reading.placed_disks import Placed
    from harness.scenario.models import Instance

HOT_BUSES = (DiskBus.VIRTIO, DiskBus.SCSI, DiskBus.USB)
"""The only buses on which libvirt attaches and detaches a running domain's disks
(qemuDomainAttachDeviceDiskLiveInternal)."""
EXPRESS_NICS = (VifModel.VIRTIO, VifModel.E1000E)
"""Models that libvirt plugs into a PCI Express port. On q35 other models get a slot behind a bridge, which a running
domain may lack (qemuDomainDeviceCalculatePCIConnectFlags)."""
PC_SLOTS = 30
"""The slots for devices on pc's bus: 32 less the host bridge and the chipset. After the last, libvirt adds a bridge."""
SPARE_PORTS = 1
"""The root ports that libvirt leaves free on q35 for later devices (qemuDomainAssignPCIAddresses)."""
_USB_PORTS = {None: 2, "piix3-uhci": 2, "ich9-ehci1": 6, "nec-xhci": 4, "qemu-xhci": 4}
_ON_CHIPSET = (None, "piix3-uhci")
_SATA_PORTS = 6


def step_problems(
    instance: Instance, steps: Sequence[Step], from_start: Sequence[Placed], attached: Sequence[Placed]
) -> Iterator[Problem]:
    """Yield every problem of the steps, each step checked after the ones before it."""
    if not steps:
        return
    by_key = {entry.key: entry for entry in attached}
    present = {entry.name: entry for entry in from_start}
    running = _Running(instance, present, dict(enumerate(instance.nics, start=1)), _Places.of(instance, from_start))
    for position, step in enumerate(steps):
        key: Key = ("steps", position)
        match step:
            case AttachVolume():
                yield from running.attach_volume(by_key[(*key, "attach")])
            case AttachNic():
                yield from running.attach_nic((*key, "attach", "nic"), step.attach.nic)
            case DetachVolume():
                yield from running.detach_volume((*key, "detach"), step.detach)
            case DetachNic():
                yield from running.detach_nic((*key, "detach", "nic"), step.detach.nic)
            case Snapshot():
                yield from running.snapshot((*key, "snapshot"), step.snapshot)


@dataclass
class _Places:
    """The numbers of free places in a running domain; None if a number is not certain."""

    pci: int | None
    usb: int | None
    where: str

    @classmethod
    def of(cls, instance: Instance, disks: Sequence[Placed]) -> _Places:
        devices = sum(entry.bus is DiskBus.USB for entry in disks)
        devices += instance.properties.hw_pointer_model == "usbtablet"
        devices += OtherDevice.KEYBOARD in instance.devices
        model = instance.properties.hw_usb_model
        ports = _USB_PORTS[model] if devices or model is not None else 0
        usb = ports - devices if devices <= ports else None  # else libvirt puts some behind a hub
        slots = _slots(instance, disks) + (model not in _ON_CHIPSET)
        pci = SPARE_PORTS if instance.is_q35 else PC_SLOTS - slots if slots < PC_SLOTS else None
        return cls(pci, usb, "root port" if instance.is_q35 else "PCI slot")


def _slots(instance: Instance, disks: Sequence[Placed]) -> int:
    """Count the slots in use on pc's bus, without the USB controller's."""
    sata = sum(entry.bus is DiskBus.SATA for entry in disks)
    return (
        len(("nic", "balloon"))
        + len(instance.nics)
        + sum(entry.bus is DiskBus.VIRTIO for entry in disks)
        + any(entry.bus is DiskBus.SCSI for entry in disks)
        + -(-sata // _SATA_PORTS)
        + (instance.properties.hw_video_model is not None)
        + len(set(instance.devices) - {OtherDevice.KEYBOARD, OtherDevice.SERIAL})
    )


@dataclass
class _Running:
    instance: Instance
    present: dict[str, Placed]
    nics: dict[int, VifModel]
    places: _Places
    nics_ever: int = field(init=False)

    def __post_init__(self) -> None:
        self.nics_ever = len(self.nics)
        self._on_scsi = any(entry.bus is DiskBus.SCSI for entry in self.present.values())

    def attach_volume(self, entry: Placed) -> Iterator[Problem]:
        volume = entry.disk
        if isinstance(volume, Volume) and volume.device is not DeviceType.DISK:
            found = f"found {quoted(str(volume.device))}: libvirt attaches no such drive to a running domain"
            yield Problem((*entry.key, "device"), found, str(DeviceType.DISK))
            return
        trouble = self._cannot_plug(entry.bus)
        if trouble is not None:
            yield Problem((*entry.key, "bus"), f"found {quoted(str(entry.bus))} for {entry.name}, but {trouble}")
            return
        holder = next((each for each in self.present.values() if _asked(each) == _asked(entry) is not None), None)
        if holder is not None:
            found = f"{quoted(str(_asked(entry)))} is the name of {holder.name} at this step"
            yield Problem((*entry.key, "device_name"), found, "a device name of its own for each disk, or none")
        yield from self._take(entry.key, entry.bus)
        self.present.setdefault(entry.name, entry)

    def attach_nic(self, key: Key, model: VifModel) -> Iterator[Problem]:
        self.nics_ever += 1
        self.nics[self.nics_ever] = model
        if self.instance.is_q35 and model not in EXPRESS_NICS:
            found = f"found {quoted(str(model))}, which takes a conventional PCI slot that a running q35 may not have"
            yield Problem(key, found, _listed(EXPRESS_NICS))
            return
        yield from self._take(key, None)

    def detach_volume(self, key: Key, name: str) -> Iterator[Problem]:
        volumes = [entry.name for entry in self.present.values() if isinstance(entry.disk, Volume)]
        entry = self.present.get(name)
        if entry is None or not isinstance(entry.disk, Volume):
            what = "is not attached at this step" if entry is None else "is no volume"
            allowed = _listed(volumes) if volumes else "no detach: there is no volume"
            yield Problem(key, f"{quoted(name)} {what}", allowed, nearest_of(name, volumes))
            return
        trouble = self._cannot_plug(entry.bus)
        if entry.disk.device is not DeviceType.DISK:
            trouble = f"a running domain keeps its {entry.disk.device} drives"
        if trouble is not None:
            yield Problem(key, f"found {quoted(name)}, but {trouble}")
            return
        del self.present[name]
        self._give_back(entry.bus)

    def detach_nic(self, key: Key, number: int) -> Iterator[Problem]:
        model = self.nics.pop(number, None)
        if model is None:
            allowed = _listed(self.nics) if self.nics else "no detach: there is no further NIC"
            yield Problem(key, f"there is no NIC {number} at this step", allowed)
        elif self.instance.is_q35 and model not in EXPRESS_NICS:
            yield Problem(key, f"NIC {number} is an {model} behind a bridge", f"a NIC of {_listed(EXPRESS_NICS)}")
        else:
            self._give_back(None)

    def snapshot(self, key: Key, name: str) -> Iterator[Problem]:
        entry = self.present.get(name)
        disks = [each.name for each in self.present.values() if _snapshot_trouble(each.disk) is None]
        trouble = "it is no disk of this instance at this step" if entry is None else _snapshot_trouble(entry.disk)
        if trouble is not None:
            yield Problem(key, f"found {quoted(name)}, but {trouble}", _listed(disks), nearest_of(name, disks))

    def _cannot_plug(self, bus: DiskBus) -> str | None:
        if bus not in HOT_BUSES:
            return f"a running domain's disks on {bus} are there for good; {_listed(HOT_BUSES)} can be plugged"
        if bus is not DiskBus.SCSI:
            return None
        if self.instance.properties.hw_scsi_model is not ScsiModel.VIRTIO_SCSI:
            return "only virtio-scsi tells the guest: set hw_scsi_model to virtio-scsi"
        return None if self._on_scsi else "the instance has no SCSI controller without a SCSI disk from the start"

    def _take(self, key: Key, bus: DiskBus | None) -> Iterator[Problem]:
        if bus is DiskBus.USB and self.places.usb is not None:
            self.places.usb -= 1
            if self.places.usb < 0:
                yield Problem(key, "no USB port is free for it", "fewer USB devices, or another hw_usb_model")
        elif bus in {None, DiskBus.VIRTIO} and self.places.pci is not None:
            self.places.pci -= 1
            if self.places.pci < 0:
                allowed = "a detach before it, or fewer devices"
                if self.instance.is_q35:
                    allowed += f": libvirt leaves {SPARE_PORTS} root port free on q35"
                yield Problem(key, f"no {self.places.where} is free for it", allowed)

    def _give_back(self, bus: DiskBus | None) -> None:
        if bus is DiskBus.USB and self.places.usb is not None:
            self.places.usb += 1
        elif bus in {None, DiskBus.VIRTIO} and self.places.pci is not None:
            self.places.pci += 1


def _asked(entry: Placed) -> str | None:
    return None if isinstance(entry.disk, ConfigDrive) else entry.disk.device_name


def _snapshot_trouble(disk: Disk) -> str | None:
    if isinstance(disk, ConfigDrive):
        return "a config drive has no snapshots"
    if isinstance(disk, Volume) and disk.device is not DeviceType.DISK:
        return f"a {disk.device} has no snapshots"
    if isinstance(disk, Volume | RootDisk):
        if disk.backend in {VolumeBackend.NBD, VolumeBackend.ISCSI}:
            return "its overlay would have to be where the server is"
        if disk.encryption is not None:
            return "its overlay would hold plain text"
    return None


def _listed(words: Iterable[object]) -> str:
    return ", ".join(str(word) for word in words)
