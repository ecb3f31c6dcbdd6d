"""A Nova's demands of the host, in words."""

from __future__ import annotations

from harness.implementation.nova.environments import NovaEnvironment
from harness.implementation.nova.messages import Version


def demands_of(environment: NovaEnvironment, *, led_by: str = "it demands ") -> str:
    """Return the oldest libvirt and QEMU that a Nova accepts, in words."""
    description = environment.record.description
    return f"{led_by}libvirt {_dotted(description.min_libvirt)} and QEMU {_dotted(description.min_qemu)}"


def _dotted(version: Version) -> str:
    return ".".join(str(number) for number in version)
