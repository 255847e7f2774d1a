"""A play compared with the original: the original is A, the play is B."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, BinaryIO

import pytest

from analyzer.replay.departure import departure_records, departures, in_memory
from analyzer.trace import open_capture
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.compare.values import Comparison

POSTED = SAMPLES / "twousers-post.pcap"
REFUSED = SAMPLES / "fault-503.pcap"
SIGNED_IN = SAMPLES / "signin-tcp.pcap"


def compared(original: Path, played: Path, *, timed: bool = False) -> list[Comparison]:
    names = (original.name, played.name)
    with open_capture(original) as a, open_capture(played) as b:
        return list(departures(a, b, names=names, timed=timed))


def test_what_was_played_as_it_was_has_not_departed() -> None:
    found = compared(POSTED, POSTED)
    assert [bool(one.meaningful) for one in found] == [False, False]
    assert [one.why for one in found] == ["the same user", "the same user"]


def test_a_refusal_that_the_original_has_not_is_the_first_divergence() -> None:
    found = compared(SIGNED_IN, REFUSED)
    assert found[0].meaningful
    assert found[0].first is not None
    assert (found[0].a.file, found[0].b.file) == (SIGNED_IN.name, REFUSED.name)
    assert any("503" in one["text"] for one in departure_records(iter(found))[0]["divergences"])


def test_latencies_compare_only_when_it_was_played_as_recorded() -> None:
    kinds = [
        {one.kind for one in compared(SIGNED_IN, REFUSED, timed=timed)[0].divergences}
        for timed in (False, True)
    ]
    assert "latency" not in kinds[0]
    assert kinds[0] | {"latency"} >= kinds[1]


def test_each_session_of_the_original_is_compared_once_also_under_other_names() -> None:
    found = compared(POSTED, SIGNED_IN)
    assert len(found) == 1
    assert [one.a.session for one in compared(POSTED, POSTED)] == [0, 1]


def test_a_play_without_a_session_says_so(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pcap"
    empty.write_bytes(POSTED.read_bytes()[:24])
    with pytest.raises(ValueError, match=r"^the play has no session$"):
        compared(POSTED, empty)
    with pytest.raises(ValueError, match=r"^the original has no session$"):
        compared(empty, POSTED)


def test_a_capture_in_memory_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def write(out: BinaryIO) -> None:
        with POSTED.open("rb") as stream:
            shutil.copyfileobj(stream, out)

    with in_memory(write) as trace:
        assert len(list(tmp_path.iterdir())) == 1
        assert len(trace.analysis().sessions) == 2
    assert list(tmp_path.iterdir()) == []
