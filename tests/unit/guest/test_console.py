"""The console's log, as the harness reads it."""

from __future__ import annotations

from pathlib import Path

from harness.guest.console import Console

KEY = "ssh-ed25519 AAAA"
FIRST, SECOND = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


def test_an_earlier_boot_of_the_same_machine_is_not_taken_for_this_one(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_text(f"rescue-harness: ready {KEY} {FIRST}\n")
    again = Console(path, skipped_bytes=path.stat().st_size)
    assert again.ready() is None
    path.write_text(f"{path.read_text()}rescue-harness: ready {KEY} {SECOND}\n")
    ready = again.ready()
    assert ready is not None
    assert ready.boot_id == SECOND
