"""Implementations that are broken on purpose, to see that every claim can fail."""

from harness.study.prove.faults.boot import BOOT_FAULTS
from harness.study.prove.faults.dead_boots import DEAD_BOOT_FAULTS
from harness.study.prove.faults.devices import DEVICE_FAULTS
from harness.study.prove.faults.disks import DISK_FAULTS
from harness.study.prove.faults.fault import Broken, Edit, Fault
from harness.study.prove.faults.files import FILE_FAULTS
from harness.study.prove.faults.identity import IDENTITY_FAULTS
from harness.study.prove.faults.places import PLACE_FAULTS
from harness.study.prove.faults.platform import PLATFORM_FAULTS
from harness.study.prove.faults.refusals import REFUSAL_FAULTS
from harness.study.prove.faults.settings import SETTING_FAULTS
from harness.study.prove.faults.steps import STEP_FAULTS
from harness.study.prove.faults.unrescue import UNRESCUE_FAULTS
from harness.study.prove.faults.variables import VARIABLE_FAULTS

FAULTS: tuple[Fault, ...] = (
    *BOOT_FAULTS,
    *DEAD_BOOT_FAULTS,
    *DISK_FAULTS,
    *IDENTITY_FAULTS,
    *PLACE_FAULTS,
    *DEVICE_FAULTS,
    *PLATFORM_FAULTS,
    *SETTING_FAULTS,
    *UNRESCUE_FAULTS,
    *STEP_FAULTS,
    *FILE_FAULTS,
    *REFUSAL_FAULTS,
    *VARIABLE_FAULTS,
)

__all__ = ["FAULTS", "Broken", "Edit", "Fault"]
