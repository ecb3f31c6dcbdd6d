"""A user's requests, passed through nova-api and nova-compute without a cloud between them."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nova import context, rpc
from nova.compute import api as compute_api
from nova.compute import manager

from .cloud import Network, Placement, StandIn
from .planning import DomainMade
from .refusals import cause_of, is_ours, refusal_of
from .signatures import call

if TYPE_CHECKING:
    from .compute import Compute, Spawned


class Queue(StandIn):
    """Stands in for the message queue between nova-api and nova-compute: a cast becomes a direct call."""

    asked = "nova-compute was asked to"

    def __init__(self, compute_manager: Any) -> None:
        self._manager = compute_manager
        self.has_cast = False

    def rescue_instance(self, request_context: Any, **arguments: Any) -> None:
        self.has_cast = True
        call(self._manager.rescue_instance, context=request_context, **arguments)

    def unrescue_instance(self, request_context: Any, **arguments: Any) -> None:
        self.has_cast = True
        call(self._manager.unrescue_instance, context=request_context, **arguments)


class CloudlessManager(StandIn, manager.ComputeManager):  # type: ignore[misc]
    """nova-compute's manager without a cloud, reduced to rescue, unrescue, the naming of devices, and their callees."""

    asked = "the compute manager wants its"

    def __init__(self, compute: Compute, network_api: Any) -> None:
        self.host = "host"
        self.driver = compute.driver
        self.image_api = compute.image_service
        self.volume_api = compute.volume_service
        self.network_api = network_api
        self.notifier = rpc.get_notifier("compute", self.host)
        # Since 34 these are functions of a module; before, they were methods of the manager.
        sharing = getattr(manager, "share_management", None)
        if sharing is not None:
            self.share_manager = sharing.ShareManager(None, compute.driver)

    def _update_resource_tracker(self, *_args: Any, **_kwargs: Any) -> None:
        """Count none of the host's resources for the instance."""

    def _notify_about_instance_usage(self, *_args: Any, **_kwargs: Any) -> None:
        """Do nothing: the original asks Keystone for an address that only the notification contains."""


class CloudlessApi(StandIn, compute_api.API):  # type: ignore[misc]
    """nova-api's part without a cloud, reduced to rescue, unrescue, and their callees."""

    asked = "the compute API wants its"

    placementclient: Any = None

    def __init__(self, compute: Compute, queue: Queue) -> None:
        self.image_api = compute.image_service
        self.volume_api = compute.volume_service
        self.compute_rpcapi = queue
        self.placementclient = Placement(compute.driver)


class User:
    """A user's requests about a running instance, passed through nova-api and nova-compute."""

    def __init__(self, compute: Compute, spawned: Spawned) -> None:
        self._compute = compute
        self._instance = spawned.instance
        self._queue = Queue(CloudlessManager(compute, Network(spawned.network_info)))
        self._api = CloudlessApi(compute, self._queue)
        compute.conductor.mappings[self._instance.uuid] = spawned.mapping

    def rescue(self, image: str | None) -> dict[str, Any]:
        """Rescue the instance from the given image, or else from an image that Nova chooses."""
        return self._answer(
            self._api.rescue,
            rescue_password="",
            rescue_image_ref=image,
            clean_shutdown=True,
            # Microversion 2.87 and later.
            allow_bfv_rescue=True,
        )

    def unrescue(self) -> dict[str, Any]:
        """Unrescue the instance."""
        return self._answer(self._api.unrescue)

    def _answer(self, function: Callable[..., Any], **known: Any) -> dict[str, Any]:
        """Return the domain if the call ends with one, or else the refusal and the state of the instance."""
        user = context.RequestContext(self._instance.user_id, self._instance.project_id, is_admin=False)
        answer: dict[str, Any] = {}
        try:
            call(function, context=user, instance=self._instance, **known)
        except DomainMade as made:
            answer["xml"] = made.xml
        except Exception as error:
            if is_ours(cause_of(error)):
                raise
            traceback.print_exc()
            service = "nova-compute" if self._queue.has_cast else "nova-api"
            answer["refusal"] = {**refusal_of(error), "service": service}
        left = {"vm_state": self._instance.vm_state, "task_state": self._instance.task_state}
        return {**answer, "left": {**left, "is_off": self._compute.is_off(self._instance)}}
