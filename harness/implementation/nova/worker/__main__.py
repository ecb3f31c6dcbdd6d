"""The worker of level plan, or with URI the worker of level guest.

    python DIRECTORY REQUESTS ANSWERS FOLDER [URI]

The worker reads requests from the file descriptor REQUESTS and writes answers to ANSWERS, a line of JSON each, as
``harness/implementation/nova/messages.py`` describes them. Nova's own output goes to standard output. In FOLDER this
process's libvirt keeps its state and Nova its instances; no guest is ever started there. At level guest FOLDER belongs
to the libvirt at URI, and guests are started.
"""

from nova_worker.compute import Compute
from nova_worker.serving import Channel, serve


def _compute(channel: Channel, folder: str, uri: str | None = None) -> Compute:
    if uri is None:
        return Compute(folder)
    from nova_worker.guests import GuestCompute  # noqa: PLC0415 - what only guests need is imported for them

    return GuestCompute(channel, folder, uri)


serve(_compute)
