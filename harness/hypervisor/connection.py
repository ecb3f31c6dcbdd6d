"""Connections to libvirt: the embedded driver by default, any other URI on request."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import quote

import libvirt

from harness.errors import HostError, require_resources
from harness.hypervisor.reaping import LEISURELY_S, orphans_reaped

_QEMU_CONF = """\
security_driver = "none"
remember_owner = 0
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
"""
"""No confinement: the embedded driver cannot set it up."""
_QEMU_CONF_AS_ROOT = """\
user = "root"
group = "root"
swtpm_user = "root"
swtpm_group = "root"
"""
"""A driver run as root would run QEMU and swtpm as users who cannot read the harness's files.

The driver of another user does not accept these settings.
"""


@cache
def _start_event_loop() -> None:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    libvirt.virEventRegisterDefaultImpl()

    def turn() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=turn, name="libvirt events", daemon=True).start()


def embedded_uri(root: Path) -> str:
    """Return the URI of the embedded QEMU driver that keeps its state in ``root``."""
    return f"qemu:///embed?root={quote(str(root))}"


def prepare_embedded_root(root: Path, display_ports: range) -> None:
    """Write the configuration of the embedded driver that keeps its state in ``root``.

    ``display_ports`` are for graphics servers. Drivers that share ports race for them: libvirt looks whether a port is
    free some time before QEMU takes it.
    """
    configuration = root / "etc" / "qemu.conf"
    configuration.parent.mkdir(parents=True, exist_ok=True)
    ports = f"remote_display_port_min = {display_ports.start}\nremote_display_port_max = {display_ports.stop - 1}\n"
    configuration.write_text(_QEMU_CONF + ports + (_QEMU_CONF_AS_ROOT if os.getuid() == 0 else ""))


@contextmanager
def connect(uri: str) -> Iterator[libvirt.virConnect]:
    """Open ``uri`` with the event loop running; until it is closed, reap the processes that libvirt daemonises.

    libvirt probes QEMU whenever it takes its knowledge of QEMU for outdated, and waits half a minute for a daemonised
    process that nobody reaps. Loading one more libvirt module is enough to make the knowledge outdated, where the
    modules were installed at different seconds (virGetSelfLastChanged).

    Raises:
        HostError: libvirt cannot be reached.
    """
    _start_event_loop()
    with orphans_reaped(LEISURELY_S):
        connection = _open(uri)
        try:
            yield connection
        finally:
            connection.close()


def _open(uri: str) -> libvirt.virConnect:
    try:
        # The first look at QEMU's version probes every emulator, each a daemon that libvirt waits for.
        with orphans_reaped():
            connection = libvirt.open(uri)
            connection.getVersion()
            return connection
    except libvirt.libvirtError as error:
        raise HostError(
            f"libvirt cannot open {uri}: {error}",
            hint="install libvirt-daemon-driver-qemu and libvirt-daemon-system;"
            " 'rescue-harness doctor' says what is missing",
        ) from error


_OF_THE_HOST = (
    libvirt.VIR_ERR_NO_MEMORY,
    libvirt.VIR_ERR_NO_CONNECT,
    libvirt.VIR_ERR_INVALID_CONN,
    libvirt.VIR_ERR_RPC,
    libvirt.VIR_ERR_OPERATION_TIMEOUT,  # a busy host: "cannot acquire state change lock", a monitor that is slow
)
_MONITOR_LATE = "monitor socket did not show up"


def require_word_on_domain(error: libvirt.libvirtError) -> None:
    """Raise an error unless libvirt's error is about the domain that libvirt was given.

    Raises:
        HostError: the error is about the host.
    """
    require_code_on_domain(str(error), error.get_error_code())


def require_code_on_domain(said: str, code: int | None) -> None:
    """Raise an error unless libvirt's words with their error code (virErrorNumber) are about a domain.

    Raises:
        HostError: they are about the host.
    """
    require_resources(said)
    if code in _OF_THE_HOST or _MONITOR_LATE in said:
        raise HostError(f"libvirt: {said}", hint="'rescue-harness doctor' says what is wrong with it")


def definition_of(domain: libvirt.virDomain) -> str:
    """Return a domain's persistent XML, complete enough to define the domain again."""
    return str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))


USB_CDROM_SINCE = 11_005_000
"""libvirt's version from which a USB CD-ROM is a CD-ROM to the guest (its NEWS), packed as libvirt packs it."""


def usb_cdrom_is_disk(connection: libvirt.virConnect) -> bool:
    """Tell whether this libvirt makes a USB CD-ROM a USB disk."""
    return bool(connection.getLibVersion() < USB_CDROM_SINCE)


def version_text(number: int) -> str:
    """Return libvirt's packed version number as text: 9000000 is 9.0.0."""
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"
