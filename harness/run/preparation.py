"""From a case to an instance that can be started: tokens, disks, placement."""

from __future__ import annotations

import secrets
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.domain.placement import DiskSource, Placement, UefiFirmware
from harness.errors import Refused
from harness.hypervisor.firmware import find_uefi
from harness.rescue.naming import RESCUE, map_disks
from harness.rescue.request import RescueRequest, resolve_request
from harness.run.cases import Case
from harness.run.disks import DiskFactory
from harness.run.performer import Performer
from harness.run.record import folder_name
from harness.run.session import Session
from harness.scenario.models import DeviceType, Firmware, Instance, RescueImage


@dataclass(frozen=True)
class Prepared:
    """An instance with its disks made. ``tokens`` are the markers', ``request`` what was asked for, if it can be."""

    performer: Performer
    tokens: Mapping[str, str]
    request: RescueRequest | None
    folder: Path

    @property
    def sources(self) -> Mapping[str, DiskSource]:
        """The disks' files, the rescue disk under ``rescue``."""
        return self.performer.placement.sources


@contextmanager
def prepared(case: Case, session: Session) -> Iterator[Prepared]:
    """Make everything a case needs below the run's work folder; all of it is gone at the end.

    Raises:
        HostError: a disk cannot be made, or there is no firmware.
    """
    scenario = case.point.scenario
    instance, image = scenario.instance, scenario.rescue_image
    domain_uuid = uuid.uuid4()
    folder = session.hypervisor.root.work_path / folder_name(f"{case.id[:60]}-{domain_uuid.hex[:8]}")
    names = [disk.name for disk in map_disks(instance)]
    tokens = {name: secrets.token_hex(8) for name in (*names, RESCUE)}
    factory = DiskFactory(folder, session.images, tokens)
    request = _request(instance, image)
    try:
        sources = factory.make_instance_disks(instance)
        device = request.device if request is not None else DeviceType.DISK
        sources[RESCUE] = factory.make_rescue_disk(RESCUE, device, session.http_port)
        placement = placement_for(
            instance,
            sources,
            folder,
            domain_uuid,
            emulator=session.hypervisor.emulator,
            domain_type=session.hypervisor.accelerator.domain_type,
        )
        with Performer(session.hypervisor, case.implementation, instance, placement, session.key, folder) as performer:
            yield Prepared(performer, tokens, request, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def placement_for(
    instance: Instance,
    sources: Mapping[str, DiskSource],
    folder: Path,
    domain_uuid: uuid.UUID,
    *,
    emulator: str,
    domain_type: Literal["qemu", "kvm"],
) -> Placement:
    """The placement of an instance whose files are in ``folder``.

    Raises:
        HostError: the instance wants UEFI and this host has none.
    """
    digits = domain_uuid.hex
    uefi = None
    if instance.firmware is Firmware.UEFI:
        build = find_uefi(instance.machine_type)
        uefi = UefiFirmware(build.code_path, build.variables_template_path, folder / "uefi-variables.fd")
    return Placement(
        domain_name=f"rh-{digits[:12]}",
        uuid=str(domain_uuid),
        mac=":".join(("52", "54", "00", digits[0:2], digits[2:4], digits[4:6])),
        domain_type=domain_type,
        emulator=emulator,
        sources=sources,
        uefi=uefi,
        rescue_variables_path=folder / "uefi-variables-rescue.fd" if uefi else None,
    )


def _request(instance: Instance, image: RescueImage) -> RescueRequest | None:
    try:
        return resolve_request(instance, image)
    except Refused:
        return None
