"""What a user writes in a scenario file, as frozen values. Sizes are bytes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool, WithJsonSchema, model_validator

from harness.errors import GuestAfter
from harness.frozen import Frozen
from harness.scenario.disks import Disk
from harness.scenario.images import InstanceImage, RescueSource, ShippedImage, UserImage, needed_memory_bytes
from harness.scenario.rescue_image import RescueImage
from harness.scenario.sizes import Size
from harness.scenario.steps import RescuedStep, Step, rescues_from
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
    """Properties of the instance's image, as Nova reads them."""

    hw_machine_type: str | None = Field(
        default=None, description="the machine type, as 'instance.machine'; where both are written they must agree"
    )
    hw_disk_bus: HardDiskBus = Field(default=DiskBus.VIRTIO, description="the bus of disks that name none")
    hw_cdrom_bus: CdromBus | None = Field(
        default=None,
        description="the bus of an ISO 9660 config drive, and of the root disk of an ISO image;"
        " default: 'ide' on pc, 'sata' on q35",
    )
    hw_floppy_bus: Literal[DiskBus.FDC] = Field(default=DiskBus.FDC, description="the bus of floppies")
    hw_scsi_model: ScsiModel | None = Field(
        default=None, description="the model of the SCSI controller; default: libvirt's, 'lsilogic' on x86"
    )
    hw_vif_model: VifModel = Field(default=VifModel.VIRTIO, description="the model of the instance's first NIC")
    hw_pointer_model: Literal["usbtablet", "ps2mouse"] = Field(default="usbtablet", description="the pointing device")
    hw_usb_model: Literal["piix3-uhci", "ich9-ehci1", "nec-xhci", "qemu-xhci"] | None = Field(
        default=None,
        description="the model of the USB controller; firmware reads only 0.4 MB/s from 'piix3-uhci' under TCG;"
        " default: libvirt's, 'piix3-uhci'",
    )
    hw_tpm_version: Literal["2.0"] | None = Field(
        default=None, description="the version of an emulated TPM, in quotes since it is text; without it there is none"
    )
    hw_tpm_model: Literal["tpm-tis", "tpm-crb"] = Field(
        default="tpm-tis", description="the TPM's model; only with 'hw_tpm_version'"
    )
    hw_video_model: Literal["vga", "cirrus", "qxl", "virtio"] | None = Field(
        default=None,
        description="the model of a graphics card; Nova gives every guest with a console a card, on x86 'virtio'",
    )
    os_secure_boot: Literal["required", "disabled"] = Field(
        default="disabled",
        description="'required': the firmware starts only signed code; with 'firmware: uefi' on q35",
    )
    img_hv_type: Literal["qemu", "kvm", "xen", "lxc"] = Field(
        default="qemu", description="the hypervisor that the image is for; scenarios of refusals use 'xen' and 'lxc'"
    )


class Instance(Frozen):
    """The server: its machine type, firmware, image properties and disks."""

    machine: str | None = Field(
        default=None,
        pattern=r"^(pc|q35|pc-i440fx-[0-9.]+|pc-q35-[0-9.]+)$",
        description="the machine type, also a versioned one; default: 'hw_machine_type', else 'pc'",
        examples=["pc", "q35", "pc-q35-7.2", "pc-i440fx-7.2"],
    )
    firmware: Firmware = Field(default=Firmware.BIOS, description="'bios' is SeaBIOS, 'uefi' is OVMF")
    image: InstanceImage = Field(
        default=ShippedImage.MINIMAL, description="the source of the root disk: an image of the harness, or a file"
    )
    direct_kernel: StrictBool = Field(
        default=False,
        description="whether QEMU starts the image's kernel and ramdisk, as with Nova's 'kernel_id' and 'ramdisk_id'",
    )
    memory: Size | None = Field(
        default=None,
        description="the instance's memory, a size;"
        " default: 256 MiB for 'minimal', with UEFI 384 MiB; 512 MiB for 'debian'; 1 GiB for a file",
    )
    properties: InstanceProperties = Field(
        default=InstanceProperties(), description="properties of the instance's image"
    )
    disks: tuple[Disk, ...] = Field(min_length=1, description="the disks in the order of attachment; exactly one root")
    nics: tuple[VifModel, ...] = Field(
        default=(),
        max_length=8,
        description="models of further NICs, as in 'hw_vif_model', at most eight; each NIC is on a network of its own",
    )
    devices: tuple[OtherDevice, ...] = Field(
        default=(),
        description="other devices, each once: 'rng' (virtio), 'watchdog' (i6300esb), 'keyboard' (USB), 'serial' (a"
        " second port), '9p' and 'virtiofs' (shared folders), 'vsock'",
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


Count = Annotated[int, Field(strict=True, ge=1)]
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 1}
_COUNT_SCHEMA = {"anyOf": [_COUNT, {"type": "array", "items": _COUNT, "minItems": 1}, {"type": "null"}]}


def _counts(value: Any) -> Any:
    return [value] if isinstance(value, int) else value


class ExpectedFinding(Frozen):
    """A finding that must come."""

    claim: ClaimName = Field(description="the claim that does not hold")
    device: str = Field(description="the disk's name, or the device; shell wildcards match, as in 'volume*'")
    before: str | None = Field(default=None, description="the value in the normal state; default: anything")
    after: str | None = Field(default=None, description="the value in the state under test; default: anything")
    levels: tuple[Level, ...] = Field(
        default=tuple(Level),
        min_length=1,
        description="the levels at which the finding shows; default: every level that checks the claim",
    )
    count: Annotated[tuple[Count, ...] | None, BeforeValidator(_counts), WithJsonSchema(_COUNT_SCHEMA)] = Field(
        default=None,
        min_length=1,
        description="how many findings the entry must match: a number, or a list of the numbers that are right;"
        " default: one or more",
    )
    unless_race: StrictBool = Field(
        default=False,
        description="'true': the finding may be absent if control boots find a kernel race of the same device under the"
        " same claim",
    )
    cause: Literal["rescue", "guest-kernel"] = Field(
        default="rescue",
        description="'guest-kernel': the rescue system's own software must be the cause, which level 'guest' tells;"
        " 'stable' may have such findings, too",
    )


class Expectation(Frozen):
    """How a case should end. If a scenario has several expectations, the first one whose 'when' holds counts."""

    when: dict[str, str] = Field(
        default_factory=dict,
        description="conditions that must all hold: ranges of versions of 'libvirt', 'qemu' and 'nova', an"
        " 'implementation', or dotted keys of the scenario with their values; without any the entry always holds",
    )
    verdict: Literal[VerdictName.STABLE, VerdictName.MOVED, VerdictName.REFUSED, VerdictName.UNFIT] = Field(
        description="the verdict that the case must have"
    )
    findings: tuple[ExpectedFinding, ...] = Field(
        default=(),
        description="with 'moved': the findings that must come, no more and no fewer; with 'refused': the harm that the"
        " refused rescue does; with any: findings whose 'cause' is 'guest-kernel'",
    )
    reason: str | None = Field(
        default=None,
        pattern=r"\S",
        description="with 'refused': a part of the refusal's message; with 'unfit': a part of the sentence on the"
        " instance",
    )
    guest: GuestAfter | None = Field(
        default=None, description="with 'refused': how the refusal leaves the guest; default: 'running'"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Expectation:
        by_rescue = any(entry.cause == "rescue" for entry in self.findings)
        if self.verdict is VerdictName.MOVED and not by_rescue:
            msg = "'verdict: moved' needs at least one entry in 'findings'"
            raise ValueError(msg)
        if self.verdict in (VerdictName.STABLE, VerdictName.UNFIT) and by_rescue:
            msg = f"'verdict: {self.verdict}' has no 'findings'; they go with 'moved' and 'refused'"
            raise ValueError(msg)
        if (self.verdict in (VerdictName.REFUSED, VerdictName.UNFIT)) != (self.reason is not None):
            msg = "'verdict: refused' needs a 'reason', as does 'verdict: unfit', and no other verdict may have one"
            raise ValueError(msg)
        if self.verdict is not VerdictName.REFUSED and self.guest is not None:
            msg = "only 'verdict: refused' may have 'guest'"
            raise ValueError(msg)
        return self

    @property
    def guest_after(self) -> GuestAfter:
        """How a refusal is to leave the guest: untouched, unless the entry says otherwise."""
        return self.guest or GuestAfter.RUNNING


def _expectations(value: Any) -> Any:
    entries = value if isinstance(value, list | tuple) else [value]
    return [{"verdict": entry} if isinstance(entry, str) else entry for entry in entries]


class Exclusion(Frozen):
    """Combinations that are left out, and why."""

    when: dict[str, Any] = Field(min_length=1, description="dotted keys with the values that must all match")
    reason: str = Field(min_length=1, description="why the combinations are left out; it is listed with them")


class Matrix(Frozen):
    """Every combination of the axes' values, without the exclusions. There are at most 1,000 combinations."""

    axes: dict[str, tuple[Any, ...]] = Field(
        min_length=1, description="dotted keys of the scenario with lists of values: 'instance.machine: [pc, q35]'"
    )
    exclude: tuple[Exclusion, ...] = Field(default=(), description="combinations that make no sense")


class Scenario(Frozen):
    """One scenario file, or one point of its matrix."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]*$",
        max_length=64,
        description="the scenario's name: lower-case letters, digits and hyphens; the names of its cases begin with it",
    )
    summary: str = Field(min_length=1, description="one sentence on what the scenario shows")
    links: tuple[str, ...] = Field(default=(), description="links to the bugs and specs that the scenario is about")
    level: Level = Field(
        default=Level.PLAN,
        description="the shallowest level that can decide the scenario; it runs at no shallower one",
    )
    deepest_level: Level = Field(
        default=Level.GUEST,
        description="the deepest level that shows more than the level above it; the scenario runs at no deeper one",
    )
    optional: StrictBool = Field(
        default=False, description="whether to leave the scenario out on a host that lacks what a device needs"
    )
    instance: Instance = Field(description="the server that is rescued")
    rescue_image: RescueImage = Field(default=RescueImage(), description="the medium that the instance is rescued with")
    steps: tuple[Step, ...] = Field(
        default=(), description="actions on the running instance before the rescue, in this order"
    )
    while_rescued: tuple[RescuedStep, ...] = Field(
        default=(), description="actions on the rescued instance, in this order, each followed by another look"
    )
    matrix: Matrix | None = Field(default=None, description="fan-out: each combination of values is a case")
    sweep: Matrix | None = Field(
        default=None,
        description="free keys, written as a matrix: 'sweep' plans every combination of them, 'run' ignores them",
    )
    expect: Annotated[tuple[Expectation, ...], BeforeValidator(_expectations)] = Field(
        default=(Expectation(verdict=VerdictName.STABLE),), description="how a case should end"
    )

    @property
    def rescue_images(self) -> tuple[RescueImage, ...]:
        """The images of all rescues: those that steps name, and the one under test."""
        return (*rescues_from(self.steps).values(), self.rescue_image)

    @property
    def images(self) -> tuple[ShippedImage | RescueSource | UserImage, ...]:
        """What the instance and the media of all rescues are made from."""
        return (self.instance.image, *(rescue.image for rescue in self.rescue_images))

    def level_within(self, asked: Level) -> Level:
        """Return the level at which the scenario is run if ``asked`` is asked for."""
        deeper = asked.or_deeper(self.level)
        return deeper if deeper.is_within(self.deepest_level) else self.deepest_level
