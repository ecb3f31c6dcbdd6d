"""Markers: what is planted is read back, and nothing else is taken for one."""

import pytest

from harness.evidence.inventory import Marker
from harness.evidence.marker import (
    BLOCK_BYTES,
    data_block,
    data_offset,
    marker_block,
    marker_offset,
    parse_data,
    parse_marker,
)

MARKER = Marker.model_validate({"disk": "volume1", "token": "f00d"})


def test_a_marker_is_read_back() -> None:
    block = marker_block(MARKER)
    assert len(block) == BLOCK_BYTES
    assert block.startswith(b'RESCUE-HARNESS-MARKER\n{"disk": "volume1", "token": "f00d"}\n\0')
    assert parse_marker(block) == MARKER


def test_a_data_token_is_read_back() -> None:
    block = data_block("it's 100 %")
    assert len(block) == BLOCK_BYTES
    assert block.startswith(b"RESCUE-HARNESS-DATA\nit's 100 %\n\0")
    assert parse_data(block) == "it's 100 %"


def test_the_blocks_lie_side_by_side_at_the_end_of_the_disk() -> None:
    assert marker_offset(1 << 20) == (1 << 20) - 4096
    assert data_offset(1 << 20) == (1 << 20) - 8192


@pytest.mark.parametrize("size", [0, 4096, 8191, 1_000_000], ids=["empty", "one block", "odd", "no multiple"])
def test_a_disk_without_room_for_a_marker_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=str(size)):
        data_offset(size)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(bytes(BLOCK_BYTES), id="zeros"),
        pytest.param(b"", id="nothing"),
        pytest.param(marker_block(MARKER)[512:] + bytes(512), id="shifted by a sector"),
        pytest.param(marker_block(MARKER)[:-1], id="short"),
        pytest.param(data_block("f00d"), id="a data block"),
        pytest.param(b"\xff" * BLOCK_BYTES, id="no text"),
        pytest.param(marker_block(MARKER).replace(b'"disk"', b'"dusk"'), id="other keys"),
        pytest.param(marker_block(MARKER).replace(b"}\n", b"}\0"), id="torn"),
        pytest.param(marker_block(MARKER).replace(b"}\n\0", b"}\n!"), id="followed by something"),
    ],
)
def test_what_is_no_marker_is_no_marker(block: bytes) -> None:
    assert parse_marker(block) is None


@pytest.mark.parametrize(
    "block", [bytes(BLOCK_BYTES), b"", marker_block(MARKER), data_block("x").replace(b"x\n", b"\n\0")]
)
def test_what_holds_no_token_yields_none(block: bytes) -> None:
    assert parse_data(block) is None


@pytest.mark.parametrize("token", ["", "two\nlines", "nul\0", "x" * 5000])
def test_a_token_that_is_no_short_line_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match=r"token|fit"):
        data_block(token)
