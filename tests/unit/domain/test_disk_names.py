"""The names of disks: numbered by role where a scenario gives none, and no other for what steps attach."""

from __future__ import annotations

from harness.domain.disk_names import attached_volumes, disk_names
from harness.scenario.models import Scenario

from .test_disk_mapping import instance


def test_disks_are_numbered_by_role_in_attach_order() -> None:
    subject = instance("volume", "ephemeral", "root", {"role": "volume", "name": "data"}, "ephemeral", "volume", "swap")
    assert disk_names(subject.disks) == ["volume1", "ephemeral0", "root", "data", "ephemeral1", "volume3", "swap"]


def test_attached_volumes_are_numbered_on_from_those_that_were_there() -> None:
    steps = [{"attach": {"role": "volume"}}, "reboot", {"attach": {"role": "volume", "name": "data"}}]
    scenario = Scenario.model_validate(
        {
            "name": "a",
            "summary": "s",
            "instance": {"disks": [{"role": "root"}, {"role": "volume"}]},
            "steps": [*steps, {"detach": "volume1"}, {"attach": {"role": "volume"}}],
        }
    )
    attached = attached_volumes(scenario.instance, scenario.steps)
    assert {position: name for position, (name, _) in attached.items()} == {0: "volume2", 2: "data", 4: "volume4"}
