"""What is done to an instance after its first boot and before the rescue under test."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StrictInt, Tag

from harness.frozen import Frozen
from harness.scenario.disks import Volume
from harness.scenario.words import VifModel

REBOOT: Literal["reboot"] = "reboot"
RESCUE: Literal["rescue"] = "rescue"
STEPS = (REBOOT, RESCUE, "attach", "detach", "snapshot")
VOLUME_TAG = "attach"
NIC_TAG = "attach nic"
NIC_NUMBER_TAG = "detach nic"


class NewNic(Frozen):
    """A further NIC, on a network of its own."""

    nic: VifModel


class NicNumber(Frozen):
    """One of the further NICs: counted from 1 in the order of ``nics``, then of attachment; no number comes twice."""

    nic: StrictInt = Field(ge=1)


class AttachVolume(Frozen):
    """A volume is attached to the running instance, as in ``disks``."""

    attach: Volume


class AttachNic(Frozen):
    """A NIC is attached to the running instance."""

    attach: NewNic


class DetachVolume(Frozen):
    """A volume is detached from the running instance; the guest is there to let go of it."""

    detach: str = Field(min_length=1, description="the volume's name")


class DetachNic(Frozen):
    """A NIC is detached from the running instance."""

    detach: NicNumber


class Snapshot(Frozen):
    """An external snapshot of a disk: an overlay becomes its file, and what was its file lies below that."""

    snapshot: str = Field(min_length=1, description="the disk's name")


def _kind(value: Any) -> str | None:
    """Return the tag of a step, given as in a file or as a model.

    For a value that is no step, return the word that stands in a tag's place.
    """
    if isinstance(value, str):
        return value
    data = value.model_dump() if isinstance(value, Frozen) else value
    if not isinstance(data, dict) or not data:
        return None
    word = next((word for word in data if word in STEPS), next(iter(data)))
    below_is_nic = isinstance(data[word], dict) and "nic" in data[word]
    if word == "attach":
        return NIC_TAG if below_is_nic else VOLUME_TAG
    if word == "detach" and isinstance(data[word], dict):
        return NIC_NUMBER_TAG
    return str(word)


Step = Annotated[
    Annotated[Literal["reboot"], Tag(REBOOT)]
    | Annotated[Literal["rescue"], Tag(RESCUE)]
    | Annotated[AttachVolume, Tag(VOLUME_TAG)]
    | Annotated[AttachNic, Tag(NIC_TAG)]
    | Annotated[DetachVolume, Tag("detach")]
    | Annotated[DetachNic, Tag(NIC_NUMBER_TAG)]
    | Annotated[Snapshot, Tag("snapshot")],
    Discriminator(_kind),
]


def step_label(step: Step) -> str:
    """Return a step in words."""
    match step:
        case AttachVolume():
            return f"attach {step.attach.name or 'a volume'}"
        case AttachNic():
            return f"attach a NIC ({step.attach.nic})"
        case DetachVolume():
            return f"detach {step.detach}"
        case DetachNic():
            return f"detach NIC {step.detach.nic}"
        case Snapshot():
            return f"snapshot of {step.snapshot}"
    return step
