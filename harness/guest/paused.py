"""A machine that exists and has not run: QEMU is started with its CPUs stopped, asked over its monitor, and ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import libvirt
import libvirt_qemu

from harness.errors import HostError
from harness.guest.booted import start_domain, stop_domain
from harness.hypervisor.host import Hypervisor


@dataclass(frozen=True)
class PausedMachine:
    """A domain whose QEMU waits before its first instruction; ``live_xml`` has libvirt's aliases."""

    domain: libvirt.virDomain
    live_xml: str

    def query(self, command: str, **arguments: object) -> Any:
        """Return QEMU's answer to a command of its machine protocol (QMP, docs/interop/qemu-qmp-ref).

        Raises:
            HostError: QEMU does not answer, or not with a result; the message quotes command and answer.
        """
        asked = json.dumps({"execute": command} | ({"arguments": arguments} if arguments else {}))
        try:
            answered = libvirt_qemu.qemuMonitorCommand(self.domain, asked, 0)
        except libvirt.libvirtError as error:
            raise HostError(f"QEMU of {self.domain.name()} does not answer {asked}: {error}") from error
        answer = json.loads(answered)
        if "return" not in answer:
            raise HostError(f"QEMU of {self.domain.name()} was asked {asked} and answered {answered}")
        return answer["return"]


@contextmanager
def paused(hypervisor: Hypervisor, domain: libvirt.virDomain) -> Iterator[PausedMachine]:
    """Start a defined domain without letting it run, and stop it at the end.

    Raises:
        DidNotBoot: QEMU refuses to start the domain.
        HostError: the host failed.
    """
    try:
        start_domain(hypervisor, domain, paused=True)
        yield PausedMachine(domain, domain.XMLDesc(0))
    finally:
        stop_domain(domain)
