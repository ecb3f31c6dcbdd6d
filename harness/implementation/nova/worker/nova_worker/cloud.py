"""A cloud's answers, at Nova's outer edge. They know only the harness's description of an instance."""

from __future__ import annotations

import types
from typing import Any

from nova import exception, objects
from nova.volume import cinder

COMPUTE_NODE = "55555555-5555-4555-8555-555555555555"


class EdgeError(BaseException):
    """A question of Nova's to the cloud that this worker cannot answer."""


class StandIn:
    """A part of the cloud. It answers the questions that it knows; any other question of Nova's ends the request."""

    asked: str
    """The beginning of the error's message about an unknown question."""

    def __getattr__(self, name: str) -> Any:
        raise EdgeError(f"{self.asked} {name}")


class Conductor(StandIn):
    """Stands in for the RPC to the conductor, and so for the database. Nova's objects keep the data that Nova saves."""

    asked = "the conductor was asked for"

    def __init__(self) -> None:
        self.mappings: dict[str, Any] = {}

    def object_action(self, _context: Any, instance: Any, method: str, *_args: Any) -> tuple[dict[str, Any], None]:
        if method not in ("save", "refresh") and (type(instance).__name__, method) != ("InstanceFault", "create"):
            raise EdgeError(f"the conductor was asked for {method} of {type(instance).__name__}")
        return {}, None

    def object_class_action_versions(
        self, request_context: Any, name: str, method: str, _versions: Any, arguments: Any, _keywords: Any
    ) -> Any:
        """The objects that the compute API and manager look up; the begin and end of an action are written nowhere."""
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


class ImageService(StandIn):
    """Stands in for Glance: the images' metadata."""

    asked = "the image service was asked for"

    def __init__(self) -> None:
        self.images: dict[str, Any] = {}

    def get(self, _context: Any, image: str, *_args: Any, **_kwargs: Any) -> Any:
        try:
            return self.images[image]
        except KeyError:
            raise exception.ImageNotFound(image_id=image) from None


class VolumeService(StandIn):
    """Stands in for Cinder: the metadata of volumes, each made from its instance's image."""

    asked = "the volume service was asked for"

    def __init__(self) -> None:
        self._image_properties: dict[str, dict[str, str]] = {}

    def know(self, mapping: Any, image_properties: dict[str, str]) -> None:
        """Remember the properties of an instance's image for each volume in the instance's block device mapping."""
        for entry in mapping:
            if entry.volume_id is not None:
                self._image_properties[entry.volume_id] = dict(image_properties)

    def get(self, _context: Any, volume: str, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        return {
            "id": volume,
            "bootable": True,
            "size": 1,
            "status": "in-use",
            "multiattach": False,
            "volume_image_metadata": dict(self._image_properties.get(volume, {})),
        }

    def check_attached(self, request_context: Any, volume: Any) -> None:
        cinder.API.check_attached(self, request_context, volume)


class RunningDomain(StandIn):
    """Stands in for the libvirt domain of the running instance, whose XML a rescue reads."""

    asked = "the running domain was asked for"

    def __init__(self, xml: str) -> None:
        self._xml = xml

    def XMLDesc(self, *_args: Any, **_kwargs: Any) -> str:  # noqa: N802 - libvirt's name
        return self._xml


class Notifier(StandIn):
    """Stands in for the senders of notifications, and sends nothing."""

    asked = "the notifier was asked for"

    def is_enabled(self) -> bool:
        return False

    def prepare(self, **_kwargs: Any) -> Notifier:
        return self

    def _send(self, *_args: Any, **_kwargs: Any) -> None:
        return None

    debug = info = audit = warn = warning = error = critical = sample = _send


class Network(StandIn):
    """Stands in for Neutron: the instance's ports."""

    asked = "the network service was asked for"

    def __init__(self, network_info: Any) -> None:
        self._network_info = network_info

    def get_instance_nw_info(self, *_args: Any, **_kwargs: Any) -> Any:
        return self._network_info


class Placement(StandIn):
    """Stands in for placement: the traits that the driver itself reports."""

    asked = "placement was asked for"

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def get_provider_traits(self, _context: Any, _provider: str) -> Any:
        reported = self._driver.capabilities_as_traits()
        return types.SimpleNamespace(traits={trait for trait, has_it in reported.items() if has_it}, generation=0)
