"""From a case to an instance that can be started: tokens, disks, placement."""

from __future__ import annotations

import secrets
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal

import libvirt

from harness.domain.placement import DirectKernel, DiskSource, EmulatedTpm, Placement, UefiFirmware
from harness.errors import HostError, disk_error
from harness.evidence.inventory import State
from harness.guest.booted import BootedGuest, booted
from harness.guest.paused import PausedMachine, paused
from harness.guest.seed import make_seed, seed_serial, what_to_do
from harness.hypervisor.connection import usb_cdrom_is_disk
from harness.hypervisor.emulated_tpm import emulated_tpm
from harness.hypervisor.firmware import find_uefi
from harness.image import ImageSet, instance_command_line
from harness.rescue.naming import RESCUE, map_disks
from harness.rescue.request import RescueRequest, request_or_none
from harness.run.base_image import BaseImages, base_images
from harness.run.cases import Case
from harness.run.disks import DiskFactory
from harness.run.media_server import MediaServer, OfferedFiles
from harness.run.performer import Performer, R, console_path
from harness.run.record import folder_name
from harness.run.session import Session
from harness.run.stage import Stage
from harness.run.steps import TOKEN_BYTES, volumes_of
from harness.run.volume_resources import VolumeResources, volume_resources
from harness.scenario.disks import ConfigDrive
from harness.scenario.models import Instance, Scenario
from harness.scenario.words import DeviceType, Firmware, OtherDevice
from harness.verdict.expected import Expected


@dataclass(frozen=True)
class Prepared(Generic[R]):
    """An instance with its disks made. ``request`` is what was asked for, if it can be.

    ``same_image``: instance and rescue medium are made from one image.
    """

    performer: Performer[R]
    request: RescueRequest | None
    folder: Path
    same_image: bool = False

    @property
    def tokens(self) -> Mapping[str, str]:
        """The tokens of the markers on the disks that the instance has by now, and on the rescue disk."""
        return self.performer.stage.tokens

    @property
    def expected(self) -> Expected:
        """What its states are held against, as far as it is known before any is looked at."""
        expected = expected_of(self.performer.instance, self.request, self.tokens)
        return expected.model_copy(update={"same_image": self.same_image})

    @property
    def sources(self) -> Mapping[str, DiskSource]:
        """The disks' files, the rescue disk under ``rescue``."""
        return self.performer.placement.sources


def prepared(case: Case, session: Session) -> AbstractContextManager[Prepared[BootedGuest]]:
    """Make everything a case with guests needs below the run's work folder; all of it is gone at the end.

    Raises:
        HostError: a disk cannot be made, or there is no firmware.
    """

    has_config_drive = any(isinstance(disk, ConfigDrive) for disk in case.point.scenario.instance.disks)

    def bring_up(folder: Path, images: BaseImages, offered: OfferedFiles | None) -> BringUp[BootedGuest]:
        def boot(domain: libvirt.virDomain, state: State) -> AbstractContextManager[BootedGuest]:
            login = (images.rescue if state is State.RESCUED else images.instance).login
            if offered is not None:
                offered.asked.clear()

            def hint() -> str | None:
                if offered is None or not login.by_cloud_init:
                    return None
                return what_to_do(offered.asked, has_config_drive=has_config_drive)

            path = console_path(folder)
            return booted(session.hypervisor, domain, console_path=path, login=login, refused_hint=hint)

        return boot

    return _prepared(case, session, bring_up)


def prepared_paused(case: Case, session: Session) -> AbstractContextManager[Prepared[PausedMachine]]:
    """As ``prepared``, for machines that are built and never run.

    Raises:
        HostError: a disk cannot be made, or there is no firmware.
    """

    def bring_up(_folder: Path, _images: BaseImages, _offered: OfferedFiles | None) -> BringUp[PausedMachine]:
        return lambda domain, _state: paused(session.hypervisor, domain)

    return _prepared(case, session, bring_up)


def images_of(session: Session) -> tuple[ImageSet, MediaServer]:
    """The shipped images, and who serves what guests fetch.

    Raises:
        HostError: the run was opened without.
    """
    if session.images is None or session.media is None:
        raise HostError("this run has no images: it was opened for level plan")
    return session.images, session.media


def new_tokens(scenario: Scenario) -> dict[str, str]:
    """Tokens for the markers of all disks that a case may come to have."""
    names = [disk.name for disk in map_disks(scenario.instance)]
    return {name: secrets.token_hex(TOKEN_BYTES) for name in (*names, *volumes_of(scenario), RESCUE)}


def direct_kernel_of(instance: Instance, shipped: ImageSet) -> DirectKernel | None:
    """The kernel that an instance is started from; None if it has its own boot loader."""
    if not instance.direct_kernel:
        return None
    return DirectKernel(shipped.kernel, shipped.initramfs, instance_command_line(from_iso=instance.is_from_iso))


BringUp = Callable[[libvirt.virDomain, State], AbstractContextManager[R]]


@contextmanager
def _prepared(
    case: Case, session: Session, bring_up: Callable[[Path, BaseImages, OfferedFiles | None], BringUp[R]]
) -> Iterator[Prepared[R]]:
    scenario = case.point.scenario
    instance, image = scenario.instance, scenario.rescue_image
    domain_uuid = uuid.uuid4()
    folder = session.hypervisor.root.work_path / folder_name(f"{case.id[:60]}-{domain_uuid.hex[:8]}")
    shipped, media = images_of(session)
    images = base_images(instance, image, case.file.parent, minimal=shipped, debian=session.debian, run_key=session.key)
    later = volumes_of(scenario)
    tokens = new_tokens(scenario)
    request = request_or_none(instance, image)
    with ExitStack() as stack:
        stack.enter_context(kept_folder(folder))
        volumes = stack.enter_context(volume_resources(folder, session.hypervisor.root.path))
        users = images.cloud_init_users
        seed = make_seed(str(domain_uuid), users, session.key.authorized_keys) if users else None
        offered = None
        if seed is not None:
            offered = stack.enter_context(media.offering(domain_uuid.hex, seed.files()))
        factory = DiskFactory(folder, images, tokens, volumes, seed)
        sources = factory.make_instance_disks(instance) | factory.make_volumes(later)
        sources[RESCUE] = (
            factory.make_rescue_floppy(RESCUE, shipped, media.port)
            if request is not None and request.device is DeviceType.FLOPPY
            else factory.make_rescue_disk(RESCUE)
        )
        tpm = None
        if instance.properties.hw_tpm_version is not None:
            tpm = stack.enter_context(_tpm(session.hypervisor.root.path, str(domain_uuid), volumes))
        placement = placement_for(
            instance,
            sources,
            folder,
            domain_uuid,
            emulator=session.hypervisor.emulator,
            domain_type=session.hypervisor.accelerator.domain_type,
            usb_cdrom_is_disk=usb_cdrom_is_disk(session.hypervisor.connection),
            direct_kernel=direct_kernel_of(instance, shipped),
            tpm=tpm,
        )
        if placement.share_path is not None:
            placement.share_path.mkdir()
        performer = stack.enter_context(
            Performer(
                session.hypervisor,
                case.implementation,
                Stage.first(instance, placement, tokens),
                session.key,
                folder,
                bring_up(folder, images, offered),
                system_serial=None if offered is None else seed_serial(media.port, offered.path),
            )
        )
        yield Prepared(performer, request, folder, same_image=images.rescue is images.instance)


@contextmanager
def _tpm(root: Path, domain_uuid: str, volumes: VolumeResources) -> Iterator[EmulatedTpm]:
    encryption = volumes.encryption("tpm", "vtpm")
    with emulated_tpm(root, domain_uuid, encryption.passphrase_path) as state_path:
        yield EmulatedTpm(state_path, encryption.secret_uuid)


@contextmanager
def kept_folder(path: Path) -> Iterator[None]:
    """A folder that is gone at the end.

    Raises:
        HostError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error, path) from error
    try:
        yield
    finally:
        shutil.rmtree(path, ignore_errors=True)


def expected_of(instance: Instance, request: RescueRequest | None, tokens: Mapping[str, str]) -> Expected:
    """What the states of an instance are held against, as far as it is known before any is looked at."""
    return Expected(
        tokens=dict(tokens),
        rescue_bus=request.bus if request else None,
        rescue_device=request.device if request else None,
        direct_kernel=instance.direct_kernel,
    )


def placement_for(
    instance: Instance,
    sources: Mapping[str, DiskSource],
    folder: Path,
    domain_uuid: uuid.UUID,
    *,
    emulator: str,
    domain_type: Literal["qemu", "kvm"],
    usb_cdrom_is_disk: bool,
    direct_kernel: DirectKernel | None,
    tpm: EmulatedTpm | None,
) -> Placement:
    """The placement of an instance whose files are in ``folder``.

    Raises:
        HostError: the instance wants UEFI and this host has none.
    """
    digits = domain_uuid.hex
    uefi = None
    if instance.firmware is Firmware.UEFI:
        secure_boot = instance.properties.os_secure_boot == "required"
        build = find_uefi(instance.machine_type, secure_boot=secure_boot)
        variables_path = folder / "uefi-variables.fd"
        uefi = UefiFirmware(build.code_path, build.variables_template_path, variables_path, secure_boot)
    return Placement(
        domain_name=f"rh-{digits[:12]}",
        uuid=str(domain_uuid),
        mac=":".join(("52", "54", "00", digits[0:2], digits[2:4], digits[4:6])),
        domain_type=domain_type,
        emulator=emulator,
        sources=sources,
        uefi=uefi,
        usb_cdrom_is_disk=usb_cdrom_is_disk,
        direct_kernel=direct_kernel,
        share_path=folder / "share" if {OtherDevice.SHARE, OtherDevice.VIRTIOFS} & {*instance.devices} else None,
        tpm=tpm,
        rescue_variables_path=folder / "uefi-variables-rescue.fd" if uefi else None,
    )
