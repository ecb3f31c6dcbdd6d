"""The worker: runs in a Nova's own environment, with that environment's Python, and knows nothing of the harness.

Nova's code is not changed. Stand-ins at Nova's outer edge (``cloud``) answer in place of a cloud: the conductor,
Glance, Cinder, Neutron, placement, the message queues and libvirt's look-up of the running domain. A request for a
rescue passes through nova-api and the compute manager (``user``). The releases differ in their functions' arguments:
each function gets those arguments that its signature has (``signatures``).

At level plan (``compute``) the call ends once Nova has made the domain XML, before disks are written or a guest is
started (``planning``). At level guest (``guests``) Nova's driver does all its work. Besides the cloud, three parts are
replaced there: the download from Glance, waiting for Neutron, and plugging Neutron's ports. The harness's way into the
guest is added to the domain (``access``). Before Nova starts a guest, the worker tells the harness (``off``), which
then looks at the disks while nobody has them open.
"""

# This has to be the first import of Nova: it sets the release's concurrency mode, without which 28 hangs.
import nova.cmd.compute  # noqa: F401
