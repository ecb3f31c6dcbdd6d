"""Level machine: QEMU builds the machine of every state and describes it; nothing runs.

Steps are taken on the definition while no machine exists. A rescue among the steps is carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.errors import Refused
from harness.evidence.inventory import Inventory, State
from harness.evidence.machine.machine_inventory import machine_inventory
from harness.evidence.plan.domain_inventory import Sources, running_inventory
from harness.guest.paused import PausedMachine
from harness.hypervisor.connection import usb_cdrom_is_disk
from harness.instance.before_rescue import BeforeRescue
from harness.instance.preparation import PreparedInstance
from harness.instance.steps import DefinitionEditor, take
from harness.instance.storage.disk_image import create_overlay
from harness.instance.traces import traces_of
from harness.level.outcome import Progress
from harness.level.second_boot import booted_or_dead
from harness.level.sequence import InstanceUnderTest
from harness.result.folders import CaseFolder
from harness.scenario.steps import Step
from harness.verdict.expected import Expected, HostEvidence
from harness.verdict.finding import Finding
from harness.verdict.refusing import Traces, after_refusal


@dataclass
class BuiltMachine(InstanceUnderTest):
    """One case's machine in a paused QEMU."""

    ready: PreparedInstance[PausedMachine]
    folder: CaseFolder
    progress: Progress
    _on_host: BeforeRescue = field(default_factory=BeforeRescue)
    _definitions: dict[State, Inventory] = field(default_factory=dict)
    _before: Traces = field(default_factory=Traces)
    """The instance before the present rescue."""

    @property
    def definitions(self) -> dict[State, Inventory]:
        """The domains of the present rescue, as level plan sees them."""
        return self._definitions

    def start(self) -> None:
        """Define the instance."""
        self.ready.life_cycle.define()

    def take(self, step: Step) -> None:
        """Take a step on the definition."""
        life_cycle = self.ready.life_cycle
        life_cycle.shut_down()
        editor = DefinitionEditor(life_cycle.hypervisor.connection, life_cycle.domain, create_overlay)
        life_cycle.settle(take(step, life_cycle.current, editor), is_hot=False)

    def bring_up(self) -> None:
        """Have QEMU build the machine of the normal state."""
        self._definitions.clear()
        self._build(State.NORMAL, self.ready.life_cycle.reboot)

    def look(self, state: State) -> Inventory:
        """Ask QEMU for a description of the machine, and keep it."""
        life_cycle = self.ready.life_cycle
        machine = life_cycle.running
        sources = Sources.of(life_cycle.placement, self.ready.tokens)
        inventory = machine_inventory(machine.query, machine.live_xml, sources)
        is_disk = usb_cdrom_is_disk(life_cycle.hypervisor.connection)
        defined = running_inventory(machine.live_xml, sources, usb_cdrom_is_disk=is_disk)
        self._definitions[state] = life_cycle.with_record(defined)
        folder = f"{self.folder_prefix}{state}"
        self.folder.write(f"{folder}/defined.xml", life_cycle.defined_xml[state])
        self.folder.write(f"{folder}/live.xml", machine.live_xml)
        self.folder.write(f"{folder}/inventory.json", inventory.model_dump_json(indent=1))
        return inventory

    def choose_medium(self, step: int | None) -> None:
        """Take the rescue medium of a step, by its position, or else of the rescue under test."""
        self.ready.life_cycle.choose_medium(step)

    def rescue(self) -> None:
        """Have QEMU build the rescued machine."""
        life_cycle = self.ready.life_cycle
        self._on_host = BeforeRescue.of(life_cycle)
        self._before = self._traces()
        self._build(State.RESCUED, lambda: life_cycle.rescue(life_cycle.media.present.image))

    def after_refusal(self, refused: Refused) -> tuple[Finding, ...]:
        """Check that the machine is the one from before, and so are its definition and its files."""
        return tuple(after_refusal(refused.guest, self._before, self._traces(), {}))

    def _traces(self) -> Traces:
        life_cycle = self.ready.life_cycle
        domain = life_cycle.domain_if_any
        run = str(domain.ID()) if domain is not None and domain.isActive() else None
        return traces_of(life_cycle, run, is_still=True)

    def unrescue(self) -> None:
        """Have QEMU build the unrescued machine."""
        self._build(State.UNRESCUED, self.ready.life_cycle.unrescue)

    def _build(self, state: State, transition: Callable[[], PausedMachine]) -> None:
        self.progress(str(state))
        booted_or_dead(transition, self.ready.life_cycle.reboot, self.progress)

    @property
    def planted(self) -> Expected:
        """The planted markers and the requested device."""
        return self.ready.expected

    def host_evidence(self) -> HostEvidence:
        """Compare the definitions and the UEFI variables before and after the rescue."""
        return self._on_host.compared_with(self.ready.life_cycle)
