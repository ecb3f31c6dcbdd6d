"""Nova at level guest: Nova spawns, rescues and unrescues guests on a libvirt that the harness reads as well."""

from __future__ import annotations

import json
import shutil
import threading
import uuid
from collections.abc import Generator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from harness.domain.placement import DiskSource, Placement
from harness.errors import HostError
from harness.frozen import Frozen
from harness.hypervisor.connection import connect
from harness.hypervisor.daemon import private_daemon, variables_folder, variables_folder_in_domains
from harness.hypervisor.host import Hypervisor
from harness.hypervisor.roots import held_root
from harness.image.command import run
from harness.image.content import ImageContent
from harness.implementation.nova.description import (
    Asked,
    asked_of_nova,
    disks_by_source,
    rescue_properties,
    volume_id,
)
from harness.implementation.nova.environments import NovaEnvironment
from harness.implementation.nova.kept_worker import KeptWorker
from harness.implementation.nova.messages import Answer, Detach, ImageFile, Left, Rescue, Spawn, Unrescue
from harness.implementation.nova.opening import START_TIMEOUT_S, opened_worker
from harness.implementation.nova.process import Worker
from harness.implementation.nova.refusals import refused_instance, refused_rescue, refused_unrescue
from harness.implementation.protocol import PausesWhileOff
from harness.scenario.models import Instance
from harness.scenario.rescue_image import RescueImage

OPERATION_TIMEOUT_S = 300.0
"""The limit for Nova's work between two pauses. Fetching and converting an image, or destroying and defining a guest,
takes seconds."""
_RAW_FILES = ("disk.config", "disk.config.rescue")
_IDS = uuid.UUID("5f0c3f5e-3f7e-4f5c-8a53-2f3a9f2c7d11")


class NovaGuests:
    """The libvirtd and the worker for the guests of all cases of one Nova. A context manager; safe between threads."""

    def __init__(self, environment: NovaEnvironment, base: Hypervisor) -> None:
        self._environment = environment
        self._base = base
        self._stack = ExitStack()
        self._images_lock = threading.Lock()
        self._left: dict[str, Left] = {}
        self.worker = KeptWorker(environment.name, self._start)

    def placed(self, placement: Placement) -> Placement:
        """The placement under Nova's names, for what Nova makes itself (imagebackend, blockinfo)."""
        name = f"rh-{placement.uuid}"
        uefi = placement.uefi
        if uefi is not None:
            uefi = replace(uefi, variables_path=variables_folder(self.hypervisor.root.path) / f"{name}_VARS.fd")
        return replace(
            placement,
            domain_name=name,
            sources={**placement.sources, **self._own_sources(placement)},
            uefi=uefi,
            rescue_variables_path=None,
        )

    def _own_sources(self, placement: Placement) -> dict[str, DiskSource]:
        found: dict[str, DiskSource] = {}
        for path, name in self.disk_names(placement).items():
            if Path(path).parent == self._folder(placement):
                found.setdefault(name, self._source(Path(path)))
        return found

    @staticmethod
    def _source(path: Path) -> DiskSource:
        return DiskSource(path, "raw" if path.name in _RAW_FILES else "qcow2")

    def disk_names(self, placement: Placement) -> Mapping[str, str]:
        """Return the name of the disk behind each file in Nova's domains."""
        return disks_by_source(placement, self._instances_path)

    def variables(self, placement: Placement) -> frozenset[str]:
        """Return the path of the instance's UEFI variables, as Nova's domains name it."""
        folder = variables_folder_in_domains(self.hypervisor.root.path)
        return frozenset({str(folder / f"{placement.domain_name}_VARS.fd")})

    def own_disks(self, placement: Placement) -> dict[str, DiskSource]:
        """The disks that Nova has made by now, by path in its domains, with the name of each in ``disk_names``."""
        names = self.disk_names(placement)
        folder = self._folder(placement)
        return {path: self._source(Path(path)) for path in names if Path(path).parent == folder and Path(path).exists()}

    def console_path(self, placement: Placement) -> Path:
        """Return the path of the serial log that QEMU writes for Nova."""
        return self._folder(placement) / "console.log"

    def spawn(
        self,
        instance: Instance,
        placement: Placement,
        image: ImageContent,
        *,
        authorized_keys: str,
    ) -> PausesWhileOff:
        """Call ``LibvirtDriver.spawn``, and pause when everything is made and the guest is about to start.

        Raises:
            Refused: Nova does not make such an instance, or libvirt does not accept it.
            HostError: the worker failed.
        """
        asked = self._asked(instance, placement)
        properties = asked.instance.properties
        kernel, ramdisk = None, None
        if placement.direct_kernel is not None:
            properties = properties | {"os_command_line": placement.direct_kernel.command_line}
            kernel = self._image(ImageContent(placement.direct_kernel.kernel_path, "raw", 0), {}, "aki")
            ramdisk = self._image(ImageContent(placement.direct_kernel.ramdisk_path, "raw", 0), {}, "ari")
        request = Spawn(
            instance=asked.instance.model_copy(update={"properties": properties}),
            configuration=asked.configuration,
            image=self._image(image, properties, asked.instance.disk_format),
            kernel=kernel,
            ramdisk=ramdisk,
            authorized_keys=authorized_keys,
        )
        refusal = (yield from self._asked_worker(request)).refusal
        if refusal is not None:
            raise refused_instance(refusal)

    def rescue(
        self,
        instance: Instance,
        placement: Placement,
        image: RescueImage,
        content: ImageContent,
        *,
        shutdown_s: float,
    ) -> PausesWhileOff:
        """Call ``compute.api.API.rescue``, and pause between the two guests.

        The running guest has ``shutdown_s`` to shut down before it is destroyed.

        Raises:
            Refused: nova-api or nova-compute raised an exception; the refusal says if the guest is off by then.
            HostError: the worker failed.
        """
        asked = self._asked(instance, placement)
        properties = rescue_properties(image)
        request = Rescue(
            uuid=placement.uuid,
            configuration={**asked.configuration, "shutdown_timeout": ceil(shutdown_s)},
            image=None if properties is None else self._image(content, properties, "qcow2"),
        )
        answer = yield from self.worker.asked(request, OPERATION_TIMEOUT_S + shutdown_s)
        if answer.refusal is not None:
            raise refused_rescue(self._environment.name, answer.refusal, answer.left, placement.uuid)
        self._note(placement, answer)

    def unrescue(self, instance: Instance, placement: Placement) -> PausesWhileOff:
        """Call ``compute.api.API.unrescue``, and pause between the two guests.

        Raises:
            Refused: Nova raised an exception.
            HostError: the worker failed.
        """
        asked = self._asked(instance, placement)
        request = Unrescue(uuid=placement.uuid, configuration=asked.configuration)
        answer = yield from self._asked_worker(request)
        if answer.refusal is not None:
            raise refused_unrescue(answer.refusal, answer.left)
        self._note(placement, answer)

    def _note(self, placement: Placement, answer: Answer) -> None:
        if answer.left is not None:
            self._left[placement.uuid] = answer.left

    def recorded_state(self, placement: Placement) -> str | None:
        """Return ``vm_state`` of the instance, and ``task_state`` if there is one, after the last operation."""
        left = self._left.get(placement.uuid)
        return None if left is None else ", ".join(filter(None, (left.vm_state, left.task_state)))

    def base_paths(self, placement: Placement) -> tuple[Path, ...]:
        """Return the paths of the files in Nova's image cache, which the disks of all instances share."""
        del placement
        return tuple((self._instances_path / "_base").glob("*"))

    def detach(self, instance: Instance, placement: Placement, disk: str) -> None:
        """Call ``LibvirtDriver.detach_volume`` for the running guest.

        Raises:
            HostError: Nova raised an exception, or the worker failed.
        """
        asked = self._asked(instance, placement)
        volume = volume_id(placement, disk)
        request = Detach(uuid=placement.uuid, configuration=asked.configuration, volume_id=volume)
        refusal = self.worker.ask(request, OPERATION_TIMEOUT_S).refusal
        if refusal is not None:
            raise HostError(f"{self._environment.name} does not detach {disk}: {refusal.reason}")

    def forget(self, placement: Placement) -> None:
        """Remove the files of an instance whose domain is gone."""
        self._left.pop(placement.uuid, None)
        shutil.rmtree(self._folder(placement), ignore_errors=True)

    def _asked(self, instance: Instance, placement: Placement) -> Asked:
        asked = asked_of_nova(instance, placement)
        return Asked(asked.instance, {"libvirt.virt_type": placement.domain_type, **asked.configuration})

    def _asked_worker(self, request: Frozen) -> Generator[None, None, Answer]:
        return self.worker.asked(request, OPERATION_TIMEOUT_S)

    def _image(
        self,
        content: ImageContent,
        properties: Mapping[str, str],
        disk_format: Literal["qcow2", "iso", "raw", "aki", "ari"],
    ) -> ImageFile:
        """Make Glance's file of an image once: without a backing file, which Nova would not take."""
        status = content.path.stat()
        key = (str(content.path), status.st_mtime_ns, status.st_size, content.size_bytes, disk_format)
        path = content.path
        if disk_format == "qcow2":
            path = self._images_path / f"{uuid.uuid5(_IDS, json.dumps(key))}.qcow2"
            with self._images_lock:
                if not path.exists():
                    _convert(content, path)
        described = json.dumps((*key, sorted(properties.items())))
        identity = str(uuid.uuid5(_IDS, described))
        return ImageFile(id=identity, path=str(path), disk_format=disk_format, properties=dict(properties))

    def _start(self) -> Worker:
        return opened_worker(
            self._environment,
            self.hypervisor.root.path,
            START_TIMEOUT_S,
            self._stack,
            uri=self._uri,
            cancelled=self._base.cancelled,
        )

    def _folder(self, placement: Placement) -> Path:
        return self._instances_path / placement.uuid

    @property
    def _instances_path(self) -> Path:
        return self.hypervisor.root.work_path / "instances"

    @property
    def _images_path(self) -> Path:
        return self.hypervisor.root.work_path / "images"

    def __enter__(self) -> Self:
        try:
            root = self._stack.enter_context(held_root())
            self._stack.callback(shutil.rmtree, root.work_path, ignore_errors=True)
            self._uri = self._stack.enter_context(private_daemon(root.path))
            connection = self._stack.enter_context(connect(self._uri))
        except BaseException:
            self._stack.close()
            raise
        self.hypervisor = replace(self._base, connection=connection, root=root)
        self._images_path.mkdir()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.worker.forget()
        self._stack.close()


def _convert(content: ImageContent, path: Path) -> None:
    """Convert an image to a file of the size that the guest's disk gets."""
    scratch = path.with_suffix(".new")
    run("qemu-img", "convert", "-q", "-f", content.format, "-O", "qcow2", content.path, scratch)
    run("qemu-img", "resize", "-q", "-f", "qcow2", scratch, str(content.size_bytes))
    scratch.rename(path)
