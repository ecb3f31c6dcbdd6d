"""Random scenarios that a user could have written, for hypothesis (the optional extra ``explore``)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from harness.reading.checks.instance_checks import check
from harness.scenario.models import InstanceProperties, Scenario
from harness.scenario.rescue_image import RescueImage, RescueProperties
from harness.scenario.steps import REBOOT, RESCUE
from harness.scenario.words import DiskBus, ScsiModel

_BUSES = [str(bus) for bus in DiskBus if bus is not DiskBus.FDC]
_USB_MODELS: tuple[str, ...] = InstanceProperties.model_fields["hw_usb_model"].annotation.__args__[0].__args__  # type: ignore[union-attr]
_XHCI = ("qemu-xhci", "nec-xhci")
_MOST_VOLUMES = 6
_MOST_NICS = 2
_MOST_STEPS = 5
_OLD_USB_CDROM = {"libvirt": "<11.5", "rescue_image.properties.hw_rescue_device": "cdrom"}
_USB_BY_DEFAULT = {"rescue_image.properties.hw_rescue_bus": "none", "instance.properties.hw_cdrom_bus": "usb"}
_NOW_AND_THEN = st.sampled_from([False] * 7 + [True])
_EXPECT: list[dict[str, Any]] = [
    *(
        {
            "when": _OLD_USB_CDROM | on_usb,
            "verdict": "moved",
            "findings": [{"claim": "only-addition", "device": "rescue", "before": "cdrom", "after": "disk"}],
        }
        for on_usb in ({"rescue_image.properties.hw_rescue_bus": "usb"}, _USB_BY_DEFAULT)
    ),
    {"verdict": "stable"},
]


def _some(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


@cache
def _disks() -> st.SearchStrategy[list[dict[str, Any]]]:
    bus = st.sampled_from(_BUSES)
    name = st.builds("{}{}".format, st.sampled_from(["vd", "sd"]), st.sampled_from("bcdefgh"))
    root = st.one_of(
        _some(bus=bus, **{"from": st.just("volume")}).map(lambda keys: {"role": "root", **keys}),
        st.just({"role": "root", "device": "cdrom"}),
    )
    ephemeral = _some(bus=bus).map(lambda keys: {"role": "ephemeral", **keys})
    swap = _some(bus=bus).map(lambda keys: {"role": "swap", **keys})
    volume = st.one_of(
        _some(bus=bus, device_name=name, device=st.sampled_from(["disk", "cdrom"])).map(
            lambda keys: {"role": "volume", **keys}
        ),
        st.just({"role": "volume", "bus": "scsi", "device": "lun", "backend": "iscsi"}),
    )
    config_drive = _some(format=st.just("vfat")).map(lambda keys: {"role": "config_drive", **keys})
    return st.tuples(
        st.lists(root, min_size=1, max_size=1),
        st.lists(ephemeral, max_size=2),
        st.lists(swap, max_size=1),
        st.lists(volume, max_size=_MOST_VOLUMES),
        st.lists(config_drive, max_size=1),
    ).map(lambda parts: [disk for part in parts for disk in part])


@cache
def _steps() -> st.SearchStrategy[list[Any]]:
    """Return a strategy for steps on anything an instance may have; impossible steps are removed later."""
    volumes = [f"volume{number}" for number in range(1, 4)]
    volume = _some(bus=st.sampled_from(["virtio", "scsi", "usb"])).map(lambda keys: {"role": "volume", **keys})
    nic = st.sampled_from(["virtio", "e1000", "e1000e"]).map(lambda model: {"nic": model})
    return st.lists(
        st.one_of(
            st.fixed_dictionaries({"attach": st.one_of(volume, nic)}),
            st.fixed_dictionaries({"detach": st.sampled_from(volumes)}),
            st.fixed_dictionaries({"detach": st.fixed_dictionaries({"nic": st.integers(1, _MOST_NICS)})}),
            st.fixed_dictionaries({"snapshot": st.sampled_from(["root", "ephemeral0", *volumes])}),
            st.sampled_from([REBOOT, RESCUE]),
        ),
        max_size=_MOST_STEPS,
    )


def _without_impossible(data: dict[str, Any]) -> Scenario:
    """Return the scenario without its impossible steps. Dropping the whole scenario would waste more draws."""
    steps: list[Any] = []
    for step in data["steps"]:
        longer = Scenario.model_validate({**data, "steps": [*steps, step]})
        if not check(longer):
            steps.append(step)
    return Scenario.model_validate({**data, "steps": steps})


@cache
def _properties(usb_models: tuple[str, ...], *, may_be_secure: bool) -> st.SearchStrategy[dict[str, Any]]:
    return _some(
        hw_disk_bus=st.sampled_from(_BUSES),
        hw_cdrom_bus=st.sampled_from(["scsi", "sata", "ide", "usb"]),
        hw_scsi_model=st.sampled_from([str(model) for model in ScsiModel]),
        hw_usb_model=st.sampled_from(usb_models),
        hw_vif_model=st.sampled_from(["virtio", "e1000"]),
        hw_pointer_model=st.just("ps2mouse"),
        hw_video_model=st.sampled_from(["vga", "cirrus", "qxl", "virtio"]),
        os_secure_boot=st.sampled_from(["disabled", "required"] if may_be_secure else ["disabled"]),
    )


def _instance(
    draw: st.DrawFn, firmwares: Sequence[str] = ("bios", "uefi"), usb_models: tuple[str, ...] = _USB_MODELS
) -> dict[str, Any]:
    machine, firmware = draw(st.sampled_from(["pc", "q35"])), draw(st.sampled_from(firmwares))
    return {
        "machine": machine,
        "firmware": firmware,
        "properties": draw(_properties(usb_models, may_be_secure=(machine, firmware) == ("q35", "uefi"))),
        "disks": draw(_disks()),
        "nics": draw(st.lists(st.sampled_from(["virtio", "e1000", "e1000e"]), max_size=_MOST_NICS)),
    }


@st.composite
def random_scenarios(draw: st.DrawFn) -> Scenario:
    """Draw a stable rescue of any instance that loading would accept; smaller ones are simpler."""
    instance = _instance(draw)
    properties = draw(
        st.one_of(
            st.fixed_dictionaries({"hw_rescue_bus": st.sampled_from([*_BUSES, "fdc"])}),
            st.fixed_dictionaries({"hw_rescue_device": st.sampled_from(["disk", "cdrom", "floppy"])}),
            st.fixed_dictionaries(
                {
                    "hw_rescue_bus": st.sampled_from([*_BUSES, "fdc"]),
                    "hw_rescue_device": st.sampled_from(["disk", "cdrom", "floppy"]),
                }
            ),
        )
    )
    data = {
        "name": "explored",
        "summary": "Found at random",
        "instance": instance,
        "rescue_image": {"properties": properties},
        "expect": _EXPECT,
    }
    assume(not check(Scenario.model_validate(data)))
    return _without_impossible({**data, "steps": draw(_steps())})


@st.composite
def random_rescues(draw: st.DrawFn, images: int) -> tuple[Scenario, tuple[RescueImage, ...]]:
    """Draw an instance that every implementation can make, and images of every kind to rescue it with.

    The instance has no steps, no LUNs and no NICs of different models. The firmware is mostly SeaBIOS, because firmware
    decides little at mapping level.
    """
    instance = _instance(draw, firmwares=("bios", "bios", "bios", "uefi"), usb_models=(*_XHCI * 6, *_USB_MODELS))
    model = instance["properties"].get("hw_vif_model", "virtio")
    instance["nics"] = [model for _ in instance["nics"]]
    instance["disks"] = [disk for disk in instance["disks"] if disk.get("device") != "lun"]
    instance["direct_kernel"] = draw(_NOW_AND_THEN)
    if draw(_NOW_AND_THEN):
        instance["properties"]["img_hv_type"] = "xen"
    scenario = Scenario.model_validate({"name": "explored", "summary": "Found at random", "instance": instance})
    assume(not check(scenario))
    return scenario, tuple(draw(_rescue_images()) for _ in range(images))


@cache
def _rescue_images() -> st.SearchStrategy[RescueImage]:
    """Return a strategy for images of every kind, mostly with buses and devices that exist."""
    bus = {"hw_rescue_bus": st.sampled_from([*_BUSES * 3, "fdc", "USB", "xen"])}
    device = {"hw_rescue_device": st.sampled_from([*["disk", "cdrom"] * 4, "floppy", "lun", "usbstick"])}
    others = {
        "hw_disk_bus": st.sampled_from(_BUSES),
        "hw_cdrom_bus": st.sampled_from(["scsi", "sata", "ide", "usb"]),
        "hw_machine_type": st.sampled_from(["pc", "q35"]),
    }
    asked = [bus, bus, bus | device, bus | device, device, device, {}, {}]
    chosen = st.one_of(*(st.fixed_dictionaries(keys, optional=others) for keys in asked))
    return chosen.map(lambda properties: RescueImage(properties=RescueProperties(**properties)))
