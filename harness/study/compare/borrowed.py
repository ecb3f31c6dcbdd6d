"""An environment that runs a folder of Nova's source with the libraries of a Nova that was added."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HostError
from harness.implementation.nova.environments import PREFIX, NovaEnvironment


@dataclass(frozen=True)
class BorrowedEnvironment(NovaEnvironment):
    """An environment that runs other code than its own. ``told_version`` is the version of that code, for pbr."""

    shown_as: str
    told_version: str

    @property
    def name(self) -> str:
        """The name of this Nova in results."""
        return f"{PREFIX}{self.shown_as}"

    @property
    def version(self) -> str:
        """The version that pbr is given."""
        return self.told_version


def borrow(lender: NovaEnvironment, source: Path, folder: Path, *, shown_as: str, version: str) -> BorrowedEnvironment:
    """Make an environment in ``folder`` that finds ``source`` first and then everything in ``lender``.

    Raises:
        HostError: the environment cannot be made.
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
    # addsitedir, not a path, so that the lender's .pth files count, too.
    (own / "borrowed.pth").write_text(f"{source}\nimport site; site.addsitedir({str(lent)!r})\n")
    record = lender.record.model_copy(update={"target": str(source)})
    return BorrowedEnvironment(record, folder, shown_as=shown_as, told_version=version)
