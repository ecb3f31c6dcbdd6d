"""Nova's own record of an instance, as the worker tells it after a rescue or an unrescue."""

from __future__ import annotations

from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import Refused
from harness.implementation.nova.guests import NovaGuests
from harness.implementation.nova.messages import Answer, Left, NovaRefusal
from harness.scenario.images import RescueSource
from harness.scenario.rescue_image import RescueImage

from ...domain.test_disk_mapping import instance
from ..reference.test_implementation import placement

SUBJECT = instance("root")
PLACEMENT = placement(SUBJECT)
REFUSAL = NovaRefusal(exception="X", message="no", is_novas=True, service="nova-compute")


def guests(answer: Answer) -> NovaGuests:
    """Return Nova's guests with a worker that gives one answer."""

    def asked(_request: object, _timeout_s: float) -> Generator[None, None, Answer]:
        yield
        return answer

    made: Any = NovaGuests(SimpleNamespace(name="nova:34.0.0"), SimpleNamespace())  # type: ignore[arg-type]
    made.worker = SimpleNamespace(asked=asked)
    return made  # type: ignore[no-any-return]


def left(vm_state: str, task_state: str | None = None) -> Left:
    return Left(vm_state=vm_state, task_state=task_state, is_off=False)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(Answer(left=left("active")), "active", id="as-it-should-be"),
        pytest.param(Answer(left=left("active", "powering-on")), "active, powering-on", id="task-state-left"),
        pytest.param(Answer(), None, id="not-told"),
    ],
)
def test_novas_record_after_an_unrescue(answer: Answer, expected: str | None) -> None:
    nova = guests(answer)
    list(nova.unrescue(SUBJECT, PLACEMENT))
    assert nova.recorded_state(PLACEMENT) == expected


def test_each_operation_has_its_own_record() -> None:
    nova: Any = guests(Answer(left=left("rescued")))
    image = RescueImage(image=RescueSource.INSTANCE)
    list(nova.rescue(SUBJECT, PLACEMENT, image, None, shutdown_s=1))
    assert nova.recorded_state(PLACEMENT) == "rescued"
    nova.worker = guests(Answer(refusal=REFUSAL, left=left("error"))).worker
    with pytest.raises(Refused):
        list(nova.unrescue(SUBJECT, PLACEMENT))
    assert nova.recorded_state(PLACEMENT) == "rescued"
