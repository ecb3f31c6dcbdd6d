"""Ctrl-C and SIGTERM: the first signal ends the run, and no later signal ends the clean-up.

Cases run in threads. If the wait for them were interrupted, libvirt's connection would be closed under cases that are
just destroying their guests.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PATIENCE = rb"""
interrupted already: guests are being ended and their files removed
  Ctrl-\ ends it at once; 'rescue-harness clean' then removes what is left
"""


@contextmanager
def interrupted_once() -> Iterator[None]:
    """Raise KeyboardInterrupt at the first SIGINT or SIGTERM, and answer later signals with a sentence.

    A signal that is ignored, as in a shell's background job, stays ignored. Outside the main thread nothing changes.
    """

    def first(_number: int, _frame: FrameType | None) -> None:
        for number in _heeded():
            signal.signal(number, _ask_for_patience)
        raise KeyboardInterrupt

    with _handled_by(first):
        yield


@contextmanager
def interrupts_answered() -> Iterator[None]:
    """Answer SIGINT and SIGTERM with a sentence while a clean-up runs that must not be cut short."""
    with _handled_by(_ask_for_patience):
        yield


def end_on_terminate() -> None:
    """Let SIGTERM, which CI systems send, end the run as Ctrl-C does: guests destroyed, files removed."""
    if _is_main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextmanager
def _handled_by(handler: signal._HANDLER) -> Iterator[None]:
    if not _is_main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in _heeded()}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _heeded() -> list[signal.Signals]:
    return [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


def _ask_for_patience(_number: int, _frame: FrameType | None) -> None:
    # Not through sys.stderr: the interrupted code may be in the middle of writing to it.
    with suppress(OSError):
        os.write(2, _PATIENCE)
