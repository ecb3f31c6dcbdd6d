"""What an implementation cannot be asked for, because the harness has no way to say it: left out, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import NotAskedError
from harness.scenario.steps import REBOOT, DetachVolume, is_rescue, step_label

if TYPE_CHECKING:
    from harness.implementation.protocol import Implementation
    from harness.scenario.models import Scenario
    from harness.scenario.steps import Step
    from harness.scenario.words import Level


def not_asked_for(name: str, what: str) -> NotAskedError:
    """Return the error that the harness cannot ask the implementation ``name`` for something."""
    return NotAskedError(f"so far {name} cannot be asked for {what}")


def require_steps_on_own_disks(name: str, steps: tuple[Step, ...]) -> None:
    """Check that no step attaches the harness's disks to an instance of an implementation that makes its own.

    Such an implementation can only detach volumes.

    Raises:
        NotAskedError: a step changes the domain in another way.
    """
    for step in steps:
        if step != REBOOT and not is_rescue(step) and not isinstance(step, DetachVolume):
            raise not_asked_for(name, f"the step '{step_label(step)}'")


def why_not_asked(implementation: Implementation, scenario: Scenario, level: Level) -> str | None:
    """Return the reason why an implementation cannot be asked for a scenario at a level; None if it can be."""
    try:
        implementation.require_askable(scenario, level)
    except NotAskedError as error:
        return error.message
    return None
