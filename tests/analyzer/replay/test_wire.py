"""The log of what went over the wire."""

from __future__ import annotations

from analyzer.replay.actions import Address, WireEvent
from analyzer.replay.wire import EVENT_BYTES, WireLog

HERE, THERE = Address("127.0.0.1", 40000), Address("127.0.0.1", 5060)


def _log(limit: int = 1 << 20) -> WireLog:
    return WireLog(lambda: 1_700_000_000_000_000_000, limit=limit)


def test_times_go_on_from_the_wall_clock_of_the_beginning() -> None:
    walls = iter([5_000_000_000, 4_000_000_000])
    log = WireLog(lambda: next(walls))
    log.begin(100.0)
    log.begin(200.0)
    number = log.opened(100.5, HERE, THERE, outgoing=True, secure=False)
    log.data(101.25, number, b"x", outgoing=True)
    assert [event.time_ns for event in log.events] == [5_500_000_000, 6_250_000_000]


def test_events_are_kept_as_they_came() -> None:
    log = _log()
    first = log.opened(0.0, HERE, THERE, outgoing=True, secure=True)
    second = log.opened(0.0, THERE, HERE, outgoing=False, secure=False)
    log.data(0.0, first, b"INFO", outgoing=False)
    log.ended(0.0, second, "rst", outgoing=True)
    zero = 1_700_000_000_000_000_000
    assert log.events == [
        WireEvent(zero, first, "open", True, b"", HERE, THERE, True),
        WireEvent(zero, second, "open", False, b"", THERE, HERE, False),
        WireEvent(zero, first, "data", False, b"INFO"),
        WireEvent(zero, second, "rst", True),
    ]
    assert first != second


def test_when_it_is_full_nothing_more_is_kept_and_all_of_that_is_counted() -> None:
    log = _log(limit=EVENT_BYTES + 10)
    number = log.opened(0.0, HERE, THERE, outgoing=True, secure=False)
    log.data(0.0, number, b"x" * 100, outgoing=True)
    log.data(0.0, number, b"y" * 30, outgoing=True)
    log.data(0.0, number, b"", outgoing=True)
    log.ended(0.0, number, "fin", outgoing=True)
    assert [event.kind for event in log.events] == ["open", "data"]
    assert (log.left_out, log.left_out_bytes) == (3, 30)


def test_events_without_data_fill_it_too() -> None:
    log = _log(limit=10 * EVENT_BYTES)
    for _ in range(1000):
        log.ended(0.0, 1, "fin", outgoing=True)
    assert (len(log.events), log.left_out) == (10, 990)
