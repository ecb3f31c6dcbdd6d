"""A server in a Nova whose guests are never started: all of Nova's own code runs; see ``unstarted_worker.py``."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

from pydantic import Field

from harness.frozen import Frozen
from harness.hypervisor.reaping import orphans_reaped
from harness.hypervisor.roots import clean_root, held_root
from harness.implementation.nova.environments import NovaEnvironment
from harness.implementation.nova.messages import (
    Answer,
    BlockDevice,
    ImageFile,
    NovaInstance,
    Open,
    Port,
    Rescue,
    Spawn,
    Unrescue,
)
from harness.implementation.nova.opening import START_TIMEOUT_S, WORKER_LOG
from harness.implementation.nova.process import Worker
from harness.implementation.nova.refusals import refused_instance
from harness.scenario.words import MIB, Role

from .nova_data import OLDEST_RELEASE

SCRIPT = Path(__file__).with_name("unstarted_worker.py")
TIMEOUT_S = 120.0
"""For one operation: images of a MiB are copied and converted; it takes a second on an idle host."""
STABLE = {"hw_rescue_bus": "usb", "hw_rescue_device": "disk"}
LEGACY: dict[str, str] = {}
RESCUED = ("rescued", None, False)
UNTOUCHED = ("active", None, False)
LOST = ("error", None, True)
Options = dict[str, str | bool | int]


class SpawnWith(Spawn):
    """``mapping``: what entries of the block device mapping have besides, by their number."""

    mapping: dict[int, dict[str, Any]] = Field(default_factory=dict)


class Stop(Frozen):
    operation: Literal["stop"] = "stop"
    uuid: str


class MayDetach(Frozen):
    operation: Literal["may_detach"] = "may_detach"
    uuid: str
    volume: str


class HostBoot(Frozen):
    operation: Literal["host_boot"] = "host_boot"
    uuid: str
    configuration: Options


class Restart(Frozen):
    operation: Literal["restart"] = "restart"
    configuration: Options


class Change(Frozen):
    operation: Literal["change"] = "change"
    uuid: str
    instance: dict[str, Any] = Field(default_factory=dict)
    mapping: dict[int, dict[str, Any]] = Field(default_factory=dict)
    images_gone: tuple[str, ...] = ()
    failing_starts: int = 0
    undefined: bool = False
    capabilities: dict[str, bool] = Field(default_factory=dict)
    bootable: bool = True


class Look(Frozen):
    operation: Literal["look"] = "look"
    uuid: str
    record_path: Path


def disk(role: Role = Role.ROOT, *, volume: str | None = None, bus: str | None = None) -> BlockDevice:
    """One that Nova makes, or the volume of this id."""
    path = None if volume is None else f"/volumes/{volume}"
    return BlockDevice(role=role, bus=bus, device="disk", size_mib=1, volume_path=path, volume_id=volume, serial=volume)


@dataclass(frozen=True)
class Nova:
    """A worker, and a folder of images as small as Nova takes them."""

    worker: Worker
    instances_path: Path
    images_path: Path

    @property
    def is_oldest(self) -> bool:
        return self.worker.name.endswith(OLDEST_RELEASE)

    def image(self, name: str, **properties: str) -> ImageFile:
        """An image of a MiB, full of the first letter of its name."""
        path = self.images_path / f"{name}.qcow2"
        if not path.exists():
            raw = path.with_suffix(".raw")
            raw.write_bytes(name[0].encode() * MIB)
            subprocess.run(["qemu-img", "convert", "-q", "-f", "raw", "-O", "qcow2", raw, path], check=True)
        identity = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name} {sorted(properties.items())}"))
        return ImageFile(id=identity, path=str(path), disk_format="qcow2", properties=properties)

    @staticmethod
    def read(path: Path) -> str:
        """The letter that a disk is full of."""
        raw = path.with_name("read.raw")
        subprocess.run(["qemu-img", "convert", "-q", "-O", "raw", path, raw], check=True)
        (letter,) = set(raw.read_text())
        raw.unlink()
        return letter

    @contextmanager
    def restarted(self, configuration: Options) -> Iterator[None]:
        """nova-compute runs with this nova.conf, and afterwards with its own again."""
        self.worker.ask(Restart(configuration=configuration), TIMEOUT_S)
        try:
            yield
        finally:
            self.worker.ask(Restart(configuration={}), TIMEOUT_S)

    def spawned(
        self,
        *disks: BlockDevice,
        configuration: Options | None = None,
        mapping: dict[int, dict[str, Any]] | None = None,
        config_drive: bool = False,
        **properties: str,
    ) -> Server:
        """An active instance of an image ``root`` with these properties, or one that boots from its first disk.

        Raises:
            Refused: libvirt does not take it.
        """
        devices = disks or (disk(),)
        instance = NovaInstance(
            uuid=str(uuid.uuid4()),
            memory_mib=256,
            properties=properties,
            boots_from_volume=devices[0].volume_path is not None,
            has_config_drive=config_drive,
            nics=(Port(port_id=str(uuid.uuid4()), mac="52:54:00:00:00:01"),),
            disks=devices,
        )
        server = Server(self, instance.uuid, self.image("root", **properties), dict(configuration or {}))
        answer = self.worker.ask(
            SpawnWith(
                instance=instance,
                configuration=server.configuration,
                image=server.image,
                authorized_keys="nobody logs in",
                mapping=mapping or {},
            ),
            TIMEOUT_S,
        )
        if answer.refusal is not None:
            raise refused_instance(answer.refusal)
        return server


@dataclass
class Server:
    """An instance; ``configuration`` is nova.conf from now on."""

    nova: Nova
    uuid: str
    image: ImageFile
    configuration: Options

    @property
    def folder(self) -> Path:
        return self.nova.instances_path / self.uuid

    def rescue(self, image: ImageFile | None) -> Answer:
        return self._ask(Rescue(uuid=self.uuid, configuration=self.configuration, image=image))

    def unrescue(self) -> Answer:
        return self._ask(Unrescue(uuid=self.uuid, configuration=self.configuration))

    def stop(self) -> Answer:
        return self._ask(Stop(uuid=self.uuid))

    def may_detach(self, volume: str) -> Answer:
        return self._ask(MayDetach(uuid=self.uuid, volume=volume))

    def boot_host(self) -> None:
        self._ask(HostBoot(uuid=self.uuid, configuration=self.configuration))

    def change(self, **keys: Any) -> None:
        self._ask(Change(uuid=self.uuid, **keys))

    @property
    def domain(self) -> ElementTree.Element:
        """The domain as libvirt has it."""
        return self._look()[0]

    @property
    def record(self) -> dict[str, Any]:
        """Of Nova's record what tests ask for."""
        return self._look()[1]

    @property
    def disks(self) -> dict[str, ElementTree.Element]:
        """The domain's disks by the last part of their source's path."""
        found = {}
        for element in self.domain.iterfind("devices/disk"):
            source = element.find("source")
            assert source is not None
            found[Path(source.get("file") or source.get("dev") or "").name] = element
        return found

    def _look(self) -> tuple[ElementTree.Element, dict[str, Any]]:
        path = self.nova.images_path / f"{self.uuid}.json"
        answer = self._ask(Look(uuid=self.uuid, record_path=path))
        assert answer.xml is not None
        return ElementTree.fromstring(answer.xml), json.loads(path.read_text())  # noqa: S314 - libvirt's own

    def _ask(self, request: Frozen) -> Answer:
        return self.nova.worker.ask(request, TIMEOUT_S)


@contextmanager
def unstarted(environment: NovaEnvironment, images_path: Path) -> Iterator[Nova]:
    """A Nova on a libvirt of its own, which starts nothing."""
    with held_root(in_memory=True) as root:
        started = Worker(
            environment.python,
            root.path,
            root.work_path / WORKER_LOG,
            name=environment.name,
            version=environment.version,
            script=SCRIPT,
        )
        try:
            with orphans_reaped():
                started.ask(Open(), START_TIMEOUT_S)
            yield Nova(started, root.work_path / "instances", images_path)
        finally:
            started.close()
            clean_root(root.path)


def left(answer: Answer) -> tuple[str, str | None, bool]:
    """The record's vm_state and task_state, and whether the guest is off."""
    assert answer.left is not None
    return answer.left.vm_state, answer.left.task_state, answer.left.is_off


def assert_refused(answer: Answer, service: str, words: str) -> None:
    assert answer.refusal is not None
    assert answer.refusal.service == service
    assert words in answer.refusal.message


def machine(server: Server) -> str:
    kind = server.domain.find("os/type")
    assert kind is not None
    return "q35" if "q35" in kind.attrib["machine"] else "pc"
