"""One case on its way: every state booted and looked at, then compared."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.domain.disk_mapping import RESCUE, map_disks
from harness.domain.placement import DiskSource
from harness.errors import GuestAfter, GuestError, HarnessError, Refused
from harness.evidence.guest.collection import collection_script, parse_inventory, parse_writes, write_script
from harness.evidence.inventory import BlockKind, Inventory, KernelNames, State
from harness.evidence.plan.domain_inventory import running_inventory
from harness.evidence.plan.hot_names import with_attached, with_detached, with_names
from harness.guest.booted import BootedGuest
from harness.hypervisor.connection import usb_cdrom_is_disk
from harness.instance.hot_plug import take_live
from harness.instance.preparation import Prepared
from harness.instance.storage.fingerprint import Fingerprint, disk_changes, fingerprint, joined_changes, unwritten
from harness.level.outcome import Outcome, Progress
from harness.reading.cases import Case
from harness.result.case_result import StateRecord
from harness.result.folders import CaseFolder
from harness.run.session import Session
from harness.scenario.steps import REBOOT, AttachVolume, DetachVolume, Snapshot, Step, step_label
from harness.scenario.steps import RESCUE as RESCUE_STEP
from harness.scenario.words import DiskBus
from harness.verdict.claims import additions, compare_definitions, compare_rescued, compare_unrescued, joined
from harness.verdict.expected import Expected, HostEvidence
from harness.verdict.finding import Finding
from harness.verdict.prediction import contradictions, link_contradictions
from harness.verdict.race import is_shown_to_race, needs_control_boots, settle_by_controls
from harness.verdict.restoring import after_refusal, not_given_back

_BOOT_ID = "cat /proc/sys/kernel/random/boot_id"


@dataclass
class Drive:
    """One case under way."""

    case: Case
    session: Session
    ready: Prepared[BootedGuest]
    folder: CaseFolder
    progress: Progress
    outcome: Outcome
    defined: dict[State, Inventory] = field(default_factory=dict)
    """The domain of each state's first boot, as level plan sees it."""
    _when_off: dict[str, Fingerprint] = field(default_factory=dict)
    """The disks as they were when last no guest ran."""
    _marked: set[str] = field(default_factory=set)
    """Disks that steps have written a marker to since then."""
    _hot_names: dict[str, KernelNames] = field(default_factory=dict)
    _folder_prefix: str = ""

    def drive(self) -> None:
        """Bring the case through its steps and states and leave what was found in ``outcome``.

        Raises:
            HostError, GuestError: host or guest failed.
        """
        performer = self.ready.performer

        def start() -> BootedGuest:
            return performer.start(when_off=lambda: self._when_off.update(self._fingerprints()))

        self._boot(State.NORMAL, start)
        for position, step in enumerate(self.case.point.scenario.steps):
            self.progress(f"step {position + 1}: {step_label(step)}")
            if step == RESCUE_STEP:
                self._folder_prefix = f"step-{position + 1}/"
                if not self._rescue_and_unrescue() or not self.outcome.is_restored:
                    return
                if performer.state is State.RESCUED:  # the control boots ended so
                    self._boot(State.UNRESCUED, performer.unrescue, control=self.session.control_boots)
            elif step == REBOOT:
                self._boot(State.NORMAL, performer.reboot)
            else:
                self._take(step)
                continue
            performer.settle(performer.stage.after(step), is_hot=False)
        self._folder_prefix = ""
        self._rescue_and_unrescue()

    def _take(self, step: Step) -> None:
        performer = self.ready.performer
        if not performer.is_hot:
            booted = self._predicted(performer.running).block_devices
            self._hot_names = {
                device.marker.disk: device.predicted
                for device in booted
                if device.marker is not None and device.predicted is not None
            }
        with self._logs_kept(State.NORMAL, 0):
            take_live(step, performer)
        match step:
            case AttachVolume():
                new = map_disks(performer.instance)[-1]
                self._hot_names = with_attached(self._hot_names, new.name, on_virtio=new.bus is DiskBus.VIRTIO)
            case DetachVolume():
                self._hot_names = with_detached(self._hot_names, step.detach)
            case Snapshot():
                self._marked.add(step.snapshot)

    def _rescue_and_unrescue(self) -> bool:
        """Look at the running instance, rescue it, unrescue it, and add what is found; False if that was refused."""
        performer = self.ready.performer
        guest, is_hot = performer.running, performer.is_hot
        self.defined.clear()
        normal = self._look(State.NORMAL, guest)
        self.outcome.versions["firmware"] = f"{normal.dmi.get('bios_vendor', '')} {normal.dmi.get('bios_version', '')}"
        image = self.case.point.scenario.rescue_image
        before: dict[str, Fingerprint] = {}

        def rescue() -> BootedGuest:
            return performer.rescue(image, when_off=lambda: before.update(self._fingerprints()))

        try:
            guest = self._boot(State.RESCUED, rescue)
        except Refused as refused:
            self._refused(refused, guest)
            return False
        rescued = self._look(State.RESCUED, guest)
        written = self._write_data(guest, rescued)
        expected = self._expected(written)
        after: dict[str, Fingerprint] = {}

        def unrescue() -> BootedGuest:
            return performer.unrescue(when_off=lambda: after.update(self._fingerprints()))

        try:
            guest = self._boot(State.UNRESCUED, unrescue)
        except Refused as refused:
            definitions = compare_definitions(self.defined, expected)
            self.outcome.add(*joined(compare_rescued(normal, rescued, expected), definitions), not_given_back(refused))
            return False
        unrescued = self._look(State.UNRESCUED, guest)
        host = HostEvidence(
            domain_xml_equal=performer.defined_xml[State.UNRESCUED] == performer.saved_xml,
            nvram_equal=performer.variables.are_restored,
            changes=joined_changes(
                disk_changes(unwritten(self._when_off, normal), before, marked=self._marked),
                disk_changes(before, after, written),
            ),
        )
        self._when_off, self._marked = after, set()
        findings = joined(
            compare_rescued(normal, rescued, expected),
            compare_unrescued(normal, rescued, unrescued, expected, host),
            compare_definitions(self.defined, expected),
        )
        self.outcome.additions = additions(normal, rescued, expected)
        earlier = self.outcome.findings
        self.outcome.add(*findings)
        settled = self._with_controls(findings, expected, (normal, rescued, unrescued), is_hot=is_hot)
        self.outcome.findings = earlier
        self.outcome.add(*settled)
        return True

    def _folder(self, state: State, control: int) -> str:
        return self._folder_prefix + (f"control-{state}-{control}" if control else str(state))

    def _boot(self, state: State, transition: Callable[[], BootedGuest], *, control: int = 0) -> BootedGuest:
        self.progress(f"control boot {control}: {state}" if control else str(state))
        with self._logs_kept(state, control):
            guest = transition()
        self.outcome.boots.append(
            StateRecord(state=state, boot_id=guest.ready.boot_id, boot_s=round(guest.boot_s, 3), control=bool(control))
        )
        return guest

    @contextmanager
    def _logs_kept(self, state: State, control: int) -> Iterator[None]:
        try:
            yield
        except Refused:
            raise
        except HarnessError:
            performer = self.ready.performer
            for name, log in performer.logs.of_failed_boot.items():
                self.folder.keep(f"{self._folder(state, control)}/{name}", log)
            if state in performer.defined_xml:
                self.folder.write(f"{self._folder(state, control)}/defined.xml", performer.defined_xml[state])
            raise

    def _look(self, state: State, guest: BootedGuest, *, control: int = 0) -> Inventory:
        with self._logs_kept(state, control):
            raw = guest.run(collection_script()).stdout
            try:
                inventory = parse_inventory(raw)
            except GuestError:
                self.folder.write(f"{self._folder(state, control)}/inventory.raw", raw.decode(errors="replace"))
                raise
            if not inventory.settled:
                raise GuestError("the guest's devices did not settle: storage was announced that has no block device")
        self._check_the_model(state, guest, inventory)
        self.folder.keep_boot(self._folder(state, control), guest, self.ready.performer.defined_xml[state], inventory)
        return inventory

    def _predicted(self, guest: BootedGuest) -> Inventory:
        performer = self.ready.performer
        return running_inventory(
            guest.live_xml,
            performer.domain_sources,
            usb_cdrom_is_disk=usb_cdrom_is_disk(guest.hypervisor.connection),
        )

    def _check_the_model(self, state: State, guest: BootedGuest, inventory: Inventory) -> None:
        predicted = self._predicted(guest)
        if self.ready.performer.is_hot:
            predicted = with_names(predicted, self._hot_names)
        self.defined.setdefault(state, predicted)
        self.outcome.about_model += [
            finding
            for finding in (*contradictions(state, predicted, inventory), *link_contradictions(state, inventory))
            if finding not in self.outcome.about_model
        ]

    def _refused(self, refused: Refused, guest: BootedGuest) -> None:
        self.outcome.refusal = refused
        self.progress("refused: is the guest as the refusal says?")
        performer = self.ready.performer
        boot_id = None
        if performer.is_active:
            answer = guest.run(_BOOT_ID)
            boot_id = answer.stdout.decode(errors="replace").strip()
            if answer.exit_status or not boot_id:
                raise guest.explained("the guest, whose rescue was refused, does not tell its boot id")
        elif performer.has_crashed and refused.guest is GuestAfter.RUNNING:
            raise guest.explained(f"QEMU ended by itself while the guest's rescue was refused ({refused.reason})")
        self.outcome.add(*after_refusal(refused.guest, guest.ready.boot_id, boot_id))

    def _expected(self, written: dict[str, str]) -> Expected:
        read_only = frozenset(self.ready.tokens) - frozenset(written)
        return self.ready.expected.model_copy(update={"written": written, "read_only": read_only})

    def _write_data(self, guest: BootedGuest, rescued: Inventory) -> dict[str, str]:
        """Write a token on every disk of the instance that can be written to; returns disk -> token."""
        tokens = {
            device.marker.disk: (device.name, secrets.token_hex(8))
            for device in rescued.block_devices
            if device.marker is not None
            and not device.read_only
            and device.kind is BlockKind.DISK
            and device.marker.disk in self._instance_disks()
        }
        script = write_script(dict(tokens.values()))
        completed = guest.run(script)
        failed = sorted(name for name, good in parse_writes(completed.stdout).items() if not good)
        if failed or completed.exit_status:
            said = (completed.stdout + completed.stderr).decode(errors="replace").strip()
            raise GuestError(f"the rescued guest could not write to {', '.join(failed) or 'its disks'}: {said}")
        return {disk: token for disk, (_, token) in tokens.items()}

    def _instance_disks(self) -> dict[str, DiskSource]:
        return {name: source for name, source in self.ready.sources.items() if name != RESCUE}

    def _fingerprints(self) -> dict[str, Fingerprint]:
        return {name: fingerprint(source, self.ready.folder) for name, source in self._instance_disks().items()}

    def _with_controls(
        self,
        findings: tuple[Finding, ...],
        expected: Expected,
        first: tuple[Inventory, Inventory, Inventory],
        *,
        is_hot: bool,
    ) -> tuple[Finding, ...]:
        # What was attached to a running guest has another name after any boot: that is told by booting.
        in_doubt = needs_control_boots(findings, {} if is_hot else self.defined)
        if not in_doubt or not self.session.control_boots:
            return findings
        normal, rescued, unrescued = first
        image = self.case.point.scenario.rescue_image
        performer = self.ready.performer
        same_domain = performer.defined_xml[State.UNRESCUED] == performer.saved_xml
        normal_again: list[Inventory] = []
        rescued_again: list[Inventory] = []

        def boots() -> tuple[tuple[Inventory, ...], tuple[Inventory, ...], tuple[Inventory, ...]]:
            return (
                (normal, *normal_again),
                (rescued, *rescued_again),
                (unrescued, *(normal_again if same_domain else ())),
            )

        def settle() -> tuple[Finding, ...]:
            return settle_by_controls(findings, expected, *boots(), is_hot=is_hot)

        def is_settled_by(state: State, again: list[Inventory], first_boot: Callable[[], BootedGuest]) -> bool:
            for inventory in self._boots_again(state, first_boot):
                again.append(inventory)
                if not is_hot and is_shown_to_race(findings, expected, *boots()):
                    return True
            return False

        if is_settled_by(State.NORMAL, normal_again, performer.reboot_as_saved) or State.RESCUED not in in_doubt:
            return settle()
        if is_hot and not needs_control_boots([finding for finding in settle() if finding.cause != "reboot"]):
            return settle()
        is_settled_by(State.RESCUED, rescued_again, lambda: performer.rescue(image))
        return settle()

    def _boots_again(self, state: State, first: Callable[[], BootedGuest]) -> Iterator[Inventory]:
        """Control boots of a state, the first by the transition that leads into it."""
        for number in range(1, self.session.control_boots + 1):
            transition = first if number == 1 else self.ready.performer.reboot
            guest = self._boot(state, transition, control=number)
            yield self._look(state, guest, control=number)
