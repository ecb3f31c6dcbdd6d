"""Where a change begins, in git repositories that look like Nova's; and what is wrong with others."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.implementation.nova.checkout import described_version
from harness.study.compare.change_base import base_of, export, file_at, top_of

DRIVER = "nova/virt/libvirt/driver.py"


class Repository:
    def __init__(self, path: Path) -> None:
        self.path = path

    def git(self, *words: str) -> str:
        identity = (
            "-c",
            "user.name=somebody",
            "-c",
            "user.email=somebody@example.org",
            "-c",
            "protocol.file.allow=always",
        )
        done = subprocess.run(["git", "-C", self.path, *identity, *words], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def commit(self, name: str, text: str) -> str:
        self.write(name, text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", text)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def nova(tmp_path: Path) -> Repository:
    found = Repository(tmp_path / "nova")
    found.path.mkdir()
    found.git("init", "--quiet", "--initial-branch", "master")
    for name in ("nova/cmd/compute.py", "requirements.txt", "nova/tests/test_it.py"):
        found.write(name, "")
    found.commit(DRIVER, "first")
    return found


def test_base_is_where_a_branch_left_its_upstream(nova: Repository) -> None:
    first = nova.git("rev-parse", "HEAD")
    nova.git("tag", "34.0.0")
    nova.git("checkout", "--quiet", "-b", "topic")
    head = nova.commit(DRIVER, "changed")
    nova.git("checkout", "--quiet", "master")
    nova.commit("other.py", "upstream goes on")
    nova.git("checkout", "--quiet", "topic")
    base = base_of(top_of(nova.path / "nova"))
    assert (base.commit, base.reference, base.head, base.is_dirty) == (first, "master", head, False)
    assert str(base) == f"base: {first[:10]}, where HEAD left master; change: HEAD {head[:10]}"
    assert described_version(nova.path, base.commit) == "34.0.0"
    assert described_version(nova.path) == "34.0.0.post1"
    assert file_at(nova.path, first, DRIVER) == "first"
    assert file_at(nova.path, first, "missing") is None


def test_a_remote_branch_comes_before_a_local_one(nova: Repository, tmp_path: Path) -> None:
    clone = Repository(tmp_path / "clone")
    nova.git("clone", "--quiet", str(nova.path), str(clone.path))
    first = clone.git("rev-parse", "HEAD")
    clone.commit(DRIVER, "on master itself")
    base = base_of(clone.path)
    assert (base.commit, base.reference) == (first, "origin/master")


def test_where_nothing_is_committed_head_is_the_base(nova: Repository) -> None:
    head = nova.git("rev-parse", "HEAD")
    with pytest.raises(ScenarioError, match="nothing was changed"):
        base_of(nova.path)
    nova.write(DRIVER, "changed")
    base = base_of(nova.path)
    assert (base.commit, base.is_dirty) == (head, True)
    assert str(base) == f"base: {head[:10]}, HEAD; change: what is not committed"


def test_a_base_can_be_named(nova: Repository) -> None:
    first = nova.git("rev-parse", "HEAD")
    nova.commit(DRIVER, "second")
    nova.commit(DRIVER, "third")
    assert base_of(nova.path, "HEAD~2").commit == first
    with pytest.raises(ScenarioError, match="'nowhere' is no commit of"):
        base_of(nova.path, "nowhere")
    with pytest.raises(ScenarioError, match="'--all' is no commit of"):
        base_of(nova.path, "--all")


def test_histories_without_a_common_commit(nova: Repository, tmp_path: Path) -> None:
    nova.git("checkout", "--quiet", "--orphan", "alone")
    nova.commit(DRIVER, "alone")
    with pytest.raises(ScenarioError, match="HEAD and master have no commit in common") as caught:
        base_of(nova.path)
    assert "shallow" not in str(caught.value)
    clone = Repository(tmp_path / "shallow")
    nova.git("clone", "--quiet", "--depth", "1", "--no-single-branch", nova.path.as_uri(), str(clone.path))
    with pytest.raises(ScenarioError, match="this clone is shallow") as caught:
        base_of(clone.path)
    assert caught.value.hint == "git fetch --unshallow"


def test_without_an_upstream_one_has_to_be_named(nova: Repository) -> None:
    nova.git("branch", "--quiet", "--move", "trunk")
    with pytest.raises(ScenarioError, match="has none of origin/master") as caught:
        base_of(nova.path)
    assert "--base REF" in (caught.value.hint or "")


def test_folders_that_are_no_checkout_of_nova(nova: Repository, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="is no folder"):
        top_of(tmp_path / "missing")
    plain = tmp_path / "plain"
    plain.mkdir()
    with pytest.raises(ScenarioError, match="is no git checkout"):
        top_of(plain)
    nova.git("rm", "--quiet", DRIVER)
    with pytest.raises(ScenarioError, match=r"no checkout of Nova: it has no nova/virt/libvirt/driver\.py"):
        top_of(nova.path)


def test_export_has_the_commit_and_leaves_the_checkout_alone(nova: Repository, tmp_path: Path) -> None:
    first = nova.git("rev-parse", "HEAD")
    nova.write(DRIVER, "changed")
    nova.write("untracked.py", "new")
    index = nova.path / ".git" / "index"
    before = (sorted(nova.path.rglob("*")), index.read_bytes())
    base_of(nova.path)
    export(nova.path, first, tmp_path / "base")
    assert (sorted(nova.path.rglob("*")), index.read_bytes()) == before
    assert (tmp_path / "base" / DRIVER).read_text() == "first"
    assert not (tmp_path / "base" / "nova" / "tests").exists()
    assert not (tmp_path / "base" / "untracked.py").exists()


def test_a_base_that_is_no_nova_is_told(nova: Repository, tmp_path: Path) -> None:
    nova.git("rm", "--quiet", DRIVER)
    nova.git("commit", "--quiet", "--message", "none")
    with pytest.raises(ScenarioError, match=r"it has no nova/virt/libvirt/driver\.py"):
        export(nova.path, "HEAD", tmp_path / "base")


def test_variables_of_a_git_hook_lead_nowhere_else(
    nova: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    subprocess.run(["git", "init", "--quiet", other], check=True)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert top_of(nova.path) == nova.path
