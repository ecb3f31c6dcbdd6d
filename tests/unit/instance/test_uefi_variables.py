"""An instance's UEFI variables over a rescue."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.instance.uefi_variables import UefiVariables


@pytest.fixture
def variables(tmp_path: Path) -> UefiVariables:
    (tmp_path / "own.fd").write_bytes(b"own")
    return UefiVariables(tmp_path / "own.fd", tmp_path / "rescue.fd")


def test_variables_that_stay_are_restored_and_changed_ones_are_not(variables: UefiVariables) -> None:
    assert variables.path is not None
    variables.look_before()
    variables.look_after()
    assert variables.are_restored is True
    variables.path.write_bytes(b"another's")
    variables.look_after()
    assert variables.are_restored is False


def test_a_store_that_is_gone_before_and_after_is_not_restored(variables: UefiVariables) -> None:
    assert variables.path is not None
    variables.path.unlink()
    variables.look_before()
    variables.look_after()
    assert variables.are_restored is False
    variables.give_to_rescue()


def test_what_the_running_guest_still_writes_is_none_of_the_rescue_s(variables: UefiVariables) -> None:
    assert variables.path is not None
    variables.look_while_running()
    variables.path.write_bytes(b"own, and what the guest wrote last")
    variables.look_before()
    variables.look_after()
    assert variables.are_restored is True


@pytest.mark.parametrize("content", [b"of a new instance", None], ids=["replaced", "deleted"])
def test_a_store_that_the_rescue_replaces_before_the_guest_is_off_is_not_restored(
    variables: UefiVariables, content: bytes | None
) -> None:
    assert variables.path is not None
    variables.look_while_running()
    if content is not None:
        new = variables.path.with_suffix(".new")
        new.write_bytes(content)
        new.replace(variables.path)
    else:
        variables.path.unlink()
    variables.look_before()
    variables.look_after()
    assert variables.are_restored is False


def test_the_rescue_has_a_copy_of_its_own(variables: UefiVariables) -> None:
    assert variables.path is not None
    assert variables.rescue_path is not None
    variables.give_to_rescue()
    variables.rescue_path.write_bytes(b"rescue")
    assert variables.path.read_bytes() == b"own"


def test_without_uefi_nothing_is_told() -> None:
    variables = UefiVariables(None, None)
    variables.look_before()
    variables.give_to_rescue()
    variables.look_after()
    assert variables.are_restored is None
