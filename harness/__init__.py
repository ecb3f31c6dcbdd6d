"""Proves, in real guests, whether an instance's disks stay where they are while it is rescued."""

import os

__version__ = "0.1.0"

# libvirt reads this when it is loaded: the embedded driver would log to the user's terminal. Its errors reach us as
# exceptions.
os.environ.setdefault("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null")
