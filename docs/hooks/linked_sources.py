"""Files outside of docs/ that a page links to, as on a code host: the site gets a copy of each, as text.

MkDocs looks a link up among the files of the site. A linked file that exists becomes one of them, under ``sources/``; a
link to a file that does not exist stays a broken link, which fails the strict build.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel

_LINK = re.compile(r"\]\((\.\./[^)#\s]+)")


class _Source(File):
    """A copy for reading: never rendered, and not expected in the navigation."""

    def is_documentation_page(self) -> bool:
        return False


def on_files(files: Files, config: MkDocsConfig) -> None:
    docs = Path(config.docs_dir)
    linked = {
        posixpath.normpath(posixpath.join(posixpath.dirname(page.src_uri), target))
        for page in files.documentation_pages()
        for target in _LINK.findall(page.content_string)
    }
    for uri in sorted(linked):
        path = docs / uri
        if uri.startswith("../") and path.exists():
            files.append(_source(uri, path, config))


def _source(uri: str, path: Path, config: MkDocsConfig) -> File:
    source = _Source(
        uri,
        src_dir=None,
        dest_dir=config.site_dir,
        use_directory_urls=config.use_directory_urls,
        # Undefined would be left out: MkDocs takes a path that begins with a dot for a hidden file.
        inclusion=InclusionLevel.NOT_IN_NAV,
        # Browsers show a text file and download a YAML file.
        dest_uri=f"sources/{uri.removeprefix('../')}.txt",
    )
    if path.is_dir():
        names = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith(("_", ".")))
        source.content_string = "".join(f"{name}\n" for name in names)
    else:
        source.content_string = path.read_text()
    return source
