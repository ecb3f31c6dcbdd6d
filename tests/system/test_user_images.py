"""Images of users as instance and as rescue image, never written to: one with a user, a key and sudo of its own, and
one whose cloud-init makes all of that.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.evidence.inventory import State
from harness.image.command import run
from harness.image.debian import DebianRecipe
from harness.image.recipe import recipe_folder
from harness.implementation.reference.implementation import Reference
from harness.reading.cases import collect_cases
from harness.run.engine import run_case
from harness.run.session import Session
from harness.scenario.words import VerdictName

SCENARIO = """\
name: own
summary: Instance and rescue image are files of the user's
instance:
  image: {file: images/instance.qcow2, user: admin, ssh: key, key: id}
  memory: 512 MiB
  disks:
    - {role: root}
    - {role: volume}
rescue_image:
  image: {file: images/rescue.img, user: rescuer, ssh: cloud-init}
  properties: {hw_rescue_bus: virtio}
"""


READY_LINE = (
    "/usr/local/sbin/rescue-harness-ready",
    "/etc/systemd/system/multi-user.target.wants/rescue-harness-ready.service",
)
ALL_THAT_IS_THE_HARNESSS = (
    *READY_LINE,
    "/etc/cloud/cloud-init.disabled",
    "/etc/ssh/sshd_config.d/rescue-harness.conf",
    "/etc/systemd/network/all.network",
    "/etc/systemd/system/ssh.service.requires/rescue-harness-key.service",
)


def change(file_system: str, removed: Sequence[str], contents: Mapping[str, str], folder: Path) -> None:
    """Remove files and write files, in place of some or new; nothing is mounted."""
    script = [f"rm {path}" for path in removed]
    for number, (path, text) in enumerate(contents.items()):
        local = folder / f"file-{number}"
        local.write_text(text)
        local.chmod(0o444)
        script += [f"rm {path}", f"cd {Path(path).parent}", f"write {local} {Path(path).name}"]
    (folder / "script").write_text("\n".join(script) + "\n")
    run("debugfs", "-w", "-f", folder / "script", file_system)


def put_account(file_system: str, public_key: str, folder: Path) -> None:
    """Give an image a user with a key and sudo, and take the harness's ready line away."""
    passwd = run("debugfs", "-R", "cat /etc/passwd", file_system)
    contents = {
        "/etc/passwd": f"{passwd}admin:*:1000:1000::/tmp:/bin/sh\n",
        "/etc/sudoers.d/admin": "admin ALL=(ALL) NOPASSWD:ALL\n",
        "/etc/ssh/sshd_config.d/first.conf": "AuthorizedKeysFile /etc/ssh/keys-%u\n",
        "/etc/ssh/keys-admin": public_key,
    }
    change(file_system, READY_LINE, contents, folder)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_files_of_the_users_as_instance_and_rescue_image(own_session: Session, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "id")], check=True)
    public_key = (tmp_path / "id.pub").read_text()
    recipe = DebianRecipe.load(recipe_folder() / "debian")
    shipped = own_session.debian()
    folder = tmp_path / "images"
    folder.mkdir()
    for source in (shipped.instance, shipped.rescue):
        run("qemu-img", "convert", "-f", "raw", "-O", "raw", source, folder / source.name)
    offsets = [recipe.boot_disk(disk).root_offset for disk in (recipe.instance, recipe.rescue)]
    put_account(f"{folder / 'instance.img'}?offset={offsets[0]}", public_key, tmp_path)
    change(f"{folder / 'rescue.img'}?offset={offsets[1]}", ALL_THAT_IS_THE_HARNESSS, {}, tmp_path)
    run("qemu-img", "convert", "-O", "qcow2", "-f", "raw", folder / "instance.img", folder / "instance.qcow2")
    (folder / "instance.img").unlink()
    before = {path: sha256(path) for path in folder.iterdir()}

    (tmp_path / "own.yaml").write_text(SCENARIO)
    (case,) = collect_cases([tmp_path / "own.yaml"], Reference())
    result = run_case(case, own_session)

    assert result.verdict is VerdictName.STABLE, result.sentences()
    assert [boot.state for boot in result.boots] == [State.NORMAL, State.RESCUED, State.UNRESCUED]
    assert {path: sha256(path) for path in folder.iterdir()} == before
