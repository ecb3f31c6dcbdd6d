"""Answer requests one after the other."""

from __future__ import annotations

import ctypes
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

from nova import version
from nova.virt.libvirt import driver as libvirt_driver
from oslo_versionedobjects import exception as ovo_exception

from .cloud import EdgeError
from .compute import Compute
from .refusals import cause_of, is_ours, refusal_of

PR_SET_NAME = 15
PROCESS_NAME = b"nova-worker"
EXIT_CODE_OF_A_DEFECT = 70


def description() -> dict[str, Any]:
    """Describe this Nova and its demands."""
    return {
        "version": version.version_string(),
        "python": ".".join(str(number) for number in sys.version_info[:3]),
        "min_libvirt": list(libvirt_driver.MIN_LIBVIRT_VERSION),
        "min_qemu": list(libvirt_driver.MIN_QEMU_VERSION),
    }


class Worker:
    """Answers requests one after the other; the first request that needs a nova-compute makes one."""

    def __init__(self, make_compute: Callable[[], Compute]) -> None:
        self._make_compute = make_compute
        self._compute: Compute | None = None

    def answer(self, request: Any) -> dict[str, Any]:
        """Return the answer to a request; an exception of Nova's is an answer as well."""
        try:
            if request["operation"] == "describe":
                return {"description": description()}
            if self._compute is None:
                self._compute = self._make_compute()
            if request["operation"] == "open":
                return {"description": description(), "hypervisor": self._compute.hypervisor()}
            return self._compute.operations[request["operation"]](request)
        except (EdgeError, NotImplementedError, ovo_exception.OrphanedObjectError):
            return {"defect": traceback.format_exc()}
        except Exception as error:
            if is_ours(cause_of(error)) or request["operation"] == "open":
                return {"defect": traceback.format_exc()}
            traceback.print_exc()
            return {"refusal": refusal_of(error)}


class Channel:
    """The channel for requests and answers, each of them a line of JSON."""

    def __init__(self, requests: int, answers: int) -> None:
        self._source = os.fdopen(requests, "rb")
        self._answers = answers

    def receive(self) -> Any:
        """Return the next request, or None if there are no more."""
        line = self._source.readline()
        return json.loads(line) if line else None

    def send(self, answer: dict[str, Any]) -> None:
        """Send an answer."""
        data = json.dumps(answer).encode() + b"\n"
        while data:
            data = data[os.write(self._answers, data) :]


def serve(make_compute: Callable[..., Compute]) -> None:
    """Answer all requests, then end the process without waiting for the lingering threads of libvirt and Nova.

    ``make_compute`` gets the channel, and the command line's arguments after the two descriptors.
    """
    ctypes.CDLL(None).prctl(PR_SET_NAME, PROCESS_NAME, 0, 0, 0)
    code = EXIT_CODE_OF_A_DEFECT
    try:
        channel = Channel(int(sys.argv[1]), int(sys.argv[2]))
        worker = Worker(lambda: make_compute(channel, *sys.argv[3:]))
        while (request := channel.receive()) is not None:
            channel.send(worker.answer(request))
        code = 0
    except BaseException:  # print the error before the process ends
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
