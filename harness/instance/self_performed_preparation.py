"""From a case to an instance that an implementation makes itself: volumes, images and placement are the harness's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import libvirt

from harness.errors import HostError
from harness.evidence.inventory import State
from harness.guest.booted import BootedGuest
from harness.image.content import ImageContent
from harness.implementation.refusals import not_asked_for
from harness.instance.current_instance import CurrentInstance
from harness.instance.preparation import PreparedInstance
from harness.instance.self_performed import ActingImplementation, SelfPerformedLifeCycle
from harness.instance.starting_point import starting_point
from harness.instance.steps import refuse_steps_of_its_own
from harness.reading.cases import Case
from harness.run.session import Session


@contextmanager
def prepared_acting(
    case: Case, session: Session, implementation: ActingImplementation
) -> Iterator[PreparedInstance[BootedGuest]]:
    """As ``prepared``, for an implementation that acts: it makes all disks but volumes, and all guests, itself.

    Raises:
        Refused: it cannot be asked for the instance.
        HostError: a volume or the rescue medium cannot be made, or there is no firmware.
    """
    scenario = case.point.scenario
    instance = scenario.instance
    guests = implementation.guests(session.hypervisor)
    guests.require(instance)
    refuse_steps_of_its_own(case.implementation, scenario.steps)
    with ExitStack() as stack:
        start = stack.enter_context(starting_point(case, session, guests.hypervisor))
        images = start.images
        if images.cloud_init_users:
            raise not_asked_for(case.implementation.name, "images that are entered by way of cloud-init")
        factory = start.disk_factory()
        sources = factory.make_plain_volumes(instance)
        floppy = start.make_rescue_floppy(factory)
        medium = images.rescue.content if floppy is None else ImageContent.of_raw(floppy.path)
        placement = guests.placed(instance, start.placement(sources))
        life_cycle = stack.enter_context(
            SelfPerformedLifeCycle(
                guests.hypervisor,
                case.implementation,
                CurrentInstance.first(instance, placement, start.tokens),
                session.key,
                start.folder,
                bring_up=_never,
                guests=guests,
                content=lambda state: medium if state is State.RESCUED else images.instance.content,
                login=lambda state: (images.rescue if state is State.RESCUED else images.instance).login,
            )
        )
        yield PreparedInstance(life_cycle, start.request, start.folder, same_image=start.same_image)


def _never(_domain: libvirt.virDomain, state: State) -> AbstractContextManager[BootedGuest]:
    raise HostError(f"the implementation itself starts the guest that is {state}")
