"""Nova's side of the table: runs in a Nova's own environment, by its Python, and knows nothing of the harness.

    python worker.py REQUESTS ANSWERS FOLDER

reads requests from the file descriptor REQUESTS and writes answers to ANSWERS, a line of JSON each, as
``harness/nova/messages.py`` describes them. What Nova prints goes where standard output goes. FOLDER is where the
libvirt of this process keeps its state and where Nova keeps its instances; nothing is ever started in it.

Nova is used as it is. What a cloud would answer is answered here, at Nova's outer edge: the conductor
(``_Conductor``), Glance (``_ImageService``), Cinder (``_VolumeService``), Neutron (``_Network``), placement
(``_Placement``), the message queues (``_Queue``, ``_Notifier``) and libvirt's look-up of the running domain
(``_Domain``); what would write disks or start a guest ends the call once Nova has made its domain XML
(``PlanningDriver``). The releases differ in their functions' arguments: each gets those that its signature has.
"""

from __future__ import annotations

import copy
import ctypes
import datetime
import gc
import inspect
import json
import os
import sys
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

PR_SET_NAME = 15
PROCESS_NAME = b"nova-worker"
EXIT_CODE_OF_A_DEFECT = 70

# nova.cmd.compute has to be the first of Nova: it sets the release's concurrency mode, without which 28 hangs.
import nova.cmd.compute  # noqa: E402, I001
import libvirt  # noqa: E402
import nova.conf  # noqa: E402
import nova.privsep  # noqa: E402
from nova import config, context, exception, objects, rpc, version  # noqa: E402
from nova.compute import api as compute_api, manager, vm_states  # noqa: E402
from nova.conf import devices as conf_devices, neutron as conf_neutron  # noqa: E402
from nova.network import model as network_model  # noqa: E402
from nova.objects import base as objects_base  # noqa: E402
from nova.virt import driver as virt_driver  # noqa: E402
from nova.virt.libvirt import driver as libvirt_driver, guest as libvirt_guest  # noqa: E402
from nova.volume import cinder  # noqa: E402
from oslo_versionedobjects import exception as ovo_exception  # noqa: E402

CONF = nova.conf.CONF
ORIGINAL_IMAGE = "11111111-1111-4111-8111-111111111111"
RESCUE_IMAGE = "22222222-2222-4222-8222-222222222222"
KERNEL_IMAGE = "33333333-3333-4333-8333-333333333333"
RAMDISK_IMAGE = "44444444-4444-4444-8444-444444444444"
COMPUTE_NODE = "55555555-5555-4555-8555-555555555555"
MIB_PER_GIB = 1024


class DomainMade(BaseException):
    """Nova has its domain XML and would now start the guest."""

    def __init__(self, xml: str) -> None:
        super().__init__()
        self.xml = xml


class EdgeError(BaseException):
    """Nova asked the cloud for something that this worker does not know to answer."""


class _Conductor:
    """Stands in for the RPC to the conductor, and so for the database: what Nova saves stays in its objects."""

    def __init__(self) -> None:
        self.mappings: dict[str, Any] = {}

    def object_action(self, _context: Any, instance: Any, method: str, *_args: Any) -> tuple[dict[str, Any], None]:
        if method not in ("save", "refresh") and (type(instance).__name__, method) != ("InstanceFault", "create"):
            raise EdgeError(f"the conductor was asked for {method} of {type(instance).__name__}")
        return {}, None

    def object_class_action_versions(
        self, request_context: Any, name: str, method: str, _versions: Any, arguments: Any, _keywords: Any
    ) -> Any:
        """What the compute API and manager look up; that an action began and ended is written nowhere."""
        match name, method:
            case ("InstanceAction", "action_start") | ("InstanceActionEvent", "event_start"):
                return None
            case "InstanceActionEvent", "event_finish_with_failure":
                return None
            case "BlockDeviceMappingList", "get_by_instance_uuid":
                return self.mappings[arguments[0]]
            case "ShareMappingList", "get_by_instance_uuid":
                return objects.ShareMappingList(request_context, objects=[])
            case "ComputeNode", "get_by_host_and_nodename":
                return objects.ComputeNode(request_context, uuid=COMPUTE_NODE)
        raise EdgeError(f"the conductor was asked for {method} of {name}")

    def __getattr__(self, name: str) -> Any:
        raise EdgeError(f"the conductor was asked for {name}")


class _ImageService:
    """Stands in for Glance: the images' metadata."""

    def __init__(self) -> None:
        self.images: dict[str, Any] = {}

    def get(self, _context: Any, image: str, *_args: Any, **_kwargs: Any) -> Any:
        try:
            return self.images[image]
        except KeyError:
            raise exception.ImageNotFound(image_id=image) from None

    def __getattr__(self, name: str) -> Any:
        raise EdgeError(f"the image service was asked for {name}")


class _VolumeService:
    """Stands in for Cinder: the metadata of the volume that an instance boots from."""

    def __init__(self) -> None:
        self.image_properties: dict[str, str] = {}

    def get(self, _context: Any, volume: str, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        return {
            "id": volume,
            "bootable": True,
            "size": 1,
            "status": "in-use",
            "multiattach": False,
            "volume_image_metadata": dict(self.image_properties),
        }

    def check_attached(self, request_context: Any, volume: Any) -> None:
        cinder.API.check_attached(self, request_context, volume)

    def __getattr__(self, name: str) -> Any:
        raise EdgeError(f"the volume service was asked for {name}")


class _Domain:
    """Stands in for the libvirt domain of the running instance, of which a rescue asks the XML."""

    def __init__(self, xml: str) -> None:
        self._xml = xml

    def XMLDesc(self, *_args: Any, **_kwargs: Any) -> str:  # noqa: N802 - libvirt's name
        return self._xml

    def __getattr__(self, name: str) -> Any:
        raise EdgeError(f"the running domain was asked for {name}")


class PlanningDriver(libvirt_driver.LibvirtDriver):  # type: ignore[misc]
    """Nova's driver up to the point where files would be written and the guest started."""

    has_destroyed = False
    has_powered_off = False

    @property
    def is_off(self) -> bool:
        """Whether the instance's guest would be off by now."""
        return self.has_powered_off or self.has_destroyed

    def power_off(self, *_args: Any, **_kwargs: Any) -> None:
        self.has_powered_off = True

    def _create_image(self, *_args: Any, **_kwargs: Any) -> tuple[bool, list[str]]:
        return False, []

    def _ensure_console_log_for_instance(self, *_args: Any, **_kwargs: Any) -> None:
        return None

    def _create_guest_with_network(self, _context: Any, xml: str, *_args: Any, **_kwargs: Any) -> None:
        raise DomainMade(xml)

    def _create_guest(self, _context: Any, xml: str, *_args: Any, **_kwargs: Any) -> None:
        raise DomainMade(xml)

    def _destroy(self, *_args: Any, **_kwargs: Any) -> None:
        self.has_destroyed = True


def call(function: Callable[..., Any], **known: Any) -> Any:
    """Call with those of the known arguments that this release's function has.

    Raises EdgeError if it wants another one.
    """
    wanted = inspect.signature(function).parameters
    unknown = [
        name
        for name, parameter in wanted.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and name not in known
    ]
    if unknown:
        raise EdgeError(f"{function.__qualname__} wants {', '.join(unknown)}, which this worker does not know")
    return function(**{name: value for name, value in known.items() if name in wanted})


class Spawned:
    """An instance that Nova has brought to the point of being started, as often as it is needed."""

    def __init__(self, described: Any, instance: Any, mapping: Any, network_info: Any) -> None:
        self.described = described
        self.instance = instance
        self.mapping = mapping
        self.network_info = network_info
        self.xml = ""
        self._fields: dict[str, Any] = {}

    def started(self) -> None:
        """As the compute manager leaves an instance that was built."""
        self.instance.vm_state, self.instance.task_state = vm_states.ACTIVE, None
        self.instance.launched_at = datetime.datetime.now(datetime.UTC)

    def remember(self) -> None:
        """Keep what the instance is like, for rescue changes its record."""
        self._fields = {name: copy.copy(value) for name, value in vars(self.instance).items()}

    def restore(self) -> None:
        """Undo what a rescue has changed."""
        vars(self.instance).clear()
        vars(self.instance).update({name: copy.copy(value) for name, value in self._fields.items()})


class Compute:
    """A nova-compute without its cloud."""

    def __init__(self, folder: str) -> None:
        _configure(folder)
        self.image_service = _ImageService()
        self.volume_service = _VolumeService()
        self.driver = self.make_driver()
        self.driver._image_api = self.image_service
        self.driver._volume_api = self.volume_service
        self.running_xml: str | None = None
        self.spawned: Spawned | None = None
        self.conductor = objects_base.NovaObject.indirection_api
        self.driver._host.initialize()
        self.connection = self.driver._host.get_connection()
        self.context = context.get_admin_context()
        # The modules are there to stay, and a domain makes few cycles: looking for them less often saves a quarter.
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 20, 20)

    @property
    def operations(self) -> dict[str, Callable[[Any], dict[str, Any]]]:
        """What can be asked for beside what this Nova is."""
        return {"normal": self.normal, "rescued": self.rescued}

    def make_driver(self) -> Any:
        """Nova's libvirt driver, as far as this worker lets it go."""
        driver = PlanningDriver(None)
        driver._host.get_guest = self._guest
        return driver

    def _guest(self, instance: Any) -> Any:
        if self.running_xml is None:
            raise exception.InstanceNotFound(instance_id=instance.uuid)
        return libvirt_guest.Guest(_Domain(self.running_xml))

    def is_off(self, _instance: Any) -> bool:
        """Whether an instance's guest is off."""
        return bool(self.driver.is_off)

    def hypervisor(self) -> dict[str, int]:
        """The versions that Nova sees, packed as libvirt packs them."""
        return {"libvirt": self.connection.getLibVersion(), "qemu": self.connection.getVersion()}

    def normal(self, request: Any) -> dict[str, Any]:
        """The domain XML that ``LibvirtDriver.spawn`` makes."""
        with _configuration(request["configuration"]):
            return {"xml": self._spawn(request).xml}

    def rescued(self, request: Any) -> dict[str, Any]:
        """The domain XML that ``LibvirtDriver.rescue`` makes of a running instance, asked for by ``API.rescue``."""
        with _configuration(request["configuration"]):
            spawned = self.spawned
            if spawned is None or spawned.described != _described(request):
                spawned = self._spawn(request)
            Path(CONF.instances_path, spawned.instance.uuid).mkdir(exist_ok=True)
            self.running_xml = request["running_xml"]
            _keep_names(spawned.mapping, request["running_xml"])
            spawned.started()
            self.driver.has_destroyed = self.driver.has_powered_off = False
            properties = request["rescue_properties"]
            if properties is not None:
                self.image_service.images[RESCUE_IMAGE] = _image(RESCUE_IMAGE, properties)
            try:
                answer = User(self, spawned).rescue(None if properties is None else RESCUE_IMAGE)
                return {**answer, "has_destroyed": self.driver.has_destroyed}
            finally:
                self.running_xml = None
                spawned.restore()

    def _spawn(self, request: Any) -> Spawned:
        self.spawned = None
        described = request["instance"]
        image = _image(ORIGINAL_IMAGE, described["properties"], described["disk_format"])
        self.image_service.images = {ORIGINAL_IMAGE: image}
        self.volume_service.image_properties = described["properties"]
        spawned = Spawned(
            _described(request),
            _instance(self.context, described),
            _block_device_mapping(self.context, described),
            _network_info(described["nics"]),
        )
        image_meta = objects.ImageMeta.from_dict(image)
        self._name_devices(spawned, image_meta)
        try:
            self._spawn_by_driver(spawned, image_meta)
        except DomainMade as made:
            spawned.xml = made.xml
        else:
            raise EdgeError("LibvirtDriver.spawn made no domain")
        spawned.remember()
        self.spawned = spawned
        return spawned

    def _spawn_by_driver(self, spawned: Spawned, image_meta: Any) -> None:
        """``LibvirtDriver.spawn``, as the compute manager calls it."""
        call(
            self.driver.spawn,
            context=self.context,
            instance=spawned.instance,
            image_meta=image_meta,
            injected_files=[],
            admin_password="",
            allocations={},
            network_info=spawned.network_info,
            block_device_info=virt_driver.get_block_device_info(spawned.instance, spawned.mapping),
        )

    def _name_devices(self, spawned: Spawned, image_meta: Any) -> None:
        """As ``ComputeManager._prep_block_device`` begins."""
        call(
            _ComputeManager(self, _Network(spawned.network_info))._default_block_device_names,
            context=self.context,
            instance=spawned.instance,
            image_meta=image_meta,
            block_devices=spawned.mapping,
        )


def _described(request: Any) -> tuple[Any, Any]:
    return request["instance"], request["configuration"]


class _Notifier:
    """Stands in for the senders of notifications, to whom nobody listens."""

    def is_enabled(self) -> bool:
        return False

    def prepare(self, **_kwargs: Any) -> _Notifier:
        return self

    def _send(self, *_args: Any, **_kwargs: Any) -> None:
        return None

    debug = info = audit = warn = warning = error = critical = sample = _send


class _Network:
    """Stands in for Neutron: the instance's ports."""

    def __init__(self, network_info: Any) -> None:
        self._network_info = network_info

    def get_instance_nw_info(self, *_args: Any, **_kwargs: Any) -> Any:
        return self._network_info


class _Placement:
    """Stands in for placement: the traits that the driver itself reports."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def get_provider_traits(self, _context: Any, _provider: str) -> Any:
        reported = self._driver.capabilities_as_traits()
        return types.SimpleNamespace(traits={trait for trait, has_it in reported.items() if has_it}, generation=0)


class _Queue:
    """Stands in for the message queue between nova-api and nova-compute: what is cast is called."""

    def __init__(self, compute_manager: Any) -> None:
        self._manager = compute_manager
        self.has_cast = False

    def rescue_instance(self, request_context: Any, **arguments: Any) -> None:
        self.has_cast = True
        call(self._manager.rescue_instance, context=request_context, **arguments)

    def unrescue_instance(self, request_context: Any, **arguments: Any) -> None:
        self.has_cast = True
        call(self._manager.unrescue_instance, context=request_context, **arguments)


class _ComputeManager(manager.ComputeManager):  # type: ignore[misc]
    """nova-compute's manager without a cloud: of it, rescue, unrescue, the naming of devices, and what they call."""

    def __init__(self, compute: Compute, network_api: Any) -> None:
        self.host = "host"
        self.driver = compute.driver
        self.image_api = compute.image_service
        self.volume_api = compute.volume_service
        self.network_api = network_api
        self.notifier = rpc.get_notifier("compute", self.host)
        # A module since 34, before that methods of the manager.
        sharing = getattr(manager, "share_management", None)
        if sharing is not None:
            self.share_manager = sharing.ShareManager(None, compute.driver)

    def __getattr__(self, name: str) -> Any:
        raise EdgeError(f"the compute manager wants its {name}")

    def _update_resource_tracker(self, *_args: Any, **_kwargs: Any) -> None:
        """What the instance takes of the host is not counted."""

    def _notify_about_instance_usage(self, *_args: Any, **_kwargs: Any) -> None:
        """Asks Keystone for an address that only the notification has."""


class _ComputeApi(compute_api.API):  # type: ignore[misc]
    """nova-api's part without a cloud: of it, rescue and unrescue, and what they call."""

    placementclient: Any = None

    def __init__(self, compute: Compute, queue: _Queue) -> None:
        self.image_api = compute.image_service
        self.volume_api = compute.volume_service
        self.compute_rpcapi = queue
        self.placementclient = _Placement(compute.driver)

    def __getattr__(self, name: str) -> Any:
        raise EdgeError(f"the compute API wants its {name}")


class User:
    """A user's requests about a running instance, brought through nova-api and nova-compute."""

    def __init__(self, compute: Compute, spawned: Spawned) -> None:
        self._compute = compute
        self._instance = spawned.instance
        self._queue = _Queue(_ComputeManager(compute, _Network(spawned.network_info)))
        self._api = _ComputeApi(compute, self._queue)
        compute.conductor.mappings[self._instance.uuid] = spawned.mapping

    def rescue(self, image: str | None) -> dict[str, Any]:
        """Rescue it, from an image or from the one that Nova chooses."""
        return self._answer(
            self._api.rescue,
            rescue_password="",
            rescue_image_ref=image,
            clean_shutdown=True,
            # Microversion 2.87 and later.
            allow_bfv_rescue=True,
        )

    def unrescue(self) -> dict[str, Any]:
        """Give it back."""
        return self._answer(self._api.unrescue)

    def _answer(self, function: Callable[..., Any], **known: Any) -> dict[str, Any]:
        """The domain where the call ends with it, or who refused, and how the instance is left."""
        user = context.RequestContext(self._instance.user_id, self._instance.project_id, is_admin=False)
        answer: dict[str, Any] = {}
        try:
            call(function, context=user, instance=self._instance, **known)
        except DomainMade as made:
            answer["xml"] = made.xml
        except Exception as error:
            if _is_ours(_cause(error)):
                raise
            traceback.print_exc()
            service = "nova-compute" if self._queue.has_cast else "nova-api"
            answer["refusal"] = {**_refusal(error), "service": service}
        left = {"vm_state": self._instance.vm_state, "task_state": self._instance.task_state}
        return {**answer, "left": {**left, "is_off": self._compute.is_off(self._instance)}}


class _configuration:  # noqa: N801 - used as a function
    """Options of nova.conf for one request, by ``group.name`` or ``name``."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = [(*key.rpartition(".")[::2], value) for key, value in options.items()]

    def __enter__(self) -> None:
        for group, name, value in self._options:
            CONF.set_override(name, value, group=group or None)

    def __exit__(self, *_error: object) -> None:
        for group, name, _value in self._options:
            CONF.clear_override(name, group=group or None)


def _configure(folder: str) -> None:
    """The nova.conf of this nova-compute: Nova's defaults but for what must differ without a cloud and without KVM."""
    config.parse_args(["nova-compute"], default_config_files=[], configure_db=False, init_rpc=False)
    for module in (conf_neutron, conf_devices):
        if hasattr(module, "register_dynamic_opts"):
            module.register_dynamic_opts(CONF)
    instances = Path(folder, "work", "instances")
    instances.mkdir(parents=True, exist_ok=True)
    CONF.set_override("state_path", str(instances.parent))
    CONF.set_override("instances_path", str(instances))
    CONF.set_override("instance_name_template", "rh-%(uuid)s")
    CONF.set_override("connection_uri", f"qemu:///embed?root={folder}", group="libvirt")
    CONF.set_override("virt_type", "qemu", group="libvirt")
    CONF.set_override("cpu_mode", "none", group="libvirt")
    for name in dir(nova.privsep):
        if name.endswith("_pctxt"):
            getattr(nova.privsep, name).set_client_mode(False)
    objects.register_all()
    objects_base.NovaObject.indirection_api = _Conductor()
    rpc.NOTIFIER = rpc.LEGACY_NOTIFIER = _Notifier()


def _image(image: str, properties: dict[str, str], disk_format: str = "qcow2") -> dict[str, Any]:
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


def _instance(request_context: Any, described: Any) -> Any:
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


def _block_device_mapping(request_context: Any, described: Any) -> Any:
    """The mapping as nova-api stores it."""
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


def _keep_names(mapping: Any, running_xml: str) -> None:
    """A volume keeps the device name that it was attached under, also where another one has been detached since."""
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
        # A plain file, or for a LUN a block device, neither with a connector of os-brick's.
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


def _network_info(nics: Any) -> Any:
    """Ports on taps, which Nova's own VIF driver needs no plug-in for."""
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


def description() -> dict[str, Any]:
    """What this Nova is and what it demands."""
    return {
        "version": version.version_string(),
        "python": ".".join(str(number) for number in sys.version_info[:3]),
        "min_libvirt": list(libvirt_driver.MIN_LIBVIRT_VERSION),
        "min_qemu": list(libvirt_driver.MIN_QEMU_VERSION),
    }


class Worker:
    """Answers requests one after the other; a nova-compute is made for the first that takes one."""

    def __init__(self, make_compute: Callable[[], Compute]) -> None:
        self._make_compute = make_compute
        self._compute: Compute | None = None

    def answer(self, request: Any) -> dict[str, Any]:
        """The answer to a request; an exception of Nova's is one, too."""
        try:
            if request["operation"] == "describe":
                return {"description": description()}
            if self._compute is None:
                self._compute = self._make_compute()
            if request["operation"] == "open":
                return {"description": description(), "hypervisor": self._compute.hypervisor()}
            return self._compute.operations[request["operation"]](request)
        except (EdgeError, NotImplementedError, ovo_exception.OrphanedObjectError):
            return {"defect": traceback.format_exc()}
        except Exception as error:
            if _is_ours(_cause(error)) or request["operation"] == "open":
                return {"defect": traceback.format_exc()}
            traceback.print_exc()
            return {"refusal": _refusal(error)}


def _cause(error: Exception) -> Exception:
    """The driver's exception where nova-compute tells of it in words of its own; else the exception itself."""
    cause = error.__context__
    return cause if isinstance(error, exception.InstanceNotRescuable) and isinstance(cause, Exception) else error


def _refusal(error: Exception) -> dict[str, Any]:
    if isinstance(_cause(error), libvirt.libvirtError):
        error = _cause(error)
    is_novas = isinstance(error, exception.NovaException)
    return {"exception": type(error).__name__, "message": str(error), "is_novas": is_novas}


def _is_ours(error: Exception) -> bool:
    """Whether an exception was raised in this file, and so is no word of Nova's; the cloud's own words are."""
    frames = traceback.extract_tb(error.__traceback__)
    in_ours = bool(frames) and Path(frames[-1].filename).parent == Path(__file__).parent
    return in_ours and not isinstance(error, exception.NovaException)


class Channel:
    """Requests and answers, a line of JSON each."""

    def __init__(self, requests: int, answers: int) -> None:
        self._source = os.fdopen(requests, "rb")
        self._answers = answers

    def receive(self) -> Any:
        """The next request; None if there are no more."""
        line = self._source.readline()
        return json.loads(line) if line else None

    def send(self, answer: dict[str, Any]) -> None:
        """Answer."""
        data = json.dumps(answer).encode() + b"\n"
        while data:
            data = data[os.write(self._answers, data) :]


def main(make_compute: Callable[[Channel, list[str]], Compute]) -> None:
    """Serve, and end without waiting for the threads of libvirt and of Nova, which linger.

    ``make_compute`` gets the words of the command line behind the descriptors.
    """
    ctypes.CDLL(None).prctl(PR_SET_NAME, PROCESS_NAME, 0, 0, 0)
    code = EXIT_CODE_OF_A_DEFECT
    try:
        channel = Channel(int(sys.argv[1]), int(sys.argv[2]))
        worker = Worker(lambda: make_compute(channel, sys.argv[3:]))
        while (request := channel.receive()) is not None:
            channel.send(worker.answer(request))
        code = 0
    except BaseException:  # so that it is told before the process ends
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main(lambda _channel, words: Compute(words[0]))
