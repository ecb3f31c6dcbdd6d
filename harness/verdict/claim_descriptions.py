"""Describe each claim: what must hold, what is compared, and what a finding looks like. The documents print this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.scenario.words import ClaimName


@dataclass(frozen=True)
class ClaimDescription:
    """Sentences on one claim. ``findings`` has examples of ``before -> after`` with their meaning."""

    holds: str
    compared: str
    findings: tuple[str, ...]


CLAIM_DESCRIPTIONS: Mapping[ClaimName, ClaimDescription] = {
    ClaimName.BOOTED_FROM_RESCUE: ClaimDescription(
        holds="The rescued guest booted from the rescue medium, and boots nothing else if the medium does not boot;"
        " the unrescued guest boots from its root disk.",
        compared="The medium that holds the mounted system; 'harness.medium=' on the kernel's command line, if the"
        " image sets it; the boot ids of all states; every device that the rescued domain tells to boot.",
        findings=(
            "'rescue -> root': the root disk was booted instead; also 'unmarked' or 'unknown' for another medium",
            "'rescue -> nothing': no system came up in two boots, or QEMU did not start",
            "'harness.medium=rescue -> harness.medium=instance': the kernel came from the instance's image",
            "'new boot -> same boot': the guest was not booted again",
            "'no boot order -> boot order 2': another device is told to boot, and boots if the rescue medium does not",
        ),
    ),
    ClaimName.ALL_PRESENT: ClaimDescription(
        holds="Every disk of the instance is there.",
        compared="The instance's disks, and every other block device of the normal state.",
        findings=(
            "'present -> missing': the state under test lacks the device",
            "'missing -> present': the normal state lacks the disk already",
        ),
    ),
    ClaimName.NAMES: ClaimDescription(
        holds="Each disk has its kernel name.",
        compared="The kernel names, and all the names that Linux may give a disk in each domain.",
        findings=(
            "'vdc -> vdd'",
            "'sda -> sda or sdb', 'sda or sdb -> sda..sdc': the rescue leaves names to chance, or more names",
        ),
    ),
    ClaimName.ADDRESSES: ClaimDescription(
        holds="Each disk has its address.",
        compared="The path of PCI functions from the root bus down; then SCSI channel:target:LUN, ATA port and device,"
        " or USB port.",
        findings=(
            "'0000:03:00.0 -> 0000:05:00.0', '0:0:1 -> 0:0:2': the part that differs",
            "the whole path, if only a bridge above the disk differs",
        ),
    ),
    ClaimName.LINKS: ClaimDescription(
        holds="The links in /dev/disk point to the same disks: by-path, by-id, by-uuid, by-label, by-partuuid and"
        " by-partlabel.",
        compared="The links of each disk as sets, with one finding for each disk and folder. A guest without udev makes"
        " no links; the links that udev would make are computed from sysfs, and from the words of 'blkid'.",
        findings=(
            "the lost links -> the new links, or 'none'; a lost link is gone, or points to another disk",
            "a link that another disk wants as well is lost, too, because either disk may get it",
        ),
    ),
    ClaimName.IDENTITY: ClaimDescription(
        holds="Each disk says the same of itself.",
        compared="Size, sector size, serial, WWN, vendor, model, bus, driver, read-only, removable, kind, partitions"
        " (number, start, size); without size and partitions where 'content' finds other bytes in the disk's place; how"
        " the disk is stored: format, encryption, server, who answers SCSI commands; every"
        " setting of the disk's definition and of its QEMU device, such as limits, cache and queues; physical block"
        " size, write cache, queues and discard as the kernel has them; I/O errors in the kernel's log.",
        findings=("'size 16777216 -> size 33554432'", "'driver@cache writeback -> driver@cache none'"),
    ),
    ClaimName.CONTENT: ClaimDescription(
        holds="Each disk has the same bytes, as the marker on it shows.",
        compared="The marker at each disk's old address; the number of devices with the same marker.",
        findings=(
            "'volume1 -> volume2': another disk's bytes are in the disk's place; also 'no marker' or 'foreign marker'",
            "'1 copy -> 2 copies'",
        ),
    ),
    ClaimName.ONLY_ADDITION: ClaimDescription(
        holds="The rescue device is the one new block device, and has the bus and the type that were asked for.",
        compared="The block devices of the rescued state that the normal state lacks.",
        findings=(
            "for 'rescue': 'present -> missing'",
            "for 'rescue': the bus or type that was asked for -> the one that is there, as in 'cdrom -> disk'",
            "for any other device: 'missing -> present'",
        ),
    ),
    ClaimName.OTHER_HARDWARE: ClaimDescription(
        holds="All other hardware is the same.",
        compared="NICs (kernel name, predictable name, MAC, address, driver); PCI functions at their paths (ids,"
        " subsystem, class, revision, capabilities, virtio features); USB devices at their ports; DMI; CPU count,"
        " model and flags; digests of SMBIOS and ACPI tables; the firmware's interface, and whether secure boot is on;"
        " a TPM's version, driver and endorsement key; every setting of the domain and of each device; libvirt's record"
        " of the domain.",
        findings=(
            "'eth0 -> eth1', 'MAC ... -> MAC ...'",
            "one PCI or USB address -> another",
            "'present -> missing', 'missing -> present'",
        ),
    ),
    ClaimName.RESTORED: ClaimDescription(
        holds="The unrescued instance is as it was at first.",
        compared="Everything above, unrescued against normal; the kernel's version, command line and lockdown mode; the"
        " redefined domain XML and the UEFI variables, byte for byte; memory, NICs' MTU and carrier, hot-plug slots,"
        " the ACPI table DSDT and the TPM's PCRs of the firmware; the state in the implementation's own record; the"
        " names of the files in the instance's folder.",
        findings=(
            "as above, under this claim, with the claim that it came from as 'aspect'",
            "for 'domain' and 'nvram': 'saved -> different'",
            "'root -> nothing': no system came up in two boots, with 'booted-from-rescue' as 'aspect'",
            "for 'folder': 'no file -> disk.rescue', a file that is left over, or the other way round",
            "for 'instance', 'domain', 'running-domain', 'nvram', 'folder': what a refused rescue has changed",
            "for 'domain': the boot order, 'root -> root, then network'",
            "for 'guest': 'kernel ... -> kernel ...', 'command line ... -> command line ...'",
        ),
    ),
    ClaimName.DATA: ClaimDescription(
        holds="What was written while the instance was rescued is there after the unrescue, and nothing else changed.",
        compared="The token that was written to each disk while rescued; the tokens of disks that nobody wrote to; the"
        " bytes of the disks, seen from the host before the first boot, and while the guest is off for the rescue and"
        " for the unrescue; the content of the base images.",
        findings=(
            "'written -> no data' or 'written -> other data'",
            "'no data -> other data'",
            "'unchanged -> bytes 4096-8191'",
        ),
    ),
}
