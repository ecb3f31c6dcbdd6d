"""Boots that are over, and boots that are not, by what was seen of real guests (tests/samples/boots)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.guest.boot.cpu import CpuPlace, parse_registers
from harness.guest.boot.last_words import Death, denied, last_words
from harness.guest.boot.look import Look, VcpuTime
from harness.guest.boot.watch import BootWatch, Dead, Patience
from harness.guest.console import Console

SAMPLES = Path(__file__).parents[2] / "samples" / "boots"
CANARY_S = 4.26
PATIENCE = Patience.of(CANARY_S)
IDLE_KERNEL = CpuPlace(halted=True, protected=True, paging=True, long_mode=True, address=0xFFFFFFFF_8FC592EB)
HALTED_BIOS = CpuPlace(halted=True, protected=False, paging=False, long_mode=False, address=0xFB7B9)


def looks_of(sample: str, folder: Path) -> Iterator[Look]:
    record = json.loads((SAMPLES / f"{sample}.json").read_text())
    log = folder / "console.log"
    for at_s, got_s, waited_s, read, printed, registers in record["looks"]:
        log.write_bytes(record["console"].encode("latin-1")[:printed])
        vcpus = (VcpuTime(got_s, waited_s),)
        yield Look(at_s, Console(log).text(), {record["disk"]: read}, vcpus, parse_registers(registers))


def end_of(looks: Iterator[Look], patience: Patience = PATIENCE) -> tuple[BootWatch, Dead | None]:
    watch = BootWatch()
    for look in looks:
        watch = watch.after(look)
        if (dead := watch.dead(patience)) is not None:
            return watch, dead
    return watch, None


@pytest.mark.parametrize(
    ("sample", "death", "words"),
    [
        ("blank", Death.NOTHING_TO_BOOT, "No bootable device."),
        ("blankns", Death.NOTHING_TO_BOOT, ""),
        ("noact", Death.NOTHING_TO_BOOT, "No bootable device."),
        ("noact-ns", Death.NOTHING_TO_BOOT, ""),
        ("nocd", Death.NOTHING_TO_BOOT, "No bootable device."),
        ("hlt", Death.LOADER_STOPPED, ""),
        ("reset", Death.STARTS_OVER, ""),
        ("nocfg", Death.LOADER_FAILED, "WARNING: No configuration file found"),
        ("nokernel", Death.LOADER_FAILED, "Loading /vmlinuz... failed: No such file or directory"),
        ("badkernel", Death.LOADER_FAILED, "Booting kernel failed: Invalid argument"),
        ("u-nogrubcfg", Death.LOADER_PROMPT, "grub>"),
        ("u-nokernel", Death.LOADER_PROMPT, "grub>"),
        ("sb-denied", Death.FIRMWARE_REFUSED, "Access Denied"),
        ("sb-grub", Death.FIRMWARE_REFUSED, "Security Violation"),
        ("noroot", Death.NO_ROOT, "VFS: Unable to mount root fs on unknown-block(0,0)"),
        ("noinit", Death.PANIC, "Attempted to kill init!"),
        ("shell", Death.INITRAMFS_SHELL, "(initramfs)"),
    ],
)
def test_boot_that_is_over_is_told_by_its_last_words_or_by_its_cpu(
    sample: str, death: Death, words: str, tmp_path: Path
) -> None:
    watch, dead = end_of(looks_of(sample, tmp_path))
    assert dead is not None
    assert dead.death is death
    assert words in dead.words
    assert watch.quiet_s < 1.5 * CANARY_S


@pytest.mark.parametrize("sample", ["live", "live-floppy", "live-uefi-usb"])
def test_live_boot_is_never_taken_for_dead(sample: str, tmp_path: Path) -> None:
    watch, dead = end_of(looks_of(sample, tmp_path))
    assert dead is None
    assert watch.own_s > 2 * CANARY_S, "the record has the whole boot"


def with_console(
    text: str, *, for_s: float, cpu: CpuPlace | None = IDLE_KERNEL, start_s: float = 5.0
) -> Iterator[Look]:
    at_s = start_s
    while at_s <= start_s + for_s:
        yield Look(at_s, text, {"vda": 10_000_000}, (VcpuTime(1.0, 0.0),), cpu)
        at_s += 0.5


@pytest.mark.parametrize(
    ("text", "death"),
    [
        ("Gave up waiting for root file system device.  Common problems:\n - Boot args\n", Death.NO_ROOT),
        ("ALERT!  UUID=1 does not exist.  Dropping to a shell!\n(initramfs) ", Death.NO_ROOT),
        ("Gave up waiting for suspend/resume device\n(initramfs) ", Death.INITRAMFS_SHELL),
        ("(initramfs) [   12.345678] random: crng init done\n", Death.INITRAMFS_SHELL),
        ("Warning: /dev/vda2 does not exist\nGenerating rdsosreport\ndracut:/# ", Death.INITRAMFS_SHELL),
        ("Give root password for maintenance\n(or press Control-D to continue): ", Death.EMERGENCY_SHELL),
        ("You are in emergency mode. After logging in, type\nPress Enter for maintenance", Death.EMERGENCY_SHELL),
        ("Cannot open access to console, the root account is locked.\nPress Enter to continue.", Death.EMERGENCY_SHELL),
        ("Debian GNU/Linux 12 debian ttyS0\n\ndebian login: ", Death.NO_SSH),
        ("[    1.0] x\n[    2.123456] reboot: System halted\n", Death.HALTED),
        ("Out of memory\n\n -- System halted", Death.NOT_UNPACKED),
        ("error: no such partition.\nEntering rescue mode...\ngrub rescue> ", Death.LOADER_PROMPT),
        ("Could not boot: Connection refused\niPXE> ", Death.LOADER_PROMPT),
        ("Shell> ", Death.FIRMWARE_SHELL),
        ('BdsDxe: failed to load Boot0001 "x" from y: Access Denied\nShell> ', Death.FIRMWARE_REFUSED),
        ("error: bad shim signature.\nerror: you need to load the kernel first.\ngrub> ", Death.FIRMWARE_REFUSED),
    ],
)
def test_quiet_prompt_ends_a_boot(text: str, death: Death) -> None:
    _, dead = end_of(with_console(text, for_s=1.5 * CANARY_S))
    assert dead is not None
    assert dead.death is death


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("SYSLINUX 6.04\nboot: ", id="a prompt that may have a time-out"),
        pytest.param("GNU GRUB\nThe highlighted entry will be executed automatically in 5s.", id="a menu that counts"),
        pytest.param("debian login: root\nLast login: today\n# ", id="somebody logged in"),
        pytest.param("the word Kernel panic - not syncing: in a log\n", id="words that are quoted"),
        pytest.param("[   10.000000] systemd[1]: Starting\n", id="a system on its way"),
        pytest.param("", id="a guest without a serial console"),
    ],
)
def test_quiet_guest_without_last_words_lives(text: str) -> None:
    _, dead = end_of(with_console(text, for_s=3 * CANARY_S))
    assert dead is None


def test_prompt_that_is_answered_is_none(tmp_path: Path) -> None:
    del tmp_path
    first, second = with_console("Press Enter for maintenance: ", for_s=1), with_console("going on\n", for_s=60)
    watch, dead = end_of(first)
    assert dead is None
    for look in second:
        watch = watch.after(replace(look, at_s=look.at_s + 2))
        assert watch.dead(PATIENCE) is None


def test_loaders_prompt_without_a_time_out_is_the_end_at_last() -> None:
    _, dead = end_of(with_console("SYSLINUX 6.04\nboot: ", for_s=60))
    assert dead == Dead(Death.LOADER_PROMPT, "boot:")


def test_login_prompt_waits_for_a_guest_that_works() -> None:
    busy = replace(IDLE_KERNEL, halted=False)
    assert end_of(with_console("debian login: ", for_s=60, cpu=busy))[1] is None


def test_login_prompt_waits_longer_where_cloud_init_makes_the_account() -> None:
    by_cloud_init = Patience.of(CANARY_S, by_cloud_init=True)
    assert end_of(with_console("debian login: ", for_s=3 * CANARY_S), by_cloud_init)[1] is None
    assert end_of(with_console("debian login: ", for_s=6 * CANARY_S), by_cloud_init)[1] is not None


def test_busy_host_makes_nobody_look_dead() -> None:
    """A virtual CPU that waits for a processor has no time to show that it lives."""
    looks = with_console("", for_s=120, cpu=HALTED_BIOS)
    starved = (replace(look, vcpus=(VcpuTime(1.0, 0.98 * look.at_s),)) for look in looks)
    assert end_of(starved)[1] is None


def test_one_look_is_never_enough() -> None:
    look = Look(5.0, "[    1.000000] Kernel panic - not syncing: no\n", {}, (), IDLE_KERNEL)
    watch = BootWatch().after(look)
    assert watch.dead(PATIENCE) is None
    assert watch.after(replace(look, at_s=5.5)).dead(PATIENCE) is not None


def test_guest_that_qemu_does_not_tell_about_is_not_judged_by_its_cpu() -> None:
    assert end_of(with_console("", for_s=60, cpu=None))[1] is None


@pytest.mark.parametrize(("name", "for_s", "is_dead"), [("fda", 10, False), ("fda", 60, True), ("vdb", 10, True)])
def test_floppys_loader_has_time_to_fetch_the_rest_over_the_network(name: str, for_s: float, is_dead: bool) -> None:
    napping = CpuPlace(halted=True, protected=True, paging=False, long_mode=False, address=0x10A88C)
    looks = (replace(look, disks={"vda": 400_000, name: 0}) for look in with_console("", for_s=for_s, cpu=napping))
    assert (end_of(looks)[1] is not None) == is_dead


@pytest.mark.parametrize(("text", "is_dead"), [(">>Start PXE over IPv4.", False), ("", True)])
def test_uefi_at_rest_is_the_end_unless_it_waits_for_the_network(text: str, is_dead: bool) -> None:
    at_rest = CpuPlace(halted=True, protected=True, paging=True, long_mode=True, address=0xF059731)
    assert (end_of(with_console(text, for_s=10, cpu=at_rest))[1] is not None) == is_dead


def test_kernel_of_32_bits_at_rest_is_no_firmware() -> None:
    kernel = CpuPlace(halted=True, protected=True, paging=True, long_mode=False, address=0xC1000000)
    assert end_of(with_console("", for_s=60, cpu=kernel))[1] is None


def test_registers_of_another_form_tell_no_place() -> None:
    assert parse_registers("X0=0000 PC=0000") is None


def test_words_that_were_not_said_are_none() -> None:
    assert last_words("") is None
    assert denied("BdsDxe: starting Boot0001") is None
