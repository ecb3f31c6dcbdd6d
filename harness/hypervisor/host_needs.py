"""A check of the host for an instance's devices, made before anything else is made for them."""

from __future__ import annotations

from collections.abc import Iterator

from harness.errors import HostError
from harness.hypervisor.optional_parts import lacks_tpm, lacks_virtiofs, lacks_vsock
from harness.scenario.models import Instance
from harness.scenario.words import Level, OtherDevice


def lacking(instance: Instance, level: Level) -> HostError | None:
    """Return the error that names a part this host lacks for an instance's devices at a level.

    Return None if the host lacks nothing.
    """
    return next(filter(None, _looked_for(instance, level)), None)


def _looked_for(instance: Instance, level: Level) -> Iterator[HostError | None]:
    if OtherDevice.VIRTIOFS in instance.devices:
        yield lacks_virtiofs()
    if level is Level.PLAN:
        return
    if OtherDevice.VSOCK in instance.devices:
        yield lacks_vsock()
    if instance.properties.hw_tpm_version is not None:
        yield lacks_tpm()
