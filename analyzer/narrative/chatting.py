"""Sentences about what a client did in Group Chat: commands, posts and their copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.commands import accepted
from analyzer.flows.values import BAD
from analyzer.narrative.files import uploads_of
from analyzer.narrative.names import listed
from analyzer.narrative.posts import attempts, delivery, post_text
from analyzer.times import latency_text
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analyzer.commands import Command
    from analyzer.flows.values import Copy, FlowRun
    from analyzer.narrative.tale import Sentence, Tale, Tone


def sentences(tale: Tale, runs: Sequence[FlowRun]) -> Iterator[Sentence]:
    """Yield the sentences about commands, posts and received messages."""
    together: dict[tuple[int, str], list[Command]] = {}
    for command in tale.view.commands:
        if not command.post:
            together.setdefault((command.first()[0], command.name), []).append(command)
    for commands in together.values():
        yield _said(tale, commands)
    told: set[int] = set()
    for run in runs:
        if run.flow == "posting" and run.row is not None:
            told.update(one.row for one in attempts(tale.posts, run))
            yield from _posted(tale, run)
    for command in tale.view.named("grpchat"):
        if command.element >= 0 and command.row not in told:
            text, tone = tale.outcome([command])
            room = tale.room(next(iter(tale.view.outcomes.rooms(command)), None))
            what = f"{tale.who} wrote into {room} ({tale.frame(command.row)})"
            yield tale.sentence([command.row], f"{what}: {text}.", tone)
    yield from _received(tale, [copy for run in runs for copy in run.copies if copy.echo])
    yield from _uploaded(tale)


def _said(tale: Tale, commands: Sequence[Command]) -> Sentence:
    """Return the sentence about commands of one name in one message."""
    first = commands[0]
    phrase = PHRASES.get(first.name)
    what = f"sent {first.name}" if phrase is None else phrase(tale, commands)
    text, tone = tale.outcome(commands)
    place = "" if first.element < 0 else f" ({first.name}, {tale.frame(first.row)})"
    rows = [one.row for one in commands if one.element >= 0]
    rows += [answer.row for one in commands for answer in one.answers]
    refused = _refused(tale, commands)
    return tale.sentence(
        rows, f"{tale.who} {what}{place}: {text}{refused}.", "bad" if refused else tone
    )


def _refused(tale: Tale, commands: Sequence[Command]) -> str:
    """Return the rooms that a join was refused for, in an answer that says success."""
    if commands[0].name not in {"join", "bjoin"}:
        return ""
    asked = {room for one in commands for room in tale.view.outcomes.rooms(one)}
    bad = [room.uri for room in tale.view.refused_rooms if room.uri in asked]
    return f"; refused (OPERATION_FAILED): {tale.rooms(bad)}" if bad else ""


def _rooms_of(tale: Tale, commands: Sequence[Command]) -> str:
    uris = dict.fromkeys(room for one in commands for room in tale.view.outcomes.rooms(one))
    return tale.rooms(uris) if uris else "a room"


def _preferences(verb: str) -> Callable[[Tale, Sequence[Command]], str]:
    return lambda _, commands: f"{verb} {amount(len(commands), 'preference document')}"


def _channel(tale: Tale, commands: Sequence[Command]) -> str:
    lookups = tale.view.lookups
    told = [
        uri for one in commands for answer in one.answers for uri in lookups.get(answer.row, ())
    ]
    brought = f" and learned {listed(list(dict.fromkeys(told)), 'others')}" if told else ""
    return f"asked the Lookup service for a Channel service{brought}"


def _found(tale: Tale, commands: Sequence[Command]) -> str:
    reader, elements = tale.view.material.reader, tale.view.material.elements
    rooms = {
        room
        for one in commands
        for answer in one.answers
        for room in reader.facts(answer.row, elements.position(answer.element)).rooms
    }
    found = f" and found {amount(len(rooms), 'room')}" if rooms else ""
    return f"searched for rooms{found}"


UPLOAD_TONES: dict[str, Tone] = {"failed": "bad", "absent": "bad", "unknown": "doubtful"}
PHRASES: dict[str, Callable[[Tale, Sequence[Command]], str]] = {
    "requri": _channel,
    "getserverinfo": lambda _, __: "asked for the configuration of the service",
    "getpref": _preferences("asked for"),
    "setpref": _preferences("stored"),
    "bjoin": lambda tale, commands: f"asked to join {_rooms_of(tale, commands)}",
    "join": lambda tale, commands: f"asked to join {_rooms_of(tale, commands)}",
    "getinv": lambda _, __: "asked for open invitations",
    "chansrch": _found,
    "bccontext": lambda tale, commands: f"asked for the history of {_rooms_of(tale, commands)}",
    "getfutok": lambda tale, commands: (
        f"asked for a token to upload a file into {_rooms_of(tale, commands)}"
    ),
    "getfdtok": lambda tale, commands: (
        f"asked for a token to download a file of {_rooms_of(tale, commands)}"
    ),
    "part": lambda tale, commands: f"left {_rooms_of(tale, commands)}",
}
"""What a client did, by the name of its command; any other name is told as it is."""


def _posted(tale: Tale, run: FlowRun) -> Iterator[Sentence]:
    """Yield the sentences about a post: its fate, its copies, its upload."""
    tried = attempts(tale.posts, run)
    rows = [one.row for one in tried] or [run.row if run.row is not None else -1]
    bad = any(step.status in BAD for step in run.steps if step.id in {"4", "5"})
    tone: Tone = "bad" if bad else "plain"
    what = f"{tale.who} wrote into {tale.room(run.room)} ({tale.frames(rows)})"
    yield tale.sentence(rows, f"{what}: {post_text(tale.view, run, tale.posts)}.", tone)
    copies = [copy for copy in run.copies if copy.row is not None]
    if copies:
        told = [
            f"{_person(tale, copy.user, echo=copy.echo)} after {latency_text(copy.latency_ms)} "
            f"({tale.frame(copy.row)})"
            for copy in copies
            if copy.row is not None
        ]
        text = f"The service sent copies of it: {listed(told, 'others')}."
        yield tale.sentence([copy.row for copy in copies if copy.row is not None], text)
    lost = [one.user for one in run.copies if one.row is None and one.captured and not one.echo]
    if lost and delivery(run):
        text = f"No copy of the post in {tale.frames(rows)} came to {tale.names.people(lost)}."
        yield tale.sentence(rows, text, "bad")
    for step in run.steps:
        if step.id == "4" and step.status in BAD and not (tried and accepted(tried[-1].status)):
            yield tale.sentence(rows, f"Of that post: {step.detail.rstrip('.')}.", tone)


def _person(tale: Tale, uri: str | None, *, echo: bool) -> str:
    return "its author" if echo else tale.names.person(uri)


def _uploaded(tale: Tale) -> Iterator[Sentence]:
    for token, upload in uploads_of(tale.view.trace, tale.view):
        told = f"With the token of {tale.frame(token.row)}: {upload.detail}."
        tone = UPLOAD_TONES.get(upload.state, "plain")
        sentence = tale.sentence([token.row], told, "bad" if upload.expired else tone)
        when = token.time if upload.time is None else upload.time
        yield sentence._replace(time=when, frames=(*sentence.frames, *upload.frames))


def _received(tale: Tale, echoes: Sequence[Copy]) -> Iterator[Sentence]:
    """Yield one sentence for each room about the messages of others that came from it."""
    own = {tale.near(copy.row) for copy in echoes if copy.row is not None}
    view, elements = tale.view, tale.view.material.elements
    found: dict[str, list[int]] = {}
    for dialog in view.dialogs:
        tag = dialog.client_side.tag
        for element in elements.of(dialog.index):
            if elements.what[element][0] != "grpchat" or elements.sender_tag(element) == tag:
                continue
            row = elements.row[element]
            if tale.near(row) in own:
                continue
            for uri in view.material.reader.facts(row, elements.position(element)).rooms[:1]:
                found.setdefault(uri, []).append(row)
    for uri, rows in found.items():
        count = amount(len(rows), "message")
        where = tale.frames(rows)
        yield tale.sentence(rows, f"{tale.who} got {count} of {tale.room(uri)} ({where}).")
