"""A user of their own for every test, to whom no capture is too small for an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.library import make, places, saved
from tests.analyzer.library.indexes import copied
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _own_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv(places.ENVIRONMENT, raising=False)
    monkeypatch.setattr(places, "MIN_SIZE", 1)
    for module in (make, saved):  # the code may be worked on while tests run
        monkeypatch.setattr(module, "reading_version", lambda: "1")


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Return a capture that a test may change."""
    return copied(SAMPLES / "twousers-post.pcap", tmp_path / "sample.pcap")
