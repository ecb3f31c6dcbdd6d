"""The names of the files in an instance's folder, which a rescue must leave as they were."""

from __future__ import annotations

from typing import Any

from harness.instance.life_cycle import LifeCycle


def files_of(life_cycle: LifeCycle[Any]) -> frozenset[str]:
    """Return the names of all files, but for those that the harness itself makes for a rescue, and shared ones."""
    placement, folder = life_cycle.placement, life_cycle.console_path.parent
    own = {placement.rescue_variables_path, placement.share_path}
    return frozenset(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and not own & {path, *path.parents}
    )
