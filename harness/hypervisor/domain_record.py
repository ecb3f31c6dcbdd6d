"""libvirt's record of a domain beside its XML: what it keeps of the domain, and what else names its files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import libvirt

from harness.domain.xml import disk_target, disks_of, parse_domain

_NONE = "none"


def record_of(domain: libvirt.virDomain, folder: Path) -> dict[str, str]:
    """Return the record as text by name; ``folder`` holds the files of the domain's disks.

    Raises:
        libvirtError: libvirt does not know the domain, or does not answer.
    """
    return {
        "libvirt/persistent": _yes_or_no(domain.isPersistent()),
        "libvirt/autostart": _yes_or_no(domain.autostart()),
        "libvirt/managed-save": _yes_or_no(domain.hasManagedSaveImage()),
        "libvirt/snapshots": " ".join(sorted(domain.snapshotListNames())) or _NONE,
        "libvirt/checkpoints": " ".join(sorted(each.getName() for each in domain.listAllCheckpoints())) or _NONE,
        "libvirt/block-jobs": " ".join(_block_jobs(domain)) or _NONE,
        "libvirt/other-domains": " ".join(sorted(_others_on(domain, folder))) or _NONE,
    }


def _yes_or_no(answer: int) -> str:
    return "yes" if answer else "no"


def _block_jobs(domain: libvirt.virDomain) -> Iterator[str]:
    """Return the target names of the disks on which QEMU works by itself, as for a copy or a commit."""
    if not domain.isActive():
        return
    for disk in disks_of(parse_domain(domain.XMLDesc(0))):
        target = disk_target(disk)[0]
        if domain.blockJobInfo(target):
            yield target


def _others_on(domain: libvirt.virDomain, folder: Path) -> Iterator[str]:
    """Return the names of other domains that have a file of the folder. Domains of other cases come and go."""
    for other in domain.connect().listAllDomains():
        if other.name() == domain.name():
            continue
        try:
            xml = other.XMLDesc(0)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                continue
            raise
        if f"{folder}/" in xml:
            yield other.name()
