"""Parse the self-description of SCSI and ATA disks: VPD pages and IDENTIFY data, as the kernel's sysfs hands them out.

Sources: SPC-4 section 7.8 (VPD pages 80h, 83h), SAT-3 (page 89h), ATA8-ACS (IDENTIFY words 10-19, 27-46, 108-111);
which designator becomes the id follows systemd's src/udev/scsi_id/scsi_serial.c, and ATA strings its ata_id.c.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

_IDENTIFY_OFFSET = 60
_IDENTIFY_BYTES = 512
_VENDOR_CHARACTERS = 8
_MODEL_CHARACTERS = 16
_UNRANKED = 99


class DesignatorType(IntEnum):
    """Kinds of designator that scsi_id makes an id of (SPC-4 section 7.8.5)."""

    VENDOR_SPECIFIC = 0
    T10_VENDOR = 1
    EUI_64 = 2
    NAA = 3


@dataclass(frozen=True)
class Designator:
    """One designator that names the logical unit itself; ``value`` is text, binary data as hexadecimal digits."""

    kind: int
    ascii: bool
    value: str


@dataclass(frozen=True)
class ScsiId:
    """scsi_id's ID_SERIAL, before udev replaces blanks, and ID_WWN_WITH_EXTENSION."""

    serial: str
    wwn: str | None


@dataclass(frozen=True)
class AtaIdentity:
    """Model, serial and World Wide Name from IDENTIFY data."""

    model: str
    serial: str
    wwn: str | None


def unit_serial(page_80: bytes) -> str | None:
    """Return the unit serial number page's content without padding; None if it is empty."""
    return _text(_page_content(page_80, 0x80)).strip() or None


def designators(page_83: bytes) -> tuple[Designator, ...]:
    """Return the designators associated with the logical unit; none for a page in the format before SPC-2."""
    content = _page_content(page_83, 0x83)
    if len(content) < 4 or content[2] != 0:
        return ()
    found = []
    while len(content) >= 4:
        code_set, association, length = content[0] & 0x0F, content[1] & 0x30, content[3]
        value = content[4 : 4 + length]
        if association == 0 and len(value) == length and length:
            is_ascii = code_set == 2
            found.append(Designator(content[1] & 0x0F, is_ascii, _text(value) if is_ascii else value.hex()))
        content = content[4 + length :]
    return tuple(found)


def scsi_id(vendor: str, model: str, page_80: bytes, page_83: bytes) -> ScsiId | None:
    """Return scsi_id's answer for a disk: its best designator, else its serial number; None if it has neither."""
    ranked = sorted(((_rank(each), each) for each in designators(page_83)), key=lambda pair: pair[0])
    inquiry = vendor.ljust(_VENDOR_CHARACTERS)[:_VENDOR_CHARACTERS] + model.ljust(_MODEL_CHARACTERS)[:_MODEL_CHARACTERS]
    for rank, best in ranked:
        if rank == _UNRANKED:
            break
        prefix = inquiry if best.kind == DesignatorType.VENDOR_SPECIFIC else ""
        wwn = f"0x{best.value[:32]}" if best.kind == DesignatorType.NAA else None
        return ScsiId(f"{best.kind}{prefix}{best.value}", wwn)
    serial = _text(_page_content(page_80, 0x80))
    return ScsiId(f"S{inquiry}{serial}", None) if serial else None


def world_wide_name(page_83: bytes) -> str | None:
    """Return the disk's NAA identifier as 0x and hexadecimal digits; None if it has none."""
    ranked = sorted((_rank(each), each.value) for each in designators(page_83) if each.kind == DesignatorType.NAA)
    return f"0x{ranked[0][1]}" if ranked else None


def ata_identity(page_89: bytes) -> AtaIdentity | None:
    """Parse the 512 bytes of IDENTIFY data in the ATA information page; None if they are missing or zero."""
    identify = page_89[_IDENTIFY_OFFSET : _IDENTIFY_OFFSET + _IDENTIFY_BYTES]
    if len(identify) != _IDENTIFY_BYTES or not any(identify):
        return None
    swapped = b"".join(bytes((identify[at + 1], identify[at])) for at in range(0, _IDENTIFY_BYTES, 2))
    name = swapped[216:224].hex()
    return AtaIdentity(
        model=_text(swapped[54:94]).strip(),
        serial=_text(swapped[20:40]).strip(),
        wwn=f"0x{name}" if name.startswith("5") else None,
    )


def _rank(designator: Designator) -> int:
    """Return the rank in scsi_id's preference: registered NAA names, other NAA, EUI-64, T10, vendor specific."""
    naa_type = int(designator.value[0], 16) if designator.kind == DesignatorType.NAA and not designator.ascii else None
    match designator.kind, naa_type:
        case DesignatorType.NAA, 6:
            rank = 0
        case DesignatorType.NAA, 5:
            rank = 2
        case DesignatorType.NAA, _:
            rank = 4
        case DesignatorType.EUI_64, _:
            rank = 6
        case DesignatorType.T10_VENDOR, _:
            rank = 8
        case DesignatorType.VENDOR_SPECIFIC, _:
            rank = 10
        case _:
            return _UNRANKED
    return rank + int(designator.ascii)


def _page_content(page: bytes, code: int) -> bytes:
    if len(page) < 4 or page[1] != code:
        return b""
    return page[4 : 4 + int.from_bytes(page[2:4])]


def _text(content: bytes) -> str:
    return content.split(b"\0")[0].decode("utf-8", errors="replace")
