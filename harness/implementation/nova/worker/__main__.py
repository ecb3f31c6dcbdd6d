"""The worker of level plan, or with URI that of level guest.

    python DIRECTORY REQUESTS ANSWERS FOLDER [URI]

reads requests from the file descriptor REQUESTS and writes answers to ANSWERS, a line of JSON each, as
``harness/implementation/nova/messages.py`` describes them. What Nova prints goes where
standard output goes. FOLDER is where the
libvirt of this process keeps its state and where Nova keeps its instances; nothing is ever started in it. At level
guest it is the folder of the libvirt at URI, and guests are.
"""

from nova_worker.compute import Compute
from nova_worker.serving import Channel, serve


def _compute(channel: Channel, folder: str, uri: str | None = None) -> Compute:
    if uri is None:
        return Compute(folder)
    from nova_worker.guests import GuestCompute  # noqa: PLC0415 - what only guests need is imported for them

    return GuestCompute(channel, folder, uri)


serve(_compute)
