"""The bar appears for people who wait, and for nobody else."""

from __future__ import annotations

from contextlib import redirect_stderr
from typing import TYPE_CHECKING

from analyzer.cli import progress
from analyzer.cli.progress import Progress
from tests.analyzer.cli.running import Screen
from tests.paths import SAMPLES

if TYPE_CHECKING:
    import pytest

FILE = str(SAMPLES / "signin-tcp.pcap")


def _shown(*, terminal: bool) -> str:
    screen = Screen(terminal=terminal)
    with redirect_stderr(screen), Progress(FILE) as bar:
        for done in (0, 20_000, 46_934):
            bar.step(done)
    return screen.written().decode()


def test_a_quick_read_shows_no_bar() -> None:
    assert _shown(terminal=True) == ""


def test_a_slow_read_shows_a_bar_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    assert "reading" in _shown(terminal=True)
    assert _shown(terminal=False) == ""
