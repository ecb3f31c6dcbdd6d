"""A guest from its domain's start to its end: booted, reached over SSH, and gone afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import libvirt

from harness.errors import GuestError, HostError
from harness.guest.console import Console, Ready
from harness.guest.deadline import Deadline
from harness.guest.forward import forward_ssh
from harness.guest.keys import RunKey
from harness.guest.ssh import Completed, SshConnection
from harness.hypervisor.host import Hypervisor
from harness.hypervisor.reaping import LEISURELY_S, orphans_reaped

_POLL_S = 0.05
_STATE_EVERY = 10
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
    """A guest that answers. ``boot_s`` is the time from the domain's start to the open SSH connection."""

    hypervisor: Hypervisor
    domain: libvirt.virDomain
    console: Console
    ssh_port: int
    ssh: SshConnection
    ready: Ready
    live_xml: str
    boot_s: float

    def run(self, command: str, *, stdin: bytes = b"") -> Completed:
        """Run a shell command in the guest.

        Raises:
            GuestError: it does not end in time or the guest is gone; says what the console showed.
        """
        try:
            return self.ssh.run(command, Deadline.after(self.hypervisor.pace.command_s), stdin=stdin)
        except GuestError as error:
            raise explained(
                error, self.domain, self.console, qemu_log_path(self.hypervisor, self.domain.name())
            ) from error


def domain_state(domain: libvirt.virDomain) -> str:
    """The domain's state in libvirt's words."""
    try:
        return _STATES.get(domain.state()[0], "unknown")
    except libvirt.libvirtError as error:
        return f"unknown ({error})"


def qemu_log_path(hypervisor: Hypervisor, domain_name: str) -> Path:
    """QEMU's log as the embedded driver keeps it."""
    return hypervisor.root.path / "log" / "qemu" / f"{domain_name}.log"


def explained(error: GuestError, domain: libvirt.virDomain, console: Console, log_path: Path) -> GuestError:
    """The error with what the guest last said and how its domain stands."""
    state = domain_state(domain)
    hint = error.hint
    if state in ("shut off", "crashed") and log_path.is_file():
        last = [line for line in log_path.read_text(errors="replace").splitlines() if line][-3:]
        hint = "QEMU's log ends: " + " | ".join(last)
    return GuestError(error.message, console_tail=console.tail(), domain_state=state, hint=hint)


def start_domain(hypervisor: Hypervisor, domain: libvirt.virDomain, *, paused: bool = False) -> None:
    """Start a defined domain, ``paused`` before its first instruction if need be.

    Raises:
        HostError: QEMU did not start.
    """
    try:
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED if paused else 0)
    except libvirt.libvirtError as error:
        raise HostError(
            f"{domain.name()} does not start: {error}",
            hint=f"QEMU's log: {qemu_log_path(hypervisor, domain.name())}",
        ) from error


def stop_domain(domain: libvirt.virDomain) -> None:
    """Destroy a domain if it runs, and wait until its QEMU is gone."""
    with orphans_reaped():
        try:
            if domain.isActive():
                domain.destroy()
        except libvirt.libvirtError as error:
            if error.get_error_code() not in (libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_NO_DOMAIN):
                raise HostError(f"{domain.name()} cannot be stopped: {error}") from error


@contextmanager
def booted(
    hypervisor: Hypervisor, domain: libvirt.virDomain, *, console_path: Path, key: RunKey
) -> Iterator[BootedGuest]:
    """Start a domain, wait until its guest answers over SSH, and stop it at the end.

    Raises:
        HostError: QEMU does not start.
        GuestError: the guest does not come up in time, or dies; carries console and domain state.
    """
    deadline = Deadline.after(hypervisor.pace.boot_s)
    console = Console(console_path)
    for stale in (console_path, qemu_log_path(hypervisor, domain.name())):
        stale.unlink(missing_ok=True)
    started = time.monotonic()
    with orphans_reaped(LEISURELY_S), _stopped_at_the_end(domain):
        start_domain(hypervisor, domain)
        port = forward_ssh(domain)
        try:
            ready = _wait_until_ready(hypervisor, domain, console, deadline)
            login = Deadline.after(hypervisor.pace.command_s)
            ssh = SshConnection.open(port, key.key, ready.host_key, login)
        except GuestError as error:
            raise explained(error, domain, console, qemu_log_path(hypervisor, domain.name())) from error
        with ssh:
            yield BootedGuest(
                hypervisor=hypervisor,
                domain=domain,
                console=console,
                ssh_port=port,
                ssh=ssh,
                ready=ready,
                live_xml=domain.XMLDesc(0),
                boot_s=time.monotonic() - started,
            )


@contextmanager
def _stopped_at_the_end(domain: libvirt.virDomain) -> Iterator[None]:
    try:
        yield
    finally:
        stop_domain(domain)


def _wait_until_ready(hypervisor: Hypervisor, domain: libvirt.virDomain, console: Console, deadline: Deadline) -> Ready:
    looks = 0
    while (ready := console.ready()) is None:
        looks += 1
        if looks % _STATE_EVERY == 0 and domain_state(domain) in ("shut off", "crashed"):
            raise GuestError("QEMU ended before the guest was ready")
        if hypervisor.cancelled.is_set():
            raise GuestError("the run was interrupted")
        if deadline.passed:
            raise GuestError(
                f"the guest was not ready within {deadline.timeout_s:.0f} s",
                hint="if the host is only slow, give it longer with --boot-timeout (pytest: --rescue-boot-timeout)",
            )
        time.sleep(_POLL_S)
    return ready
