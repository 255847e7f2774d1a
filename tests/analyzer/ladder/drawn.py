"""Ladders of captures for tests, and what holds of every ladder whatever was chosen."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.ladder.build import Options, ladder_of
from analyzer.ladder.values import Arrow
from analyzer.meaning import outline
from analyzer.trace import open_capture
from tests.analyzer.diagnostics.rewritten import MS, Script
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from analyzer.ladder.selection import Choice
    from analyzer.ladder.values import Bracket, Event, Group, Ladder, Lane
    from analyzer.trace import Trace

MODEL = SAMPLES / "r2-signin-full.pcap"
RECORDED = SAMPLES / "signin-tcp.pcap"
HOPS = SAMPLES / "fe-two-hops.pcapng"
POST = SAMPLES / "r2-post-full.pcap"
TWO = SAMPLES / "twousers-post.pcap"
DIRECTOR = "192.168.1.99:5061"


@cache
def opened(path: Path) -> Trace:
    """Return a capture, open; it stays open for the tests that follow."""
    return open_capture(path, index=False)


def drawn(source: Path | Trace, choice: Choice | None = None, **options: Any) -> Ladder:  # noqa: ANN401  (fields by name)
    """Return the ladder of a capture or trace."""
    trace = opened(source) if isinstance(source, Path) else source
    return ladder_of(trace, choice, Options(**options))


def labels(ladder: Ladder) -> list[str]:
    """Return the labels of the arrows, in order."""
    return [arrow.label for arrow in ladder.arrows]


def frame(ladder: Ladder, number: int) -> Arrow:
    """Return the first arrow that a frame is behind."""
    return next(arrow for arrow in ladder.arrows if number in arrow.frames)


def between(ladder: Ladder, arrow: Arrow) -> tuple[str, ...]:
    """Return the titles of the lanes on an arrow's way, from its source to its target."""
    return tuple(ladder.lanes[at].title for at in (arrow.source, *arrow.via, arrow.target))


def lane(ladder: Ladder, kind: str) -> Lane:
    """Return the only lane of a kind."""
    (found,) = [one for one in ladder.lanes if one.kind == kind]
    return found


def group_of(ladder: Ladder, event: Event) -> Group | None:
    """Return the group that an event is in."""
    at = ladder.events.index(event)
    return next((one for one in ladder.groups if one.first <= at <= one.last), None)


def ends(ladder: Ladder, bracket: Bracket) -> tuple[int, int]:
    """Return the frames of the two events of a bracket."""
    first, last = (ladder.events[at] for at in (bracket.first, bracket.last))
    assert isinstance(first, Arrow)
    assert isinstance(last, Arrow)
    return first.frame, last.frame


def checked(trace: Trace, ladder: Ladder) -> frozenset[int]:
    """Assert what holds of every ladder; return the rows of all messages in it, hop copies too."""
    times = [event.time for event in ladder.events]
    assert times == sorted(times)
    for arrow in ladder.arrows:
        _check_arrow(trace, ladder, arrow)
    used = {at for one in ladder.arrows for at in (one.source, *one.via, one.target)}
    assert used <= set(range(len(ladder.lanes)))
    for values in ([one.key for one in ladder.lanes], [one.title for one in ladder.lanes]):
        assert len(set(values)) == len(values)
    _check_overlay(ladder)
    rows = Counter(
        row for one in ladder.arrows for row in (*one.rows, *(hop.row for hop in one.hops))
    )
    assert set(rows.values()) <= {1}
    return frozenset(rows)


def _check_arrow(trace: Trace, ladder: Ladder, arrow: Arrow) -> None:
    rows = trace.rows
    assert arrow.label
    assert arrow.text
    assert list(arrow.frames) == sorted(set(arrow.frames))
    assert arrow.frame in arrow.frames
    assert (arrow.count > 1) == (arrow.until is not None)
    hops = [(hop.time, hop.row) for hop in arrow.hops]
    assert hops == sorted(hops)
    for hop in arrow.hops:
        assert (hop.frame, hop.time) == (rows.frame[hop.row], rows.time[hop.row])
    if arrow.kind == "connection":
        assert not arrow.rows
        return
    first = arrow.rows[0]
    assert (arrow.frame, arrow.time) == (rows.frame[first], rows.time[first])
    assert (arrow.status is None) == (rows.status[first] < 0)
    behind = [*arrow.rows, *(hop.row for hop in arrow.hops)]
    assert set(arrow.frames) == {frame for row in behind for frame in rows.frames(row)}


def _check_overlay(ladder: Ladder) -> None:
    count, before = len(ladder.events), -1
    for group in ladder.groups:
        assert before < group.first <= group.last < count
        before = group.last
    for bracket in ladder.brackets:
        assert 0 <= bracket.first < bracket.last < count
    order = [(one.last, one.first) for one in ladder.brackets]
    assert order == sorted(order)
    for note in ladder.events:
        if not isinstance(note, Arrow):
            assert set(note.lanes) <= set(range(len(ladder.lanes)))


def everything(trace: Trace) -> frozenset[int]:
    """Return the rows of all messages."""
    return frozenset(range(len(trace.rows)))


def session_rows(trace: Trace, index: int) -> set[int]:
    """Return the rows that the analysis gives to a session, hop copies too."""
    analysis = outline(trace)
    dialogs = [one for one in analysis.dialogs if one.session == index]
    found = {row for one in dialogs for row in (*one.rows, *one.copies)}
    for number in analysis.sessions[index].services:
        one = analysis.transactions[number]
        rows = (one.request, one.final, *one.retransmissions, *one.provisional)
        found |= {row for row in (*rows, *one.repeated_finals, *one.acks) if row is not None}
    return found | {copy for copy, origin in analysis.copy_of.items() if origin in found}


def inner_leg() -> Script:
    """Return a capture of which only the connections behind the front end are left."""
    script = Script(HOPS)
    client = "192.168.2.22:"
    script.messages = [one for one in script.messages if not (one.src + one.dst).count(client)]
    return script


def redirected() -> Script:
    """Return a sign-in that a Director sends to its pool first (301)."""
    script = Script(MODEL)
    at = script.at("REGISTER sip:")
    asked = script.messages[at]
    raw = asked.raw.replace(b"Call-ID: ", b"Call-ID: first-")
    source = asked.src.rpartition(":")[0] + ":40000"
    first = replace(asked, dst=DIRECTOR, src=source, raw=raw, time=asked.time - 40 * MS)
    script.messages.insert(at, first)
    where = "Contact: <sip:pool1.emea.adatum.example:5060;transport=tcp>"
    script.messages.insert(at + 1, script.answer(at, "301 Redirect to Home Server", where))
    return script
