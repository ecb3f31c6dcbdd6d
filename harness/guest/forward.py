"""A way to the guest's SSH port from loopback, through QEMU's user-mode network."""

from __future__ import annotations

import re

import libvirt
import libvirt_qemu

from harness.errors import HostError

NETDEV = "hostnet0"
"""libvirt's name for the back end of a domain's first NIC."""
_FORWARD = re.compile(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(?P<port>\d+)\s+\S+\s+22\b")


def forward_ssh(domain: libvirt.virDomain) -> int:
    """Have QEMU pick a free loopback port and forward it to the guest's port 22; return the port.

    Raises:
        HostError: QEMU refused.
    """
    answer = _monitor(domain, f"hostfwd_add {NETDEV} tcp:127.0.0.1:0-:22")
    match = _FORWARD.search(_monitor(domain, "info usernet"))
    if match is None:
        raise HostError(f"QEMU made no port forward into {domain.name()}: {answer.strip() or 'no reason given'}")
    return int(match["port"])


def _monitor(domain: libvirt.virDomain, command: str) -> str:
    try:
        return str(libvirt_qemu.qemuMonitorCommand(domain, command, libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP))
    except libvirt.libvirtError as error:
        raise HostError(f"QEMU's monitor did not answer '{command}': {error}") from error
