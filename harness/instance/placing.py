"""The places of an instance's parts on a host: names, and the files that are not disks."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from harness.domain.disk_mapping import DiskMapping
from harness.domain.placement import DirectKernel, DiskSource, EmulatedTpm, Placement, UefiFirmware
from harness.hypervisor.firmware import find_uefi
from harness.scenario.models import Instance
from harness.scenario.words import Firmware, OtherDevice


def placement_for(
    instance: Instance,
    mapping: DiskMapping,
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
    """Return the placement of an instance whose files are in ``folder``.

    Raises:
        HostError: the instance needs UEFI and this host has no UEFI firmware.
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
        mapping=mapping,
        sources=sources,
        uefi=uefi,
        usb_cdrom_is_disk=usb_cdrom_is_disk,
        direct_kernel=direct_kernel,
        share_path=folder / "share" if {OtherDevice.SHARE, OtherDevice.VIRTIOFS} & {*instance.devices} else None,
        tpm=tpm,
        rescue_variables_path=folder / "uefi-variables-rescue.fd" if uefi else None,
    )
