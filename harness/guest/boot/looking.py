"""Looks at a running domain that disturb no device: libvirt's statistics, QEMU's registers, the serial log."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import libvirt
import libvirt_qemu

from harness.guest.boot.cpu import CpuPlace, parse_registers
from harness.guest.boot.look import Look, VcpuTime
from harness.guest.console import Console

_STATISTICS = libvirt.VIR_DOMAIN_STATS_VCPU | libvirt.VIR_DOMAIN_STATS_BLOCK
_NANO = 1e9


@dataclass(frozen=True)
class Observer:
    """Looks at one domain, which was started at ``started`` by the monotonic clock."""

    domain: libvirt.virDomain
    console: Console
    started: float

    def look(self) -> Look:
        """Take one look. What libvirt or QEMU does not tell is left out: such a guest is not taken for dead."""
        statistics = self._statistics(_STATISTICS)
        return Look(
            at_s=time.monotonic() - self.started,
            console=self.console.text(),
            disks=dict(_disks(statistics)),
            vcpus=tuple(_vcpus(statistics)),
            cpu=self._cpu(),
        )

    def times(self) -> Look:
        """Take a look at the processor times alone."""
        statistics = self._statistics(libvirt.VIR_DOMAIN_STATS_VCPU)
        return Look(at_s=time.monotonic() - self.started, vcpus=tuple(_vcpus(statistics)))

    def _statistics(self, which: int) -> Mapping[str, Any]:
        try:
            answers = self.domain.connect().domainListGetStats([self.domain], which)
        except libvirt.libvirtError:
            return {}
        return dict(answers[0][1]) if answers else {}

    def _cpu(self) -> CpuPlace | None:
        hmp = libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP
        try:
            return parse_registers(str(libvirt_qemu.qemuMonitorCommand(self.domain, "info registers", hmp)))
        except libvirt.libvirtError:
            return None


def _disks(statistics: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for number in range(statistics.get("block.count", 0)):
        done = (statistics.get(f"block.{number}.{what}.bytes", 0) for what in ("rd", "wr"))
        yield statistics[f"block.{number}.name"], sum(done)


def _vcpus(statistics: Mapping[str, Any]) -> Iterator[VcpuTime]:
    for number in range(statistics.get("vcpu.current", 0)):
        got, waited = (statistics.get(f"vcpu.{number}.{what}") for what in ("time", "delay"))
        if got is not None:
            yield VcpuTime(got / _NANO, None if waited is None else waited / _NANO)
