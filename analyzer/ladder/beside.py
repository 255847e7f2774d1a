"""What stands in a ladder beside SIP messages: DNS, uploads, holes of the capture, findings."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from analyzer.narrative.files import uploads_of
from analyzer.roles import plain_uri
from dissectors.model import address_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.diagnostics.rule import Finding
    from analyzer.ladder.lanes import Key, Lanes
    from analyzer.ladder.scene import Scene
    from analyzer.ladder.values import Tone
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Hole
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
    """A hole in the capture."""

    ends: tuple[Key, Key]
    hole: Hole
    time: int
    text: str


def questions(scene: Scene, lanes: Lanes) -> Iterator[Contact]:
    """Yield what the clients of these sessions asked DNS before they signed in, and the answers."""
    for view in scene.views:
        host = view.client_address.rpartition(":")[0]
        for query in _asked(view, host):
            source, target = address_text(query.key)
            client, server = (target, source) if query.answered else (source, target)
            place = scene.places[view.dialogs[0].rows[0]]
            ends = (lanes.client_of(place, client), lanes.other("dns", server))
            label = _dns_label(query)
            text = f"DNS {'answer' if query.answered else 'question'}: {label}"
            tone: Tone = "doubtful" if query.answered and query.rcode else "plain"
            if query.answered:
                ends = (ends[1], ends[0])
            yield Contact(*ends, label, text, query.time_ns, (query.frame,), tone, view.index)


def _asked(view: SessionView, host: str) -> Iterator[NameQuery]:
    domain = plain_uri(view.user or "").partition("@")[2]
    for query in view.trace.quality.queries:
        source, target = address_text(query.key)
        asker = (target if query.answered else source).rpartition(":")[0]
        before = view.started - LOCATING_NS <= query.time_ns <= view.started
        if before and asker == host and query.name.endswith(f".{domain}"):
            yield query


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
        if not view.named("getfutok"):
            continue
        for token, upload in uploads_of(scene.trace, view):
            if not upload.frames or upload.time is None:
                continue
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
    """Yield the holes on the connections of these messages."""
    rows, streams = scene.rows, scene.trace.streams
    holes = scene.trace.quality.holes
    if not holes:
        return
    used = {rows.stream[row] >> 1: row for origin in origins for row in scene.seen(origin)}
    for hole in holes:
        row = used.get(hole.stream >> 1)
        if row is None:
            continue
        stream = streams[hole.stream]
        size = f"{hole.length} bytes" if hole.length else "an unknown number of bytes"
        text = f"{size} from {stream.src} to {stream.dst} are missing before frame {hole.frame}"
        leg = lanes.leg(row, next(way for way in scene.ways(scene.origin(row)) if row in way))
        yield Gap((leg.source, leg.target), hole, _time_at(scene, hole.frame), text)


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
