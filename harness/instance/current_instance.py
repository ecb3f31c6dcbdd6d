"""The current instance: the instance as it was made, with the effects of the steps taken so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Self

from harness.domain.disk_mapping import MappedDisk, map_disks
from harness.domain.disk_names import RESCUE
from harness.domain.placement import DiskSource, Placement
from harness.scenario.disks import ConfigDrive, Disk, Volume
from harness.scenario.models import Instance
from harness.scenario.steps import Step
from harness.scenario.words import DeviceType, VifModel


@dataclass(frozen=True)
class CurrentInstance:
    """An instance after its steps so far.

    ``tokens`` has the marker tokens of the disks that the instance has now, and of the rescue disk. ``placement`` has
    the disk mapping of ``instance``. ``placement`` also has the sources of all disks, and ``planted`` has their tokens,
    including the disks that are not attached yet.
    ``volumes_ever`` and ``nics_ever`` count what goes by number.
    """

    instance: Instance
    placement: Placement
    tokens: Mapping[str, str]
    planted: Mapping[str, str]
    volumes_ever: int
    nics_ever: int
    steps: tuple[Step, ...] = ()

    @classmethod
    def first(cls, instance: Instance, placement: Placement, planted: Mapping[str, str]) -> Self:
        """Return an instance before any step."""
        names = {RESCUE, *placement.mapping.by_name}
        return cls(
            instance,
            placement,
            {name: token for name, token in planted.items() if name in names},
            planted,
            sum(isinstance(disk, Volume) for disk in instance.disks),
            len(instance.nics),
        )

    def after(self, step: Step) -> Self:
        """Return the instance after a step that changes no device."""
        return replace(self, steps=(*self.steps, step))

    def with_volume(self, volume: Volume, entry: MappedDisk) -> Self:
        """Return the instance with a volume attached. ``entry`` has the volume's name and target name."""
        after = self._with_disks(*self._named_disks, _named(volume, entry))
        tokens = {**self.tokens, entry.name: self.planted[entry.name]}
        return replace(after, tokens=tokens, volumes_ever=self.volumes_ever + 1)

    def without_volume(self, name: str) -> Self:
        """Return the instance with a volume detached."""
        left = (disk for disk in self._named_disks if not (isinstance(disk, Volume) and disk.name == name))
        tokens = {disk: token for disk, token in self.tokens.items() if disk != name}
        return replace(self._with_disks(*left), tokens=tokens)

    def _with_disks(self, *disks: Disk) -> Self:
        instance = self.instance.model_copy(update={"disks": disks})
        return replace(self, instance=instance, placement=replace(self.placement, mapping=map_disks(instance)))

    @property
    def _named_disks(self) -> tuple[Disk, ...]:
        """The disks with explicit names, so that no disk is renamed if another disk is detached."""
        return tuple(_named(disk, entry) for disk, entry in self.placement.mapping.pairs)

    def with_medium(self, source: DiskSource | None, token: str) -> Self:
        """With another rescue medium; without a source the medium comes where the last one was."""
        sources = self.placement.sources if source is None else {**self.placement.sources, RESCUE: source}
        return replace(self, placement=replace(self.placement, sources=sources), tokens={**self.tokens, RESCUE: token})

    @property
    def nics(self) -> dict[int, VifModel]:
        """The further NICs by number."""
        numbers = self.placement.nic_numbers
        return dict(zip(count(1) if numbers is None else numbers, self.instance.nics, strict=False))

    def with_nic(self, model: VifModel) -> Self:
        """Return the instance with a further NIC attached."""
        number = self.nics_ever + 1
        return replace(self._with_nics({**self.nics, number: model}), nics_ever=number)

    def without_nic(self, number: int) -> Self:
        """Return the instance with a further NIC detached."""
        return self._with_nics({other: model for other, model in self.nics.items() if other != number})

    def _with_nics(self, nics: Mapping[int, VifModel]) -> Self:
        return replace(
            self,
            instance=self.instance.model_copy(update={"nics": tuple(nics.values())}),
            placement=replace(self.placement, nic_numbers=tuple(nics)),
        )

    def with_overlay(self, name: str, overlay: DiskSource, token: str) -> Self:
        """Return the instance with an overlay as a disk's file, and with the token written through the overlay."""
        sources = {**self.placement.sources, name: overlay}
        placement = replace(self.placement, sources=sources)
        return replace(self, placement=placement, tokens={**self.tokens, name: token})


def _named(disk: Disk, entry: MappedDisk) -> Disk:
    if isinstance(disk, ConfigDrive):
        return disk
    names = {"name": entry.name} if isinstance(disk, Volume) else {}
    if entry.device is not DeviceType.FLOPPY:
        names["device_name"] = entry.target
    return disk.model_copy(update=names)
