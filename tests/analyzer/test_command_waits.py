"""How long commands waited: the numbers of the command line, percentiles, samples."""

from __future__ import annotations

import json
from statistics import median_low
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.command_waits import FEW, sample, spread_of, summaries_of, waits_of
from analyzer.trace import open_capture
from tests.analyzer.cli.running import xccos
from tests.paths import SAMPLES, SHARED, require_shared

if TYPE_CHECKING:
    from pathlib import Path

require_shared()
FILES = [
    SAMPLES / "r2-post-full.pcap",
    SAMPLES / "fault-503.pcap",
    SAMPLES / "batch-mixed.pcap",
    SHARED / "flows" / "missing-reply.pcapng",
    SHARED / "flows" / "partial-join.pcap",
    SHARED / "flows" / "late-start.pcapng",
    SHARED / "flows" / "overload-503-burst.pcap",
]
WAITS = st.lists(st.floats(0, 1e7, allow_nan=False), min_size=1, max_size=60)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_wait_is_that_of_the_command_line(file: Path) -> None:
    listed = json.loads(xccos("commands", file, "--format", "json").out)
    with open_capture(file) as trace:
        waits = waits_of(trace)
        frame = trace.rows.frame
        told = [
            {
                "index": one.pair,
                "command": one.command,
                "outcome": one.outcome,
                "sip_status": one.sip_status,
                "sip_latency_ms": one.sip_ms,
                "reply_latency_ms": one.reply_ms,
                "reply_frames": sorted({frame[row] for row in one.replies}),
                "session": one.session,
            }
            for one in waits
        ]
    assert told == [{key: record[key] for key in told[0]} for record in listed]


def test_the_summary_counts_what_the_command_line_lists() -> None:
    file = SHARED / "flows" / "missing-reply.pcapng"
    listed = json.loads(xccos("commands", file, "--format", "json").out)
    with open_capture(file) as trace:
        found = {one.command: one for one in summaries_of(waits_of(trace))}
    for name, one in found.items():
        mine = [record for record in listed if record["command"] == name]
        replies = [x["reply_latency_ms"] for x in mine if x["reply_latency_ms"] is not None]
        assert one.total == len(mine)
        assert one.outcomes.get("unanswered", 0) == sum(
            record["outcome"] == "unanswered" for record in mine
        )
        assert (one.reply is None) == (not replies)
        if one.reply is not None:
            assert (one.reply.median, one.reply.most) == (median_low(replies), max(replies))
    assert sum("unanswered" in one.outcomes for one in found.values()) == 1


def test_a_reply_that_is_no_success_is_told_apart_from_an_answer() -> None:
    with open_capture(SHARED / "flows" / "partial-join.pcap") as trace:
        assert {one.word for one in waits_of(trace)} == {"answered"}
    with open_capture(SAMPLES / "fault-503.pcap") as trace:
        assert [one.command for one in waits_of(trace) if one.word == "rejected"] == ["grpchat"]


@given(WAITS)
def test_a_percentile_is_the_least_wait_that_so_many_do_not_exceed(values: list[float]) -> None:
    spread = spread_of(values)
    assert spread is not None
    for share, value in ((0.25, spread.lower), (0.5, spread.median), (0.95, spread.p95)):
        assert value in values
        assert sum(one <= value for one in values) >= share * len(values)
        assert sum(one < value for one in values) < share * len(values)
    low, high = spread.fences
    assert spread.least <= low <= spread.lower or len(values) < FEW
    assert spread.upper <= high <= spread.most or len(values) < FEW


def test_of_no_wait_there_is_no_spread() -> None:
    assert spread_of([None, None]) is None


@given(WAITS, st.integers(1, 40), st.data())
def test_a_sample_keeps_what_it_must_and_no_more_than_it_may(
    values: list[float], limit: int, data: st.DataObject
) -> None:
    kept = data.draw(st.sets(st.integers(0, len(values) - 1)))
    taken = sample(values, limit, kept)
    assert taken == sorted(set(taken))
    assert len(taken) == min(limit, len(values))
    if len(kept) <= limit:
        assert kept <= set(taken)


def test_a_sample_of_many_is_as_spread_as_they_are() -> None:
    values = [float(number) for number in range(10_000)]
    taken = [values[at] for at in sample(values, 100)]
    whole, few = spread_of(values), spread_of(taken)
    assert whole is not None
    assert few is not None
    assert few.median == pytest.approx(whole.median, abs=100)
    assert few.p95 == pytest.approx(whole.p95, abs=200)
