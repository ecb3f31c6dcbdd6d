"""libvirt's record of a domain beside its XML, on machines that QEMU builds and never runs."""

from __future__ import annotations

import uuid
from pathlib import Path

import libvirt

from harness.hypervisor.domain_record import record_of
from harness.implementation.reference.implementation import Reference
from harness.instance.preparation import prepared_machine
from harness.reading.cases import collect_cases
from harness.run.session import Session
from harness.scenario.words import Level


def test_what_libvirt_keeps_of_a_domain_is_seen(session: Session, minimal: Path) -> None:
    (case,) = collect_cases([minimal], Reference(), level=Level.MACHINE)
    with prepared_machine(case, session) as ready:
        ready.life_cycle.start()
        domain, connection = ready.life_cycle.domain, session.hypervisor.connection
        before = record_of(domain, ready.folder)
        assert set(before.values()) == {"yes", "no", "none"}
        name, identity = f"copy-of-{domain.name()}", str(uuid.uuid4())
        text = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        for old, new in ((f"<name>{domain.name()}<", f"<name>{name}<"), (domain.UUIDString(), identity)):
            text = text.replace(old, new)
        copy = connection.defineXML(text)
        try:
            domain.setAutostart(1)
            after = record_of(domain, ready.folder)
        finally:
            copy.undefine()
            domain.setAutostart(0)
        assert {key: (before[key], after[key]) for key in before if before[key] != after[key]} == {
            "libvirt/autostart": ("no", "yes"),
            "libvirt/other-domains": ("none", name),
        }
        assert record_of(domain, ready.folder) == before
