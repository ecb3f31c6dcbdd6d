"""Proves, in real guests, whether an instance's disks stay where they are while it is rescued."""

__version__ = "0.1.0"
