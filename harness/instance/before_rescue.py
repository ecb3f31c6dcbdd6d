"""An instance as the host sees it before a rescue, to be compared with what the unrescue gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from harness.evidence.inventory import State
from harness.instance.life_cycle import LifeCycle
from harness.instance.storage.base_files import changed_bases, digests
from harness.verdict.expected import HostEvidence


@dataclass(frozen=True)
class BeforeRescue:
    """The names of the files in the instance's folder, and digests of the base images by path."""

    files: frozenset[str] = frozenset()
    bases: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, life_cycle: LifeCycle[Any]) -> Self:
        """Look at an instance that is about to be rescued."""
        return cls(files_of(life_cycle), digests(life_cycle.base_paths))

    def compared_with(self, life_cycle: LifeCycle[Any]) -> HostEvidence:
        """Compare definition, UEFI variables, files and base images with those of the unrescued instance."""
        files = files_of(life_cycle)
        return HostEvidence(
            domain_xml_equal=life_cycle.defined_xml[State.UNRESCUED] == life_cycle.saved_xml,
            nvram_equal=life_cycle.variables.are_restored,
            left_over=tuple(sorted(files - self.files)),
            lost=tuple(sorted(self.files - files)),
            base_images=changed_bases(self.bases, life_cycle.base_paths),
        )


def files_of(life_cycle: LifeCycle[Any]) -> frozenset[str]:
    """Return the names of all files, but for those that the harness itself makes for a rescue, and shared ones."""
    placement, folder = life_cycle.placement, life_cycle.console_path.parent
    own = {placement.rescue_variables_path, placement.share_path}
    return frozenset(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and not own & {path, *path.parents}
    )
