"""Implementations that are broken on purpose, to see that every claim can fail."""

from harness.faults.boot import BOOT_FAULTS
from harness.faults.devices import DEVICE_FAULTS
from harness.faults.disks import DISK_FAULTS
from harness.faults.fault import Broken, Edit, Fault
from harness.faults.files import FILE_FAULTS
from harness.faults.identity import IDENTITY_FAULTS
from harness.faults.places import PLACE_FAULTS
from harness.faults.platform import PLATFORM_FAULTS
from harness.faults.settings import SETTING_FAULTS
from harness.faults.steps import STEP_FAULTS
from harness.faults.unrescue import UNRESCUE_FAULTS

FAULTS: tuple[Fault, ...] = (
    *BOOT_FAULTS,
    *DISK_FAULTS,
    *IDENTITY_FAULTS,
    *PLACE_FAULTS,
    *DEVICE_FAULTS,
    *PLATFORM_FAULTS,
    *SETTING_FAULTS,
    *UNRESCUE_FAULTS,
    *STEP_FAULTS,
    *FILE_FAULTS,
)

__all__ = ["FAULTS", "Broken", "Edit", "Fault"]
