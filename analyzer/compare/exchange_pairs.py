"""One exchange of A beside the same one of B: everything in which they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.compare import bodies, fields
from analyzer.compare.outcomes import LOST
from analyzer.compare.values import Told
from analyzer.narrative.names import short_room
from analyzer.times import SECOND, duration_text, latency_text
from dissectors.xccos.rooms import parse_ts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.compare.source import Source
    from analyzer.compare.values import Exchange, Kind, Rooms, Thresholds, Weight
    from dissectors.xccos.messages import Item

SHOWN = 3
"""Names of rooms that a sentence has."""
DATED_FROM = 946_684_800 * SECOND
"""2000: a capture without dates counts from 1970, and nothing can be compared with it."""
CLOSING = frozenset({"sign-off", "end"})
"""Uses of requests that end something: whether they are answered before the end is chance."""


class Found(NamedTuple):
    """A divergence of a pair, before it has its place."""

    kind: Kind
    weight: Weight
    a: Told
    b: Told
    field: str | None = None


def answered(one: Exchange) -> Told:
    """Return what became of an exchange in words: ``answered 200 OK after 53.1 ms``."""
    words = one.outcome.words
    if not one.outcome.known:
        return Told(f"has it, and how it was answered is not known ({words})", one.outcome.frames)
    if one.latency_ms is not None:
        words += f" after {latency_text(one.latency_ms)}"
    return Told(words, one.outcome.frames)


class PairReader:
    """Compares exchanges of two sources."""

    def __init__(self, a: Source, b: Source, thresholds: Thresholds) -> None:
        self._a, self._b = a, b
        self._thresholds = thresholds
        self._rooms: tuple[dict[str, str], dict[str, str]] = ({}, {})
        """The room of B that stands for one of A, and the other way round."""

    def compare(self, a: Exchange, b: Exchange, *, detailed: bool) -> Iterator[Found]:
        """Yield in what two exchanges differ; ``detailed``: in header fields and bodies too."""
        yield from _outcomes(a, b)
        yield from _rooms(a.rooms, b.rooms, a, b)
        yield from _rounds(a, b)
        yield from self._latencies(a, b)
        yield from self._same_room(a, b)
        if detailed:
            yield from self._headers(a, b)
            yield from self._bodies(a, b)

    def _latencies(self, a: Exchange, b: Exchange) -> Iterator[Found]:
        one, two = a.latency_ms, b.latency_ms
        if one is None or two is None or not (a.outcome.well and b.outcome.well):
            return
        quick, slow = min(one, two), max(one, two)
        limits = self._thresholds
        if slow - quick >= limits.latency_ms and slow >= limits.latency_factor * quick:
            yield Found("latency", "minor", answered(a), answered(b))

    def _same_room(self, a: Exchange, b: Exchange) -> Iterator[Found]:
        """Rooms stand for one another in the order in which they are first used."""
        if a.room is None or b.room is None or a.token != b.token or not a.up:
            return
        to_b, to_a = self._rooms
        if a.room not in to_b and b.room not in to_a:
            to_b[a.room], to_a[b.room] = b.room, a.room
        if to_b.get(a.room) != b.room:
            yield Found(
                "body", "minor",
                Told(f"is about {short_room(a.room)}", a.frames[:1]),
                Told(f"is about {short_room(b.room)}", b.frames[:1]),
                "room",
            )  # fmt: skip

    def _headers(self, a: Exchange, b: Exchange) -> Iterator[Found]:
        others = {one.part: one for one in b.sights}
        for sight in a.sights:
            other = others.get(sight.part)
            if other is None or sight.status != other.status:
                continue
            one, two = self._a.message(sight.row), self._b.message(other.row)
            if one is None or two is None:
                continue
            sender = "client" if sight.up else "server"
            for name, weight, left, right in fields.differing(one, two, self._thresholds):
                yield Found(
                    "header", weight,
                    Told(left, (sight.frame,)), Told(right, (other.frame,)),
                    name if name == "Server" else f"{name} ({sender})",
                )  # fmt: skip

    def _bodies(self, a: Exchange, b: Exchange) -> Iterator[Found]:
        pairs = [(a.item, b.item, a.up)]
        if a.replies and b.replies:
            pairs.append((a.replies[0], b.replies[0], False))
        for left, right, sent in pairs:
            one, two = self._a.item(left), self._b.item(right)
            if one is None or two is None or left is None or right is None:
                continue
            at_a, at_b = (self._a.rows.frame[left[0]],), (self._b.rows.frame[right[0]],)
            for path, weight, values_a, values_b in bodies.differing(one, two, sent=sent):
                yield Found("body", weight, Told(values_a, at_a), Told(values_b, at_b), path)
            yield from self._clocks((left[0], one), (right[0], two))

    def _clocks(self, a: tuple[int, Item], b: tuple[int, Item]) -> Iterator[Found]:
        """Compare how far the clock of each service is from that of its capture."""
        one, two = _offset(self._a, *a), _offset(self._b, *b)
        if one is None or two is None or abs(one - two) < self._thresholds.clock_s * SECOND:
            return
        yield Found(
            "clock", "major",
            Told(_clock_words(one), (self._a.rows.frame[a[0]],)),
            Told(_clock_words(two), (self._b.rows.frame[b[0]],)),
            "serverTime",
        )  # fmt: skip


def _offset(source: Source, row: int, item: Item) -> int | None:
    """Return the nanoseconds that the clock of a service is ahead of the capture's."""
    info = next(item.node.iter("sib"), None)
    told = None if info is None else parse_ts(info.get("serverTime") or "")
    time = source.rows.time[row]
    return told - time if told is not None and time >= DATED_FROM else None


def _clock_words(offset: int) -> str:
    way = "ahead of" if offset > 0 else "behind"
    return f"the clock of the service is {duration_text(abs(offset))} {way} the capture's"


def _outcomes(a: Exchange, b: Exchange) -> Iterator[Found]:
    one, two = a.outcome, b.outcome
    if not (one.known and two.known):
        return
    if one.key == two.key:
        if one.words != two.words and one.key[0] != LOST:
            yield Found("outcome", "trivial", answered(a), answered(b))
        return
    weight: Weight = "minor" if one.well and two.well else "major"
    if a.token[-1] in CLOSING:
        weight = "trivial"
    yield Found("outcome", weight, answered(a), answered(b))


def _rooms(one: Rooms | None, two: Rooms | None, a: Exchange, b: Exchange) -> Iterator[Found]:
    if one is None or two is None:
        return
    told = Told(_rooms_words(one), a.outcome.frames), Told(_rooms_words(two), b.outcome.frames)
    if bool(one.refused) != bool(two.refused):
        yield Found("rooms", "major", *told)
    elif len(one.refused) != len(two.refused):
        yield Found("rooms", "minor", *told)
    elif len(one.joined) != len(two.joined):
        yield Found("rooms", "trivial", *told)


def _rooms_words(rooms: Rooms) -> str:
    total = len(rooms.joined) + len(rooms.refused)
    text = f"joined {len(rooms.joined)} of {total} room{'' if total == 1 else 's'}"
    if not rooms.refused:
        return text
    more = len(rooms.refused) - SHOWN
    names = ", ".join(rooms.refused[:SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"{text}, refused: {names}"


def _rounds(a: Exchange, b: Exchange) -> Iterator[Found]:
    if a.rounds != b.rounds:
        yield Found(
            "challenge", "minor", Told(_rounds_words(a), a.frames), Told(_rounds_words(b), b.frames)
        )


def _rounds_words(one: Exchange) -> str:
    if not one.rounds:
        return "was not challenged"
    return f"took {one.rounds} more round{'' if one.rounds == 1 else 's'} before it"
