"""The folder of the Novas that were added: what counts as there, what a killed ``add`` leaves, which names exist."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.errors import HostError, ScenarioError
from harness.implementation.nova.checkout import UNKNOWN_VERSION, checkout_version, require_checkout
from harness.implementation.nova.constraints import constraints_text, default_url, series_of
from harness.implementation.nova.environments import (
    EnvironmentRecord,
    Environments,
    NovaEnvironment,
    data_root,
    python_of,
    require_supported,
    target_of,
)
from harness.implementation.nova.messages import Description, SeenVersions
from harness.implementation.nova.opening import packed, require_hypervisor

DESCRIPTION = Description(version="34.0.0", python="3.11.2", min_libvirt=(8, 0, 0), min_qemu=(6, 2, 0))
UPPER = """\
# comment
oslo.db===16.0.0
libvirt-python===10.9.0
nova===1
python-novaclient===18.7.0;python_version=='3.11'

"""


def added(environments: Environments, target: str, description: Description = DESCRIPTION) -> NovaEnvironment:
    with environments.locked():
        folder = environments.new_folder()
        python_of(folder).parent.mkdir(parents=True)
        python_of(folder).write_text("")
        return environments.keep(
            EnvironmentRecord(
                target=target,
                folder=folder.name,
                constraints="none",
                description=description.model_copy(update={"version": target}),
                libvirt_python="12.8.0",
                added_at="2026-01-01T00:00:00+00:00",
            )
        )


def test_what_was_added_is_found_listed_and_removed(tmp_path: Path) -> None:
    environments = Environments(tmp_path / "nova")
    assert environments.all() == []
    for target in ("34.0.0", "/src/nova", "27.5.1", "/other/nova"):
        added(environments, target)
    names = [each.name for each in environments.all()]
    assert names == ["nova:27.5.1", "nova:34.0.0", "nova:/other/nova", "nova:/src/nova"]
    assert environments.find("/src/nova").record.target == "/src/nova"
    path = environments.find("34.0.0").path
    environments.remove("34.0.0")
    assert not path.exists()
    with pytest.raises(ScenarioError, match=r"no environment for Nova 34\.0\.0; added are: 27\.5\.1, /other/nova"):
        environments.find("34.0.0")
    assert len(environments.all()) == 3


def test_adding_again_replaces_and_leaves_nothing_of_the_old_one(tmp_path: Path) -> None:
    environments = Environments(tmp_path)
    old, new = added(environments, "34.0.0"), added(environments, "34.0.0")
    assert environments.find("34.0.0").path == new.path != old.path
    assert not old.path.exists()


def test_a_killed_add_is_not_there_and_is_removed_by_the_next(tmp_path: Path) -> None:
    environments = Environments(tmp_path)
    kept = added(environments, "34.0.0")
    with environments.locked():
        half = environments.new_folder()
        half.mkdir()
    (tmp_path / "33.0.0.new").write_text("{")
    (tmp_path / "32.0.0.json").write_text("{")
    assert [each.name for each in environments.all()] == ["nova:34.0.0"]
    with environments.locked():
        environments.remove_unfinished()
    assert kept.path.exists()
    assert not half.exists()


def test_an_environment_whose_files_are_gone_is_none(tmp_path: Path) -> None:
    environments = Environments(tmp_path)
    python_of(added(environments, "34.0.0").path).unlink()
    assert environments.all() == []


def test_a_data_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(HostError, match="RESCUE_HARNESS_DATA"),
        Environments(tmp_path / "file" / "nova").locked(),
    ):
        pass


def test_the_data_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESCUE_HARNESS_DATA", str(tmp_path))
    assert data_root() == tmp_path
    monkeypatch.delenv("RESCUE_HARNESS_DATA")
    assert data_root().name == "rescue-harness"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("34.0.0", "34.0.0", id="release"),
        pytest.param("27.0.0", "27.0.0", id="oldest"),
        pytest.param("34.0.0.0rc1", "34.0.0.0rc1", id="candidate"),
        pytest.param("/src/nova/", "/src/nova", id="path"),
        pytest.param("/src/../nova", "/nova", id="indirect-path"),
    ],
)
def test_targets(text: str, expected: str) -> None:
    assert target_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("zed", "no release of Nova", id="name"),
        pytest.param("", "no release of Nova", id="empty"),
    ],
)
def test_no_targets(text: str, expected: str) -> None:
    with pytest.raises(ScenarioError, match=expected):
        target_of(text)


def test_incomplete_release_names_the_whole_one() -> None:
    with pytest.raises(ScenarioError, match="no release of Nova") as raised:
        target_of("34.0")
    assert raised.value.hint == "did you mean 34.0.0?"


def test_only_adding_asks_whether_a_release_can_be_driven(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="too old"):
        require_supported("26.3.0")
    with pytest.raises(ScenarioError, match=r"no environment for Nova 26\.3\.0") as raised:
        Environments(tmp_path).remove("26.3.0")
    assert raised.value.hint == "releases from 27.0.0 on can be driven"


@pytest.mark.parametrize(
    ("version", "series"),
    [("27.0.0", "2023.1"), ("28.1.2", "2023.2"), ("29.0.0", "2024.1"), ("33.0.0", "2026.1"), ("34.0.0", "2026.2")],
)
def test_series(version: str, series: str) -> None:
    assert series_of(version) == series
    assert default_url(version).endswith(f"/upper/{series}")


def test_constraints_lose_nova_and_libvirt_python_only(tmp_path: Path) -> None:
    path = tmp_path / "upper.txt"
    path.write_text(UPPER)
    for given in (str(path), path.as_uri()):
        text, source = constraints_text(given, "34.0.0")
        assert text.splitlines() == [
            "# comment",
            "oslo.db===16.0.0",
            "python-novaclient===18.7.0;python_version=='3.11'",
            "",
        ]
        assert source == given
    assert constraints_text("none", "34.0.0") == ("", "none")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param("missing.txt", "cannot be read: missing.txt: No such file", id="missing"),
        pytest.param("ftp://host/file", "not a URL from which constraints can be fetched", id="scheme"),
        pytest.param("{tmp_path}/page.html", "is no list of constraints: it says '<html>'", id="other-file"),
    ],
)
def test_bad_constraints(tmp_path: Path, given: str, expected: str) -> None:
    (tmp_path / "page.html").write_text("<html>\n")
    with pytest.raises(ScenarioError, match=expected):
        constraints_text(given.format(tmp_path=tmp_path), "34.0.0")


def test_constraints_that_cannot_be_fetched_name_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="--constraints FILE reads a copy; --constraints none"):
        constraints_text((tmp_path / "missing.txt").as_uri(), "34.0.0")


def checkout(path: Path) -> Path:
    for name in ("nova/cmd/compute.py", "nova/virt/libvirt/driver.py", "requirements.txt"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text("")
    return path


def test_what_is_a_checkout(tmp_path: Path) -> None:
    require_checkout(checkout(tmp_path / "nova"))
    (tmp_path / "nova" / "requirements.txt").unlink()
    with pytest.raises(ScenarioError, match=r"no checkout of Nova: it has no requirements\.txt"):
        require_checkout(tmp_path / "nova")
    with pytest.raises(ScenarioError, match="is no folder"):
        require_checkout(tmp_path / "missing")


def test_version_of_a_checkout(tmp_path: Path) -> None:
    path = checkout(tmp_path / "nova")
    assert checkout_version(path) == UNKNOWN_VERSION

    def git(*words: str) -> None:
        identity = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", str(path), *identity, *words], check=True, capture_output=True)

    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message", "one")
    assert checkout_version(path) == UNKNOWN_VERSION
    git("tag", "33.0.0")
    assert checkout_version(path) == "33.0.0"
    git("commit", "--quiet", "--allow-empty", "--message", "two")
    assert checkout_version(path) == "33.0.0.post1"
    (path / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: nova\nVersion: 34.0.0\n\nVersion: no\n")
    assert checkout_version(path) == "34.0.0"


def test_a_nova_that_demands_a_newer_hypervisor_says_which_would_do(tmp_path: Path) -> None:
    environments = Environments(tmp_path)
    added(environments, "27.0.0", DESCRIPTION.model_copy(update={"min_libvirt": (6, 0, 0), "min_qemu": (4, 2, 0)}))
    added(environments, "34.0.0")
    demands = (DESCRIPTION.min_libvirt, DESCRIPTION.min_qemu)
    require_hypervisor("nova:34.0.0", demands, SeenVersions(libvirt=8_000_000, qemu=6_002_000), environments.all())
    with pytest.raises(HostError) as caught:
        require_hypervisor("nova:34.0.0", demands, SeenVersions(libvirt=7_000_000, qemu=5_002_000), environments.all())
    assert caught.value.message == "nova:34.0.0 demands libvirt 8.0.0, here is 7.0.0 and QEMU 6.2.0, here is 5.2.0"
    assert caught.value.hint == "these added Novas would start here: nova:27.0.0"


def test_versions_are_packed_as_libvirt_does() -> None:
    assert packed((9, 0, 0)) == 9_000_000
    assert packed((7, 2, 22)) == 7_002_022
