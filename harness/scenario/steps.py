"""What is done to an instance after its first boot and before the rescue under test."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StrictInt, Tag

from harness.frozen import Frozen
from harness.scenario.disks import Volume
from harness.scenario.rescue_image import RescueImage
from harness.scenario.words import VifModel

REBOOT: Literal["reboot"] = "reboot"
RESCUE: Literal["rescue"] = "rescue"
STEPS = (REBOOT, RESCUE, "attach", "detach", "snapshot")
RESCUE_TAG = "rescue from"
VOLUME_TAG = "attach"
NIC_TAG = "attach nic"
NIC_NUMBER_TAG = "detach nic"


class RescueFrom(Frozen):
    """A whole rescue and unrescue from a medium of its own."""

    rescue: RescueImage = Field(
        description="the same from another image or with other properties than the rescue under test"
    )


class NewNic(Frozen):
    """A further NIC, on a network of its own."""

    nic: VifModel = Field(description="the NIC's model, as in 'instance.nics'")


class NicNumber(Frozen):
    """One of the further NICs."""

    nic: StrictInt = Field(
        ge=1,
        description="the NIC's number: from 1 in the order of 'instance.nics', later ones after them; none comes twice",
    )


class AttachVolume(Frozen):
    """Attach a volume to the running instance."""

    attach: Volume = Field(description="a volume is attached; the keys are those of a volume in 'instance.disks'")


class AttachNic(Frozen):
    """Attach a NIC to the running instance."""

    attach: NewNic = Field(description="a NIC is attached, on a network of its own")


class DetachVolume(Frozen):
    """Detach a volume from the running instance, which is there to let go of it."""

    detach: str = Field(min_length=1, description="the volume of this name is detached")


class DetachNic(Frozen):
    """Detach a NIC from the running instance."""

    detach: NicNumber = Field(description="the NIC of this number is detached")


class Snapshot(Frozen):
    """Take an external snapshot of a disk: an overlay becomes the disk's file, and the old file lies below it."""

    snapshot: str = Field(
        min_length=1,
        description="an overlay becomes the file of the disk of this name, as in Nova's snapshot of a volume in use",
    )


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
    if word == RESCUE:
        return RESCUE_TAG
    below_is_nic = isinstance(data[word], dict) and "nic" in data[word]
    if word == "attach":
        return NIC_TAG if below_is_nic else VOLUME_TAG
    if word == "detach" and isinstance(data[word], dict):
        return NIC_NUMBER_TAG
    return str(word)


Step = Annotated[
    Annotated[
        Literal["reboot"],
        Field(description="the domain is stopped, and started from its definition"),
        Tag(REBOOT),
    ]
    | Annotated[
        Literal["rescue"],
        Field(
            description="one whole rescue and unrescue with the same image, looked at like the one under test; a"
            " refusal, or an instance that does not come back as it was, ends the case"
        ),
        Tag(RESCUE),
    ]
    | Annotated[RescueFrom, Tag(RESCUE_TAG)]
    | Annotated[AttachVolume, Tag(VOLUME_TAG)]
    | Annotated[AttachNic, Tag(NIC_TAG)]
    | Annotated[DetachVolume, Tag("detach")]
    | Annotated[DetachNic, Tag(NIC_NUMBER_TAG)]
    | Annotated[Snapshot, Tag("snapshot")],
    Discriminator(_kind),
]


RescuedStep = Annotated[
    Literal["reboot"],
    Field(description="the guest reboots itself; QEMU goes on, and the guest must come up from the medium again"),
]
"""What can be done to a rescued instance: Nova attaches, detaches and snapshots none (nova/compute/api.py)."""


def is_rescue(step: Step) -> bool:
    """Return whether a step is a rescue, from whatever medium."""
    return step == RESCUE or isinstance(step, RescueFrom)


def rescues_from(steps: tuple[Step, ...]) -> dict[int, RescueImage]:
    """Return the rescue image of each step that names one, by the step's position."""
    return {position: step.rescue for position, step in enumerate(steps) if isinstance(step, RescueFrom)}


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
    return step if isinstance(step, str) else _rescue_label(step.rescue)


def _rescue_label(image: RescueImage) -> str:
    properties = image.properties.model_dump(exclude_none=True)
    return ", ".join(("rescue from another medium", *(f"{key} {value}" for key, value in properties.items())))
