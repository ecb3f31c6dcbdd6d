"""Expressions that choose by name."""

from __future__ import annotations

import pytest

from harness.errors import ScenarioError
from harness.reading.keyword import matches_keyword


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ("usb", True),
        ("USB and q35", True),
        ("usb and not q35", False),
        ("cdrom or usb", True),
        ("not (cdrom or floppy)", True),
        ("not usb", False),
    ],
)
def test_keyword_selects_as_pytest_does(expression: str, matches: bool) -> None:
    assert matches_keyword(expression, "usb-disk[q35]") is matches


@pytest.mark.parametrize("expression", ["usb and", "(usb", "usb q35", "not"])
def test_keyword_that_cannot_be_read_is_the_users_error(expression: str) -> None:
    with pytest.raises(ScenarioError, match="-k"):
        matches_keyword(expression, "usb")
