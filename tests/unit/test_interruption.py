"""The first Ctrl-C or SIGTERM ends a run; those after it let the clean-up finish."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from harness.interruption import interrupted_once, interrupts_answered

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """A shell's background job has SIGINT ignored, which these tests may be part of."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("first", SIGNALS)
@pytest.mark.parametrize("second", SIGNALS)
def test_clean_up_is_not_interrupted(
    first: signal.Signals, second: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    cleaned = []

    def interrupted() -> None:
        try:
            signal.raise_signal(first)
        finally:
            signal.raise_signal(second)
            cleaned.append("all of it")

    with pytest.raises(KeyboardInterrupt), interrupted_once():
        interrupted()
    assert cleaned == ["all of it"]
    assert "interrupted already" in capfd.readouterr().err


def test_clean_up_by_itself_is_not_interrupted(capfd: pytest.CaptureFixture[str]) -> None:
    with interrupts_answered():
        signal.raise_signal(signal.SIGINT)
    assert "rescue-harness clean" in capfd.readouterr().err
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_an_ignored_signal_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupted_once():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
