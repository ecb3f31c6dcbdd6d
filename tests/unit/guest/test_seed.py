"""What cloud-init is given, where it is told to look, and what is said when it does not do it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.domain.xml import parse_domain
from harness.guest.access import with_access
from harness.guest.seed import META_DATA, USER_DATA, make_seed, seed_serial, what_to_do
from harness.image import ImageSet
from harness.instance.media_server import media_server

KEY = "ssh-ed25519 AAAA rescue-harness"


def config_of(*users: str) -> dict[str, Any]:
    header, _, rest = make_seed("id", users, KEY).user_data.partition("\n")
    assert header == "#cloud-config"
    return dict(json.loads(rest))


def test_every_user_gets_the_key_and_sudo_beside_the_distributions_own() -> None:
    config = config_of("admin", "rescuer", "admin")
    sudo = "ALL=(ALL) NOPASSWD:ALL"
    assert config["users"] == [
        "default",
        {"name": "admin", "ssh_authorized_keys": [KEY], "sudo": sudo},
        {"name": "rescuer", "ssh_authorized_keys": [KEY], "sudo": sudo},
    ]
    assert config["disable_root"] is True


def test_root_is_let_in_where_root_logs_in() -> None:
    config = config_of("root")
    assert config["users"][1] == {"name": "root", "ssh_authorized_keys": [KEY], "lock_passwd": False}
    assert config["disable_root"] is False


def test_nothing_grows_over_the_marker_behind_the_image() -> None:
    config = config_of("admin")
    assert (config["growpart"], config["resize_rootfs"]) == ({"mode": "off"}, False)


def test_meta_data_have_the_instances_id() -> None:
    files = make_seed("5e5c0e00", ["root"], KEY).files()
    assert json.loads(files[META_DATA])["instance-id"] == "5e5c0e00"
    assert files["vendor-data"] == b""


def served(folder: Path) -> ImageSet:
    (folder / "vmlinuz").write_bytes(b"kernel")
    paths = {"directory": folder, "kernel": folder / "vmlinuz", "initramfs": folder / "initramfs"}
    return cast("ImageSet", SimpleNamespace(**paths))


def fetched(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
        return bytes(answer.read())


def test_seed_is_served_beside_the_kernel_while_it_is_offered(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"")
    with media_server(served(tmp_path)) as server:
        with server.offering("5e5c", {USER_DATA: b"#cloud-config\n"}) as offered:
            assert offered.asked == set()
            assert fetched(server.port, f"{offered.path}{USER_DATA}") == b"#cloud-config\n"
            assert offered.asked == {USER_DATA}
            assert fetched(server.port, "vmlinuz") == b"kernel"
            for path in (f"{offered.path}network-config", "5e5d/user-data", "secret", "5e5c", ""):
                with pytest.raises(urllib.error.HTTPError, match="404"):
                    fetched(server.port, path)
            assert offered.asked == {USER_DATA}
        with pytest.raises(urllib.error.HTTPError, match="404"):
            fetched(server.port, f"{offered.path}{USER_DATA}")


SMBIOS = (
    "<sysinfo type='smbios'><system><entry name='serial'>uuid</entry><entry name='uuid'>u</entry></system></sysinfo>"
)


@pytest.mark.parametrize(
    "xml",
    [
        pytest.param(f"<domain>{SMBIOS}<os><smbios mode='sysinfo'/></os><devices/></domain>", id="as Nova has it"),
        pytest.param("<domain><os/><devices/></domain>", id="none before"),
        pytest.param("<domain><sysinfo type='smbios'/><os/><devices/></domain>", id="nothing of the system"),
    ],
)
def test_serial_number_says_where_the_seed_is_and_adds_no_device(xml: str) -> None:
    serial = seed_serial(4321, "5e5c/")
    assert serial == "ds=nocloud-net;s=http://10.0.2.2:4321/5e5c/"
    console = Path("/console.log")
    plain = parse_domain(with_access(xml, console_path=console, authorized_keys=KEY))
    once = with_access(xml, console_path=console, authorized_keys=KEY, system_serial=serial)
    seeded = parse_domain(once)
    assert [entry.text for entry in seeded.findall("sysinfo[@type='smbios']/system/entry[@name='serial']")] == [serial]
    assert [element.get("mode") for element in seeded.findall("os/smbios")] == ["sysinfo"]
    assert len(seeded.find("devices")) == len(plain.find("devices"))
    again = with_access(once, console_path=console, authorized_keys=KEY, system_serial=serial)
    assert [element.tag for element in parse_domain(again)].count("sysinfo") == 2


def test_without_a_seed_the_serial_number_stays_the_instances() -> None:
    xml = f"<domain>{SMBIOS}<os/><devices/></domain>"
    assert ">uuid<" in with_access(xml, console_path=Path("/console.log"), authorized_keys=KEY)


@pytest.mark.parametrize(
    ("asked", "has_config_drive", "told"),
    [
        (set(), False, "asked for no data: is it installed and enabled"),
        ({META_DATA}, False, "asked for no data"),
        (set(), True, "may have read the scenario's config drive"),
        ({META_DATA, USER_DATA}, False, "fetched the account and its key, and the SSH server does not take them"),
        ({META_DATA, USER_DATA}, True, "fetched the account"),
    ],
)
def test_next_step_goes_by_what_the_guest_has_asked_for(asked: set[str], has_config_drive: bool, told: str) -> None:
    assert told in what_to_do(asked, has_config_drive=has_config_drive)


@pytest.mark.parametrize("xml", ["<domain><os/><devices/></domain>", "<domain><os><bios/></os><devices/></domain>"])
def test_bios_speaks_on_the_serial_port_where_libvirt_has_a_word_for_that(xml: str) -> None:
    console = Path("/console.log")
    spoken = parse_domain(with_access(xml, console_path=console, authorized_keys=KEY, bios_speaks=True))
    assert [bios.get("useserial") for bios in spoken.findall("os/bios")] == ["yes"]
    assert "useserial" not in with_access(xml, console_path=console, authorized_keys=KEY)
