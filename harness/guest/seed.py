"""The data for the cloud-init of a user's image: accounts that let the run's key in, and an instance id.

The SMBIOS serial number of the system tells cloud-init where to fetch the data over the guest's first NIC (the NoCloud
datasource). That adds no device. If the scenario has a config drive, cloud-init may find the config drive first, so the
config drive carries the same data.
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
    """The data for one instance.

    The data is the same in all states of the instance, as with Nova, whose instance id is the instance's UUID.
    """

    instance_id: str
    user_data: str

    def files(self) -> dict[str, bytes]:
        """Return the served files by name.

        Vendor data is among them, because without it cloud-init asks ten times, a second apart.
        """
        meta_data = json.dumps({"instance-id": self.instance_id})
        return {META_DATA: meta_data.encode(), USER_DATA: self.user_data.encode(), "vendor-data": b""}


def make_seed(instance_id: str, users: Iterable[str], authorized_key: str) -> Seed:
    """Return the seed that makes each of ``users`` if need be and lets the key in; users other than root get sudo."""
    accounts = dict.fromkeys(users)
    config = {
        "users": ["default", *(_account(user, authorized_key) for user in accounts)],
        "disable_root": "root" not in accounts,
        # With a host name that is not in /etc/hosts, sudo would ask the network's name server at each command.
        "preserve_hostname": True,
        # An RSA key takes half a minute without KVM; ed25519 is enough for one client.
        "ssh_genkeytypes": ["ed25519"],
        # The harness's marker is behind the image, so a root file system that grew would overwrite it.
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
    """Return the SMBIOS serial number that sends cloud-init to ``path`` on the host's ``port``.

    The number names the datasource ``nocloud-net``: cloud-init before 24.1 wants that name, and later versions still
    accept it as a deprecated one.
    """
    return f"ds=nocloud-net;s=http://{_HOST}:{port}/{path}"


def what_to_do(asked: Collection[str], *, has_config_drive: bool) -> str:
    """Return the hint for an account that was not let in, by the files that the guest's cloud-init has asked for."""
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
