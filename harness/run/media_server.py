"""Serves kernel and initramfs over HTTP on loopback to a rescue floppy, which is too small to hold them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from harness.image import ImageSet


class _Quiet(SimpleHTTPRequestHandler):
    served: frozenset[str] = frozenset()

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal is the user's."""

    def do_GET(self) -> None:
        if self.path.lstrip("/") in self.served:
            super().do_GET()
        else:
            self.send_error(404)


@contextmanager
def media_server(images: ImageSet) -> Iterator[int]:
    """Serve the images' kernel and initramfs; yields the port."""
    handler = type("Handler", (_Quiet,), {"served": frozenset({images.kernel.name, images.initramfs.name})})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(images.directory)))
    thread = threading.Thread(target=server.serve_forever, name="media server", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
