"""The logs of a guest, of QEMU and of its helpers since the domain was started, and a failed guest's screen."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from harness.guest.boot.screen import SCREEN
from harness.guest.booted import qemu_log_path
from harness.hypervisor.host import Hypervisor


@dataclass(frozen=True)
class BootLogs:
    """The logs of a domain; ``folder`` keeps the logs of a failed boot."""

    hypervisor: Hypervisor
    domain_name: str
    console_path: Path
    folder: Path

    @property
    def qemu_path(self) -> Path:
        """The path of QEMU's log."""
        return qemu_log_path(self.hypervisor, self.domain_name)

    @property
    def screen_path(self) -> Path:
        """The path of the screen of a guest that did not come up."""
        return self.folder / SCREEN

    @property
    def of_failed_boot(self) -> dict[str, Path]:
        """The logs and the screen of the failed boot, by file name: the kept ones, or else the present ones."""
        kept = {path.name: path for path in self._failed_path.glob("*")}
        return kept or self._all

    def keep_failed(self) -> None:
        """Keep the logs of a boot that has failed, before the next boot overwrites them."""
        self._failed_path.mkdir(exist_ok=True)
        for name, source in self._all.items():
            if source.is_file():
                shutil.copyfile(source, self._failed_path / name)

    def drop_failed(self) -> None:
        """Remove the logs of a failed boot, once they are among the case's artefacts."""
        shutil.rmtree(self._failed_path, ignore_errors=True)

    def remove(self) -> None:
        """Remove the logs in libvirt's folders, once the domain is gone."""
        for path in (self.qemu_path, *self._of_helpers.values()):
            path.unlink(missing_ok=True)

    @property
    def _failed_path(self) -> Path:
        return self.folder / "failed"

    @property
    def _all(self) -> dict[str, Path]:
        own = {"console.log": self.console_path, "qemu.log": self.qemu_path, SCREEN: self.screen_path}
        return own | self._of_helpers

    @property
    def _of_helpers(self) -> dict[str, Path]:
        """The logs of the programs that libvirt starts beside QEMU: swtpm and virtiofsd."""
        found = (self.hypervisor.root.path / "log").glob(f"*/{self.domain_name}-*.log")
        return {f"{path.stem.rpartition('-')[2]}.log": path for path in found}
