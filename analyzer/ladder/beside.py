"""What stands in a ladder beside SIP messages: DNS, uploads, holes of the capture, findings."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from analyzer.narrative.files import uploads_of
from analyzer.roles import plain_uri
from analyzer.views.numbers import frames_text
from dissectors.model import address_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.diagnostics.rule import Finding
    from analyzer.ladder.lanes import Key, Lanes
    from analyzer.ladder.scene import Scene
    from analyzer.ladder.values import Tone
    from analyzer.quality import Hole
    from analyzer.sessions.view import SessionView
    from dissectors.dns import NameQuery

SHOWN_TARGETS = 3
LOCATING_NS = 60_000_000_000
"""What a client asked DNS so long before its first message was for it."""


class Contact(NamedTuple):
    """An arrow that is no SIP message."""

    source: Key
    target: Key
    label: str
    text: str
    time: int
    frames: tuple[int, ...]
    tone: Tone
    session: int


class Gap(NamedTuple):
    """A hole in the capture, or several in the same place."""

    ends: tuple[Key, Key]
    time: int
    label: str
    text: str
    frames: tuple[int, ...]


def questions(scene: Scene, lanes: Lanes) -> Iterator[Contact]:
    """Yield what the clients of these sessions asked DNS before they signed in, and the answers."""
    asked: dict[str, list[NameQuery]] = {}
    for query in scene.trace.quality.queries:
        source, target = address_text(query.key)
        asker = (target if query.answered else source).rpartition(":")[0]
        asked.setdefault(asker, []).append(query)
    told: set[NameQuery] = set()
    for view in sorted(scene.views, key=lambda view: view.started) if asked else ():
        for query in asked.get(view.client_address.rpartition(":")[0], ()):
            # Of two sessions on one machine it was the first that asked.
            if query not in told and _concerns(query, view):
                told.add(query)
                yield _question(query, view, scene, lanes)


def _concerns(query: NameQuery, view: SessionView) -> bool:
    """Say whether a question is for the user's domain, and before the user was signed in."""
    domain = plain_uri(view.user or "").partition("@")[2]
    until = view.started if view.signed_in is None else view.time(view.signed_in)
    in_time = view.started - LOCATING_NS <= query.time_ns <= until
    return in_time and query.name.endswith(f".{domain}")


def _question(query: NameQuery, view: SessionView, scene: Scene, lanes: Lanes) -> Contact:
    source, target = address_text(query.key)
    client, server = (target, source) if query.answered else (source, target)
    place = scene.places[view.dialogs[0].rows[0]]
    ends = (lanes.client_of(place, client), lanes.other("dns", server))
    label = _dns_label(query)
    text = f"DNS {'answer' if query.answered else 'question'}: {label}"
    tone: Tone = "doubtful" if query.answered and query.rcode else "plain"
    if query.answered:
        ends = (ends[1], ends[0])
    return Contact(*ends, label, text, query.time_ns, (query.frame,), tone, view.index)


def _dns_label(query: NameQuery) -> str:
    asked = f"{query.kind} {query.name}"
    if not query.answered:
        return asked
    if query.targets:
        found = ", ".join(f"{one.host}:{one.port}" for one in query.targets[:SHOWN_TARGETS])
        return f"{asked}: {found}"
    return f"{asked}: {'no such name' if query.rcode else 'answered'}"


def uploads(scene: Scene, lanes: Lanes) -> Iterator[Contact]:
    """Yield the connections over which files were uploaded with a token."""
    for view in scene.views:
        told: set[tuple[int, ...]] = set()
        for token, upload in uploads_of(scene.trace, view) if view.named("getfutok") else ():
            if not upload.frames or upload.time is None or upload.frames in told:
                continue  # one connection may serve several tokens
            told.add(upload.frames)
            place = scene.places[token.row]
            source = lanes.client_of(place, view.client_address)
            target = lanes.other("web", f"{token.host}:{token.port}")
            label = f"upload ({'HTTPS' if upload.state == 'encrypted' else 'HTTP'})"
            tone: Tone = "bad" if upload.state == "failed" or upload.expired else "good"
            yield Contact(
                *(source, target, label, upload.detail, upload.time, upload.frames),
                *(tone, view.index),
            )


def gaps(scene: Scene, lanes: Lanes, origins: Iterable[int]) -> Iterator[Gap]:
    """Yield the holes on the connections of these messages, those in one place together."""
    holes = scene.trace.quality.holes
    if not holes:
        return
    stream = scene.rows.stream
    used = {stream[row] >> 1: row for origin in origins for row in scene.seen(origin)}
    places: dict[tuple[int, int], list[Hole]] = {}
    for hole in holes:
        if hole.stream >> 1 in used:
            places.setdefault((hole.stream, _time_at(scene, hole.frame)), []).append(hole)
    for (number, time), found in places.items():
        row = used[number >> 1]
        leg = lanes.leg(row, next(way for way in scene.ways(scene.origin(row)) if row in way))
        yield Gap((leg.source, leg.target), time, *_gap_words(scene, number, found))


def _gap_words(
    scene: Scene, stream: int, holes: Sequence[Hole]
) -> tuple[str, str, tuple[int, ...]]:
    """Return label and text of some holes, and the frames that follow them."""
    frames = tuple(sorted({hole.frame for hole in holes}))
    known = sum(hole.length for hole in holes)
    size = f"{known} bytes" if known else "some bytes"
    if known and not all(hole.length for hole in holes):
        size = f"more than {size}"
    label = f"hole in the capture: {size} missing"
    if len(holes) > 1:
        label = f"{len(holes)} holes in the capture: {size} missing"
    between = scene.trace.streams[stream]
    before = f"before {frames_text(frames)}"
    return label, f"{size} from {between.src} to {between.dst} are missing {before}", frames


def _time_at(scene: Scene, frame: int) -> int:
    """Return the time of the first message that ends in a frame or later; of the last, if none."""
    times = scene.rows.time
    at = bisect_left(scene.rows.frame, frame)
    return times[min(at, len(times) - 1)]


def told(findings: Sequence[Finding], frames: Iterable[int]) -> Iterator[tuple[int, Finding]]:
    """Yield the findings that rest on shown frames, each with the last of these."""
    shown = set(frames)
    for finding in findings:
        if finding.severity != "note":
            cited = shown.intersection(finding.frames)
            if cited:
                yield max(cited), finding
