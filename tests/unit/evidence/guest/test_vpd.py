"""VPD pages: bytes as QEMU's disks gave them, and what the standards allow besides."""

import pytest

from harness.evidence.guest.vpd import (
    AtaIdentity,
    Designator,
    ScsiId,
    ata_identity,
    designators,
    scsi_id,
    unit_serial,
    world_wide_name,
)

VENDOR, MODEL = "QEMU    ", "QEMU HARDDISK   "
PAGE_80 = bytes.fromhex("0080000453455230")
ID_ONLY = bytes.fromhex("00830006020000026c31")
NAA_5 = bytes.fromhex("01030008 5000c50015ea71aa")
NAA_6 = bytes.fromhex("01030010 6000c500000000010000000000000002")
NAA_LOCAL = bytes.fromhex("01030008 3000000000000001")
T10 = bytes.fromhex("0201000a") + b"QEMU    xy"
TARGET_PORT = bytes.fromhex("61130008 5000c50015ea71ab")


def page_83(*each: bytes) -> bytes:
    content = b"".join(each)
    return bytes((0, 0x83)) + len(content).to_bytes(2) + content


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        pytest.param((PAGE_80, ID_ONLY), ScsiId("0QEMU    QEMU HARDDISK   l1", None), id="vendor specific"),
        pytest.param((PAGE_80, b""), ScsiId("SQEMU    QEMU HARDDISK   SER0", None), id="serial number only"),
        pytest.param((b"", b""), None, id="neither"),
        pytest.param(
            (PAGE_80, page_83(ID_ONLY[4:], NAA_5, T10)),
            ScsiId("35000c50015ea71aa", "0x5000c50015ea71aa"),
            id="registered name before the others",
        ),
        pytest.param(
            (b"", page_83(NAA_5, NAA_6)),
            ScsiId("36000c500000000010000000000000002", "0x6000c500000000010000000000000002"),
            id="extended name first",
        ),
        pytest.param(
            (b"", page_83(NAA_LOCAL, NAA_5)), ScsiId("35000c50015ea71aa", "0x5000c50015ea71aa"), id="local last"
        ),
        pytest.param((b"", page_83(ID_ONLY[4:], T10)), ScsiId("1QEMU    xy", None), id="T10 before vendor specific"),
        pytest.param((b"", page_83(TARGET_PORT)), None, id="the port's name is not the disk's"),
        pytest.param((b"", bytes.fromhex("0083000600006048aabb")), None, id="page of before SPC-2"),
        pytest.param((b"", ID_ONLY[:-1]), None, id="cut short"),
        pytest.param((b"", PAGE_80), None, id="another page"),
    ],
)
def test_scsi_id(pages: tuple[bytes, bytes], expected: ScsiId | None) -> None:
    assert scsi_id(VENDOR, MODEL, *pages) == expected


def test_sysfs_may_strip_what_inquiry_padded() -> None:
    assert scsi_id("QEMU", "DISK", b"", ID_ONLY) == ScsiId("0QEMU    DISK            l1", None)


def test_designators_tell_text_from_binary() -> None:
    assert designators(page_83(ID_ONLY[4:], NAA_5)) == (
        Designator(0, ascii=True, value="l1"),
        Designator(3, ascii=False, value="5000c50015ea71aa"),
    )


def test_unit_serial_is_stripped() -> None:
    assert unit_serial(PAGE_80) == "SER0"
    assert unit_serial(bytes.fromhex("0080000420202020")) is None
    assert unit_serial(b"") is None


def test_world_wide_name() -> None:
    assert world_wide_name(page_83(ID_ONLY[4:], NAA_5)) == "0x5000c50015ea71aa"
    assert world_wide_name(ID_ONLY) is None


def swapped(text: bytes) -> bytes:
    return b"".join(bytes((text[at + 1], text[at])) for at in range(0, len(text), 2))


def test_ata_strings_and_name_are_swapped_back() -> None:
    identify = bytearray(512)
    identify[20:40] = swapped(b"             QM00005")
    identify[54:94] = swapped(b"QEMU HARDDISK".ljust(40))
    identify[216:224] = swapped(bytes.fromhex("5000c500aaaa0001"))
    page = bytes(60) + bytes(identify)
    assert ata_identity(page) == AtaIdentity("QEMU HARDDISK", "QM00005", "0x5000c500aaaa0001")


def test_ata_page_without_identify_data_says_nothing() -> None:
    assert ata_identity(bytes(60) + bytes(512)) is None
    assert ata_identity(bytes(100)) is None
    assert ata_identity(b"") is None
