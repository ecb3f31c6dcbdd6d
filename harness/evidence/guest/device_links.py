"""Tell which links below /dev/disk each disk has: those that udev made, or without udev those that it would make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.evidence.guest.content_links import content_links
from harness.evidence.inventory import ComputedLinks, LinkFolder

if TYPE_CHECKING:
    from harness.evidence.guest.capture import Capture
    from harness.evidence.guest.links import Links

_OF_THE_CONTENT = (LinkFolder.BY_UUID, LinkFolder.BY_LABEL, LinkFolder.BY_PARTUUID, LinkFolder.BY_PARTLABEL)
Nodes = Mapping[str, Sequence[str]]
"""The kernel names of each disk: its own, and its partitions'."""


@dataclass(frozen=True)
class DeviceLinks:
    """The links of one disk and its partitions, by folder; None in a folder where nothing tells them."""

    by_folder: Mapping[LinkFolder, tuple[str, ...] | None]
    contested: tuple[str, ...]
    computed: ComputedLinks | None


def device_links(
    capture: Capture, nodes: Nodes, computed: Mapping[str, Links], *, has_udev: bool
) -> dict[str, DeviceLinks]:
    """Return the links by kernel name of the disk."""
    if not has_udev:
        return _computed_links(capture, nodes, computed)
    wanted = _claimed(capture, nodes)
    contested = _contested(wanted) if any(wanted.values()) else {name: computed[name].contested for name in nodes}
    return {
        name: DeviceLinks(
            {folder: _made(capture, folder, nodes[name]) for folder in LinkFolder},
            contested[name],
            _as_prediction(computed[name]),
        )
        for name in nodes
    }


def _computed_links(capture: Capture, nodes: Nodes, computed: Mapping[str, Links]) -> dict[str, DeviceLinks]:
    told = None if capture.contents is None else content_links(capture.contents)
    of_content = {
        name: tuple(dict.fromkeys(link for node in nodes[name] for link in (told or {}).get(node, ())))
        for name in nodes
    }
    contested = _contested(of_content)
    found = {}
    for name in nodes:
        links = computed[name]
        by_folder = {
            LinkFolder.BY_PATH: links.by_path,
            LinkFolder.BY_ID: links.by_id if links.ids_are_known else None,
            **{
                folder: _in(folder, of_content[name], contested[name]) for folder in _OF_THE_CONTENT if told is not None
            },
        }
        found[name] = DeviceLinks(
            {folder: by_folder.get(folder) for folder in LinkFolder}, (*links.contested, *contested[name]), None
        )
    return found


def _claimed(capture: Capture, nodes: Nodes) -> dict[str, tuple[str, ...]]:
    """Return the links that udev's database has for each disk, whoever got them."""
    numbers = {node: number for number, node in capture.block_numbers.items()}
    return {
        name: tuple(
            dict.fromkeys(link for node in nodes[name] for link in capture.claims.get(numbers.get(node, ""), ()))
        )
        for name in nodes
    }


def _contested(wanted: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    folders = frozenset(LinkFolder)
    claims = Counter(link for links in wanted.values() for link in links if link.partition("/")[0] in folders)
    return {name: tuple(link for link in links if claims[link] > 1) for name, links in wanted.items()}


def _in(folder: LinkFolder, links: Sequence[str], contested: Sequence[str]) -> tuple[str, ...]:
    prefix = f"{folder}/"
    return tuple(link.removeprefix(prefix) for link in links if link.startswith(prefix) and link not in contested)


def _made(capture: Capture, folder: LinkFolder, nodes: Sequence[str]) -> tuple[str, ...]:
    by_target: dict[str, list[str]] = {}
    for link, target in sorted(capture.children(f"/dev/disk/{folder}").items()):
        by_target.setdefault(target, []).append(link)
    return tuple(link for node in nodes for link in by_target.get(f"/dev/{node}", ()))


def _as_prediction(links: Links) -> ComputedLinks:
    bare = tuple(link.partition("/")[2] for link in links.contested)
    return ComputedLinks(by_path=links.by_path, by_id=links.by_id if links.ids_are_known else None, contested=bare)
