"""``rescue-harness`` as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

# A test runner in the background may have told its children to ignore interrupts.
_MAIN = """\
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from harness.commands.main import main
main()
"""


class CommandLine:
    """Runs ``rescue-harness`` as a user would, with a cache of its own that shares only the images."""

    def __init__(self, cache: Path, folder: Path) -> None:
        self.cache = cache
        self.folder = folder
        self.environment = os.environ | {"RESCUE_HARNESS_CACHE": str(cache)}

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", _MAIN, *words],
            env=self.environment | environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, timeout_s: float = 300, **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*words, **environment)
        stdout, stderr = process.communicate(timeout=timeout_s)
        return subprocess.CompletedProcess(words, process.returncode, stdout, stderr)

    def qemus(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter(["name", "cmdline", "status"]):
            words = process.info["cmdline"] or ()
            if process.info["status"] != psutil.STATUS_ZOMBIE and any(f"{self.cache}/hv" in word for word in words):
                found.append(process)
        return found

    def guests(self) -> list[psutil.Process]:
        """QEMUs that run a domain, not those that libvirt asks for their capabilities."""
        return [qemu for qemu in self.qemus() if any(word.startswith("guest=rh-") for word in qemu.info["cmdline"])]

    def work_folders(self) -> list[str]:
        return [path.name for path in self.cache.glob("hv/*/work/*")]
