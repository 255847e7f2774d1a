"""What the tests of indexes ask: is this the same trace, and was the capture read for it?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from analyzer import trace as trace_module
from analyzer.library.make import Index, index_capture
from analyzer.trace import Trace, open_capture

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def copied(path: Path, place: Path) -> Path:
    """Copy a file and return the copy, which can be written to."""
    shutil.copyfile(path, place)
    return place


def made(capture: Path) -> Path:
    """Index a capture and return the path of the index."""
    index = index_capture(capture)
    assert isinstance(index, Index)
    return index.path


def is_used(capture: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Tell whether ``open_capture`` uses an index."""
    calls = []
    original = trace_module.read_plain

    def read_plain(*arguments: object, **options: object) -> object:
        calls.append(arguments)
        return original(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(trace_module, "read_plain", read_plain)
        open_capture(capture).close()
    return not calls


def same(one: Trace, other: Trace) -> None:
    """Assert that two traces of a capture are equal in all that can be asked of them."""
    for name in ("strings", "cseqs"):
        assert getattr(one.rows, name).values == getattr(other.rows, name).values, name
    for a, b in zip(one.rows.tables, other.rows.tables, strict=True):
        assert a.columns == b.columns
        assert [column.typecode for column in a.columns.values()] == [
            column.typecode for column in b.columns.values()
        ]
    assert (one.streams, one.connections) == (other.streams, other.connections)
    assert one.quality == other.quality
    numbers = range(len(one))
    assert list(map(one.rows.xccos, numbers)) == list(map(other.rows.xccos, numbers))
    assert list(map(one.frames, numbers)) == list(map(other.frames, numbers))
    assert list(map(one.raw, numbers)) == list(map(other.raw, numbers))
