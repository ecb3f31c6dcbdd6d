"""A nova-compute that starts guests, on a libvirt that the harness reads from as well."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nova import exception, objects
from nova.compute import utils as compute_utils
from nova.network import security_group_api
from nova.objects import base as objects_base
from nova.virt import images as virt_images
from nova.virt.libvirt import driver as libvirt_driver
from nova.virt.libvirt import guest as libvirt_guest

from .access import with_access
from .cloud import Conductor, EdgeError, ImageService
from .compute import Compute, Spawned
from .configuration import CONF, Configured
from .records import block_device_mapping, image_record, instance_record, network_info
from .signatures import call
from .user import User


class VirtApi:
    """Stands in for the compute manager, and waits for no port: all ports exist already."""

    @contextlib.contextmanager
    def wait_for_instance_event(self, _instance: Any, event_names: Any, **_keys: Any) -> Iterator[None]:
        if event_names:
            raise EdgeError(f"Neutron was waited for: {event_names}")
        yield


class ImageFiles(ImageService):
    """Stands in for Glance: metadata, and files on this host."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: dict[str, str] = {}

    def download(self, _context: Any, image: str, data: Any = None, dest_path: Any = None, **_keys: Any) -> None:
        if data is not None or dest_path is None:
            raise EdgeError("Nova asked for an image in another form than a file")
        shutil.copyfile(self.paths[image], dest_path)


class GuestConductor(Conductor):
    """The plan's conductor, which also answers the look-up of the ports' tags for the metadata in a config drive."""

    def object_class_action_versions(
        self, request_context: Any, name: str, method: str, versions: Any, arguments: Any, keywords: Any
    ) -> Any:
        if (name, method) == ("VirtualInterfaceList", "get_by_instance_uuid"):
            return objects.VirtualInterfaceList(objects=[])
        return super().object_class_action_versions(request_context, name, method, versions, arguments, keywords)


class GuestCompute(Compute):
    """A nova-compute that starts guests."""

    def __init__(self, channel: Any, folder: str, uri: str) -> None:
        self._channel = channel
        self._uri = uri
        self._keys: dict[str, str] = {}
        self.instances: dict[str, Any] = {}
        self._launch = libvirt_guest.Guest.launch
        super().__init__(folder)
        self.conductor = objects_base.NovaObject.indirection_api = GuestConductor()
        self.image_service = self.driver._image_api = virt_images.IMAGE_API = ImageFiles()
        security_group_api.get_instance_security_groups = lambda *_args, **_keys: []
        # It would ask Keystone for an address that only the notification contains.
        compute_utils.notify_usage_exists = lambda *_args, **_keys: None
        compute = self

        def launch(guest: Any, pause: bool = False) -> Any:
            compute.off()
            return compute._launch(guest, pause=pause)

        libvirt_guest.Guest.launch = launch

    @property
    def operations(self) -> dict[str, Callable[[Any], dict[str, Any]]]:
        """The operations beside the description of this Nova."""
        return {"spawn": self.spawn, "rescue": self.rescue, "unrescue": self.unrescue, "detach": self.detach}

    def make_driver(self) -> Any:
        """Return Nova's libvirt driver, on the libvirt that the harness reads from."""
        CONF.set_override("connection_uri", self._uri, group="libvirt")
        CONF.set_override("mkisofs_cmd", "xorrisofs")
        driver = libvirt_driver.LibvirtDriver(VirtApi())
        for method in ("plug", "unplug"):
            setattr(driver.vif_driver, method, lambda *_args, **_keys: None)
        host = driver._host
        write = host.write_instance_config
        host.write_instance_config = lambda xml: write(with_access(xml, self._keys))
        return driver

    def is_off(self, instance: Any) -> bool:
        """Return whether an instance's guest is off, as libvirt says."""
        try:
            return not self.driver._host.get_guest(instance).is_active()
        except exception.InstanceNotFound:
            return True

    def off(self) -> None:
        """Let the harness look at the disks while no guest runs."""
        self._channel.send({"off": True})
        if (self._channel.receive() or {}).get("operation") != "go_on":
            raise EdgeError("the harness does not go on")

    def spawn(self, request: Any) -> dict[str, Any]:
        """Call ``LibvirtDriver.spawn``."""
        described = request["instance"]
        with Configured(request["configuration"]):
            instance = self._made(request)
            self.instances[described["uuid"]] = instance
            self._keys[described["uuid"]] = request["authorized_keys"]
            self._spawn_by_driver(instance)
            instance.started()
        return {}

    def rescue(self, request: Any) -> dict[str, Any]:
        """Call ``API.rescue`` for an instance that was spawned here."""
        image = None if request["image"] is None else self._known(request["image"])["id"]
        with Configured(request["configuration"]):
            return dict(User(self, self.instances[request["uuid"]]).rescue(image))

    def unrescue(self, request: Any) -> dict[str, Any]:
        """Call ``API.unrescue``."""
        with Configured(request["configuration"]):
            return dict(User(self, self.instances[request["uuid"]]).unrescue())

    def detach(self, request: Any) -> dict[str, Any]:
        """Call ``LibvirtDriver.detach_volume``, then remove the volume from the mapping as the compute manager does."""
        instance = self.instances[request["uuid"]]
        gone = next(entry for entry in instance.mapping if entry.volume_id == request["volume_id"])
        with Configured(request["configuration"]):
            call(
                self.driver.detach_volume,
                context=self.context,
                connection_info=json.loads(gone.connection_info),
                instance=instance.instance,
                mountpoint=gone.device_name,
            )
        instance.mapping.objects.remove(gone)
        return {}

    def _made(self, request: Any) -> Any:
        """Make the instance and its mapping as nova-api and the conductor hand them to nova-compute."""
        described = request["instance"]
        image = self._known(request["image"])
        made = Spawned(
            described["uuid"],
            instance_record(self.context, described),
            block_device_mapping(self.context, described),
            network_info(described["nics"]),
            objects.ImageMeta.from_dict(image),
        )
        self.volume_service.know(made.mapping, described["properties"])
        instance = made.instance
        # The root disk is as large as its image.
        instance.root_gb = instance.flavor.root_gb = 0
        if not described["boots_from_volume"]:
            instance.image_ref = instance.system_metadata["image_base_image_ref"] = image["id"]
            for entry in made.mapping:
                if entry.image_id is not None:
                    entry.image_id = image["id"]
        for role in ("kernel", "ramdisk"):
            if request[role] is not None:
                setattr(instance, f"{role}_id", self._known(request[role])["id"])
        instance.ephemeral_gb = instance.flavor.ephemeral_gb = sum(
            entry.volume_size for entry in made.mapping if entry.source_type == "blank" and entry.guest_format != "swap"
        )
        instance.ec2_ids = objects.EC2Ids(
            instance_id="i-1", ami_id="ami-1", kernel_id=instance.kernel_id, ramdisk_id=instance.ramdisk_id
        )
        instance.info_cache = objects.InstanceInfoCache(instance_uuid=instance.uuid, network_info=made.network_info)
        for name, column in instance.fields.items():
            if column.nullable and not instance.obj_attr_is_set(name):
                setattr(instance, name, None)  # as in the database, which does not exist here
        instance.launch_index, instance.reservation_id = 0, "r-1"
        instance.obj_reset_changes()
        self.conductor.mappings[instance.uuid] = made.mapping
        self._name_devices(made)
        return made

    def _known(self, described: Any) -> Any:
        """Return an image's record in Glance's form, and let the stand-in for Glance know the image."""
        image = image_record(described["id"], described["properties"], described["disk_format"])
        image["size"] = Path(described["path"]).stat().st_size
        self.image_service.images[described["id"]] = image
        self.image_service.paths[described["id"]] = described["path"]
        return image
