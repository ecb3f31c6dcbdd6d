"""The options of nova.conf, set without a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nova.conf
import nova.privsep
from nova import config, objects, rpc
from nova.conf import devices as conf_devices
from nova.conf import neutron as conf_neutron
from nova.objects import base as objects_base

from .cloud import Conductor, Notifier

CONF = nova.conf.CONF


class Configured:
    """Options of nova.conf for one request, by ``group.name`` or ``name``."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = [(*key.rpartition(".")[::2], value) for key, value in options.items()]

    def __enter__(self) -> None:
        for group, name, value in self._options:
            CONF.set_override(name, value, group=group or None)

    def __exit__(self, *_error: object) -> None:
        for group, name, _value in self._options:
            CONF.clear_override(name, group=group or None)


def configure(folder: str) -> None:
    """Set nova-compute's options: Nova's defaults, except where the lack of a cloud or of KVM needs another value."""
    config.parse_args(["nova-compute"], default_config_files=[], configure_db=False, init_rpc=False)
    for module in (conf_neutron, conf_devices):
        if hasattr(module, "register_dynamic_opts"):
            module.register_dynamic_opts(CONF)
    instances = Path(folder, "work", "instances")
    instances.mkdir(parents=True, exist_ok=True)
    CONF.set_override("state_path", str(instances.parent))
    CONF.set_override("instances_path", str(instances))
    CONF.set_override("instance_name_template", "rh-%(uuid)s")
    CONF.set_override("connection_uri", f"qemu:///embed?root={folder}", group="libvirt")
    CONF.set_override("virt_type", "qemu", group="libvirt")
    CONF.set_override("cpu_mode", "none", group="libvirt")
    for name in dir(nova.privsep):
        if name.endswith("_pctxt"):
            getattr(nova.privsep, name).set_client_mode(False)
    objects.register_all()
    objects_base.NovaObject.indirection_api = Conductor()
    rpc.NOTIFIER = rpc.LEGACY_NOTIFIER = Notifier()
