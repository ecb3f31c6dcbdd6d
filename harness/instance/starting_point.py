"""The starting point of a case with guests, whoever makes its instance: names, images, tokens, a folder."""

from __future__ import annotations

import secrets
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.domain.disk_mapping import DiskMapping, map_disks
from harness.domain.disk_names import RESCUE
from harness.domain.placement import DirectKernel, DiskSource, EmulatedTpm, Placement
from harness.errors import HostError, disk_error
from harness.guest.seed import Seed
from harness.hypervisor.connection import usb_cdrom_is_disk
from harness.hypervisor.host import Hypervisor
from harness.image import ImageSet, instance_command_line
from harness.image.content import ImageContent
from harness.implementation.request import request_or_none
from harness.instance.media_server import MediaServer
from harness.instance.placing import placement_for
from harness.instance.rescue_media import Medium, RescueMedia
from harness.instance.resources import Resources
from harness.instance.steps import TOKEN_BYTES, volumes_of
from harness.instance.storage.base_image import BaseImage, BaseImages, base_images
from harness.instance.storage.disk_factory import DiskFactory
from harness.instance.storage.volume_resources import VolumeResources, volume_resources
from harness.reading.cases import Case
from harness.result.folders import folder_name
from harness.scenario.models import Instance, Scenario
from harness.scenario.rescue_image import RescueImage
from harness.scenario.steps import rescues_from
from harness.scenario.words import DeviceType


@dataclass(frozen=True)
class StartingPoint:
    """The starting point of one case on one hypervisor.

    ``shipped`` has the harness's own images, and ``media`` serves the files that guests fetch. ``tokens`` are for the
    markers of all disks that the case may ever have.
    """

    instance: Instance
    mapping: DiskMapping
    hypervisor: Hypervisor
    domain_uuid: uuid.UUID
    folder: Path
    shipped: ImageSet
    media: MediaServer
    images: BaseImages
    tokens: Mapping[str, str]
    rescue_image: RescueImage
    rescue_images_by_step: Mapping[int, RescueImage]
    volumes: VolumeResources

    def disk_factory(self, seed: Seed | None = None) -> DiskFactory:
        """Return a factory for the case's disks; ``seed`` is a config drive's data for cloud-init."""
        return DiskFactory(self.folder, self.images, self.tokens, self.volumes, seed)

    def rescue_media(self, factory: DiskFactory, *, makes_disks: bool) -> RescueMedia:
        """Make the media of all rescues; without ``makes_disks`` only the floppies, which hold the run's port.

        Raises:
            HostError: a tool is missing, or the disk is full.
        """

        def medium(stem: str, image: RescueImage, base: BaseImage, token: str) -> Medium:
            request = request_or_none(self.instance, image)
            floppy = None
            if request is not None and request.device is DeviceType.FLOPPY:
                floppy = factory.make_rescue_floppy(stem, self.shipped, self.media.port, token)
            source = floppy
            if makes_disks and floppy is None:
                source = factory.make_rescue_disk(stem, base.content, token)
            return Medium(
                image=image,
                request=request,
                content=base.content if floppy is None else ImageContent.of_raw(floppy.path),
                login=base.login,
                token=token,
                source=source if makes_disks else None,
                same_image=base is self.images.instance,
            )

        return RescueMedia(
            medium(RESCUE, self.rescue_image, self.images.rescue, self.tokens[RESCUE]),
            {
                step: medium(f"{RESCUE}-of-step-{step + 1}", image, self.images.by_step[step], _new_token())
                for step, image in self.rescue_images_by_step.items()
            },
            self.images.instance.content.path,
        )

    def placement(self, sources: Mapping[str, DiskSource], *, tpm: EmulatedTpm | None = None) -> Placement:
        """Return the placement of the instance on its hypervisor.

        Raises:
            HostError: the instance needs UEFI and this host has no UEFI firmware.
        """
        return placement_for(
            self.instance,
            self.mapping,
            sources,
            self.folder,
            self.domain_uuid,
            emulator=self.hypervisor.emulator,
            domain_type=self.hypervisor.accelerator.domain_type,
            usb_cdrom_is_disk=usb_cdrom_is_disk(self.hypervisor.connection),
            direct_kernel=_direct_kernel(self.instance, self.shipped),
            tpm=tpm,
        )


@contextmanager
def starting_point(case: Case, resources: Resources, hypervisor: Hypervisor) -> Iterator[StartingPoint]:
    """Make the starting point of a case, in a folder below the hypervisor's work folder that is removed at the end.

    Raises:
        HostError: an image cannot be built or read, the folder cannot be made, or the run was opened without images.
    """
    scenario = case.point.scenario
    instance = scenario.instance
    mapping = map_disks(instance)
    domain_uuid = uuid.uuid4()
    folder = hypervisor.root.work_path / folder_name(f"{case.id[:60]}-{domain_uuid.hex[:8]}")
    shipped, media = _images_of(resources)
    with _kept_folder(folder), volume_resources(folder, hypervisor.root.path) as volumes:
        images = base_images(
            scenario,
            case.file.parent,
            minimal=shipped,
            debian=resources.debian,
            run_key=resources.key,
            scratch=folder,
        )
        yield StartingPoint(
            instance,
            mapping,
            hypervisor,
            domain_uuid,
            folder,
            shipped,
            media,
            images,
            _new_tokens(mapping, scenario),
            scenario.rescue_image,
            rescues_from(scenario.steps),
            volumes,
        )


def _images_of(resources: Resources) -> tuple[ImageSet, MediaServer]:
    if resources.images is None or resources.media is None:
        raise HostError("this run has no images: it was opened for level plan")
    return resources.images, resources.media


def _new_tokens(mapping: DiskMapping, scenario: Scenario) -> dict[str, str]:
    return {name: _new_token() for name in (*mapping.by_name, *volumes_of(scenario), RESCUE)}


def _new_token() -> str:
    return secrets.token_hex(TOKEN_BYTES)


def _direct_kernel(instance: Instance, shipped: ImageSet) -> DirectKernel | None:
    if not instance.direct_kernel:
        return None
    return DirectKernel(shipped.kernel, shipped.initramfs, instance_command_line(from_iso=instance.is_from_iso))


@contextmanager
def _kept_folder(path: Path) -> Iterator[None]:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error, path) from error
    try:
        yield
    finally:
        shutil.rmtree(path, ignore_errors=True)
