"""The end of a call at level plan, once Nova has made the domain."""

from __future__ import annotations

from typing import Any

from nova.virt.libvirt import driver as libvirt_driver


class DomainMade(BaseException):
    """Raised when Nova has made the domain XML and would start the guest next."""

    def __init__(self, xml: str) -> None:
        super().__init__()
        self.xml = xml


class PlanningDriver(libvirt_driver.LibvirtDriver):  # type: ignore[misc]
    """Nova's driver, up to the point where it would write files and start the guest."""

    is_off = False
    """Return whether the instance's guest would be off by now."""

    def power_off(self, *_args: Any, **_kwargs: Any) -> None:
        self.is_off = True

    def _create_image(self, *_args: Any, **_kwargs: Any) -> tuple[bool, list[str]]:
        return False, []

    def _ensure_console_log_for_instance(self, *_args: Any, **_kwargs: Any) -> None:
        return None

    def _create_guest_with_network(self, _context: Any, xml: str, *_args: Any, **_kwargs: Any) -> None:
        raise DomainMade(xml)

    def _create_guest(self, _context: Any, xml: str, *_args: Any, **_kwargs: Any) -> None:
        raise DomainMade(xml)

    def _destroy(self, *_args: Any, **_kwargs: Any) -> None:
        self.is_off = True
