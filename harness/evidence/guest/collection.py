"""Collect evidence at level guest: the scripts that one SSH round trip runs, and the inventory in their output.

A script goes out as the command of one SSH exec request (dropbear takes up to 9000 bytes) and works on the standard
input of ``sh -s`` as well; ``write_script(tokens) + collection_script()`` is one script. The output is text.
"""

from __future__ import annotations

import re
import shlex
from importlib.resources import files
from typing import TYPE_CHECKING

from harness.errors import GuestError
from harness.evidence.guest import block_devices, hardware
from harness.evidence.guest.capture import parse_capture, unreadable
from harness.evidence.guest.tpm import tpms
from harness.evidence.guest.traits import with_traits
from harness.evidence.guest.undriven import undriven
from harness.evidence.inventory import Inventory
from harness.evidence.marker import BLOCK_BYTES, DATA_MAGIC, data_block

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.evidence.guest.capture import Capture

_KERNEL_NAME = re.compile(r"[a-z]+[a-z0-9]*")
_UNSETTLED = {
    "udev": ": udev was still at work after 15 s",
    "storage": ": storage was announced that has no block device",
}
_WRITE_RESULT = "rescue-harness-write"

_WRITE_FUNCTION = f"""\
write_data() {{
    {{
        true <"/dev/$1" && read -r sectors <"/sys/block/$1/size" && [ "$((sectors % 8))" = 0 ] &&
            printf '{DATA_MAGIC}\\n%s\\n' "$2" |
            dd of="/dev/$1" bs={BLOCK_BYTES} seek=$((sectors / 8 - 2)) count=1 conv=sync,fsync,notrunc
    }} 2>/dev/null && echo "{_WRITE_RESULT} $1 ok" || echo "{_WRITE_RESULT} $1 failed"
}}
"""


def collection_script() -> str:
    """Return the POSIX shell script that waits for devices to settle and prints everything, raw."""
    lines = [
        line
        for name in ("traits.sh", "collect.sh")
        for line in files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines()
    ]
    return "".join(f"{line}\n" for line in lines if not line.lstrip().startswith("#"))


def write_script(tokens: Mapping[str, str]) -> str:
    """Return a shell script that writes a data block for each kernel name, down to the medium, and prints each outcome.

    The script opens the devices first, because a floppy's size is known only then.

    Raises ValueError for a name that is no kernel name, or a token that fits no data block.
    """
    for name, token in tokens.items():
        if not _KERNEL_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a kernel name of a block device")
        data_block(token)
    calls = (f"write_data {name} {shlex.quote(token)}\n" for name, token in tokens.items())
    return _WRITE_FUNCTION + "".join(calls)


def parse_writes(raw: bytes | str) -> dict[str, bool]:
    """Return whether each device took its data block, by kernel name, from the output of the write script."""
    text = raw.decode("utf-8", errors="replace") if isinstance(raw, bytes) else raw
    return {match[1]: match[2] == "ok" for match in re.finditer(rf"^{_WRITE_RESULT} (\S+) (ok|failed)\r?$", text, re.M)}


def parse_inventory(raw: bytes | str) -> Inventory:
    """Return the inventory in the collection script's output; raise GuestError naming any unreadable part."""
    capture = parse_capture(raw)
    stack = block_devices.stack_of(capture)
    devices = block_devices.block_devices(capture, stack)
    inventory = Inventory(
        boot_id=_required(capture, "/proc/sys/kernel/random/boot_id"),
        kernel=_required(capture, "/proc/sys/kernel/osrelease"),
        command_line=capture.text("/proc/cmdline") or "",
        cpu_model=hardware.cpu_model(capture),
        dmi=hardware.dmi(capture),
        platform=tpms(capture),
        firmware=capture.firmware,
        secure_boot=hardware.secure_boot(capture),
        lockdown=hardware.lockdown(capture),
        block_devices=devices,
        network_interfaces=hardware.network_interfaces(capture),
        pci_devices=hardware.pci_devices(capture),
        usb_devices=hardware.usb_devices(capture),
        undriven=undriven(capture),
        active_swaps=block_devices.active_swaps(capture),
        links_from=block_devices.links_from(capture),
        udev_version=capture.udev_version,
        boot_medium=block_devices.boot_medium(stack),
        settled=capture.settled,
        unsettled=capture.unsettled,
    )
    return with_traits(inventory, capture)


def settled_inventory(raw: bytes | str) -> Inventory:
    """Return the inventory of a guest whose devices have settled: names, links and disks may come later otherwise.

    Raises:
        GuestError: a part is unreadable, or the devices have not settled.
    """
    inventory = parse_inventory(raw)
    if not inventory.settled:
        why = _UNSETTLED.get(inventory.unsettled or "", "")
        raise GuestError(f"the guest's devices did not settle{why}")
    return inventory


def _required(capture: Capture, path: str) -> str:
    text = capture.text(path)
    if text is None:
        raise unreadable(f"{path} is missing from it")
    return text
