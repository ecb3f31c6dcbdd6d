"""An HTTP server on loopback for guests: it gives a rescue floppy its kernel and initramfs, and cloud-init its seed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from harness.image import ImageSet


@dataclass(frozen=True)
class OfferedFiles:
    """The files below ``path``; ``asked`` collects the names of the files that guests have requested."""

    path: str
    files: Mapping[str, bytes]
    asked: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class MediaServer:
    """A running server, which guests reach at ``port`` of the host."""

    port: int
    _offered: dict[str, OfferedFiles]

    @contextmanager
    def offering(self, name: str, files: Mapping[str, bytes]) -> Iterator[OfferedFiles]:
        """Serve files below a name until the end of the context."""
        offered = self._offered[name] = OfferedFiles(f"{name}/", files)
        try:
            yield offered
        finally:
            del self._offered[name]


class _Quiet(SimpleHTTPRequestHandler):
    served: frozenset[str] = frozenset()
    offered: Mapping[str, OfferedFiles] = {}

    def log_message(self, *_: object) -> None:
        """Print nothing, because the terminal is the user's."""

    def do_GET(self) -> None:
        if self.path.lstrip("/") in self.served:
            super().do_GET()
            return
        folder, _, name = self.path.lstrip("/").partition("/")
        found = self.offered.get(folder)
        if found is None or name not in found.files:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        found.asked.add(name)
        content = found.files[name]
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def media_server(images: ImageSet) -> Iterator[MediaServer]:
    """Serve the images' kernel and initramfs, and the files that cases offer."""
    offered: dict[str, OfferedFiles] = {}
    served = frozenset({images.kernel.name, images.initramfs.name})
    handler = type("Handler", (_Quiet,), {"served": served, "offered": offered})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(images.directory)))
    thread = threading.Thread(target=server.serve_forever, name="media server", daemon=True)
    thread.start()
    try:
        yield MediaServer(server.server_address[1], offered)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
