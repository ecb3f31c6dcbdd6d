"""The messages between the harness and a Nova's worker: a line of JSON each way, described here for both.

``rescue-harness schema --worker`` prints the JSON Schema. The worker runs in Nova's environment, and cannot import this
module.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from harness.frozen import Frozen
from harness.scenario.words import Role

Version = tuple[int, int, int]


class Port(Frozen):
    """A NIC, as a Neutron port."""

    port_id: str
    mac: str


class BlockDevice(Frozen):
    """One entry of the block device mapping; ``volume_path`` is None for a disk that Nova makes itself."""

    role: Role
    bus: str | None = Field(description="disk_bus of the mapping; None leaves it to Nova")
    device: str
    size_mib: int
    device_name: str | None = Field(default=None, description="the name that the user asks for, which Nova may ignore")
    volume_path: str | None = None
    volume_id: str | None = None
    serial: str | None = None


class NovaInstance(Frozen):
    """A server's description for nova-compute.

    ``properties`` and ``disk_format`` belong to the server's image, ``extra_specs`` to the flavor.
    """

    uuid: str
    memory_mib: int
    swap_mib: int = 0
    properties: dict[str, str] = Field(default_factory=dict)
    extra_specs: dict[str, str] = Field(default_factory=dict)
    disk_format: Literal["qcow2", "iso"] = "qcow2"
    boots_from_volume: bool = False
    has_kernel: bool = False
    has_config_drive: bool = False
    nics: tuple[Port, ...]
    disks: tuple[BlockDevice, ...]


class Describe(Frozen):
    """Describe Nova, without using libvirt."""

    operation: Literal["describe"] = "describe"


class Open(Frozen):
    """Make a nova-compute on the worker's libvirt, and report the hypervisor's versions."""

    operation: Literal["open"] = "open"


class MakeNormal(Frozen):
    """Make the domain XML of an instance. ``configuration`` has options of nova.conf, by ``group.name`` or ``name``."""

    operation: Literal["normal"] = "normal"
    instance: NovaInstance
    configuration: dict[str, str | bool | int] = Field(default_factory=dict)


class MakeRescued(Frozen):
    """Make the domain XML of an instance's rescue, given the running domain.

    ``rescue_properties`` are the rescue image's properties. With None the request names no image, and Nova chooses one.
    """

    operation: Literal["rescued"] = "rescued"
    instance: NovaInstance
    configuration: dict[str, str | bool | int] = Field(default_factory=dict)
    rescue_properties: dict[str, str] | None
    running_xml: str


class ImageFile(Frozen):
    """An image as Glance has it: the metadata, and the file that a download returns."""

    id: str
    path: str
    disk_format: Literal["qcow2", "iso", "raw", "aki", "ari"]
    properties: dict[str, str] = Field(default_factory=dict)


class Spawn(Frozen):
    """Have Nova make an instance and start the guest. Only level guest's worker takes this and the later requests."""

    operation: Literal["spawn"] = "spawn"
    instance: NovaInstance
    configuration: dict[str, str | bool | int] = Field(default_factory=dict)
    image: ImageFile
    kernel: ImageFile | None = None
    ramdisk: ImageFile | None = None
    authorized_keys: str


class Rescue(Frozen):
    """Have Nova rescue a spawned instance; if the request names no image, Nova chooses one."""

    operation: Literal["rescue"] = "rescue"
    uuid: str
    configuration: dict[str, str | bool | int] = Field(default_factory=dict)
    image: ImageFile | None


class Unrescue(Frozen):
    """Have Nova unrescue an instance."""

    operation: Literal["unrescue"] = "unrescue"
    uuid: str
    configuration: dict[str, str | bool | int] = Field(default_factory=dict)


class Detach(Frozen):
    """Have Nova detach a volume of a running instance."""

    operation: Literal["detach"] = "detach"
    uuid: str
    configuration: dict[str, str | bool | int] = Field(default_factory=dict)
    volume_id: str


class GoOn(Frozen):
    """Reply to an answer with ``off``, the only answer that needs a reply: start the guest."""

    operation: Literal["go_on"] = "go_on"


Request = Annotated[
    Describe | Open | MakeNormal | MakeRescued | Spawn | Rescue | Unrescue | Detach | GoOn,
    Field(discriminator="operation"),
]


class Description(Frozen):
    """The version of this Nova, and the oldest libvirt and QEMU that Nova starts on."""

    version: str
    python: str
    min_libvirt: Version
    min_qemu: Version


class SeenVersions(Frozen):
    """The versions of libvirt and QEMU that Nova sees, in libvirt's packed form."""

    libvirt: int
    qemu: int


class NovaRefusal(Frozen):
    """An exception raised in Nova. ``is_novas``: Nova's own class, which Nova's API or notifications would show.

    ``service`` raised the exception at a rescue or an unrescue: nova-api before the instance was touched, or
    nova-compute. If nova-compute wraps an exception of libvirt's, libvirt's exception is given here, with its code and
    its domain (virErrorNumber and virErrorDomain).
    """

    exception: str
    message: str
    is_novas: bool
    service: Literal["nova-api", "nova-compute"] | None = None
    libvirt_code: int | None = None
    libvirt_domain: int | None = None

    @property
    def reason(self) -> str:
        """Nova's own words. The class comes first for other exceptions, whose message says little without it."""
        return self.message if self.is_novas else f"{self.exception}: {self.message}"


class Left(Frozen):
    """The instance after a rescue or an unrescue: Nova's record of it, and whether the guest that ran is off."""

    vm_state: str
    task_state: str | None
    is_off: bool


class Answer(Frozen):
    """The answer to any request: the result, Nova's refusal, or the worker's inability to carry out the request."""

    description: Description | None = None
    hypervisor: SeenVersions | None = None
    xml: str | None = None
    off: bool = Field(default=False, description="no answer yet: Nova is about to start the guest, and waits")
    refusal: NovaRefusal | None = None
    left: Left | None = None
    defect: str | None = Field(default=None, description="a traceback: the worker cannot do it with this Nova")


def worker_schema() -> dict[str, Any]:
    """Return the JSON Schema of requests and answers."""
    messages: TypeAdapter[Any] = TypeAdapter(Request | Answer)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:rescue-harness:nova-worker",
        **messages.json_schema(),
    }
