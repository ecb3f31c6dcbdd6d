"""Level guest: a Linux boots in every state, and the harness looks at the guest over SSH."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.errors import DidNotBoot, GuestAfter, GuestError, HarnessError, Refused
from harness.evidence.guest.collection import collection_script, settled_inventory
from harness.evidence.guest.traits import without_the_boots_traits
from harness.evidence.inventory import Inventory, KernelNames, State
from harness.evidence.plan.domain_inventory import running_inventory
from harness.evidence.plan.hot_names import with_attached, with_detached, with_names
from harness.guest.booted import BootedGuest
from harness.guest.rebooting import rebooted
from harness.hypervisor.connection import usb_cdrom_is_disk
from harness.instance.before_rescue import BeforeRescue
from harness.instance.hot_plug import take_live
from harness.instance.life_cycle import LifeCycle
from harness.instance.preparation import PreparedInstance
from harness.instance.traces import traces_of
from harness.level.control_boots import settled_by_control_boots
from harness.level.disk_bytes import DiskBytes, write_data
from harness.level.outcome import Outcome, Progress
from harness.level.second_boot import booted_or_dead
from harness.level.sequence import InstanceUnderTest, Looks
from harness.result.case_result import StateRecord
from harness.result.folders import CaseFolder
from harness.scenario.rescue_image import RescueImage
from harness.scenario.steps import REBOOT, AttachVolume, DetachVolume, RescuedStep, Snapshot, Step, is_rescue
from harness.scenario.words import DiskBus
from harness.verdict.expected import Expected, HostEvidence
from harness.verdict.finding import Finding
from harness.verdict.not_booted import boots_nothing
from harness.verdict.prediction import contradictions, link_contradictions
from harness.verdict.refusing import Traces, after_refusal

_BOOT_ID = "cat /proc/sys/kernel/random/boot_id"


@dataclass
class BootedInstance(InstanceUnderTest):
    """One case's instance with its guest. ``control_boots`` is the number of control boots for a state in doubt."""

    sees_kernel_names = True

    ready: PreparedInstance[BootedGuest]
    control_boots: int
    folder: CaseFolder
    progress: Progress
    outcome: Outcome
    _definitions: dict[State, Inventory] = field(default_factory=dict)
    _was_hot: bool = False
    """True if devices were attached or detached between the last boot and the present rescue."""
    _disks: DiskBytes = field(default_factory=DiskBytes)
    _on_host: BeforeRescue = field(default_factory=BeforeRescue)
    _recorded: str | None = None
    """The instance's state in the implementation's own record, once it was rescued."""
    _before_rescue: Traces = field(default_factory=Traces)
    """The instance before the present rescue."""
    _number_of_run: int = 0
    """libvirt's number for the QEMU of the guest that is rescued."""
    _normal: Inventory | None = None
    _reboots: int = 0
    """The reboots of the present rescued guest."""
    _hot_names: dict[str, KernelNames] = field(default_factory=dict)

    @property
    def definitions(self) -> dict[State, Inventory]:
        """The domain of each state's first boot, as level plan sees it."""
        return self._definitions

    @property
    def image(self) -> RescueImage:
        """The image of the present rescue."""
        return self.life_cycle.media.present.image

    @property
    def life_cycle(self) -> LifeCycle[BootedGuest]:
        """The instance's life cycle."""
        return self.ready.life_cycle

    def start(self) -> None:
        """Boot the instance."""
        self.boot(State.NORMAL, self.life_cycle.start)

    def take(self, step: Step) -> None:
        """Take a step on the running guest."""
        life_cycle = self.life_cycle
        if is_rescue(step):
            if life_cycle.state is State.RESCUED:  # the control boots ended so
                with self.not_looking_at_disks():
                    self.boot(State.UNRESCUED, life_cycle.unrescue, control=self.control_boots)
        elif step == REBOOT:
            self.boot(State.NORMAL, life_cycle.reboot)
        else:
            self._take_live(step)
            return
        life_cycle.settle(life_cycle.current.after(step), is_hot=False)

    def _take_live(self, step: Step) -> None:
        life_cycle = self.life_cycle
        if not life_cycle.is_hot:
            booted = self._predicted(life_cycle.running).block_devices
            self._hot_names = {
                device.marker.disk: device.predicted
                for device in booted
                if device.marker is not None and device.predicted is not None
            }
        with self._logs_kept(State.NORMAL, 0):
            take_live(step, life_cycle)
        match step:
            case AttachVolume():
                new = life_cycle.placement.mapping.disks[-1]
                self._hot_names = with_attached(self._hot_names, new.name, on_virtio=new.bus is DiskBus.VIRTIO)
            case DetachVolume():
                self._hot_names = with_detached(self._hot_names, step.detach)
            case Snapshot():
                self._disks.marked.add(step.snapshot)

    def bring_up(self) -> None:
        """Begin a rescue of the running guest."""
        self._was_hot = self.life_cycle.is_hot
        self._reboots = 0
        self._definitions.clear()

    def look(self, state: State, *, control: int = 0) -> Inventory:
        """Collect the inventory of the running guest, and keep what the boot showed."""
        guest = self.life_cycle.running
        with self._logs_kept(state, control):
            raw = guest.run(collection_script()).stdout
            try:
                inventory = settled_inventory(raw)
            except GuestError:
                self.folder.write(f"{self._folder(state, control)}/inventory.raw", raw.decode(errors="replace"))
                raise
        if self.life_cycle.is_hot:
            inventory = without_the_boots_traits(inventory)
        self._check_the_model(state, guest, inventory)
        self.folder.keep_boot(self._folder(state, control), guest, self.life_cycle.defined_xml[state], inventory)
        if state is State.NORMAL and not control:
            self._normal = inventory
            vendor, version = (inventory.dmi.get(f"bios_{name}", "") for name in ("vendor", "version"))
            self.outcome.versions["firmware"] = f"{vendor} {version}"
        return inventory

    def look_at_varying_names(self) -> tuple[Inventory, ...]:
        """Boot the normal state again if Linux may vary names in it.

        A guest that has taken or given back devices while it ran is not booted, because it is rescued as it runs.
        """
        names = [disk.predicted for disk in self._definitions[State.NORMAL].block_devices]
        vary = any(each is not None and len(each.possible) > 1 for each in names)
        if not vary or not self.control_boots or self._was_hot:
            return ()
        with self.not_looking_at_disks():
            self.boot(State.NORMAL, self.life_cycle.reboot, control=1)
        return (self.look(State.NORMAL, control=1),)

    def rescue(self) -> None:
        """Boot the rescued guest."""
        life_cycle = self.life_cycle
        self._disks = DiskBytes(life_cycle.disks_when_off, marked=self._disks.marked)
        self._on_host, self._recorded = BeforeRescue.of(life_cycle), None
        self._before_rescue = traces_of(life_cycle, life_cycle.running.ready.boot_id, is_still=False)
        self._number_of_run = life_cycle.domain.ID()
        try:
            self.boot(State.RESCUED, lambda: life_cycle.rescue(self.image))
        finally:
            self._disks.before = life_cycle.disks_when_off
        self._recorded = life_cycle.recorded_state

    def choose_medium(self, step: int | None) -> None:
        """Take the rescue medium of a step, by its position, or else of the rescue under test."""
        self.life_cycle.choose_medium(step)

    def take_rescued(self, step: RescuedStep) -> Inventory:
        """Have the rescued guest reboot itself, and look again."""
        del step  # the only one there is
        self._reboots += 1
        self.boot(State.RESCUED, self._reboot_inside, again=self._boot_and_reboot_inside)
        return self.look(State.RESCUED)

    def unrescue(self) -> None:
        """Boot the unrescued guest."""
        self._reboots = 0
        self.boot(State.UNRESCUED, self.life_cycle.unrescue)

    def after_refusal(self, refused: Refused) -> tuple[Finding, ...]:
        """Check that the instance is as it was, but for the state of the guest that the refusal tells."""
        self.progress("refused: is the instance as it was?")
        after = traces_of(self.life_cycle, self._run_after(refused), is_still=False)
        changes = self._disks.changes_beside_the_guest(self._normal, self.life_cycle)
        return tuple(after_refusal(refused.guest, self._before_rescue, after, changes))

    def _run_after(self, refused: Refused) -> str | None:
        """Return the boot id of the guest whose rescue was refused; a word if its QEMU is new, None if it is off."""
        life_cycle, guest = self.life_cycle, self.life_cycle.running
        domain = life_cycle.domain_if_any
        if domain is None or not domain.isActive():
            if domain is not None and life_cycle.has_crashed and refused.guest is GuestAfter.RUNNING:
                raise guest.explained(f"QEMU ended by itself while the guest's rescue was refused ({refused.reason})")
            return None
        if domain.ID() != self._number_of_run:
            return "another"
        answer = guest.run(_BOOT_ID)
        boot_id = answer.stdout.decode(errors="replace").strip()
        if answer.exit_status or not boot_id:
            raise guest.explained("the guest, whose rescue was refused, does not tell its boot id")
        return boot_id

    @property
    def planted(self) -> Expected:
        """The planted markers and the requested device."""
        return self.ready.expected

    def expected(self, rescued: Inventory) -> Expected:
        """Have the rescued guest write to the instance's disks, and return the expectations for the states."""
        self._disks.written = written = write_data(self.life_cycle.running, rescued, self.ready.sources)
        read_only = frozenset(self.ready.tokens) - frozenset(written)
        return self.planted.model_copy(update={"written": written, "read_only": read_only})

    def host_evidence(self) -> HostEvidence:
        """Compare the definitions, the UEFI variables and the disks' bytes before and after the rescue."""
        life_cycle = self.life_cycle
        changes = self._disks.changes(self._normal, life_cycle.disks_when_off)
        self._disks.marked = set()
        evidence = self._on_host.compared_with(life_cycle)
        return evidence.model_copy(update={"recorded": (self._recorded, life_cycle.recorded_state), "changes": changes})

    def settled(self, findings: tuple[Finding, ...], expected: Expected, looks: Looks) -> tuple[Finding, ...]:
        """Return the findings after control boots have distinguished kernel races from moved disks."""
        with self.not_looking_at_disks():
            try:
                return settled_by_control_boots(self, findings, expected, looks, is_hot=self._was_hot)
            except DidNotBoot as error:
                state = State.RESCUED if self.life_cycle.state is State.RESCUED else State.UNRESCUED
                return (*findings, boots_nothing(state, expected, error))

    def boot(
        self,
        state: State,
        transition: Callable[[], BootedGuest],
        *,
        control: int = 0,
        again: Callable[[], BootedGuest] | None = None,
    ) -> None:
        """Boot into a state, and record the boot; ``again`` does once more what came to nothing.

        Raises:
            DidNotBoot: the state did not come up, nor did it in a second boot.
            HostError, GuestError: host or guest failed, or only one of two boots came up.
        """
        self.progress(f"control boot {control}: {state}" if control else str(state))
        with self._logs_kept(state, control):
            guest = booted_or_dead(transition, again or self._boot_again, self.progress)
        self.outcome.boots.append(
            StateRecord(state=state, boot_id=guest.ready.boot_id, boot_s=round(guest.boot_s, 3), control=bool(control))
        )

    def _boot_again(self) -> BootedGuest:
        self.life_cycle.logs.keep_failed()
        return self.life_cycle.reboot()

    def _reboot_inside(self) -> BootedGuest:
        return self.life_cycle.enter(rebooted(self.life_cycle.running))

    def _boot_and_reboot_inside(self) -> BootedGuest:
        self._boot_again()
        return self._reboot_inside()

    @contextmanager
    def not_looking_at_disks(self) -> Iterator[None]:
        """Take no fingerprints in this context, because nobody compares the disks' bytes between control boots."""
        self.life_cycle.looks_at_disks = False
        try:
            yield
        finally:
            self.life_cycle.looks_at_disks = True

    def _folder(self, state: State, control: int) -> str:
        if control:
            return f"{self.folder_prefix}control-{state}-{control}"
        return f"{self.folder_prefix}{state}" + (f"-reboot-{self._reboots}" if self._reboots else "")

    @contextmanager
    def _logs_kept(self, state: State, control: int) -> Iterator[None]:
        try:
            yield
        except Refused:
            raise
        except HarnessError:
            life_cycle = self.life_cycle
            for name, log in life_cycle.logs.of_failed_boot.items():
                self.folder.keep(f"{self._folder(state, control)}/{name}", log)
            life_cycle.logs.drop_failed()
            if state in life_cycle.defined_xml:
                self.folder.write(f"{self._folder(state, control)}/defined.xml", life_cycle.defined_xml[state])
            raise

    def _predicted(self, guest: BootedGuest) -> Inventory:
        is_disk = usb_cdrom_is_disk(guest.hypervisor.connection)
        return running_inventory(guest.live_xml, self.life_cycle.domain_sources, usb_cdrom_is_disk=is_disk)

    def _check_the_model(self, state: State, guest: BootedGuest, inventory: Inventory) -> None:
        predicted = self._predicted(guest)
        self._definitions.setdefault(state, self.life_cycle.with_record(predicted))
        if self.life_cycle.is_hot:
            predicted = with_names(predicted, self._hot_names)
        self.outcome.about_model += [
            finding
            for finding in (*contradictions(state, predicted, inventory), *link_contradictions(state, inventory))
            if finding not in self.outcome.about_model
        ]
