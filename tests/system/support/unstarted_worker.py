"""Nova asked what no scenario file can hold: all of its own code runs, and libvirt defines, but nothing is started.

    python unstarted_worker.py REQUESTS ANSWERS FOLDER

as ``harness/implementation/nova/worker`` at level guest, of which it takes all that is not here. In FOLDER the worker
has an embedded
libvirt of its own. Replaced beside what that worker replaces: libvirt's starting and stopping of a domain
(``_Power``), and the key that the harness adds to a domain, for nobody logs in. What a cloud would have changed
meanwhile is changed in the stand-ins for database, Glance and libvirt (``change``).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3] / "harness" / "implementation" / "nova" / "worker"))

from nova_worker.cloud import VolumeService  # noqa: I001 - before anything of Nova's
from nova_worker.configuration import Configured
from nova_worker.guests import GuestCompute, ImageFiles
from nova_worker.serving import serve
from nova_worker.user import User
import libvirt
from nova.image import glance
from nova.virt import images as virt_images


class _Power:
    """libvirt's part in a guest's life, were there one: which domains are on."""

    def __init__(self) -> None:
        self._on: dict[str, int] = {}
        self.failures = 0
        self._started = 0
        destroy, info = libvirt.virDomain.destroy, libvirt.virDomain.info
        power = self

        def start(domain: Any, _flags: int = 0) -> int:
            if power.failures:
                power.failures -= 1
                raise libvirt.libvirtError("internal error: process exited while connecting to monitor")
            power._started += 1
            power._on[domain.UUIDString()] = power._started
            return 0

        def stop(domain: Any) -> int:
            # Of one that is off libvirt says so itself, in the error that Nova looks for.
            return destroy(domain) if power._on.pop(domain.UUIDString(), None) is None else 0

        def state(domain: Any) -> list[int]:
            on = libvirt.VIR_DOMAIN_RUNNING if domain.UUIDString() in power._on else libvirt.VIR_DOMAIN_SHUTOFF
            return [on, *info(domain)[1:]]

        libvirt.virDomain.createWithFlags = start
        libvirt.virDomain.destroy = libvirt.virDomain.shutdown = stop
        libvirt.virDomain.info = state
        libvirt.virDomain.isActive = lambda domain: domain.UUIDString() in power._on
        libvirt.virDomain.ID = lambda domain: power._on.get(domain.UUIDString(), -1)

    def fail(self) -> None:
        """As when the host has lost its power."""
        self._on.clear()


class _Images(ImageFiles):
    """Glance; block device mappings are texts in it, of which Nova's own client makes lists."""

    def get(self, request_context: Any, image: str, *args: Any, **keys: Any) -> Any:
        return glance._convert_from_string(super().get(request_context, image, *args, **keys))


class _Volumes(VolumeService):
    """Cinder, in which a volume can be one that nothing boots from."""

    bootable = True

    def get(self, request_context: Any, volume: str, *args: Any, **keys: Any) -> dict[str, Any]:
        return {**super().get(request_context, volume, *args, **keys), "bootable": self.bootable}


class UnstartedCompute(GuestCompute):
    """A nova-compute whose libvirt starts nothing."""

    def __init__(self, channel: Any, folder: str) -> None:
        self._power = _Power()
        super().__init__(channel, folder, f"qemu:///embed?root={folder}")
        self.image_service = self.driver._image_api = virt_images.IMAGE_API = _Images()
        self.volume_service = self.driver._volume_api = _Volumes()
        self._capabilities = dict(self.driver.capabilities)

    @property
    def operations(self) -> dict[str, Callable[[Any], dict[str, Any]]]:
        """What can be asked for beside what this Nova is."""
        further = (self.stop, self.may_detach, self.host_boot, self.restart, self.change, self.look)
        return {**super().operations, **{each.__name__: each for each in further}}

    def off(self) -> None:
        """Nobody looks at the disks."""

    def stop(self, request: Any) -> dict[str, Any]:
        """``API.stop`` and ``ComputeManager.stop_instance``."""
        user = self._user(request)

        def stop_instance(request_context: Any, instance: Any, *, clean_shutdown: bool, **_keys: Any) -> None:
            user._queue._manager.stop_instance(request_context, instance, clean_shutdown)

        user._queue.stop_instance = stop_instance
        return user._answer(user._api.stop)

    def may_detach(self, request: Any) -> dict[str, Any]:
        """``API.detach_volume`` as far as the instance's state decides; Cinder and nova-compute are not told."""
        user = self._user(request)
        user._api._detach_volume = lambda *_args, **_keys: None
        return user._answer(user._api.detach_volume, volume={"id": request["volume"]})

    def host_boot(self, request: Any) -> dict[str, Any]:
        """nova-compute's start after the host's, for this instance: ``ComputeManager._init_instance``."""
        self._power.fail()
        with Configured(request["configuration"]):
            user = self._user(request)
            user._queue._manager._init_instance(self.context, user._instance)
        return {}

    def restart(self, request: Any) -> dict[str, Any]:
        """nova-compute's start with another nova.conf, as far as the driver keeps what it reads then."""
        with Configured(request["configuration"]):
            self.driver = self.make_driver()
        self.driver._image_api, self.driver._volume_api = self.image_service, self.volume_service
        self.driver._host.initialize()
        return {}

    def change(self, request: Any) -> dict[str, Any]:
        """What is otherwise until the next spawn: records in the database, images in Glance, what the driver can."""
        made = self.instances[request["uuid"]]
        for name, value in request["instance"].items():
            setattr(made.instance, name, value)
        _fill(made.mapping, request["mapping"])
        for image in request["images_gone"]:
            del self.image_service.images[image]
        self._power.failures = request["failing_starts"]
        if request["undefined"]:
            self.driver._host.get_guest(made.instance).delete_configuration()
        self.driver.capabilities.update(request["capabilities"])
        self.volume_service.bootable = request["bootable"]
        return {}

    def look(self, request: Any) -> dict[str, Any]:
        """The domain as libvirt has it; the record goes into a file."""
        instance = self.instances[request["uuid"]].instance
        devices = [] if instance.device_metadata is None else instance.device_metadata.devices
        record = {
            "vm_state": instance.vm_state,
            "task_state": instance.task_state,
            "system_metadata": dict(instance.system_metadata),
            "root_device_name": instance.root_device_name,
            "tags": {tag: device.bus.address for device in devices for tag in device.tags},
            "is_on": not self.is_off(instance),
            "traits": self.driver.capabilities_as_traits(),
        }
        Path(request["record_path"]).write_text(json.dumps(record))
        return {"xml": self.driver._host.get_guest(instance).get_xml_desc()}

    def _user(self, request: Any) -> Any:
        return User(self, self.instances[request["uuid"]])

    def _made(self, request: Any) -> Any:
        """With what entries of the mapping have that scenarios do not, in a cloud as it should be."""
        self._power.failures, self.volume_service.bootable = 0, True
        self.driver.capabilities.update(self._capabilities)
        made = super()._made(request)
        _fill(made.mapping, request["mapping"])
        return made


def _fill(mapping: Any, entries: Any) -> None:
    for number, fields in entries.items():
        for name, value in fields.items():
            setattr(mapping[int(number)], name, value)


if __name__ == "__main__":
    serve(UnstartedCompute)
