"""The picture on a guest's screen, where the guest has a graphics card."""

from __future__ import annotations

from pathlib import Path

import libvirt

SCREEN = "screen.png"
_PIECE_BYTES = 65536
_PNG = b"\x89PNG\r\n"


def keep_screen(domain: libvirt.virDomain, path: Path) -> bool:
    """Write the first screen of a running domain to ``path`` as PNG; return False for a guest without a screen.

    QEMU before 7.1 draws no PNG; its picture is not kept.
    """
    try:
        stream = domain.connect().newStream(0)
        domain.screenshot(stream, 0)
        pieces = []
        while piece := stream.recv(_PIECE_BYTES):
            pieces.append(piece)
        stream.finish()
    except libvirt.libvirtError:
        return False
    picture = b"".join(pieces)
    if not picture.startswith(_PNG):
        return False
    path.write_bytes(picture)
    return True
