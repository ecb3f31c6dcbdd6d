"""Instances that tests have Nova rescue."""

from __future__ import annotations

import uuid
from pathlib import Path

from harness.domain.disk_mapping import map_disks
from harness.domain.placement import Placement
from harness.implementation.nova.implementation import Nova
from harness.implementation.protocol import RunningInstance
from harness.instance.storage.disk_factory import planned_sources
from harness.scenario.models import Instance

from .nova_data import RELEASE

NOVA = f"nova:{RELEASE}"


def running(nova: Nova, **keys: object) -> RunningInstance:
    """An instance as Nova defines it: a root disk and a volume, unless ``keys`` say otherwise."""
    instance = Instance.model_validate({"disks": [{"role": "root"}, {"role": "volume"}], **keys})
    mapping = map_disks(instance)
    sources = planned_sources(mapping, Path("/instances"))
    placement = Placement(
        "rh-1", str(uuid.uuid4()), "52:54:00:00:00:01", "qemu", "/usr/bin/qemu-system-x86_64", mapping, sources
    )
    return RunningInstance(instance, placement, nova.normal(instance, placement))
