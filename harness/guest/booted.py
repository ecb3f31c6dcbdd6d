"""A guest from its domain's start to its end: booted, reached over SSH, and stopped afterwards."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import libvirt

from harness.deadline import Deadline
from harness.errors import DidNotBoot, GuestError, HostError
from harness.guest.boot.allowance import Allowance
from harness.guest.boot.looking import Observer
from harness.guest.boot.screen import keep_screen
from harness.guest.boot.waiting import BootWait
from harness.guest.boot.watch import Patience
from harness.guest.console import Console, Ready
from harness.guest.forward import forward_ssh
from harness.guest.login import Login
from harness.guest.own_deadline import OwnDeadline
from harness.guest.ssh import Completed, SshConnection, is_listening
from harness.hypervisor.connection import require_word_on_domain
from harness.hypervisor.host import Hypervisor, Pace
from harness.hypervisor.reaping import orphans_reaped

_END_S = 2
"""The time within which libvirt notices that a QEMU has ended."""
_ENDED = ("shut off", "crashed")
_POLL_S = 0.05
_KNOCK_S = 0.5
_SYNC_AND_BOOT_ID = "sync && cat /proc/sys/kernel/random/boot_id"
_STATES = {
    libvirt.VIR_DOMAIN_NOSTATE: "no state",
    libvirt.VIR_DOMAIN_RUNNING: "running",
    libvirt.VIR_DOMAIN_BLOCKED: "blocked",
    libvirt.VIR_DOMAIN_PAUSED: "paused",
    libvirt.VIR_DOMAIN_SHUTDOWN: "shutting down",
    libvirt.VIR_DOMAIN_SHUTOFF: "shut off",
    libvirt.VIR_DOMAIN_CRASHED: "crashed",
    libvirt.VIR_DOMAIN_PMSUSPENDED: "suspended",
}


@dataclass(frozen=True)
class BootedGuest:
    """A guest that answers over SSH. ``boot_s`` is the time from the domain's start to the open SSH connection."""

    hypervisor: Hypervisor
    domain: libvirt.virDomain
    console: Console
    screen_path: Path
    ssh_port: int
    ssh: SshConnection
    ready: Ready
    login: Login
    live_xml: str
    boot_s: float

    @property
    def pace(self) -> Pace:
        """The deadlines for a guest of this guest's image."""
        return self.hypervisor.pace.patient(self.login.patience)

    def run(self, command: str, *, stdin: bytes = b"") -> Completed:
        """Run a shell command in the guest, as root.

        Raises:
            GuestError: the command does not end in time, or the guest is gone; quotes the console.
        """
        try:
            return self.ssh.run(as_root(command, self.login), self.command_deadline(), stdin=stdin)
        except GuestError as error:
            raise self.explained(error.message) from error

    def command_deadline(self) -> OwnDeadline:
        """Return the deadline of one command that starts now."""
        times = Observer(self.domain, self.console, time.monotonic()).times
        return OwnDeadline(self.pace.command_s, self.pace.far_command_s, times)

    def explained(self, message: str) -> GuestError:
        """Return an error with the message, the guest's last console lines and the domain's state."""
        log_path = qemu_log_path(self.hypervisor, self.domain.name())
        return explained(GuestError(message), self.domain, self.console, log_path)


def as_root(command: str, login: Login) -> str:
    """Return the command for the login's shell that runs ``command`` as root."""
    return f"{login.become_root}{shlex.quote(command)}" if login.become_root else command


def domain_state(domain: libvirt.virDomain) -> str:
    """Return the domain's state in libvirt's words."""
    try:
        return _STATES.get(domain.state()[0], "unknown")
    except libvirt.libvirtError as error:
        return f"unknown ({error})"


def qemu_log_path(hypervisor: Hypervisor, domain_name: str) -> Path:
    """Return the path at which the embedded driver keeps QEMU's log."""
    return hypervisor.root.path / "log" / "qemu" / f"{domain_name}.log"


def explained(error: GuestError, domain: libvirt.virDomain, console: Console, log_path: Path) -> GuestError:
    """Return the error with the guest's last console lines and the domain's state, and QEMU's log if QEMU ended."""
    state = domain_state(domain)
    hint = error.hint
    if state in _ENDED and log_path.is_file():
        last = [line for line in log_path.read_text(errors="replace").splitlines() if line][-3:]
        hint = "QEMU's log ends: " + " | ".join(last)
    return error.with_evidence(console_tail=console.tail(), domain_state=state, hint=hint)


def start_domain(hypervisor: Hypervisor, domain: libvirt.virDomain, *, paused: bool = False) -> None:
    """Start a defined domain; with ``paused``, stop it before its first instruction.

    Raises:
        DidNotBoot: libvirt or QEMU refuses to start this domain.
        HostError: the host failed.
    """
    try:
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED if paused else 0)
    except libvirt.libvirtError as error:
        require_word_on_domain(error)
        raise DidNotBoot(
            f"the domain does not start: {error}", hint=f"QEMU's log: {qemu_log_path(hypervisor, domain.name())}"
        ) from error


def stop_domain(domain: libvirt.virDomain) -> None:
    """Destroy a domain if it runs, and wait until its QEMU is gone.

    Raises:
        HostError: libvirt cannot stop the domain.
    """
    with orphans_reaped():
        try:
            if domain.isActive():
                domain.destroy()
        except libvirt.libvirtError as error:
            if error.get_error_code() not in (libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_NO_DOMAIN):
                raise HostError(f"{domain.name()} cannot be stopped: {error}") from error


@contextmanager
def booted(
    hypervisor: Hypervisor,
    domain: libvirt.virDomain,
    *,
    console_path: Path,
    screen_path: Path,
    login: Login,
    refused_hint: Callable[[], str | None] = lambda: None,
) -> Iterator[BootedGuest]:
    """Start a domain, wait until its guest answers over SSH, and stop it at the end.

    ``refused_hint`` returns the hint for the case that the SSH server does not let the user in. ``screen_path`` gets
    the screen of a guest that does not come up and has a graphics card.

    Raises:
        DidNotBoot: QEMU refuses the domain, or the guest does not come up; carries console and domain state.
        HostError, GuestError: host or guest failed.
    """
    for stale in (console_path, screen_path, qemu_log_path(hypervisor, domain.name())):
        stale.unlink(missing_ok=True)
    started = time.monotonic()
    with _stopped_at_the_end(domain):
        start_domain(hypervisor, domain)
        with reached(
            hypervisor,
            domain,
            console_path=console_path,
            screen_path=screen_path,
            login=login,
            started=started,
            refused_hint=refused_hint,
        ) as guest:
            yield guest


@contextmanager
def reached(
    hypervisor: Hypervisor,
    domain: libvirt.virDomain,
    *,
    console_path: Path,
    screen_path: Path,
    login: Login,
    started: float,
    printed_bytes: int = 0,
    ssh_port: int | None = None,
    refused_hint: Callable[[], str | None] = lambda: None,
) -> Iterator[BootedGuest]:
    """Wait until the guest of a running domain answers over SSH.

    ``started`` is the time of the domain's start, by the monotonic clock. An earlier boot of the same QEMU has written
    the first ``printed_bytes`` of the console's log, and has ``ssh_port`` forwarded.

    Raises:
        DidNotBoot: the guest does not come up; carries console and domain state.
        HostError: QEMU forwards no port to the guest.
        GuestError: the guest lets nobody in.
    """
    pace = hypervisor.pace.patient(login.patience)
    console = Console(console_path, printed_bytes)
    wait = BootWait(
        hypervisor,
        Observer(domain, console, started),
        Allowance(pace.boot_s, pace.far_boot_s, pace.quiet_s),
        Patience.of(pace.canary_s, by_cloud_init=login.by_cloud_init),
        says_ready=login.says_ready,
        hint=refused_hint,
    )
    try:
        port = _forwarded(domain) if ssh_port is None else ssh_port
        if login.says_ready:
            ready = _wait_until_ready(console, wait)
            ssh = SshConnection.open(port, login.key, ready.host_key, Deadline.after(pace.command_s))
        else:
            ssh = _wait_for_login(port, login, pace, wait)
            ready = _ask_who_it_is(ssh, login, pace)
    except GuestError as error:
        keep_screen(domain, screen_path)
        raise explained(error, domain, console, qemu_log_path(hypervisor, domain.name())) from error
    with ssh:
        yield BootedGuest(
            hypervisor=hypervisor,
            domain=domain,
            console=console,
            screen_path=screen_path,
            ssh_port=port,
            ssh=ssh,
            ready=ready,
            login=login,
            live_xml=domain.XMLDesc(0),
            boot_s=time.monotonic() - started,
        )


def _forwarded(domain: libvirt.virDomain) -> int:
    """Return the port that leads to the guest's SSH server.

    Raises:
        DidNotBoot: QEMU has ended meanwhile.
        HostError: QEMU forwards no port to the guest.
    """
    try:
        return forward_ssh(domain)
    except HostError as error:
        grace = Deadline.after(_END_S)
        while domain_state(domain) not in _ENDED and not grace.passed:
            time.sleep(_POLL_S)
        if domain_state(domain) in _ENDED:
            raise DidNotBoot("QEMU ended before the guest was ready") from error
        raise


@contextmanager
def _stopped_at_the_end(domain: libvirt.virDomain) -> Iterator[None]:
    try:
        yield
    finally:
        stop_domain(domain)


def _wait_until_ready(console: Console, wait: BootWait) -> Ready:
    while (ready := console.ready()) is None:
        wait.require_hope("the guest was not ready")
        time.sleep(_POLL_S)
    return ready


def _wait_for_login(port: int, login: Login, pace: Pace, wait: BootWait) -> SshConnection:
    """Try to log in until the guest accepts the key.

    The SSH server may be up before the key is in its place, and may start anew.
    """
    trouble = f"no SSH server answered for {login.user}"

    def require_hope() -> None:
        wait.require_hope(trouble)

    while True:
        require_hope()
        if is_listening(port, pace.banner_s, meanwhile=require_hope):
            try:
                return SshConnection.open(port, login.key, None, Deadline.after(pace.command_s), user=login.user)
            except GuestError as error:
                trouble = error.message
        time.sleep(_KNOCK_S)


def _ask_who_it_is(ssh: SshConnection, login: Login, pace: Pace) -> Ready:
    """Return the guest's host key and boot id; ask as root, because every later command runs as root.

    The command also runs ``sync``. A first boot makes SSH host keys, and cloud-init makes an account. The harness stops
    the guest without a shutdown, and ext4 then keeps empty files in place of files not yet written back: the SSH server
    of the next boot would not start.
    """
    try:
        answer = ssh.run(as_root(_SYNC_AND_BOOT_ID, login), Deadline.after(pace.command_s))
        if answer.exit_status:
            said = answer.stderr.decode(errors="replace").strip() or f"exit status {answer.exit_status}"
            raise GuestError(
                f"{login.user} cannot run commands as root in the guest: {said}",
                hint=f"the image's sudoers must have '{login.user} ALL=(ALL) NOPASSWD:ALL', or let root log in",
            )
    except GuestError:
        ssh.close()
        raise
    return Ready(ssh.host_key, answer.stdout.decode(errors="replace").strip())
