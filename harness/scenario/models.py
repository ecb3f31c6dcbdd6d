"""What a user writes in a scenario file, as frozen values. Sizes are bytes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool, model_validator

from harness.errors import GuestAfter
from harness.frozen import Frozen
from harness.scenario.disks import Disk
from harness.scenario.images import InstanceImage, RescueMedium, RescueSource, ShippedImage, needed_memory_bytes
from harness.scenario.sizes import Size
from harness.scenario.steps import Step
from harness.scenario.words import (
    ClaimName,
    DeviceType,
    DiskBus,
    Firmware,
    Level,
    OtherDevice,
    Role,
    ScsiModel,
    VerdictName,
    VifModel,
)

HardDiskBus = Literal[DiskBus.VIRTIO, DiskBus.SCSI, DiskBus.IDE, DiskBus.SATA, DiskBus.USB]
CdromBus = Literal[DiskBus.SCSI, DiskBus.IDE, DiskBus.SATA, DiskBus.USB]


class InstanceProperties(Frozen):
    """Image properties of the instance's image, as Nova reads them."""

    hw_machine_type: str | None = Field(default=None, description="as instance.machine")
    hw_disk_bus: HardDiskBus = DiskBus.VIRTIO
    hw_cdrom_bus: CdromBus | None = Field(default=None, description="default: ide on pc, sata on q35")
    hw_floppy_bus: Literal[DiskBus.FDC] = DiskBus.FDC
    hw_scsi_model: ScsiModel | None = Field(default=None, description="default: libvirt's, lsilogic on x86")
    hw_vif_model: VifModel = VifModel.VIRTIO
    hw_pointer_model: Literal["usbtablet", "ps2mouse"] = "usbtablet"
    hw_usb_model: Literal["piix3-uhci", "ich9-ehci1", "nec-xhci", "qemu-xhci"] | None = Field(
        default=None, description="default: libvirt's, piix3-uhci, from which firmware reads 0.4 MB/s under TCG"
    )
    hw_tpm_version: Literal["2.0"] | None = Field(default=None, description="an emulated TPM; default: none")
    hw_tpm_model: Literal["tpm-tis", "tpm-crb"] = "tpm-tis"
    hw_video_model: Literal["vga", "cirrus", "qxl", "virtio"] | None = Field(
        default=None, description="a graphics card; default: none"
    )
    os_secure_boot: Literal["required", "disabled"] = Field(
        default="disabled", description="required: the firmware starts only what is signed; q35 with UEFI"
    )
    img_hv_type: Literal["qemu", "kvm", "xen", "lxc"] = Field(default="qemu", description="hypervisor the image is for")


class Instance(Frozen):
    """The server: machine type, firmware, image properties and its disk set in attach order."""

    machine: str | None = Field(
        default=None,
        pattern=r"^(pc|q35|pc-i440fx-[0-9.]+|pc-q35-[0-9.]+)$",
        description="pc, q35 or a versioned one such as pc-q35-7.2; default: hw_machine_type, else pc",
    )
    firmware: Firmware = Firmware.BIOS
    image: InstanceImage = Field(
        default=ShippedImage.MINIMAL, description="what the root disk is made from: minimal, debian, or a file"
    )
    direct_kernel: StrictBool = Field(
        default=False,
        description="the image has a kernel and ramdisk of its own (kernel_id, ramdisk_id), which QEMU starts",
    )
    memory: Size | None = Field(
        default=None, description="default: 256 MiB, with UEFI 384 MiB; debian 512 MiB, a file 1 GiB"
    )
    properties: InstanceProperties = InstanceProperties()
    disks: tuple[Disk, ...] = Field(min_length=1)
    nics: tuple[VifModel, ...] = Field(
        default=(), max_length=8, description="further NICs by model, each on its own network"
    )
    devices: tuple[OtherDevice, ...] = Field(
        default=(),
        description="virtio RNG, i6300esb watchdog, USB keyboard, second serial port, 9p or virtiofs share, vsock",
        json_schema_extra={"uniqueItems": True},
    )

    @model_validator(mode="after")
    def _one_of_each_unique_role(self) -> Instance:
        for role, at_least in ((Role.ROOT, 1), (Role.SWAP, 0), (Role.CONFIG_DRIVE, 0)):
            count = sum(disk.role is role for disk in self.disks)
            if not at_least <= count <= 1:
                msg = f"an instance has {'exactly' if at_least else 'at most'} one {role} disk, here are {count}"
                if role is Role.ROOT and not count:
                    msg += "; the volume that it boots from is its root: {role: root, from: volume}"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _each_device_once(self) -> Instance:
        twice = next((device for device in self.devices if self.devices.count(device) > 1), None)
        if twice is not None:
            msg = f"'devices' has {twice} more than once"
            raise ValueError(msg)
        return self

    @property
    def is_from_iso(self) -> bool:
        """Whether the root disk is a CD-ROM."""
        return any(disk.role is Role.ROOT and disk.device is DeviceType.CDROM for disk in self.disks)

    @property
    def memory_bytes(self) -> int:
        """The memory in force, in bytes."""
        return self.memory or needed_memory_bytes(self.image, self.firmware)

    @property
    def machine_type(self) -> str:
        """The machine type in force."""
        return self.machine or self.properties.hw_machine_type or "pc"

    @property
    def is_q35(self) -> bool:
        """Whether the machine has a PCI Express root complex and no IDE."""
        return "q35" in self.machine_type


class RescueProperties(Frozen):
    """Image properties of the rescue image.

    Values are free text: what is no valid bus or device is for the implementation under test to refuse.
    """

    hw_rescue_bus: str | None = Field(default=None, examples=["virtio", "ide", "usb", "scsi", "sata", "fdc"])
    hw_rescue_device: str | None = Field(default=None, examples=["disk", "cdrom", "floppy"])
    hw_disk_bus: str | None = None
    hw_cdrom_bus: str | None = None
    hw_machine_type: str | None = None
    hw_scsi_model: str | None = None


class RescueImage(Frozen):
    """The medium the instance is rescued with."""

    image: RescueMedium = Field(
        default=RescueSource.MINIMAL,
        description="what the medium is made from: minimal, debian, instance (the instance's own image), or a file",
    )
    properties: RescueProperties = RescueProperties()


class ExpectedFinding(Frozen):
    """One finding that must come; what is left out matches anything."""

    claim: ClaimName
    device: str = Field(description="the disk's name, or the device; shell wildcards match")
    before: str | None = None
    after: str | None = None
    levels: tuple[Level, ...] = Field(
        default=tuple(Level), min_length=1, description="where it shows; default: at every level that sees the claim"
    )
    unless_race: StrictBool = Field(
        default=False, description="whether it is not missed where control boots put a finding of its claim to a race"
    )


class Expectation(Frozen):
    """How a case should end, where ``when`` holds: exactly these findings, or the refusal with this reason."""

    when: dict[str, str] = Field(
        default_factory=dict,
        description="versions ('libvirt', 'qemu', 'nova'), 'implementation', or dotted keys of the scenario"
        " that must match for this entry",
    )
    verdict: Literal[VerdictName.STABLE, VerdictName.MOVED, VerdictName.REFUSED]
    findings: tuple[ExpectedFinding, ...] = ()
    reason: str | None = Field(default=None, description="a part of the refusal's message")
    guest: GuestAfter | None = Field(
        default=None, description="with a refusal: how it leaves the guest; default: any way"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Expectation:
        if (self.verdict is VerdictName.MOVED) != bool(self.findings):
            msg = "'findings' goes with 'verdict: moved', which needs at least one"
            raise ValueError(msg)
        if (self.verdict is VerdictName.REFUSED) != (self.reason is not None):
            msg = "'reason' goes with 'verdict: refused', which needs one"
            raise ValueError(msg)
        if self.verdict is not VerdictName.REFUSED and self.guest is not None:
            msg = "'guest' goes with 'verdict: refused'"
            raise ValueError(msg)
        return self


def _expectations(value: Any) -> Any:
    entries = value if isinstance(value, list | tuple) else [value]
    return [{"verdict": entry} if isinstance(entry, str) else entry for entry in entries]


class Exclusion(Frozen):
    """Matrix points that make no sense, and why."""

    when: dict[str, Any] = Field(min_length=1)
    reason: str = Field(min_length=1)


class Matrix(Frozen):
    """Fan-out: every combination of the axes' values, but for the exclusions."""

    axes: dict[str, tuple[Any, ...]] = Field(
        min_length=1, description="dotted key of the scenario -> values, such as 'instance.machine: [pc, q35]'"
    )
    exclude: tuple[Exclusion, ...] = ()


class Scenario(Frozen):
    """One scenario file, or one point of its matrix."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)
    summary: str = Field(min_length=1)
    links: tuple[str, ...] = ()
    level: Level = Field(
        default=Level.PLAN, description="the shallowest level that can decide this scenario; it runs at no other above"
    )
    deepest_level: Level = Field(
        default=Level.GUEST,
        description="the deepest level that tells more of it than the one above; it runs at no deeper one",
    )
    optional: StrictBool = Field(
        default=False, description="whether to leave it out on a host that lacks what a device of the instance takes"
    )
    instance: Instance
    steps: tuple[Step, ...] = Field(default=(), description="what is done to the running instance before the rescue")
    rescue_image: RescueImage = RescueImage()
    matrix: Matrix | None = None
    sweep: Matrix | None = Field(
        default=None,
        description="free keys: 'rescue-harness sweep' plans every combination, a run leaves them out",
    )
    expect: Annotated[tuple[Expectation, ...], BeforeValidator(_expectations)] = (
        Expectation(verdict=VerdictName.STABLE),
    )

    def level_within(self, asked: Level) -> Level:
        """Return the level at which the scenario is run if ``asked`` is asked for."""
        deeper = asked.or_deeper(self.level)
        return deeper if deeper.is_within(self.deepest_level) else self.deepest_level
