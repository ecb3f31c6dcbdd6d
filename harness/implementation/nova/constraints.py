"""The versions of everything that a release of Nova was tested with: OpenStack's upper constraints."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from pathlib import Path

from packaging.version import Version

from harness.errors import HostError, ScenarioError
from harness.implementation.nova.environments import OLDEST

NONE = "none"
_URL = "https://releases.openstack.org/constraints/upper/{series}"
_FIRST_YEAR = 2023
_TIMEOUT_S = 30
_DROPPED = re.compile(r"^\s*(libvirt-python|nova)\s*(=|<|>|~|!|;|$)", re.IGNORECASE)
_LINE = re.compile(r"^\s*([A-Za-z0-9._-]+\s*(===?|<|>|~=|!=)|#|$)")


def series_of(version: str) -> str:
    """Return the OpenStack release that a Nova belongs to: there are two a year, and Nova 27 belongs to 2023.1."""
    number = Version(version).major - OLDEST
    return f"{_FIRST_YEAR + number // 2}.{number % 2 + 1}"


def default_url(version: str | None) -> str:
    """Return the URL of a release's constraints; without a version, of those of the branch under development."""
    return _URL.format(series="master" if version is None else series_of(version))


def constraints_text(given: str | None, version: str | None) -> tuple[str, str]:
    """Return the constraints and their source. ``given`` is a file, a URL, ``none``, or None for the release's own.

    The lines for Nova itself and for libvirt-python are left out: libvirt-python has to fit this host's libvirt.

    Raises:
        ScenarioError: the file does not exist, or is no list of constraints.
        HostError: the constraints cannot be fetched.
    """
    if given == NONE:
        return "", NONE
    source = default_url(version) if given is None else given
    text = _fetched(source, by_default=given is None) if "://" in source else _read(Path(source).expanduser())
    wrong = next((line for line in text.splitlines() if not _LINE.match(line)), None)
    if wrong is not None:
        raise ScenarioError(f"{source} is no list of constraints: it says {wrong[:60]!r}")
    kept = [line for line in text.splitlines() if not _DROPPED.match(line)]
    return "\n".join(kept) + "\n", source if "://" in source else str(Path(source).expanduser().resolve())


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no text"
        raise ScenarioError(f"the constraints cannot be read: {path}: {reason}") from error


def _fetched(url: str, *, by_default: bool) -> str:
    if not url.startswith(("https://", "http://", "file://")):
        raise ScenarioError(f"{url} is not a URL from which constraints can be fetched")
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - the scheme is looked at above
            text: str = answer.read().decode()
    except (OSError, UnicodeDecodeError, urllib.error.URLError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        whose = "the release's upper constraints" if by_default else "the constraints"
        raise HostError(
            f"{whose} cannot be fetched from {url}: {reason}",
            hint="--constraints FILE reads a copy; --constraints none installs the newest version of everything,"
            " with which an older Nova may not import",
        ) from error
    return text
