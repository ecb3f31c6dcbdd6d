"""Nova's side of the table: runs in a Nova's own environment, by its Python, and knows nothing of the harness.

Nova is used as it is. What a cloud would answer is answered here, at Nova's outer edge (``cloud``): the conductor,
Glance, Cinder, Neutron, placement, the message queues and libvirt's look-up of the running domain. Asked for a rescue
it is by nova-api and the compute manager (``user``). The releases differ in their functions' arguments: each gets
those that its signature has (``signatures``).

At level plan (``compute``) what would write disks or start a guest ends the call once Nova has made its domain XML
(``planning``). At level guest (``guests``) Nova's driver goes its whole way; replaced are, beside the cloud, the
download from Glance and waiting for Neutron and plugging its ports, and what the harness needs in the guest is put
into the domain (``access``). Before Nova starts a guest the harness is asked (``off``), so that it can look at the
disks while nobody has them open.
"""

# Has to be the first of Nova: it sets the release's concurrency mode, without which 28 hangs.
import nova.cmd.compute  # noqa: F401
