"""The preparation of a case's instance until it can be started: tokens, disks, placement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

import libvirt

from harness.domain.disk_names import RESCUE
from harness.domain.placement import DiskSource, EmulatedTpm
from harness.errors import HostError
from harness.evidence.inventory import State
from harness.guest.boot.screen import SCREEN
from harness.guest.booted import BootedGuest, booted
from harness.guest.paused import PausedMachine, paused
from harness.guest.seed import make_seed, seed_serial, what_to_do
from harness.hypervisor.emulated_tpm import emulated_tpm
from harness.implementation.request import RescueRequest
from harness.instance.current_instance import CurrentInstance
from harness.instance.life_cycle import LifeCycle, R, console_path
from harness.instance.media_server import OfferedFiles
from harness.instance.rescue_media import RescueMedia
from harness.instance.resources import Resources
from harness.instance.self_performed import SelfPerformedLifeCycle
from harness.instance.starting_point import StartingPoint, starting_point
from harness.instance.steps import volumes_of
from harness.instance.storage.volume_resources import VolumeResources
from harness.reading.cases import Case
from harness.scenario.disks import ConfigDrive
from harness.scenario.models import Instance
from harness.scenario.words import Level
from harness.verdict.expected import Expected


@dataclass(frozen=True)
class PreparedInstance(Generic[R]):
    """An instance whose disks are made, and its rescue media."""

    life_cycle: LifeCycle[R]
    folder: Path

    @property
    def tokens(self) -> Mapping[str, str]:
        """The tokens of the markers on the instance's present disks and on the rescue disk."""
        return self.life_cycle.current.tokens

    @property
    def expected(self) -> Expected:
        """The expectation of its states, as far as it is known before any state is looked at."""
        medium = self.life_cycle.media.present
        expected = expected_of(self.life_cycle.instance, medium.request, self.tokens)
        return expected.model_copy(update={"same_image": medium.same_image})

    @property
    def sources(self) -> Mapping[str, DiskSource]:
        """The disks' files by name; ``rescue`` is the rescue disk."""
        return self.life_cycle.placement.sources


def prepared_instance(case: Case, resources: Resources) -> AbstractContextManager[PreparedInstance[BootedGuest]]:
    """Make everything that a case with guests needs below the run's work folder, and remove everything at the end.

    Raises:
        NotAskedError: the harness cannot ask an implementation that performs by itself for the scenario.
        HostError: a disk cannot be made, or this host lacks the firmware.
    """
    if resources.implementations[case.implementation].performs_by_itself:
        return _performed(case, resources)
    has_config_drive = any(isinstance(disk, ConfigDrive) for disk in case.point.scenario.instance.disks)

    def bring_up(start: StartingPoint, media: RescueMedia, offered: OfferedFiles | None) -> BringUp[BootedGuest]:
        def boot(domain: libvirt.virDomain, state: State) -> AbstractContextManager[BootedGuest]:
            login = media.present.login if state is State.RESCUED else start.images.instance.login
            if offered is not None:
                offered.asked.clear()

            def hint() -> str | None:
                if offered is None or not login.by_cloud_init:
                    return None
                return what_to_do(offered.asked, has_config_drive=has_config_drive)

            return booted(
                resources.hypervisor,
                domain,
                console_path=console_path(start.folder),
                screen_path=start.folder / SCREEN,
                login=login,
                refused_hint=hint,
            )

        return boot

    return _prepared(case, resources, bring_up, looks_at_disks=True)


def prepared_machine(case: Case, resources: Resources) -> AbstractContextManager[PreparedInstance[PausedMachine]]:
    """Prepare an instance as ``prepared_instance`` does, for machines that are built and never run.

    Raises:
        HostError: a disk cannot be made, or this host lacks the firmware.
    """

    def bring_up(_start: StartingPoint, _media: RescueMedia, _offered: OfferedFiles | None) -> BringUp[PausedMachine]:
        return lambda domain, _state: paused(resources.hypervisor, domain)

    return _prepared(case, resources, bring_up)


BringUp = Callable[[libvirt.virDomain, State], AbstractContextManager[R]]


@contextmanager
def _prepared(
    case: Case,
    resources: Resources,
    bring_up: Callable[[StartingPoint, RescueMedia, OfferedFiles | None], BringUp[R]],
    *,
    looks_at_disks: bool = False,
) -> Iterator[PreparedInstance[R]]:
    scenario, hypervisor = case.point.scenario, resources.hypervisor
    instance = scenario.instance
    with ExitStack() as stack:
        start = stack.enter_context(starting_point(case, resources, hypervisor))
        users, domain_uuid, server = start.images.cloud_init_users, start.domain_uuid, start.media
        seed = make_seed(str(domain_uuid), users, resources.key.authorized_keys) if users else None
        offered = None
        if seed is not None:
            offered = stack.enter_context(server.offering(domain_uuid.hex, seed.files()))
        factory = start.disk_factory(seed)
        sources = factory.make_instance_disks(start.mapping) | factory.make_volumes(volumes_of(scenario))
        media = start.rescue_media(factory, makes_disks=True)
        if media.present.source is not None:
            sources[RESCUE] = media.present.source
        tpm = None
        if instance.properties.hw_tpm_version is not None:
            tpm = stack.enter_context(_tpm(hypervisor.root.path, str(domain_uuid), start.volumes))
        placement = start.placement(sources, tpm=tpm)
        if placement.share_path is not None:
            placement.share_path.mkdir()
        life_cycle = stack.enter_context(
            LifeCycle(
                hypervisor,
                resources.implementations[case.implementation],
                CurrentInstance.first(instance, placement, start.tokens),
                resources.key,
                start.folder,
                bring_up(start, media, offered),
                media,
                system_serial=None if offered is None else seed_serial(server.port, offered.path),
                looks_at_disks=looks_at_disks,
            )
        )
        yield PreparedInstance(life_cycle, start.folder)


@contextmanager
def _performed(case: Case, resources: Resources) -> Iterator[PreparedInstance[BootedGuest]]:
    """Prepare an instance whose implementation itself makes all guests, and all disks except volumes."""
    implementation, scenario = resources.implementations[case.implementation], case.point.scenario
    instance = scenario.instance
    guests = implementation.guests(resources.hypervisor)
    implementation.require_askable(scenario, Level.GUEST)
    with ExitStack() as stack:
        start = stack.enter_context(starting_point(case, resources, guests.hypervisor))
        images = start.images
        factory = start.disk_factory()
        sources = factory.make_plain_volumes(start.mapping)
        media = start.rescue_media(factory, makes_disks=False)
        life_cycle = stack.enter_context(
            SelfPerformedLifeCycle(
                guests.hypervisor,
                implementation,
                CurrentInstance.first(instance, guests.placed(start.placement(sources)), start.tokens),
                resources.key,
                start.folder,
                bring_up=_never,
                looks_at_disks=True,
                guests=guests,
                media=media,
                image=images.instance,
            )
        )
        yield PreparedInstance(life_cycle, start.folder)


def _never(_domain: libvirt.virDomain, state: State) -> AbstractContextManager[BootedGuest]:
    raise HostError(f"the implementation itself starts the guest that is {state}")


@contextmanager
def _tpm(root: Path, domain_uuid: str, volumes: VolumeResources) -> Iterator[EmulatedTpm]:
    encryption = volumes.encryption("tpm", "vtpm")
    with emulated_tpm(root, domain_uuid, encryption.passphrase_path) as state_path:
        yield EmulatedTpm(state_path, encryption.secret_uuid)


def expected_of(instance: Instance, request: RescueRequest | None, tokens: Mapping[str, str]) -> Expected:
    """Return the expectation of an instance's states, as far as it is known before any state is looked at."""
    return Expected(
        tokens=dict(tokens),
        rescue_bus=request.bus if request else None,
        rescue_device=request.device if request else None,
        direct_kernel=instance.direct_kernel,
    )
