"""Machine types, as libvirt's capabilities list them."""

from __future__ import annotations

from typing import cast

import libvirt

from harness.hypervisor.machines import MachineType, machine_types

CAPABILITIES = """\
<capabilities>
  <guest><arch name='aarch64'><machine>virt-7.2</machine></arch></guest>
  <guest>
    <arch name='x86_64'>
      <machine>pc-i440fx-7.2</machine>
      <machine canonical='pc-i440fx-7.2'>pc</machine>
      <machine>pc-q35-5.2</machine>
      <machine canonical='pc-q35-10.0'>q35</machine>
      <machine>pc-q35-10.0</machine>
      <machine>isapc</machine>
      <machine>microvm</machine>
    </arch>
  </guest>
</capabilities>
"""


class Connection:
    def getCapabilities(self) -> str:  # noqa: N802 - libvirt's name
        return CAPABILITIES


def test_only_what_a_scenario_can_ask_for_is_listed_newest_first() -> None:
    found = machine_types(cast(libvirt.virConnect, Connection()))
    assert [machine.name for machine in found] == ["pc", "q35", "pc-i440fx-7.2", "pc-q35-10.0", "pc-q35-5.2"]
    assert found[1] == MachineType("q35", "pc-q35-10.0")
    assert found[1].remark == "is pc-q35-10.0 here"
