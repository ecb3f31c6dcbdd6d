"""Another folder of Nova's source in the environment of a Nova that was added: its libraries, that folder's code."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HostError
from harness.implementation.nova.environments import PREFIX, NovaEnvironment


@dataclass(frozen=True)
class BorrowedEnvironment(NovaEnvironment):
    """An environment that runs other code than it was made for. ``told_version`` is that code's, for pbr."""

    shown_as: str
    told_version: str

    @property
    def name(self) -> str:
        """How results name it."""
        return f"{PREFIX}{self.shown_as}"

    @property
    def version(self) -> str:
        """What pbr is told."""
        return self.told_version


def borrow(lender: NovaEnvironment, source: Path, folder: Path, *, shown_as: str, version: str) -> BorrowedEnvironment:
    """Make an environment in ``folder`` that finds ``source`` first and then all that ``lender`` has.

    Raises:
        HostError: it cannot be made.
    """
    made = subprocess.run(
        [lender.python, "-m", "venv", "--without-pip", folder], capture_output=True, text=True, check=False
    )
    lent = next((lender.path / "lib").glob("python3*/site-packages"), None)
    own = next((folder / "lib").glob("python3*/site-packages"), None)
    if made.returncode != 0 or lent is None or own is None:
        raise HostError(
            f"no environment could be made beside that of {lender.name}: {made.stderr.strip()}",
            hint="remove it and add it again",
        )
    # addsitedir rather than a path, for .pth files of the lender's count, too.
    (own / "borrowed.pth").write_text(f"{source}\nimport site; site.addsitedir({str(lent)!r})\n")
    record = lender.record.model_copy(update={"target": str(source)})
    return BorrowedEnvironment(record, folder, shown_as=shown_as, told_version=version)
