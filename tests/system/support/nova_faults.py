"""Seed faults in Nova 34.0.0's own source, a few lines each, and name the claim by which the gate must notice.

``python tests/system/support/nova_faults.py`` prints docs/nova/faults.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.scenario.words import ClaimName

DRIVER = "nova/virt/libvirt/driver.py"
BLOCKINFO = "nova/virt/libvirt/blockinfo.py"
HARDWARE = "nova/virt/hardware.py"
REFUSED = "refused by libvirt"

_HEADER = """\
# Faults seeded in Nova

A gate that passes everything proves nothing. Each fault below changes a few lines in the source of Nova 34.0.0, as a
mistake in a patch might (`tests/system/support/nova_faults.py`). At level `plan`, `gate-nova` must report that the case
in the fault's row became worse, by the claim in that row. `refused by libvirt` means that Nova carried the rescue out
before the change, and that the refusal now leaves the guest off. A harmless change, to a log message, must leave the
whole suite unchanged.

No fault breaks `unrescue.xml`. At level `plan` libvirt supplies the definition that the instance gets back, and Nova is
not asked for that file.

| fault | what is broken | file | claim | case |
| --- | --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class SeededFault:
    """Describe a careless change: the old text of a file, the new text, and the case and claim that notice the change.

    ``claim`` is None if libvirt no longer accepts the rescued domain.
    """

    name: str
    summary: str
    file: str
    old: str
    new: str
    claim: ClaimName | None
    case: str


FAULTS = (
    SeededFault(
        "boot-order-dropped",
        "the rescue disk has no boot order, so the first disk boots",
        DRIVER,
        "disk_mapping, flavor, boot_order='1')",
        "disk_mapping, flavor)",
        ClaimName.BOOTED_FROM_RESCUE,
        "usb-disk[pc-none]",
    ),
    SeededFault(
        "names-left-to-chance",
        "the rescue disk goes to the SCSI bus, beside a disk that Linux names as it arrives",
        BLOCKINFO,
        "    rescue_info = get_next_disk_info(mapping, rescue_bus,\n",
        "    rescue_info = get_next_disk_info(mapping, 'scsi',\n",
        ClaimName.NAMES,
        "usb-disk[pc-none]",
    ),
    SeededFault(
        "volumes-skipped",
        "only the root disk is attached while the instance is rescued, and no volume",
        DRIVER,
        "            connection_info = vol['connection_info']\n            vol_dev =",
        "            if rescue and vol.get('boot_index') != 0:\n                continue\n"
        "            connection_info = vol['connection_info']\n            vol_dev =",
        ClaimName.ALL_PRESENT,
        "usb-disk[pc-none]",
    ),
    SeededFault(
        "volumes-mixed-up",
        "every volume has the first volume's file while the instance is rescued",
        DRIVER,
        "            connection_info = vol['connection_info']\n            vol_dev =",
        "            connection_info = dict(vol['connection_info'])\n"
        "            if rescue:\n"
        "                first = block_device_mapping[0]['connection_info']\n"
        "                connection_info['data'] = first['data']\n"
        "            vol_dev =",
        ClaimName.CONTENT,
        "usb-disk[pc-none]",
    ),
    SeededFault(
        "volume-serial-lost",
        "volumes have no serial while the instance is rescued",
        DRIVER,
        "            cfg = self._get_volume_config(connection_info, info)\n            devices.append(cfg)",
        "            cfg = self._get_volume_config(connection_info, info)\n"
        "            cfg.serial = None if rescue else cfg.serial\n            devices.append(cfg)",
        ClaimName.IDENTITY,
        "usb-disk[pc-none]",
    ),
    SeededFault(
        "volumes-in-another-order",
        "volumes on a virtio-scsi controller get their LUNs in reverse order",
        DRIVER,
        "        for vol in block_device.get_bdms_to_connect(block_device_mapping,\n"
        "                                                   mount_rootfs):\n            connection_info",
        "        for vol in sorted(block_device.get_bdms_to_connect(\n"
        "                block_device_mapping, mount_rootfs),\n"
        "                key=lambda vol: vol['mount_device'], reverse=bool(rescue)):\n            connection_info",
        ClaimName.ADDRESSES,
        "scsi-with-scsi-disks[pc]",
    ),
    SeededFault(
        "ephemeral-lost",
        "ephemeral disks are left out of the rescue",
        DRIVER,
        "                devices = devices + _get_ephemeral_devices()\n\n                if 'disk.swap'",
        "                if not rescue:\n                    devices = devices + _get_ephemeral_devices()\n\n"
        "                if 'disk.swap'",
        ClaimName.ALL_PRESENT,
        "usb-disk[pc-none]",
    ),
    SeededFault(
        "swap-lost",
        "the swap disk is left out of the rescue",
        DRIVER,
        "                if 'disk.swap' in disk_mapping:\n                    diskswap =",
        "                if 'disk.swap' in disk_mapping and not rescue:\n                    diskswap =",
        ClaimName.ALL_PRESENT,
        "usb-disk[pc-none]",
    ),
    SeededFault(
        "config-drive-lost",
        "the config drive is left out of the rescue",
        DRIVER,
        "            if config_name in disk_mapping:",
        "            if config_name in disk_mapping and not rescue:",
        ClaimName.ALL_PRESENT,
        "usb-disk[pc-none]",
    ),
    SeededFault(
        "scsi-controller-forgotten",
        "the rescued instance has libvirt's default SCSI controller instead of its own",
        DRIVER,
        "        scsi_controller = self._get_scsi_controller(image_meta)\n\n        if scsi_controller and",
        "        scsi_controller = None if rescue else self._get_scsi_controller(image_meta)\n\n"
        "        if scsi_controller and",
        ClaimName.ADDRESSES,
        "usb-with-scsi-disks[pc]",
    ),
    SeededFault(
        "image-of-the-rescue",
        "the domain is made from the properties of the rescue image, not of the instance's image",
        DRIVER,
        "                    image_meta = objects.ImageMeta.from_image_ref(\n"
        "                        context, self._image_api, instance.image_ref)\n                else:",
        "                    image_meta = rescue_image_meta\n                else:",
        ClaimName.OTHER_HARDWARE,
        "usb-disk[q35-qemu-xhci]",
    ),
    SeededFault(
        "nics-lost",
        "the rescued instance has no NIC",
        DRIVER,
        "        xml = self._get_guest_xml(context, instance, network_info, disk_info,\n"
        "                                  image_meta, rescue=rescue_images,",
        "        xml = self._get_guest_xml(context, instance, network_info[:0], disk_info,\n"
        "                                  image_meta, rescue=rescue_images,",
        ClaimName.OTHER_HARDWARE,
        "usb-disk[pc-none]",
    ),
    SeededFault(
        "legacy-without-root",
        "legacy rescue leaves the instance's root disk out",
        DRIVER,
        "                    instance, 'disk', disk_mapping, flavor)\n                devices.append(diskos)\n"
        "            else:",
        "                    instance, 'disk', disk_mapping, flavor)\n            else:",
        ClaimName.ALL_PRESENT,
        "no-property[pc]",
    ),
    SeededFault(
        "stable-silently-legacy",
        "a rescue image with only one of the two properties causes a legacy rescue",
        HARDWARE,
        "    return any(key in image_meta.properties for key in hw_rescue_props)",
        "    return all(key in image_meta.properties for key in hw_rescue_props)",
        ClaimName.ALL_PRESENT,
        "default-cdrom[pc]",
    ),
    SeededFault(
        "device-type-ignored",
        "hw_rescue_device is read and not used: the rescue disk is always a disk",
        BLOCKINFO,
        "        raise exception.UnsupportedRescueDevice(device=rescue_device)\n    return rescue_device",
        "        raise exception.UnsupportedRescueDevice(device=rescue_device)\n    return 'disk'",
        ClaimName.ONLY_ADDITION,
        "ide-cdrom",
    ),
    SeededFault(
        "bus-ignored",
        "hw_rescue_bus is checked and not used",
        BLOCKINFO,
        "        if is_disk_bus_valid_for_virt(virt_type, rescue_bus):\n            return rescue_bus\n        else:",
        "        if not is_disk_bus_valid_for_virt(virt_type, rescue_bus):",
        ClaimName.ONLY_ADDITION,
        "usb-disk[pc-none]",
    ),
    SeededFault(
        "named-as-root",
        "the rescue disk gets the first name of its bus, which the root disk has",
        BLOCKINFO,
        "    rescue_info = get_next_disk_info(mapping, rescue_bus,",
        "    rescue_info = get_next_disk_info({}, rescue_bus,",
        None,
        "virtio-disk[pc]",
    ),
    SeededFault(
        "disks-renamed",
        "the first ephemeral disk and the swap disk make room for the rescue disk",
        BLOCKINFO,
        "    mapping['disk.rescue'] = rescue_info\n    return mapping\n\n\ndef get_disk_info",
        "    for name in ('disk.eph0', 'disk.swap'):\n"
        "        if name in mapping:\n"
        "            mapping[name], rescue_info = (\n"
        "                dict(mapping[name], dev=rescue_info['dev']),\n"
        "                dict(rescue_info, dev=mapping[name]['dev']))\n"
        "    mapping['disk.rescue'] = rescue_info\n    return mapping\n\n\ndef get_disk_info",
        ClaimName.ADDRESSES,
        "virtio-disk[pc]",
    ),
)


def faults_page(faults: Sequence[SeededFault]) -> str:
    """Return the page as Markdown."""
    return _HEADER + "".join(f"{line}\n" for line in _rows(faults))


def _rows(faults: Sequence[SeededFault]) -> Iterator[str]:
    for fault in faults:
        claim = REFUSED if fault.claim is None else f"`{fault.claim}`"
        file = fault.file.removeprefix("nova/virt/")
        yield f"| {fault.name} | {fault.summary} | `{file}` | {claim} | `{fault.case}` |"


if __name__ == "__main__":
    sys.stdout.write(faults_page(FAULTS))
