"""The documents build strictly, and the site that comes of them needs nothing from the network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

ROOT = Path(__file__).parents[2]


def build_site(site: Path, **changed: object) -> None:
    config = load_config(str(ROOT / "mkdocs.yml"), strict=True, site_dir=str(site), **changed)
    config.plugins.on_startup(command="build", dirty=False)
    build(config)


def test_site_builds_strictly_and_loads_nothing_from_elsewhere(tmp_path):
    build_site(tmp_path)
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > 20
    loading = re.compile(r'<(?:script|img|iframe)\b[^>]*\bsrc="?(?:https?:)?//|<link\b[^>]*rel="?stylesheet[^>]*//')
    assert [str(page.relative_to(tmp_path)) for page in pages if loading.search(page.read_text())] == []


def test_linked_source_is_on_the_site_as_text(tmp_path):
    build_site(tmp_path)
    copy = tmp_path / "sources/scenarios/volume/transports.yaml.txt"
    assert copy.read_text() == (ROOT / "scenarios/volume/transports.yaml").read_text()
    page = (tmp_path / "reference/scenarios.html").read_text()
    assert 'href="../sources/scenarios/volume/transports.yaml.txt"' in page


@pytest.mark.parametrize(
    "page",
    [
        pytest.param("[other](other.md)", id="page"),
        pytest.param("[anchor](index.md#no-such-heading)", id="anchor"),
        pytest.param("[source](../no-such-file.yaml)", id="outside docs"),
        pytest.param("[source](/index.md)", id="absolute"),
    ],
)
def test_broken_link_fails_the_build(tmp_path, page):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text(f"# Title\n\n{page}\n")
    with pytest.raises(Abort):
        build_site(tmp_path / "site", docs_dir=str(docs), nav=[{"Home": "index.md"}])


def test_page_outside_the_navigation_fails_the_build(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("index", "forgotten"):
        (docs / f"{name}.md").write_text("# Title\n")
    with pytest.raises(Abort):
        build_site(tmp_path / "site", docs_dir=str(docs), nav=[{"Home": "index.md"}])


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_of_a_page_at_the_top_lead_to_files(name):
    links = re.findall(r"\]\(([^)#\s:]+)", (ROOT / name).read_text())
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
