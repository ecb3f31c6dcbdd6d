"""The life cycle of an instance whose implementation performs by itself, and so starts and stops the guests.

The harness sees the running guest, libvirt's domain and the disks' files. The implementation pauses while no guest
runs, and then the harness looks at the disks.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

from lxml import etree

from harness.domain.placement import DiskSource
from harness.domain.xml import source_of
from harness.evidence.inventory import Marker, State
from harness.evidence.marker import BLOCK_BYTES, marker_block, marker_offset
from harness.evidence.plan.domain_inventory import Sources
from harness.guest.booted import BootedGuest, reached, start_domain, stop_domain
from harness.hypervisor.connection import definition_of
from harness.implementation.protocol import PausesWhileOff, SelfPerformedGuests
from harness.instance.life_cycle import LifeCycle
from harness.instance.storage.base_image import BaseImage
from harness.instance.storage.disk_image import disk_bytes, write_block
from harness.scenario.rescue_image import RescueImage


@dataclass(kw_only=True)
class SelfPerformedLifeCycle(LifeCycle[BootedGuest]):
    """Has an implementation bring an instance from state to state, and connects to each guest that is started."""

    guests: SelfPerformedGuests
    image: BaseImage
    """The instance's image."""
    _off_at: float = 0.0

    @property
    def console_path(self) -> Path:
        """The path of the current boot's serial log."""
        return self.guests.console_path(self.placement)

    @property
    def domain_sources(self) -> Sources:
        """The files in its domains, by the disks that they are."""
        names = self.guests.disk_names(self.placement)
        return replace(super().domain_sources, disks=names, variables=self.guests.variables(self.placement))

    @property
    def recorded_state(self) -> str | None:
        """The instance's state in the implementation's own record."""
        return self.guests.recorded_state(self.placement)

    @property
    def base_paths(self) -> Collection[Path]:
        """The paths of the base images, which the implementation keeps."""
        return self.guests.base_paths(self.placement)

    def start(self) -> BootedGuest:
        """Have the implementation make and boot the instance.

        Raises:
            Refused: the implementation or libvirt does not accept the instance.
            HostError, GuestError: the guest does not come up.
        """
        image, keys = self.image.content, self.key.authorized_keys
        self._perform(self.guests.spawn(self.instance, self.placement, image, authorized_keys=keys), known=())
        return self._reach(State.NORMAL)

    def rescue(self, image: RescueImage) -> BootedGuest:
        """Have the implementation rescue the running instance.

        Raises:
            Refused: the implementation or libvirt refuses; the refusal says if the guest is off by then.
            HostError, GuestError: the rescued guest did not come up.
        """
        self.variables.look_while_running()
        self.saved_xml = definition_of(self.domain)
        shutdown_s = self.hypervisor.pace.patient(self.image.login.patience).shutdown_s
        content = self.media.present.content
        self._perform(
            self.guests.rescue(self.instance, self.placement, image, content, shutdown_s=shutdown_s),
            known=self._own_disks(),
            in_pause=self.variables.look_before,
        )
        return self._reach(State.RESCUED)

    def unrescue(self) -> BootedGuest:
        """Have the implementation unrescue the instance.

        Raises:
            Refused: the implementation does not unrescue the instance.
            HostError, GuestError: the guest does not come up.
        """
        unrescue = self.guests.unrescue(self.instance, self.placement)
        self._perform(unrescue, known=self._own_disks(), in_pause=self.variables.look_after)
        return self._reach(State.UNRESCUED)

    def _perform(
        self, operation: PausesWhileOff, *, known: Collection[str], in_pause: Callable[[], None] = lambda: None
    ) -> None:
        """Carry out an operation, and look at the disks in each pause; the disks in ``known`` have markers already."""
        with closing(operation) as pauses:
            for _ in pauses:
                self._prepare_start(known)
                in_pause()
                self.look_while_off()
                self._off_at = time.monotonic()

    def take_off(self, device: etree._Element) -> None:
        """Have the implementation detach a volume of the running guest.

        Raises:
            HostError: the implementation does not detach the volume.
        """
        disk = self.guests.disk_names(self.placement)[source_of(device) or ""]
        self.guests.detach(self.instance, self.placement, disk)

    def shut_down(self) -> None:
        """Stop the guest; the definition stays."""
        self._disconnect()
        if (domain := self.domain_if_any) is not None:
            stop_domain(domain)

    def _boot_into(self, state: State) -> BootedGuest:
        """Boot the present definition once more as a control boot, without the implementation."""
        self._prepare_start(self._own_disks())
        self._off_at = time.monotonic()
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
                screen_path=self.logs.screen_path,
                login=self.media.present.login if state is State.RESCUED else self.image.login,
                started=self._off_at,
            )
        )
        return guest

    def _disconnect(self) -> None:
        """Close the connection to the guest, which may go on or end."""
        self.guest = None
        boot, self._boot = self._boot, ExitStack()
        boot.close()

    def _prepare_start(self, known: Collection[str]) -> None:
        """Write markers to new disks, and remove the previous guest's logs, while no guest runs."""
        for path, source in self._own_disks().items():
            if path not in known:
                self._plant_marker(path, source)
        for stale in (self.console_path, self.logs.qemu_path):
            stale.unlink(missing_ok=True)

    def _own_disks(self) -> Mapping[str, DiskSource]:
        return self.guests.own_disks(self.placement)

    def _plant_marker(self, path: str, source: DiskSource) -> None:
        name = self.guests.disk_names(self.placement)[path]
        size_bytes = disk_bytes(source)
        if size_bytes % BLOCK_BYTES and source.format == "raw":
            # An ISO 9660 image ends with a sector of 2048 bytes.
            size_bytes += BLOCK_BYTES - size_bytes % BLOCK_BYTES
            os.truncate(source.path, size_bytes)
        write_block(source, marker_offset(size_bytes), marker_block(Marker(disk=name, token=self.current.tokens[name])))

    def _forget(self) -> None:
        super()._forget()
        self.guests.forget(self.placement)
