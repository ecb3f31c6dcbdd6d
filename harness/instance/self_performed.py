"""Implementations that start guests themselves: what is asked of them, and the life cycle that goes by what they do.

The reference only makes domain XML, and ``LifeCycle`` starts it. Of one that acts, the harness sees the running
guest, libvirt's domain and the disks' files; in between it looks at these while no guest runs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import libvirt
from lxml import etree

from harness.domain.placement import DiskSource, Placement
from harness.domain.xml import source_of
from harness.errors import HostError
from harness.evidence.inventory import Marker, State
from harness.evidence.marker import BLOCK_BYTES, marker_block, marker_offset
from harness.evidence.plan.domain_inventory import Sources
from harness.guest.booted import BootedGuest, reached, start_domain, stop_domain
from harness.guest.login import Login
from harness.hypervisor.connection import definition_of
from harness.hypervisor.host import Hypervisor
from harness.image.content import ImageContent
from harness.instance.life_cycle import LifeCycle
from harness.instance.storage.disk_image import disk_bytes, write_block
from harness.scenario.models import Instance, RescueImage


class Guests(Protocol):
    """The guests of an implementation that acts, on a hypervisor that it shares with the harness."""

    @property
    def hypervisor(self) -> Hypervisor:
        """Where they run."""

    def require(self, instance: Instance) -> None:
        """Raise Refused for an instance that cannot be asked for."""

    def placed(self, instance: Instance, placement: Placement) -> Placement:
        """The placement with what the implementation names and places itself."""

    def disk_names(self, instance: Instance, placement: Placement) -> Mapping[str, str]:
        """Which disk each source in its domains is."""

    def variables(self, placement: Placement) -> frozenset[str]:
        """The instance's stores of UEFI variables, as its domains name them."""

    def own_disks(self, instance: Instance, placement: Placement) -> Mapping[str, DiskSource]:
        """The disks that it has made by now, by source in its domains."""

    def console_path(self, placement: Placement) -> Path:
        """The serial log."""

    def spawn(
        self,
        instance: Instance,
        placement: Placement,
        image: ImageContent,
        *,
        authorized_keys: str,
        when_off: Callable[[], None],
    ) -> None:
        """Make an instance and start it; raises Refused."""

    def rescue(
        self,
        instance: Instance,
        placement: Placement,
        image: RescueImage,
        content: ImageContent,
        *,
        shutdown_s: float,
        when_off: Callable[[], None],
    ) -> None:
        """Rescue it, once it had ``shutdown_s`` to shut down; raises Refused, which says if it is off by then."""

    def unrescue(self, instance: Instance, placement: Placement, *, when_off: Callable[[], None]) -> None:
        """Give it back; raises Refused."""

    def detach(self, instance: Instance, placement: Placement, disk: str) -> None:
        """Detach a volume of the running guest."""

    def forget(self, placement: Placement) -> None:
        """Remove its files, once its domain is gone."""


@runtime_checkable
class ActingImplementation(Protocol):
    """An implementation that acts at level guest."""

    def guests(self, hypervisor: Hypervisor) -> Guests:
        """Its guests, with the limits of the run's own hypervisor."""


@dataclass(kw_only=True)
class SelfPerformedLifeCycle(LifeCycle[BootedGuest]):
    """Has an implementation bring an instance from state to state, and reaches each guest that it starts."""

    guests: Guests
    content: Callable[[State], ImageContent]
    """What is booted in a state: the instance's image, or the rescue image."""
    login: Callable[[State], Login]
    _off_at: float = 0.0

    @property
    def console_path(self) -> Path:
        """The serial log of the current boot."""
        return self.guests.console_path(self.placement)

    @property
    def domain_sources(self) -> Sources:
        """What is known of the files in its domains."""
        names = self.guests.disk_names(self.instance, self.placement)
        return replace(super().domain_sources, disks=names, variables=self.guests.variables(self.placement))

    def start(self, *, when_off: Callable[[], None] = lambda: None) -> BootedGuest:
        """Have the instance made and booted; ``when_off`` is called when its disks are there.

        Raises:
            Refused: the implementation or libvirt does not take the instance.
            HostError, GuestError: it does not come up.
        """
        self.guests.spawn(
            self.instance,
            self.placement,
            self.content(State.NORMAL),
            authorized_keys=self.key.authorized_keys,
            when_off=lambda: self._off((), when_off),
        )
        return self._reach(State.NORMAL)

    def rescue(self, image: RescueImage, *, when_off: Callable[[], None] = lambda: None) -> BootedGuest:
        """Have the running instance rescued; ``when_off`` is called between the two guests.

        Raises:
            Refused: by the implementation or by libvirt; says if the guest is off by then.
            HostError, GuestError: the rescued guest did not come up.
        """
        self.variables.look_before()
        self.saved_xml = definition_of(self.domain)
        known = self._own_disks()
        self.guests.rescue(
            self.instance,
            self.placement,
            image,
            self.content(State.RESCUED),
            shutdown_s=self.hypervisor.pace.patient(self.login(State.NORMAL).patience).shutdown_s,
            when_off=lambda: self._off(known, when_off),
        )
        return self._reach(State.RESCUED)

    def unrescue(self, *, when_off: Callable[[], None] = lambda: None) -> BootedGuest:
        """Have the instance given back; ``when_off`` is called between the two guests.

        Raises:
            Refused: the implementation does not give it back.
            HostError, GuestError: it does not come up.
        """
        known = self._own_disks()

        def off() -> None:
            self.variables.look_after()
            when_off()

        self.guests.unrescue(self.instance, self.placement, when_off=lambda: self._off(known, off))
        return self._reach(State.UNRESCUED)

    def take_off(self, device: etree._Element) -> None:
        """Have a volume of the running guest detached.

        Raises:
            HostError: it is not.
        """
        disk = self.guests.disk_names(self.instance, self.placement)[source_of(device) or ""]
        self.guests.detach(self.instance, self.placement, disk)

    def shut_down(self) -> None:
        """Stop the guest; the definition stays."""
        self._disconnect()
        if (domain := self._domain_if_any) is not None:
            stop_domain(domain)

    def _boot_into(self, state: State) -> BootedGuest:
        """A control boot: the definition that is there once more, without the implementation."""
        self._off(self._own_disks(), lambda: None)
        start_domain(self.hypervisor, self.domain)
        return self._reach(state)

    def _reach(self, state: State) -> BootedGuest:
        self._disconnect()
        self.state, self.is_hot = state, False
        domain = self.domain
        self.defined_xml[state] = definition_of(domain)
        self.guest = guest = self._boot.enter_context(
            reached(
                self.hypervisor,
                domain,
                console_path=self.console_path,
                login=self.login(state),
                started=self._off_at,
            )
        )
        return guest

    def _disconnect(self) -> None:
        """Let go of the guest, whatever becomes of it."""
        self.guest = None
        boot, self._boot = self._boot, ExitStack()
        boot.close()

    def _off(self, known: Collection[str], when_off: Callable[[], None]) -> None:
        """No guest runs, one is about to start: plant markers on disks that are new, and look at all of them."""
        for path, source in self._own_disks().items():
            if path not in known:
                self._plant_marker(path, source)
        for stale in (self.console_path, self.logs.qemu_path):
            stale.unlink(missing_ok=True)
        when_off()
        self._off_at = time.monotonic()

    def _own_disks(self) -> Mapping[str, DiskSource]:
        return self.guests.own_disks(self.instance, self.placement)

    def _plant_marker(self, path: str, source: DiskSource) -> None:
        name = self.guests.disk_names(self.instance, self.placement)[path]
        size_bytes = disk_bytes(source)
        if size_bytes % BLOCK_BYTES and source.format == "raw":
            # An ISO 9660 image ends with a sector of 2048 bytes.
            size_bytes += BLOCK_BYTES - size_bytes % BLOCK_BYTES
            os.truncate(source.path, size_bytes)
        write_block(source, marker_offset(size_bytes), marker_block(Marker(disk=name, token=self.current.tokens[name])))

    @property
    def _domain_if_any(self) -> libvirt.virDomain | None:
        try:
            return self.domain
        except HostError:
            return None

    def _forget(self) -> None:
        super()._forget()
        self.guests.forget(self.placement)
