"""A worker process in a Nova's environment: it answers over its own descriptors within a deadline, until killed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from harness.errors import HostError
from harness.frozen import Frozen
from harness.image.command import quoted, search_path
from harness.implementation.nova.messages import Answer, GoOn

WORKER_PATH = Path(__file__).with_name("worker")
LAST_LINES = 12
_CHUNK_BYTES = 1 << 16
_KEPT_OF_RUBBISH = 120
_LOOK_S = 0.5
_KEPT_VARIABLES = ("HOME", "LANG", "TMPDIR")


class WorkerError(HostError):
    """The worker hung, died or wrote something that is no answer; the worker has been killed."""


class Worker:
    """A running worker. Not safe between threads."""

    def __init__(
        self,
        python: Path,
        folder: Path,
        log_path: Path,
        *,
        name: str,
        version: str | None = None,
        uri: str | None = None,
        script: Path | None = None,
        cancelled: threading.Event | None = None,
    ) -> None:
        """Start the worker. pbr is given ``version`` if Nova's code has no package metadata to read it from.

        With the ``uri`` of a libvirt the worker is level guest's. ``script`` replaces the worker's program by another
        one with the same protocol. Once ``cancelled`` is set, nobody waits for an answer any more.

        Raises:
            HostError: the environment's Python is gone.
        """
        self.name = name
        self._log_path = log_path
        self._cancelled = threading.Event() if cancelled is None else cancelled
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        try:
            with log_path.open("ab") as log:
                self._process = subprocess.Popen(
                    # -I: Nova must not import the user's modules, nor the harness's outside the worker's folder.
                    [python, "-I", script or WORKER_PATH, str(requests), str(answers), folder, *filter(None, [uri])],
                    pass_fds=(requests, answers),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=_environment(version),
                    start_new_session=True,
                )
        except OSError as error:
            os.close(self._requests)
            os.close(self._answers)
            raise HostError(
                f"{name}: its environment does not start: {error}", hint="remove it and add it again"
            ) from error
        finally:
            os.close(requests)
            os.close(answers)
        self._buffer = b""

    @property
    def pid(self) -> int:
        """The id of the worker's process, for measurements."""
        return self._process.pid

    @property
    def is_closed(self) -> bool:
        """True if the worker has been killed."""
        return self._requests < 0

    def ask(self, request: Frozen, timeout_s: float) -> Answer:
        """Wait for the answer to a request, and let Nova start guests without a pause.

        Raises:
            WorkerError: no answer came in time, or none that can be read; the error quotes the worker's last output.
            HostError: this Nova wants something that the worker does not know.
        """
        return to_the_end(self.asked(request, timeout_s))

    def asked(self, request: Frozen, timeout_s: float) -> Generator[None, None, Answer]:
        """Ask as ``ask`` does, and pause whenever Nova is about to start the guest; return the answer at the end.

        A caller that does not go on after a pause closes the generator. Closing kills the worker, which would otherwise
        wait for ever.
        """
        operation = getattr(request, "operation", "?")
        answer = self._exchange(request, timeout_s, operation)
        while answer.off:
            try:
                yield
            except BaseException:
                self.close()
                raise
            answer = self._exchange(GoOn(), timeout_s, operation)
        if answer.defect is not None:
            said = quoted(answer.defect.splitlines()[-LAST_LINES:])
            raise HostError(f"{self.name}: the worker does not know how to ask this Nova{said}")
        return answer

    def _exchange(self, message: Frozen, timeout_s: float, operation: str) -> Answer:
        line = message.model_dump_json().encode() + b"\n"
        try:
            self._send(line, time.monotonic() + timeout_s)
            answer = self._read_line(time.monotonic() + timeout_s)
        except BrokenPipeError:
            raise self._trouble(self._end()) from None
        except TimeoutError:
            if self._cancelled.is_set():
                raise self._trouble("was not waited for: the run was interrupted") from None
            raise self._trouble(f"did not answer '{operation}' in {timeout_s:.0f} s") from None
        try:
            return Answer.model_validate_json(answer)
        except ValidationError:
            text = answer[:_KEPT_OF_RUBBISH].decode(errors="replace").strip()
            raise self._trouble(f"wrote what is no answer: {text!r}") from None

    def _send(self, data: bytes, ends: float) -> None:
        while data:
            if not select.select([], [self._requests], [], max(0.0, ends - time.monotonic()))[1]:
                raise TimeoutError
            data = data[os.write(self._requests, data[: select.PIPE_BUF]) :]

    def _read_line(self, ends: float) -> bytes:
        while b"\n" not in self._buffer:
            left_s = max(0.0, ends - time.monotonic())
            if not select.select([self._answers], [], [], min(_LOOK_S, left_s))[0]:
                if left_s <= _LOOK_S or self._cancelled.is_set():
                    raise TimeoutError
                continue
            data = os.read(self._answers, _CHUNK_BYTES)
            if not data:
                raise BrokenPipeError
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _end(self) -> str:
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "closed its end of the pipe"
        return f"died of signal {-status}" if status < 0 else f"ended with exit code {status}"

    def _trouble(self, what: str) -> WorkerError:
        self.close()
        try:
            written = self._log_path.read_text(errors="replace").splitlines()[-LAST_LINES:]
        except OSError:
            written = []  # the run is ending, and has removed the folder
        return WorkerError(f"{self.name}: the worker {what}{quoted(written)}")

    def close(self) -> None:
        """Kill the worker and the processes that the worker started: qemu-img, mkfs. May be called again."""
        if self.is_closed:
            return
        os.close(self._requests)
        os.close(self._answers)
        self._requests = self._answers = -1
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def to_the_end(asked: Generator[None, None, Answer]) -> Answer:
    """Return the answer to a request, and go on at once after each pause."""
    while True:
        try:
            next(asked)
        except StopIteration as ended:
            answer: Answer = ended.value
            return answer


def _environment(version: str | None) -> dict[str, str]:
    """Return as few variables as possible: no OS_* variable, proxy or PYTHONPATH of the user's may reach Nova."""
    variables = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    # Nova makes file systems with tools that a user's PATH may lack.
    variables |= {"LC_ALL": "C.UTF-8", "PATH": search_path()}
    if version is not None:
        variables["PBR_VERSION"] = version
    return variables
