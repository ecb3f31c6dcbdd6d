"""Faults of settings: every device is in its place, but a device or the domain has another setting.

Many of these settings, such as limits, caches and policies, show neither in a guest nor in an address. Each fault gives
the domain a setting that it did not have.
"""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from harness.scenario.words import ClaimName, Role
from harness.study.prove.faults.draft import Draft, NotApplicable, child
from harness.study.prove.faults.fault import Edit, Fault

_Find = Callable[[Draft], etree._Element]  # noqa: SLF001 - lxml has no other name for it


def _of(role: Role, bus: str | None = None) -> _Find:
    return lambda draft: draft.first(role, bus)


def _at(path: str) -> _Find:
    return lambda draft: draft.one(path)


def _domain(draft: Draft) -> etree._Element:
    return draft.root


def _with(find: _Find, *elements: str) -> Edit:
    """Return an edit that puts elements into the found one, in place of any with the same tag."""

    def edit(draft: Draft) -> None:
        parent = find(draft)
        for text in elements:
            element = etree.fromstring(text)
            for old in parent.findall(str(element.tag)):
                parent.remove(old)
            parent.append(element)

    return edit


def _also(find: _Find, element: str) -> Edit:
    """Return an edit that adds one element to the found one."""
    return lambda draft: find(draft).append(etree.fromstring(element))


def _set(find: _Find, path: str, **attributes: str) -> Edit:
    """Return an edit that sets attributes of the element at a path below the found one."""

    def edit(draft: Draft) -> None:
        element = child(find(draft), path)
        for name, value in attributes.items():
            element.set(name, value)

    return edit


def _text(path: str, text: str) -> Edit:
    def edit(draft: Draft) -> None:
        draft.one(path).text = text

    return edit


def _io_thread(draft: Draft) -> None:
    child(draft.first(Role.ROOT, "virtio"), "driver").set("iothread", "1")
    _with(_domain, "<iothreads>1</iothreads>")(draft)


def _half_the_memory(draft: Draft) -> None:
    draft.one("currentMemory").text = str(int(draft.one("memory").text or "0") // 2)


def _without_apic(draft: Draft) -> None:
    draft.one("features").remove(draft.one("features/apic"))


def _more_usb_ports(draft: Draft) -> None:
    controller = draft.one("devices/controller[@model='qemu-xhci']")
    if controller in draft.brought_controllers():
        raise NotApplicable("no xHCI but the rescue disk's own")
    controller.set("ports", "12")


def _throttled(find: _Find) -> Edit:
    return _with(find, "<iotune><total_iops_sec>100</total_iops_sec></iotune>")


_VOLUME = _of(Role.VOLUME)
_ROOT = _of(Role.ROOT)
_NIC = _at("devices/interface")
_BACKING = (
    "<backingStore type='file'><format type='raw'/><source file='/instances/other'/><backingStore/></backingStore>"
)
_STATIC_LABEL = "<seclabel type='static' model='dac' relabel='no'><label>+1:+1</label></seclabel>"
_NOTE = "<metadata><note xmlns='https://example.org/note'>rescued</note></metadata>"
_CORE = "<topology sockets='1' dies='1' cores='1' threads='1'/>"

# Name, summary and edit of each fault. All of them break the rescued domain.
_OF_DISKS: tuple[tuple[str, str, Edit], ...] = (
    ("volume-throttled", "a volume is limited to 100 operations a second", _throttled(_VOLUME)),
    ("another-cache-mode", "the root disk is written to without a cache", _set(_ROOT, "driver", cache="none")),
    ("another-way-to-write", "QEMU writes to a volume from threads", _set(_VOLUME, "driver", io="threads")),
    ("discard-passed-on", "what the guest discards of the root disk is freed", _set(_ROOT, "driver", discard="unmap")),
    ("zeroes-detected", "zeroes written to a volume are left out", _set(_VOLUME, "driver", detect_zeroes="on")),
    ("error-policy", "errors of a volume go unnoticed", _set(_VOLUME, "driver", error_policy="ignore")),
    ("more-disk-queues", "a virtio disk has two queues", _set(_of(Role.ROOT, "virtio"), "driver", queues="2")),
    ("in-an-io-thread", "a virtio disk is served by a thread of its own", _io_thread),
    (
        "physical-sectors",
        "a volume says its physical sectors have 4096 bytes",
        _with(_VOLUME, "<blockio physical_block_size='4096'/>"),
    ),
    ("another-backing-file", "the root disk's file is laid over another one", _with(_ROOT, _BACKING)),
)
_OF_HARDWARE: tuple[tuple[str, str, Edit], ...] = (
    ("link-down", "the network interface's link is down", _with(_NIC, "<link state='down'/>")),
    (
        "no-offloading",
        "the network interface computes no checksums",
        _with(_NIC, "<driver><host csum='off'/><guest csum='off'/></driver>"),
    ),
    ("no-boot-rom", "the network interface has no boot ROM", _with(_NIC, "<rom enabled='no'/>")),
    ("less-memory-now", "the balloon holds half of the memory", _half_the_memory),
    (
        "pages-not-shared",
        "the host merges no pages of the memory with others",
        _with(_domain, "<memoryBacking><nosharepages/></memoryBacking>"),
    ),
    ("processor-topology", "the CPU's place among cores and sockets is told", _also(_at("cpu"), _CORE)),
    ("processor-feature", "the CPU lacks a feature", _also(_at("cpu"), "<feature policy='disable' name='svm'/>")),
    ("processor-shares", "the CPU gets a tenth of its time", _with(_domain, "<cputune><shares>100</shares></cputune>")),
    (
        "disk-weight",
        "all disks get a tenth of their bandwidth",
        _with(_domain, "<blkiotune><weight>100</weight></blkiotune>"),
    ),
    (
        "memory-of-a-node",
        "the memory is of one NUMA node",
        _with(_domain, "<numatune><memory mode='strict' nodeset='0'/></numatune>"),
    ),
    ("timer-missing", "the HPET is missing", _also(_at("clock"), "<timer name='hpet' present='no'/>")),
    ("apic-missing", "the APIC is missing", _without_apic),
    (
        "onboard-table",
        "SMBIOS names a chassis",
        _also(_at("sysinfo"), "<chassis><entry name='asset'>rescue</entry></chassis>"),
    ),
    ("more-usb-ports", "the xHCI controller has 12 ports", _more_usb_ports),
    (
        "no-hotplug",
        "a PCI Express root port takes no devices while the guest runs",
        _set(_at("devices"), "controller[@model='pcie-root-port']/target", hotplug="off"),
    ),
    ("another-mount-tag", "the shared folder has another name", _set(_at("devices/filesystem"), "target", dir="other")),
    (
        "slow-random-numbers",
        "random numbers are limited to 16 bytes a second",
        _with(_at("devices/rng"), "<rate bytes='16' period='1000'/>"),
    ),
    ("watchdog-resets", "the watchdog resets the guest", _set(_at("devices"), "watchdog", action="reset")),
    ("balloon-period", "the balloon reports once a minute", _set(_at("devices/memballoon"), "stats", period="60")),
    ("serial-port-elsewhere", "the second serial port leads to a terminal", _set(_at("devices"), "serial", type="pty")),
    ("boot-menu", "the firmware waits with a menu", _with(_at("os"), "<bootmenu enable='yes' timeout='3000'/>")),
    ("crash-kept", "a guest that crashes is kept as it is", _text("on_crash", "preserve")),
    ("process-label", "QEMU runs as another user", _with(_domain, _STATIC_LABEL)),
    ("note-added", "the domain says in its metadata that it is rescued", _with(_domain, _NOTE)),
)

SETTING_FAULTS = (
    *(Fault(name, summary, ClaimName.IDENTITY, rescued=edit) for name, summary, edit in _OF_DISKS),
    *(Fault(name, summary, ClaimName.OTHER_HARDWARE, rescued=edit) for name, summary, edit in _OF_HARDWARE),
    Fault(
        "throttled-afterwards",
        "the root disk is limited to 100 operations a second after the unrescue",
        ClaimName.RESTORED,
        unrescued=_throttled(_ROOT),
    ),
)
