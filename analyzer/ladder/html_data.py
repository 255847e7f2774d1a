"""The ladder as JSON: what the script of a page searches, filters and relates.

It holds all that a row shows, so that a list which draws only what is in view can draw from it.
What is absent, false or empty is left out. Times are nanoseconds since ``began``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.export.printable import printable
from analyzer.ladder.look import Clock
from analyzer.ladder.values import Arrow
from analyzer.times import SECOND

if TYPE_CHECKING:
    from analyzer.ladder.html_links import Links
    from analyzer.ladder.look import Look
    from analyzer.ladder.values import Answer, Event, Group, Hop, Ladder, Lane, Note

Record = dict[str, Any]
FRAMES = 2_000
"""Frame numbers of one event; a message of more came in segments of a few bytes."""


def ladder_record(ladder: Ladder, look: Look, links: Links) -> Record:
    """Return a ladder as the script wants it."""
    return {
        "version": 1,
        "title": printable(ladder.title),
        "began": [ladder.began // SECOND, ladder.began % SECOND],
        "digits": min(max(ladder.digits, 3), 6),
        "dated": bool(ladder.dated),
        "times": look.times if ladder.dated or look.times == "delta" else "relative",
        "zone": _offsets(ladder, look),
        "lanes": [_lane(one) for one in ladder.lanes],
        "groups": [_group(one) for one in ladder.groups],
        "events": [
            {**event_record(one, ladder.began), **_links(links, number)}
            for number, one in enumerate(ladder.events)
        ],
    }


def _links(links: Links, number: int) -> Record:
    found = links.of(number)
    return {"links": [[one.event, one.kind, one.text] for one in found]} if found else {}


def _lane(lane: Lane) -> Record:
    return {"kind": lane.kind, "title": printable(lane.title), "about": printable(lane.subtitle)}


def _group(group: Group) -> Record:
    return {
        "first": group.first,
        "last": group.last,
        "name": printable(f"{group.flow} {group.step}: {group.title}"),
        "status": group.status,
        "detail": printable(group.detail),
    }


def _offsets(ladder: Ladder, look: Look) -> list[list[Any]]:
    """Return the zone where it begins to hold: number of the event, minutes, name."""
    clock = Clock(ladder, look)
    found: list[list[Any]] = []
    for number, event in enumerate(ladder.events):
        name = clock.zone(event.time)
        if not found or found[-1][2] != name:
            found.append([number, _minutes(name), name])
    return found or [[0, 0, "UTC"]]


def _minutes(name: str) -> int:
    """Return the minutes of ``UTC+02:00``."""
    if name == "UTC":
        return 0
    hours, minutes = name[4:].split(":")
    return (-1 if name[3] == "-" else 1) * (int(hours) * 60 + int(minutes))


def event_record(event: Event, began: int) -> Record:
    """Return an arrow or a note."""
    made = _arrow(event, began) if isinstance(event, Arrow) else _note(event, began)
    return {key: value for key, value in made.items() if value not in (None, "", (), [], {})}


def _note(note: Note, began: int) -> Record:
    return {
        "note": note.kind,
        "lanes": note.lanes,
        "label": printable(note.label),
        "text": printable(note.text),
        "time": note.time - began,
        "frames": note.frames[:FRAMES],
        "tone": note.tone,
    }


def _arrow(arrow: Arrow, began: int) -> Record:
    return {
        "kind": arrow.kind,
        "source": arrow.source,
        "target": arrow.target,
        "via": arrow.via,
        "label": printable(arrow.label),
        "text": printable(arrow.text),
        "time": arrow.time - began,
        "frame": arrow.frame,
        "frames": arrow.frames[:FRAMES],
        "rows": arrow.rows,
        "status": arrow.status,
        "code": arrow.code and printable(arrow.code),
        "tone": None if arrow.tone == "plain" else arrow.tone,
        "latency": arrow.latency_ms,
        "latencyOf": printable(arrow.latency_of),
        "heat": None if arrow.heat == "quick" else arrow.heat,
        "marks": [printable(mark) for mark in arrow.marks],
        "count": arrow.count if arrow.count > 1 else None,
        "until": None if arrow.until is None else arrow.until - began,
        "hops": [_hop(one, began) for one in arrow.hops],
        "answer": None if arrow.answer is None else _answer(arrow.answer),
        "session": arrow.session,
        "call": arrow.call_id and printable(arrow.call_id),
        "method": arrow.method and printable(arrow.method),
    }


def _hop(hop: Hop, began: int) -> Record:
    return {
        "row": hop.row,
        "frame": hop.frame,
        "source": printable(hop.source),
        "target": printable(hop.target),
        "time": hop.time - began,
    }


def _answer(answer: Answer) -> Record:
    return {
        "row": answer.row,
        "frame": answer.frame,
        "status": answer.status,
        "text": printable(answer.text),
        "latency": answer.latency_ms,
    }
