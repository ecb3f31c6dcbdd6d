"""Choice of the expectation that holds for the versions and values of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from harness.errors import HostError, ScenarioError
from harness.reading.keys import axis_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.scenario.models import Expectation, Scenario

VERSION_KEYS = ("libvirt", "qemu", "nova")
IMPLEMENTATION = "implementation"
IMPLEMENTATIONS = ("reference", "nova")


def applicable_expectation(scenario: Scenario, versions: Mapping[str, str]) -> Expectation:
    """Return the first expectation whose conditions all hold.

    ``versions`` has dotted numbers for ``libvirt``, ``qemu`` and, with Nova, ``nova``; ``implementation`` is a name.
    A condition on a version that is not given does not hold.

    Raises:
        ScenarioError: no expectation holds.
        HostError: a version is not a version number.
    """
    written = axis_keys(scenario)
    for expectation in scenario.expect:
        if all(_holds(key, wanted, versions, written) for key, wanted in expectation.when.items()):
            return expectation
    seen = ", ".join(f"{name} {version}" for name, version in versions.items()) or "no version known"
    raise ScenarioError(
        f"{scenario.name}: no expectation holds here ({seen})",
        hint="end the list under 'expect' with an entry that has no 'when'",
    )


def _holds(key: str, wanted: str, versions: Mapping[str, str], written: Mapping[str, object]) -> bool:
    if key == IMPLEMENTATION:
        return implementation_holds(versions.get(IMPLEMENTATION, "reference"), wanted)
    if key in VERSION_KEYS:
        return _version_holds(key, wanted, versions)
    return value_holds(written.get(key), wanted)


def implementation_holds(name: str, wanted: str) -> bool:
    """Return whether a condition names this implementation: ``nova`` is any Nova, ``nova:34.0.0`` only that one."""
    return wanted in (name, name.partition(":")[0])


def value_holds(value: object, wanted: str) -> bool:
    """Return whether a condition names this value of the scenario; a missing value is 'none'."""
    return as_condition(value) == wanted


def as_condition(value: object) -> str:
    """Write a value of the scenario as a condition does: as in YAML, and ``none`` for a missing value."""
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
    return str(value)


def _version_holds(key: str, wanted: str, versions: Mapping[str, str]) -> bool:
    if key not in versions:
        return False
    try:
        version = Version(versions[key])
    except InvalidVersion as error:
        raise HostError(f"{key} gives {versions[key]!r} as its version, which is no version number") from error
    try:
        return SpecifierSet(wanted).contains(version, prereleases=True)
    except InvalidSpecifier as error:
        raise ScenarioError(f"expect: {wanted!r} is no range of versions") from error
