"""The refuser and its words: Nova, libvirt below it, or nobody where the fault is this worker's."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import libvirt
from nova import exception


def cause_of(error: Exception) -> Exception:
    """Return the driver's exception if nova-compute wraps it in its own words; else the exception itself."""
    cause = error.__context__
    return cause if isinstance(error, exception.InstanceNotRescuable) and isinstance(cause, Exception) else error


def refusal_of(error: Exception) -> dict[str, Any]:
    """Return a refusal in the form of ``NovaRefusal``."""
    if isinstance(cause_of(error), libvirt.libvirtError):
        error = cause_of(error)
    is_novas = isinstance(error, exception.NovaException)
    said = {"exception": type(error).__name__, "message": str(error), "is_novas": is_novas}
    if isinstance(error, libvirt.libvirtError):
        said.update(libvirt_code=error.get_error_code(), libvirt_domain=error.get_error_domain())
    return said


def is_ours(error: Exception) -> bool:
    """Return whether this worker raised an exception, which then is no word of Nova's; the cloud's own words are."""
    frames = traceback.extract_tb(error.__traceback__)
    in_ours = bool(frames) and Path(frames[-1].filename).parent == Path(__file__).parent
    return in_ours and not isinstance(error, exception.NovaException)
