"""What the monitor of a paused machine is asked, and what comes of its answers."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import libvirt
import libvirt_qemu
import pytest

from harness.errors import HostError
from harness.guest.paused import PausedMachine

MACHINE = PausedMachine(SimpleNamespace(name=lambda: "rh-1"), "<domain/>")


def monitor(monkeypatch: pytest.MonkeyPatch, answer: object) -> list[Any]:
    asked: list[Any] = []

    def command(_domain: object, text: str, _flags: int) -> str:
        asked.append(json.loads(text))
        if isinstance(answer, Exception):
            raise answer
        return json.dumps(answer)

    monkeypatch.setattr(libvirt_qemu, "qemuMonitorCommand", command)
    return asked


def test_a_question_is_asked_with_its_arguments_and_returns_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = monitor(monkeypatch, {"return": [1], "id": "libvirt-1"})
    assert MACHINE.query("query-block") == [1]
    assert MACHINE.query("human-monitor-command", **{"command-line": "info qtree"}) == [1]
    assert asked == [
        {"execute": "query-block"},
        {"execute": "human-monitor-command", "arguments": {"command-line": "info qtree"}},
    ]


def test_an_error_says_what_was_asked_and_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monitor(monkeypatch, {"error": {"class": "GenericError", "desc": "Property 'x.y' not found"}})
    with pytest.raises(HostError, match=r'rh-1 was asked \{"execute": "qom-get".*not found'):
        MACHINE.query("qom-get", path="/machine", property="y")


def test_a_silent_monitor_is_the_hosts_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monitor(monkeypatch, libvirt.libvirtError("domain is not running"))
    with pytest.raises(HostError, match=r"does not answer.*query-block.*domain is not running"):
        MACHINE.query("query-block")
