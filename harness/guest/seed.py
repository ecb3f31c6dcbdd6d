"""What the cloud-init of a user's image is given: accounts that let the run's key in, and an instance id.

The SMBIOS serial number of the system says where to fetch them (the NoCloud datasource) over the guest's first NIC.
That adds no device. Where the scenario has a config drive, cloud-init may find that first, so it carries the same.
https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

META_DATA, USER_DATA = "meta-data", "user-data"
_HOST = "10.0.2.2"
"""The host in QEMU's user network, on the guest's first NIC."""


@dataclass(frozen=True)
class Seed:
    """Made for one instance; the same in all its states, as with Nova, whose instance id is the instance's UUID."""

    instance_id: str
    user_data: str

    def files(self) -> dict[str, bytes]:
        """What is served, by name.

        cloud-init asks for vendor data ten times, a second apart, unless there are some.
        """
        meta_data = json.dumps({"instance-id": self.instance_id})
        return {META_DATA: meta_data.encode(), USER_DATA: self.user_data.encode(), "vendor-data": b""}


def make_seed(instance_id: str, users: Iterable[str], authorized_key: str) -> Seed:
    """The seed that makes each of ``users`` if need be and lets the key in; others than root get sudo."""
    accounts = dict.fromkeys(users)
    config = {
        "users": ["default", *(_account(user, authorized_key) for user in accounts)],
        "disable_root": "root" not in accounts,
        # With another name than /etc/hosts has, sudo would ask the network's name server at each command.
        "preserve_hostname": True,
        # An RSA key takes half a minute without KVM; ed25519 is enough for one client.
        "ssh_genkeytypes": ["ed25519"],
        # The harness's marker is behind the image, so a root file system that grew would be over it.
        "growpart": {"mode": "off"},
        "resize_rootfs": False,
    }
    return Seed(instance_id, f"#cloud-config\n{json.dumps(config, indent=1)}\n")


def _account(user: str, authorized_key: str) -> dict[str, object]:
    account: dict[str, object] = {"name": user, "ssh_authorized_keys": [authorized_key]}
    if user == "root":
        return {**account, "lock_passwd": False}
    return {**account, "sudo": "ALL=(ALL) NOPASSWD:ALL"}


def seed_serial(port: int, path: str) -> str:
    """The SMBIOS serial number that sends cloud-init to ``path`` on the host's ``port``.

    The datasource is called ``nocloud-net``: so cloud-init wants it before 24.1, and later ones know the name as a
    deprecated one.
    """
    return f"ds=nocloud-net;s=http://{_HOST}:{port}/{path}"


def what_to_do(asked: Collection[str], *, has_config_drive: bool) -> str:
    """The next step where the account was not let in, by what the guest's cloud-init has asked for so far."""
    if USER_DATA in asked:
        return (
            "the image's cloud-init fetched the account and its key, and the SSH server does not take them:"
            " /var/log/cloud-init.log in the image's guest says why; may this user log in at all (sshd_config)?"
        )
    if has_config_drive:
        return (
            "the image's cloud-init asked for nothing; it may have read the scenario's config drive instead. Is it"
            " installed and enabled, and does datasource_list in /etc/cloud have NoCloud or ConfigDrive?"
        )
    return (
        "the image's cloud-init asked for no data: is it installed and enabled, does datasource_list in /etc/cloud have"
        " NoCloud, and does the first NIC get its address by DHCP? /run/cloud-init/ds-identify.log in the guest says"
        " what it found; an image without cloud-init takes 'ssh: key'"
    )
