"""What authors are told about their files: each problem once, with file, line, key and what is allowed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.reading.loading import LoadedScenario, load_scenarios
from harness.reading.translation import PATTERNS
from harness.scenario.models import Scenario
from harness.scenario.words import DiskBus

GOOD = """\
name: good
summary: a root disk
instance:
  disks:
    - {role: root}
rescue_image:
  properties: {hw_rescue_bus: usb}
"""


def problems_in(folder: Path, text: str | bytes, name: str = "a.yaml") -> list[str]:
    """The lines of the error, without the folder's path."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ScenarioError) as caught:
        load_scenarios([path])
    return caught.value.message.replace(f"{folder}/", "").splitlines()


def loaded_from(folder: Path, text: str) -> LoadedScenario:
    path = folder / "a.yaml"
    path.write_text(text, encoding="utf-8")
    (loaded,) = load_scenarios([path])
    return loaded


def with_disk(disk: str) -> str:
    return GOOD.replace("    - {role: root}\n", f"    - {{role: root}}\n    - {disk}\n")


MANY = """\
name: Many Errors
summary: eight things wrong
lnks: [nowhere]
instance:
  machine: q53
  firmware: efi
  disks:
    - {role: root}
    - role: volume
      buss: scsi
      size: 16 MB
    - {role: vol}
    - {bus: usb}
rescue_image:
  propertes: {hw_rescue_bus: usb}
matrix:
  axes:
    instance.machin: [pc]
expect: stabel
"""


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    disk_keys = "role, name, size, bus, device, serial, device_name, backend, encryption of a volume disk"
    instance_keys = (
        "instance.machine, instance.firmware, instance.image, instance.direct_kernel, instance.memory,"
        " instance.properties, instance.disks, instance.nics, instance.devices"
    )
    assert problems_in(tmp_path, MANY) == [
        (
            'a.yaml:1: name: found "Many Errors"; allowed: lower-case letters, digits and hyphens, beginning '
            'with a letter or digit; did you mean "many-errors"?'
        ),
        (
            'a.yaml:3: lnks: unknown key "lnks"; allowed: name, summary, links, level, deepest_level, optional, '
            'instance, rescue_image, steps, while_rescued, matrix, sweep, expect; did you mean "links"?'
        ),
        (
            'a.yaml:5: instance.machine: found "q53"; allowed: pc, q35 or a versioned one such as pc-q35-7.2 or '
            'pc-i440fx-7.2; did you mean "q35"?'
        ),
        'a.yaml:6: instance.firmware: found "efi"; allowed: bios, uefi; did you mean "uefi"?',
        f'a.yaml:10: instance.disks.1.buss: unknown key "buss"; allowed: {disk_keys}; did you mean "bus"?',
        (
            'a.yaml:11: instance.disks.1.size: found "16 MB"; allowed: a number of bytes or a number '
            "with KiB, MiB or GiB, such as '16 MiB'; did you mean \"16 MiB\"?"
        ),
        (
            'a.yaml:12: instance.disks.2.role: found "vol"; allowed: root, ephemeral, swap, volume, config_drive; '
            'did you mean "volume"?'
        ),
        'a.yaml:13: instance.disks.3: the key "role" is missing; allowed: root, ephemeral, swap, volume, config_drive',
        (
            'a.yaml:15: rescue_image.propertes: unknown key "propertes"; allowed: image, properties;'
            ' did you mean "properties"?'
        ),
        (
            'a.yaml:18: matrix.axes.instance.machin: "instance.machin" is no key of this scenario; '
            f'allowed: {instance_keys}; did you mean "instance.machine"?'
        ),
        'a.yaml:19: expect: found "stabel"; allowed: stable, moved, refused, unfit; did you mean "stable"?',
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a: 1\n\tb: 2\n", "a.yaml:2:1: a tab where YAML wants spaces", id="tab-as-indentation"),
        pytest.param("name:\tx\nb: [\n", "a.yaml:1:6: a tab", id="tab-after-colon"),
        pytest.param("name: a\nsummary: b: c\n", "a.yaml:2:11: a ':' that begins no mapping here", id="colon-in-text"),
        pytest.param("name: [1,\n", "a.yaml:2:1: not YAML: ", id="unclosed-list"),
        pytest.param("name: a\n---\nname: b\n", "a.yaml:2:1: a second document", id="two-documents"),
        pytest.param("name: *nowhere\n", "a.yaml:1:7: not YAML: found undefined alias", id="undefined-alias"),
        pytest.param("name: a\x01b\n", "a.yaml:1:8: character U+0001", id="control-character"),
        pytest.param(b"name: a\nsummary: caf\xe9\n", "a.yaml:2: byte 0xe9 is not UTF-8", id="latin-1"),
        pytest.param("", "a.yaml:1: top level: the file is empty", id="empty"),
        pytest.param("# nothing\n", "a.yaml:1: top level: the file is empty", id="only-a-comment"),
        pytest.param("- a\n", "a.yaml:1: top level: found a list", id="list-at-the-top"),
        pytest.param("text\n", "a.yaml:1: top level: found a single value", id="text-at-the-top"),
        pytest.param("[" * 3000, "a.yaml:1:1: nested too deeply", id="nested-too-deeply"),
    ],
)
def test_what_is_no_scenario_has_one_problem(tmp_path: Path, text: str | bytes, expected: str) -> None:
    (line,) = problems_in(tmp_path, text)
    assert line.startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            GOOD + "summary: again\n", 'a.yaml:8: summary: the key "summary" is already in line 2', id="duplicate-key"
        ),
        pytest.param(
            GOOD.replace("a root disk", "!python/name:os.system x"),
            "a.yaml:2: summary: the tag !python/name:os.system; allowed: plain YAML, without tags",
            id="tag",
        ),
        pytest.param(
            GOOD + "links: &l [*l]\n", "a.yaml:8: links.0: an alias of something that contains it", id="cycle"
        ),
        pytest.param(GOOD + "? [a]\n: b\n", "a.yaml:1: top level: a list or a mapping as a key", id="list-as-key"),
        pytest.param(
            "summary: s\ninstance: {}\n", 'a.yaml:2: instance: the key "disks" is missing', id="missing-below"
        ),
        pytest.param("\n\nsummary: s\n", 'a.yaml:3: top level: the key "name" is missing', id="missing-at-the-top"),
        pytest.param(
            GOOD.replace("a root disk", "5"), 'summary: found the number 5; allowed: text, in quotes: "5"', id="number"
        ),
        pytest.param(GOOD + "links: x\n", 'links: found "x"; allowed: a list, such as [x]', id="text-for-a-list"),
        pytest.param(GOOD + "matrix: 5\n", "matrix: found the number 5; allowed: a mapping", id="number-for-a-mapping"),
        pytest.param(
            GOOD.replace("    - {role: root}", "    []"),
            "instance.disks: found a list without entries; allowed: at least one entry",
            id="no-disks",
        ),
        pytest.param(
            GOOD.replace("role: root", "role: swap"),
            "an instance has exactly one root disk, here are 0; the volume that it boots from is its root",
            id="no-root",
        ),
        pytest.param(with_disk("{role: root}"), "exactly one root disk, here are 2", id="two-roots"),
        pytest.param(
            with_disk("{role: swap, size: 0}"), "size: found the number 0; allowed: a size above 0", id="zero"
        ),
        pytest.param(
            with_disk("{role: swap, size: 1000}"),
            "a.yaml:6: instance.disks.1.size: found the number 1000; allowed: a multiple of 4096 bytes",
            id="odd-size",
        ),
        pytest.param(
            with_disk("{role: swap, size_bytes: 4096}"), 'unknown key "size_bytes"', id="name-of-the-model-not-the-key"
        ),
        pytest.param(
            with_disk("{role: swap, serial: x}"),
            'unknown key "serial"; allowed: role, size, bus, device_name of a swap disk',
            id="key-of-another-role",
        ),
        pytest.param(
            with_disk("{role: swap, device_name: sdb1}"),
            'found "sdb1"; allowed: vd, sd or hd and one or more letters, such as vdb',
            id="device-name-of-a-partition",
        ),
        pytest.param(
            with_disk("{role: config_drive, format: iso}"),
            'format: found "iso"; allowed: iso9660, vfat; did you mean "iso9660"?',
            id="literal",
        ),
        pytest.param(GOOD + "expect: moved\n", "expect: 'verdict: moved' needs at least one entry", id="moved-alone"),
        pytest.param(
            GOOD + "expect:\n  verdict: moved\n  findings: [{claim: nams, device: root}]\n",
            'a.yaml:10: expect.findings.0.claim: found "nams"',
            id="expectation-as-a-mapping-keeps-its-key",
        ),
        pytest.param(
            GOOD + "expect:\n  - stable\n  - {verdict: refused}\n",
            "a.yaml:10: expect.1: 'verdict: refused' needs a 'reason'",
            id="expectation-in-a-list",
        ),
        pytest.param(
            GOOD + 'expect: {verdict: refused, reason: " "}\n',
            'a.yaml:8: expect.reason: found " "; allowed: some words',
            id="a-reason-that-any-refusal-has",
        ),
        pytest.param(
            GOOD + "expect: {verdict: moved, findings: [{claim: names, device: '*', count: 0}]}\n",
            "found the number 0; allowed: a number from 1 on",
            id="a-count-of-nothing",
        ),
        pytest.param(
            GOOD + "expect: {verdict: stable, findings: [{claim: names, device: root}]}\n",
            "a.yaml:8: expect: 'verdict: stable' has no 'findings'",
            id="findings-of-nothing",
        ),
        pytest.param(
            GOOD + "expect: {verdict: refused, reasn: IDE}\n",
            'a.yaml:8: expect.reasn: unknown key "reasn"; allowed: when, verdict, ',
            id="misspelt-key-of-an-expectation-as-a-mapping",
        ),
        pytest.param(
            GOOD + "optional: yes\n", 'a.yaml:8: optional: found "yes"; allowed: true or false', id="yes-is-text"
        ),
        pytest.param(
            with_disk("{role: swap, size: 17000 GiB}"), 'size: found "17000 GiB"; allowed: a size of 16 TiB', id="huge"
        ),
        pytest.param(
            with_disk(f"{{role: volume, name: {'x' * 65}}}"), '..."; allowed: at most 64 characters', id="long-name"
        ),
        pytest.param(
            GOOD.replace(
                "  disks:", "  nics: [virtio, virtio, virtio, virtio, virtio, virtio, virtio, virtio, e1000]\n  disks:"
            ),
            "instance.nics: found 9 entries; allowed: at most 8 entries",
            id="too-many-nics",
        ),
        pytest.param(GOOD + '"\\e[31mkey": 1\n', "\\x1b[31mkey: unknown key", id="control-characters-in-a-key"),
        pytest.param(
            GOOD + "matrix: {axes: {steps.0: [reboot]}}\n",
            '"steps.0" is no key of this scenario',
            id="axis-without-a-place",
        ),
        pytest.param(GOOD + "expect: []\n", "a.yaml:8: expect: an empty list", id="no-expectation"),
        pytest.param(
            GOOD + "level: guest\ndeepest_level: plan\n",
            'a.yaml:9: deepest_level: found "plan", and level is "guest"; allowed: that level or a deeper one',
            id="no-level-is-left",
        ),
    ],
)
def test_problem_names_line_key_and_what_is_allowed(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in "\n".join(problems_in(tmp_path, text))


def test_clashes_are_told_beside_misspelt_keys(tmp_path: Path) -> None:
    lines = problems_in(tmp_path, with_disk("{role: volume, name: swap}") + "lnks: []\n")
    assert [line.split("; ")[0] for line in lines] == [
        'a.yaml:6: instance.disks.1.name: "swap" is the harness\'s own name for another disk',
        'a.yaml:9: lnks: unknown key "lnks"',
    ]


def test_what_only_follows_from_a_wrong_value_is_not_told(tmp_path: Path) -> None:
    text = with_disk("{role: volume, buss: scsi, serial: a-serial-of-more-than-20-bytes}")
    (line,) = problems_in(tmp_path, text)
    assert 'unknown key "buss"' in line


def test_messages_are_free_of_pydantic(tmp_path: Path) -> None:
    text = "\n".join(problems_in(tmp_path, MANY)).lower()
    assert "pydantic" not in text
    assert "input" not in text
    assert "http" not in text


def test_anchors_aliases_and_merges_are_followed(tmp_path: Path) -> None:
    loaded = loaded_from(
        tmp_path,
        "name: a\nsummary: s\ninstance:\n  disks:\n    - {role: root}\n    - &scsi {role: volume, bus: scsi}\n"
        "    - *scsi\n    - {<<: *scsi, name: data, bus: usb}\n",
    )
    buses = [getattr(disk, "bus", None) for disk in loaded.scenario.instance.disks]
    assert buses == [None, DiskBus.SCSI, DiskBus.SCSI, DiskBus.USB]


def test_problem_in_a_merged_key_has_the_line_of_the_anchor(tmp_path: Path) -> None:
    text = (
        "name: a\nsummary: s\ninstance:\n  disks:\n    - {role: root}\n    - &bad\n      role: volume\n"
        "      bus: scssi\n    - <<: *bad\n      name: data\n"
    )
    assert [line.split(": found")[0] for line in problems_in(tmp_path, text)] == [
        "a.yaml:8: instance.disks.1.bus",
        "a.yaml:8: instance.disks.2.bus",
    ]


def test_yaml_is_1_2(tmp_path: Path) -> None:
    assert loaded_from(tmp_path, GOOD.replace("a root disk", "yes")).scenario.summary == "yes"


def test_aliases_cannot_blow_up(tmp_path: Path) -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 9))
    (line,) = problems_in(tmp_path, "l0: &l0 [x]\n" + levels)
    assert "aliases make this more than 100,000 values" in line


def test_folder_is_searched_recursively_in_order_of_names(tmp_path: Path) -> None:
    for name in ("b/z.yml", "a.yaml", "b/c.yaml", ".hidden/d.yaml", "note.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(GOOD.replace("good", path.stem), encoding="utf-8")
    loaded = load_scenarios([tmp_path, tmp_path / "a.yaml"])
    assert [str(one.path.relative_to(tmp_path)) for one in loaded] == ["a.yaml", "b/c.yaml", "b/z.yml"]


def test_problems_of_all_files_come_together(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "two.yaml").write_text(GOOD + "lnks: []\n", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ScenarioError) as caught:
        load_scenarios([tmp_path, tmp_path / "empty", tmp_path / "none.yaml"])
    lines = caught.value.message.replace(f"{tmp_path}/", "").splitlines()
    assert [line.split(";")[0] for line in lines] == [
        "empty: no scenario in this folder",
        "none.yaml: no such file or folder",
        'two.yaml:1: name: "good" is also the name of the scenario in one.yaml:1',
        'two.yaml:8: lnks: unknown key "lnks"',
    ]
    assert caught.value.exit_code == 2


def test_one_file_by_several_paths_is_loaded_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "b.yaml").symlink_to("a.yaml")
    (tmp_path / "c").mkdir()
    loaded = load_scenarios([tmp_path / "a.yaml", tmp_path / "c" / ".." / "a.yaml", tmp_path / "b.yaml"])
    assert [one.path for one in loaded] == [tmp_path / "a.yaml"]


def test_a_path_that_cannot_be_a_scenario_file_is_never_read(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no scenario", encoding="utf-8")
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(ScenarioError) as caught:
        load_scenarios([tmp_path / "notes.txt", tmp_path / "pipe.yaml"])
    assert caught.value.message.replace(f"{tmp_path}/", "").splitlines() == [
        "notes.txt: not the name of a scenario file; allowed: a file named *.yaml or *.yml",
        "pipe.yaml: neither a file nor a folder; allowed: a scenario file",
    ]


def test_a_misspelt_role_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.replace("{role: root}", "{rolle: root}"), encoding="utf-8")
    with pytest.raises(ScenarioError, match=r'instance\.disks\.0\.rolle: unknown key "rolle"; did you mean "role"\?'):
        load_scenarios([tmp_path])


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(GOOD, encoding="utf-8")
    path.chmod(0)
    with pytest.raises(ScenarioError, match=r"a\.yaml: cannot be read: Permission denied"):
        load_scenarios([path])


def test_every_pattern_of_the_models_has_words() -> None:
    def patterns(schema: object) -> set[str]:
        if isinstance(schema, dict):
            own = {schema["pattern"]} if isinstance(schema.get("pattern"), str) else set()
            return own.union(*map(patterns, schema.values()))
        return set().union(*map(patterns, schema)) if isinstance(schema, list) else set()

    sizes = {r"^\d+ ?(B|KiB|MiB|GiB)$"}
    assert patterns(Scenario.model_json_schema()) - sizes == set(PATTERNS)
