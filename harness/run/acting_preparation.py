"""From a case to an instance that an implementation makes itself: volumes, images and placement are the harness's."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import libvirt

from harness.errors import HostError
from harness.evidence.inventory import State
from harness.guest.booted import BootedGuest
from harness.hypervisor.connection import usb_cdrom_is_disk
from harness.image.content import ImageContent
from harness.rescue.naming import RESCUE
from harness.rescue.refusals import not_asked_for
from harness.rescue.request import request_or_none
from harness.run.acting import ActingImplementation, ActingPerformer
from harness.run.base_image import base_images
from harness.run.cases import Case
from harness.run.disks import DiskFactory
from harness.run.preparation import Prepared, direct_kernel_of, images_of, kept_folder, new_tokens, placement_for
from harness.run.record import folder_name
from harness.run.session import Session
from harness.run.stage import Stage
from harness.run.volume_resources import volume_resources
from harness.scenario.words import DeviceType


@contextmanager
def prepared_acting(
    case: Case, session: Session, implementation: ActingImplementation
) -> Iterator[Prepared[BootedGuest]]:
    """As ``prepared``, for an implementation that acts: it makes all disks but volumes, and all guests, itself.

    Raises:
        Refused: it cannot be asked for the instance.
        HostError: a volume or the rescue medium cannot be made, or there is no firmware.
    """
    scenario = case.point.scenario
    instance, image = scenario.instance, scenario.rescue_image
    guests = implementation.guests(session.hypervisor)
    guests.require(instance)
    if scenario.steps:
        raise not_asked_for(case.implementation.name, "steps before a rescue")
    hypervisor, domain_uuid = guests.hypervisor, uuid.uuid4()
    folder = hypervisor.root.work_path / folder_name(f"{case.id[:60]}-{domain_uuid.hex[:8]}")
    shipped, media = images_of(session)
    images = base_images(instance, image, case.file.parent, minimal=shipped, debian=session.debian, run_key=session.key)
    if images.cloud_init_users:
        raise not_asked_for(case.implementation.name, "images that are entered by way of cloud-init")
    tokens = new_tokens(scenario)
    request = request_or_none(instance, image)
    with ExitStack() as stack:
        stack.enter_context(kept_folder(folder))
        volumes = stack.enter_context(volume_resources(folder, hypervisor.root.path))
        factory = DiskFactory(folder, images, tokens, volumes)
        sources = factory.make_plain_volumes(instance)
        contents = {State.RESCUED: images.rescue.content}
        if request is not None and request.device is DeviceType.FLOPPY:
            floppy = factory.make_rescue_floppy(RESCUE, shipped, media.port).path
            contents[State.RESCUED] = ImageContent.of_raw(floppy)
        placement = placement_for(
            instance,
            sources,
            folder,
            domain_uuid,
            emulator=hypervisor.emulator,
            domain_type=hypervisor.accelerator.domain_type,
            usb_cdrom_is_disk=usb_cdrom_is_disk(hypervisor.connection),
            direct_kernel=direct_kernel_of(instance, shipped),
            tpm=None,
        )
        placement = guests.placed(instance, placement)
        performer = stack.enter_context(
            ActingPerformer(
                hypervisor,
                case.implementation,
                Stage.first(instance, placement, tokens),
                session.key,
                folder,
                bring_up=_never,
                guests=guests,
                content=lambda state: contents.get(state) or images.instance.content,
                login=lambda state: (images.rescue if state is State.RESCUED else images.instance).login,
            )
        )
        yield Prepared(performer, request, folder, same_image=images.rescue is images.instance)


def _never(_domain: libvirt.virDomain, state: State) -> AbstractContextManager[BootedGuest]:
    raise HostError(f"the implementation itself starts the guest that is {state}")
