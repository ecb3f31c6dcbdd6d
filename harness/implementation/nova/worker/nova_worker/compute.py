"""A nova-compute that makes domains and starts nothing."""

from __future__ import annotations

import copy
import datetime
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nova import context, exception, objects
from nova.compute import vm_states
from nova.objects import base as objects_base
from nova.virt import driver as virt_driver
from nova.virt.libvirt import guest as libvirt_guest

from .cloud import EdgeError, ImageService, Network, RunningDomain, VolumeService
from .configuration import CONF, Configured, configure
from .planning import DomainMade, PlanningDriver
from .records import ORIGINAL_IMAGE, block_device_mapping, image_record, instance_record, keep_names, network_info
from .signatures import call
from .user import CloudlessManager, User

RESCUE_IMAGE = "22222222-2222-4222-8222-222222222222"


class Spawned:
    """An instance that Nova has prepared to the point of being started; many rescues can begin from it."""

    def __init__(self, described: Any, instance: Any, mapping: Any, network_info: Any, image_meta: Any) -> None:
        self.described = described
        self.instance = instance
        self.mapping = mapping
        self.network_info = network_info
        self.image_meta = image_meta
        self.xml = ""
        self._fields: dict[str, Any] = {}

    def started(self) -> None:
        """Set the record's fields as the compute manager does for an instance that was built."""
        self.instance.vm_state, self.instance.task_state = vm_states.ACTIVE, None
        self.instance.launched_at = datetime.datetime.now(datetime.UTC)

    def remember(self) -> None:
        """Keep a copy of the instance's record, because a rescue changes the record."""
        self._fields = {name: copy.copy(value) for name, value in vars(self.instance).items()}

    def restore(self) -> None:
        """Undo a rescue's changes to the instance's record."""
        vars(self.instance).clear()
        vars(self.instance).update({name: copy.copy(value) for name, value in self._fields.items()})


class Compute:
    """A nova-compute without its cloud."""

    def __init__(self, folder: str) -> None:
        configure(folder)
        self.image_service = ImageService()
        self.volume_service = VolumeService()
        self.driver = self.make_driver()
        self.driver._image_api = self.image_service
        self.driver._volume_api = self.volume_service
        self.running_xml: str | None = None
        self.spawned: Spawned | None = None
        self.conductor = objects_base.NovaObject.indirection_api
        self.driver._host.initialize()
        self.connection = self.driver._host.get_connection()
        self.context = context.get_admin_context()
        # Modules stay loaded, and making a domain leaves few reference cycles: collecting them less often saves a
        # quarter of the time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 20, 20)

    @property
    def operations(self) -> dict[str, Callable[[Any], dict[str, Any]]]:
        """The operations beside the description of this Nova."""
        return {"normal": self.normal, "rescued": self.rescued}

    def make_driver(self) -> Any:
        """Return Nova's libvirt driver, which stops before it writes files or starts a guest."""
        driver = PlanningDriver(None)
        driver._host.get_guest = self._guest
        return driver

    def _guest(self, instance: Any) -> Any:
        if self.running_xml is None:
            raise exception.InstanceNotFound(instance_id=instance.uuid)
        return libvirt_guest.Guest(RunningDomain(self.running_xml))

    def is_off(self, _instance: Any) -> bool:
        """Return whether an instance's guest is off."""
        return bool(self.driver.is_off)

    def hypervisor(self) -> dict[str, int]:
        """Return the versions that Nova sees, in libvirt's packed form."""
        return {"libvirt": self.connection.getLibVersion(), "qemu": self.connection.getVersion()}

    def normal(self, request: Any) -> dict[str, Any]:
        """Return the domain XML that ``LibvirtDriver.spawn`` makes."""
        with Configured(request["configuration"]):
            return {"xml": self._spawn(request).xml}

    def rescued(self, request: Any) -> dict[str, Any]:
        """Return the domain XML that ``LibvirtDriver.rescue`` makes for a running instance, after ``API.rescue``."""
        with Configured(request["configuration"]):
            spawned = self.spawned
            if spawned is None or spawned.described != _described(request):
                spawned = self._spawn(request)
            Path(CONF.instances_path, spawned.instance.uuid).mkdir(exist_ok=True)
            self.running_xml = request["running_xml"]
            keep_names(spawned.mapping, request["running_xml"])
            spawned.started()
            self.driver.is_off = False
            properties = request["rescue_properties"]
            if properties is not None:
                self.image_service.images[RESCUE_IMAGE] = image_record(RESCUE_IMAGE, properties)
            try:
                return User(self, spawned).rescue(None if properties is None else RESCUE_IMAGE)
            finally:
                self.running_xml = None
                spawned.restore()

    def _spawn(self, request: Any) -> Spawned:
        self.spawned = None
        described = request["instance"]
        image = image_record(ORIGINAL_IMAGE, described["properties"], described["disk_format"])
        self.image_service.images = {ORIGINAL_IMAGE: image}
        spawned = Spawned(
            _described(request),
            instance_record(self.context, described),
            block_device_mapping(self.context, described),
            network_info(described["nics"]),
            objects.ImageMeta.from_dict(image),
        )
        self.volume_service.know(spawned.mapping, described["properties"])
        self._name_devices(spawned)
        try:
            self._spawn_by_driver(spawned)
        except DomainMade as made:
            spawned.xml = made.xml
        else:
            raise EdgeError("LibvirtDriver.spawn made no domain")
        spawned.remember()
        self.spawned = spawned
        return spawned

    def _spawn_by_driver(self, spawned: Spawned) -> None:
        """Call ``LibvirtDriver.spawn`` as the compute manager does."""
        call(
            self.driver.spawn,
            context=self.context,
            instance=spawned.instance,
            image_meta=spawned.image_meta,
            injected_files=[],
            admin_password="",
            allocations={},
            network_info=spawned.network_info,
            block_device_info=virt_driver.get_block_device_info(spawned.instance, spawned.mapping),
        )

    def _name_devices(self, spawned: Spawned) -> None:
        """Name the block devices, as ``ComputeManager._prep_block_device`` does first."""
        call(
            CloudlessManager(self, Network(spawned.network_info))._default_block_device_names,
            context=self.context,
            instance=spawned.instance,
            image_meta=spawned.image_meta,
            block_devices=spawned.mapping,
        )


def _described(request: Any) -> tuple[Any, Any]:
    return request["instance"], request["configuration"]
