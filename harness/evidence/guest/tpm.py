"""Read the TPMs of an inventory from a capture: version, driver, and the endorsement key, which identifies a TPM."""

from __future__ import annotations

import hashlib
import posixpath
import re
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.evidence.guest.capture import Capture

_VERSION = re.compile(r"/sys/class/tpm/(tpm(\d+))/tpm_version_major")
_HEADER = struct.Struct(">HII")
"""Tag, size and response code: TCG's TPM 2.0 library specification, part 1, "Response Header"."""


def tpms(capture: Capture) -> dict[str, str]:
    """Return the kernel's facts about TPMs, as text by name."""
    facts = {}
    for path in sorted(capture.lines):
        if match := _VERSION.fullmatch(path):
            name, number = match.groups()
            driver = posixpath.basename(capture.links.get(f"/sys/class/tpm/{name}/device/driver", "none"))
            facts[name] = f"TPM {capture.text(path)}, driver {driver}"
            facts[f"{name} endorsement key"] = _endorsement_key(capture.blobs.get(f"/dev/tpmrm{number}", b""))
    return facts


def _endorsement_key(response: bytes) -> str:
    if len(response) < _HEADER.size:
        return "not read"
    _, size, code = _HEADER.unpack_from(response)
    if code:
        return f"none, response code {code:#x}"
    return hashlib.sha256(response[_HEADER.size : size]).hexdigest()
