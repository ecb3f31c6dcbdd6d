"""The life cycle of an instance on a hypervisor, for implementations that only make domain XML.

All checks of a rescue are made while the guest still runs. The implementation may refuse, and so may libvirt, which is
given the rescued domain as the next definition. Only then is the guest stopped. If host or harness fail to start the
rescued guest, the saved definition is started again. A rescued guest that does not boot stays rescued.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

import libvirt
from lxml import etree

from harness.domain.disk_names import RESCUE
from harness.domain.pinning import with_addresses_of
from harness.domain.placement import Placement
from harness.errors import DidNotBoot, GuestAfter, HarnessError, HostError, Refused
from harness.evidence.inventory import State
from harness.evidence.plan.domain_inventory import Sources
from harness.guest.access import BIOS_SPEAKS_SINCE, with_access
from harness.guest.booted import stop_domain
from harness.guest.keys import RunKey
from harness.hypervisor.connection import definition_of, require_word_on_domain
from harness.hypervisor.host import Hypervisor
from harness.implementation.protocol import Implementation, Rescue, RunningInstance
from harness.implementation.refusals import refused_instance
from harness.instance.boot_logs import BootLogs
from harness.instance.current_instance import CurrentInstance
from harness.instance.in_libvirt import InLibvirt
from harness.instance.rescue_media import RescueMedia
from harness.instance.steps import as_text
from harness.instance.storage.fingerprint import Fingerprint, fingerprint
from harness.instance.uefi_variables import UefiVariables
from harness.scenario.models import Instance
from harness.scenario.rescue_image import RescueImage

LIVE_AND_DEFINED = libvirt.VIR_DOMAIN_AFFECT_LIVE | libvirt.VIR_DOMAIN_AFFECT_CONFIG
_log = logging.getLogger(__name__)


def console_path(folder: Path) -> Path:
    """Return the path of a guest's serial log, in the folder of its disks."""
    return folder / "console.log"


class Running(Protocol):
    """A started domain, as the case's level starts it."""

    @property
    def live_xml(self) -> str:
        """The domain's XML while the domain runs."""


R = TypeVar("R", bound=Running)


@dataclass
class LifeCycle(InLibvirt, Generic[R]):
    """One instance on one hypervisor. ``defined_xml`` has the definition from which each state was started.

    ``is_hot``: devices were attached or detached since the present boot. ``looks_at_disks``: ``disks_when_off`` is
    renewed at the start and between two guests.

    ``bring_up`` starts a defined domain in a state and stops the domain at the end; it boots a guest, or only has QEMU
    build the machine. ``system_serial`` is the SMBIOS serial number, set if it carries information for the guest.
    """

    hypervisor: Hypervisor
    implementation: Implementation
    current: CurrentInstance
    key: RunKey
    folder: Path
    bring_up: Callable[[libvirt.virDomain, State], AbstractContextManager[R]]
    media: RescueMedia
    system_serial: str | None = None
    defined_xml: dict[State, str] = field(default_factory=dict)
    saved_xml: str | None = None
    guest: R | None = None
    state: State = State.NORMAL
    is_hot: bool = False
    looks_at_disks: bool = False
    disks_when_off: dict[str, Fingerprint] = field(default_factory=dict)
    _rescue: Rescue | None = None
    _boot: ExitStack = field(default_factory=ExitStack)

    @property
    def instance(self) -> Instance:
        """The instance after the steps taken so far."""
        return self.current.instance

    @property
    def placement(self) -> Placement:
        """The instance's placement."""
        return self.current.placement

    @cached_property
    def variables(self) -> UefiVariables:
        """The instance's UEFI variables."""
        return UefiVariables.of(self.placement)

    @property
    def running(self) -> R:
        """The guest that runs now.

        Raises:
            HostError: no guest runs.
        """
        if self.guest is None:
            raise HostError("the instance does not run")
        return self.guest

    @property
    def console_path(self) -> Path:
        """The path of the current boot's serial log."""
        return console_path(self.folder)

    def define(self) -> None:
        """Define the instance, without starting its domain.

        Raises:
            Refused: the implementation does not make the instance, or libvirt does not accept its domain.
            HostError: the host failed.
        """
        try:
            self._define(self._with_access(self.implementation.normal(self.instance, self.placement)))
        except libvirt.libvirtError as error:
            require_word_on_domain(error)
            raise refused_instance(str(error), refused_by="libvirt") from error

    def start(self) -> R:
        """Define and boot the instance.

        Raises:
            Refused: the implementation does not make the instance, or libvirt does not accept its domain.
            HostError, GuestError: host or guest failed, or the guest does not come up.
        """
        self.define()
        self.look_while_off()
        return self._boot_into(State.NORMAL)

    def choose_medium(self, step: int | None) -> None:
        """Take the rescue medium of a step, by its position, or else of the rescue under test."""
        medium = self.media.choose(step)
        self.current = self.current.with_medium(medium.source, medium.token)

    def rescue(self, image: RescueImage) -> R:
        """Rescue the running instance.

        Raises:
            Refused: the implementation or libvirt refuses; the guest runs on untouched.
            DidNotBoot: the rescued guest does not come up; the instance stays rescued.
            HostError, GuestError: host or guest failed; the instance runs again as before.
        """
        if self.state is State.RESCUED:
            raise Refused("the instance is rescued already: unrescue it first")
        self.variables.look_while_running()
        live_xml, definition = self.domain.XMLDesc(0), definition_of(self.domain)
        running = RunningInstance(self.instance, self.placement, live_xml, self.current.steps)
        rescued_xml = self.implementation.rescued(running, image).xml
        self.saved_xml = self._saved(live_xml) if self.is_hot else definition
        self._rescue = Rescue(running, rescued_xml, self.saved_xml)
        try:
            self._define(self._with_access(rescued_xml))
        except libvirt.libvirtError as error:
            require_word_on_domain(error)
            self._define(definition)
            raise Refused(str(error), refused_by="libvirt") from error
        self.shut_down()
        try:
            self.variables.look_before()
            self.look_while_off()
            self.variables.give_to_rescue()
            return self._boot_into(State.RESCUED)
        except DidNotBoot:
            raise
        except (HarnessError, OSError, libvirt.libvirtError) as error:
            self.logs.keep_failed()
            try:
                self._define(self.saved_xml)
                self._boot_into(State.NORMAL)
            except (HarnessError, OSError, libvirt.libvirtError) as another:
                error.add_note(f"nor does the instance come up again: {another}")
            raise

    def unrescue(self) -> R:
        """Define the instance as saved before the rescue, and boot it.

        Raises:
            Refused: libvirt does not accept the unrescued domain.
            HostError, GuestError: host or guest failed, or the guest does not come up.
        """
        if self._rescue is None:
            raise HostError("the instance was not rescued")
        self.shut_down()
        try:
            self._define(self.implementation.unrescued(self._rescue))
        except libvirt.libvirtError as error:
            require_word_on_domain(error)
            raise Refused(str(error), refused_by="libvirt", guest=GuestAfter.SHUT_OFF) from error
        self.variables.look_after()
        self.look_while_off()
        return self._boot_into(State.UNRESCUED)

    def look_while_off(self) -> None:
        """Take the fingerprints of the instance's disks; no guest runs.

        Raises:
            HostError: a disk cannot be read.
        """
        if self.looks_at_disks:
            sources = self.placement.sources.items()
            self.disks_when_off = {name: fingerprint(each, self.folder) for name, each in sources if name != RESCUE}

    def _saved(self, live_xml: str) -> str:
        """Return the definition with every device at its address in the running domain.

        libvirt assigns a hot-plugged device one address in the definition and one in the running domain, and these may
        differ. Devices that were attached in another order, or to only one of the two, would move at the next boot.
        """
        definition = definition_of(self.domain)
        moved = with_addresses_of(definition, live_xml)
        if moved is None:
            return definition
        self._define(moved)
        return definition_of(self.domain)

    def settle(self, current: CurrentInstance, *, is_hot: bool) -> None:
        """Accept the instance after a step as the normal one; ``is_hot``: the instance changed since it booted."""
        self.current = current
        self.state, self.is_hot = State.NORMAL, is_hot
        self.defined_xml[State.NORMAL] = definition_of(self.domain)

    def take_off(self, device: etree._Element) -> None:
        """Ask the running guest to release a device, and remove the device from the definition.

        Raises:
            HostError: the implementation does not detach the device.
            libvirtError: libvirt does not detach the device.
        """
        self.domain.detachDeviceFlags(as_text(device), LIVE_AND_DEFINED)

    def reboot(self) -> R:
        """Boot the current state once more.

        Raises:
            HostError, GuestError: the guest does not come up.
        """
        self.shut_down()
        if self.state is State.RESCUED:
            self.variables.give_to_rescue()
        return self._boot_into(self.state)

    def reboot_as_saved(self) -> R:
        """Boot the definition that was saved before the rescue.

        Raises:
            HostError, GuestError: the guest does not come up.
        """
        self.shut_down()
        if self.saved_xml is not None:
            self._define(self.saved_xml)
        return self._boot_into(State.NORMAL)

    @property
    def domain_sources(self) -> Sources:
        """The files in its domains, by the disks that they are."""
        return Sources.of(self.placement, self.current.tokens)

    @property
    def recorded_state(self) -> str | None:
        """The instance's state in the implementation's own record; None if the implementation keeps none."""
        return None

    @property
    def base_paths(self) -> Collection[Path]:
        """The paths of the base images below the instance's disks and its rescue medium."""
        return self.media.base_paths

    @property
    def logs(self) -> BootLogs:
        """The logs of the instance's guests."""
        return BootLogs(self.hypervisor, self.placement.domain_name, self.console_path, self.folder)

    def shut_down(self) -> None:
        """Stop the guest; the definition stays."""
        self.guest = None
        boot, self._boot = self._boot, ExitStack()
        boot.close()

    def enter(self, again: AbstractContextManager[R]) -> R:
        """Take the guest that a reboot inside the same QEMU makes of the running one."""
        self.guest = guest = self._boot.enter_context(again)
        return guest

    def _boot_into(self, state: State) -> R:
        domain = self.domain
        self.state, self.is_hot = state, False
        self.defined_xml[state] = definition_of(domain)
        self.guest = guest = self._boot.enter_context(self.bring_up(domain, state))
        return guest

    def _with_access(self, xml: str) -> str:
        return with_access(
            xml,
            console_path=self.console_path,
            authorized_keys=self.key.authorized_keys,
            system_serial=self.system_serial,
            bios_speaks=self.hypervisor.connection.getLibVersion() >= BIOS_SPEAKS_SINCE,
        )

    def _define(self, xml: str) -> None:
        self.hypervisor.connection.defineXML(xml)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.shut_down()
        finally:
            self._forget()

    def _forget(self) -> None:
        try:
            domain = self.hypervisor.connection.lookupByName(self.placement.domain_name)
        except libvirt.libvirtError:
            return
        stop_domain(domain)
        try:
            domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)
        except libvirt.libvirtError as error:
            _log.warning("%s stays defined: %s", self.placement.domain_name, error)
        self.logs.remove()
