"""The records of an instance in a cloud's database and in Glance, as Nova's own objects."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

from nova import objects
from nova.network import model as network_model

ORIGINAL_IMAGE = "11111111-1111-4111-8111-111111111111"
KERNEL_IMAGE = "33333333-3333-4333-8333-333333333333"
RAMDISK_IMAGE = "44444444-4444-4444-8444-444444444444"
MIB_PER_GIB = 1024


def image_record(image: str, properties: dict[str, str], disk_format: str = "qcow2") -> dict[str, Any]:
    """Return an image's record in Glance's form."""
    return {
        "id": image,
        "name": image,
        "status": "active",
        "container_format": "bare",
        "disk_format": disk_format,
        "min_ram": 0,
        "min_disk": 0,
        "size": 1,
        "properties": dict(properties),
    }


def instance_record(request_context: Any, described: Any) -> Any:
    """Return the instance as nova-api and the conductor hand it to nova-compute."""
    flavor = objects.Flavor(
        id=1,
        flavorid="1",
        name="flavor",
        memory_mb=described["memory_mib"],
        vcpus=1,
        root_gb=1,
        ephemeral_gb=0,
        swap=described["swap_mib"],
        rxtx_factor=1.0,
        vcpu_weight=0,
        disabled=False,
        is_public=True,
        extra_specs=dict(described["extra_specs"]),
    )
    system_metadata = {f"image_{key}": str(value) for key, value in described["properties"].items()}
    image_ref = "" if described["boots_from_volume"] else ORIGINAL_IMAGE
    system_metadata.update(image_base_image_ref=image_ref, image_disk_format=described["disk_format"])
    instance = objects.Instance(
        request_context,
        id=1,
        uuid=described["uuid"],
        user_id="user",
        project_id="project",
        display_name="instance",
        hostname="instance",
        host="host",
        node="host",
        image_ref=image_ref,
        kernel_id=KERNEL_IMAGE if described["has_kernel"] else "",
        ramdisk_id=RAMDISK_IMAGE if described["has_kernel"] else "",
        key_name=None,
        key_data=None,
        memory_mb=flavor.memory_mb,
        vcpus=flavor.vcpus,
        root_gb=flavor.root_gb,
        ephemeral_gb=flavor.ephemeral_gb,
        flavor=flavor,
        old_flavor=None,
        new_flavor=None,
        config_drive="True" if described["has_config_drive"] else "",
        root_device_name=None,
        default_ephemeral_device=None,
        default_swap_device=None,
        os_type=None,
        architecture=None,
        vm_mode=None,
        vm_state=None,
        task_state=None,
        locked=False,
        power_state=0,
        launched_at=None,
        created_at=None,
        availability_zone=None,
        ephemeral_key_uuid=None,
        metadata={},
        system_metadata=system_metadata,
        numa_topology=None,
        pci_requests=objects.InstancePCIRequests(requests=[]),
        pci_devices=objects.PciDeviceList(objects=[]),
        resources=None,
        vcpu_model=None,
        trusted_certs=None,
        keypairs=objects.KeyPairList(objects=[]),
        device_metadata=None,
        tags=objects.TagList(objects=[]),
        deleted=False,
        cleaned=False,
    )
    instance.obj_reset_changes()
    return instance


def block_device_mapping(request_context: Any, described: Any) -> Any:
    """Return the block device mapping as nova-api stores it."""
    entries = []
    for number, disk in enumerate(described["disks"], start=1):
        entry = objects.BlockDeviceMapping(
            request_context,
            id=number,
            instance_uuid=described["uuid"],
            device_name=disk["device_name"],
            delete_on_termination=True,
            no_device=False,
            attachment_id=None,
            tag=None,
            encrypted=False,
            encryption_secret_uuid=None,
            encryption_format=None,
            encryption_options=None,
            volume_type=None,
            snapshot_id=None,
            volume_id=None,
            image_id=None,
            connection_info=None,
            guest_format=None,
            disk_bus=disk["bus"],
            device_type=disk["device"],
            boot_index=0 if disk["role"] == "root" else -1,
        )
        _fill_by_role(entry, disk)
        entry.obj_reset_changes()
        entries.append(entry)
    return objects.BlockDeviceMappingList(request_context, objects=entries)


def keep_names(mapping: Any, running_xml: str) -> None:
    """Give each volume the device name of its attachment, which stays although another volume was detached since."""
    names = {
        disk.findtext("serial"): disk.find("target").get("dev")  # type: ignore[union-attr]
        for disk in ElementTree.fromstring(running_xml).iterfind("devices/disk")  # noqa: S314 - libvirt's own
    }
    for entry in mapping:
        serial = json.loads(entry.connection_info)["serial"] if entry.connection_info else None
        if serial is not None and serial in names:
            entry.device_name = f"/dev/{names[serial]}"


def _fill_by_role(entry: Any, disk: Any) -> None:
    if disk["volume_path"] is not None:
        entry.source_type, entry.destination_type = "volume", "volume"
        entry.volume_id, entry.volume_size = disk["volume_id"], 1
        # The source is a plain file, or a block device for a LUN; neither has an os-brick connector.
        entry.connection_info = json.dumps(
            {
                "driver_volume_type": "local" if disk["device"] == "lun" else "gpfs",
                "serial": disk["serial"],
                "data": {"device_path": disk["volume_path"], "access_mode": "rw"},
            }
        )
    elif disk["role"] == "root":
        entry.source_type, entry.destination_type = "image", "local"
        entry.image_id, entry.volume_size = ORIGINAL_IMAGE, None
    elif disk["role"] == "swap":
        entry.source_type, entry.destination_type, entry.guest_format = "blank", "local", "swap"
        entry.volume_size = disk["size_mib"]
    else:
        entry.source_type, entry.destination_type = "blank", "local"
        entry.volume_size = max(1, disk["size_mib"] // MIB_PER_GIB)


def network_info(nics: Any) -> Any:
    """Return ports on tap devices, for which Nova's own VIF driver needs no plug-in."""
    return network_model.NetworkInfo(
        network_model.VIF(
            id=nic["port_id"],
            address=nic["mac"],
            network=network_model.Network(id=nic["port_id"], bridge="br", label="network", subnets=[]),
            type=network_model.VIF_TYPE_TAP,
            vnic_type=network_model.VNIC_TYPE_NORMAL,
            devname=f"tap{nic['port_id'][:11]}",
            active=True,
            details={},
        )
        for nic in nics
    )
