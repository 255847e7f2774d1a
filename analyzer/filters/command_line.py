"""A filter as the command that says the same in a terminal, where there is one."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Literal

from analyzer.filters.words import session_number, spans_of
from analyzer.named import MAX_FRAME
from analyzer.query import Query, parse_status
from analyzer.zoned_times import UNSAID, parse_time, placed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo

    from analyzer.filters.lexing import Term
    from analyzer.times import TypedTime

LISTED = {
    "user": "--user",
    "call-id": "--call-id",
    "method": "--method",
    "status": "--status",
    "command": "--command",
    "room": "--room",
}
"""Options of ``xccos messages`` that mean the same as a word; ``xccos commands`` has them too."""
DRAWN = {"session": "--session", "dialog": "--dialog", "finding": "--finding", "frame": "--frames"}
"""Those of ``xccos ladder``; there users and rooms bring along what belongs to them."""
TIMES = {"after": "--from-time", "before": "--to-time"}
ONCE = ("after", "before")


List = Literal["messages", "commands"]


def command_line(
    terms: Sequence[Term],
    files: Sequence[str],
    zone: tzinfo,
    began: int,
    listed: List = "messages",
) -> str | None:
    """Return ``xccos messages FILE --user ann``; None where no command says the same.

    Args:
        terms: of the filter.
        files: the inputs of the case.
        zone: of times that do not say their own.
        began: when the capture begins; nanoseconds since 1970 UTC.
        listed: what is listed.
    """
    if not terms or not files or any(not _is_sayable(term) for term in terms):
        return None
    words = {term.word for term in terms}
    if words <= LISTED.keys() | TIMES.keys():
        command: str = listed
    elif listed == "messages" and words <= DRAWN.keys() | TIMES.keys():
        command = "ladder"
    else:
        return None
    joined = ["--join"] if len(files) > 1 else []
    options = [one for term in terms for one in _options(term, zone, began)]
    return shlex.join(["xccos", command, *map(_file, files), *joined, *options])


def query_of(terms: Sequence[Term], zone: tzinfo, began: int) -> Query | None:
    """Return what these options ask a list for; None where they cannot say a filter."""
    words = {term.word for term in terms}
    if not terms or not all(map(_is_sayable, terms)) or not words <= LISTED.keys() | TIMES.keys():
        return None

    def texts(word: str) -> tuple[str, ...]:
        return tuple(text for term in terms if term.word == word for text in term.texts)

    def time(word: str) -> TypedTime | None:
        return next((placed(parse_time(text), zone, began) for text in texts(word)), None)

    return Query(
        users=texts("user"),
        call_ids=texts("call-id"),
        methods=texts("method"),
        statuses=tuple(map(parse_status, texts("status"))),
        commands=texts("command"),
        rooms=texts("room"),
        from_time=time("after"),
        to_time=time("before"),
    )


def _is_sayable(term: Term) -> bool:
    if term.negated or (term.word in ONCE and len(term.values) > 1):
        return False
    return not (term.word == "finding" and any("," in text for text in term.texts))


def _file(name: str) -> str:
    """Return a file as an argument that is no option."""
    return f"./{name}" if name.startswith("-") else name


def _options(term: Term, zone: tzinfo, began: int) -> Iterator[str]:
    if term.word == "frame":
        yield from ("--frames", ",".join(_spans(term.texts)))
        return
    for text in term.texts:
        if term.word in TIMES:
            yield f"{TIMES[term.word]}={_time(text, zone, began)}"
        elif term.word == "session":
            yield from ("--session", str(session_number(text)))
        else:
            name = (LISTED | DRAWN)[term.word]
            yield from ([f"{name}={text}"] if text.startswith("-") else [name, text])


def _spans(texts: Iterable[str]) -> Iterator[str]:
    for first, last in (span for text in texts for span in spans_of(text)):
        if first == last:
            yield str(first)
        else:
            yield f"{first}-" if last >= MAX_FRAME else f"{first}-{last}"


def _time(text: str, zone: tzinfo, began: int) -> str:
    """Return a time with its zone, where it left that to the page and the page has another."""
    typed = parse_time(text)
    if typed.zone is not UNSAID:
        return text.strip()
    offset = placed(typed, zone, began).zone.utcoffset(None)
    minutes = round(offset.total_seconds() / 60)
    if not minutes:
        return text.strip()
    sign, whole = "-" if minutes < 0 else "+", abs(minutes)
    return f"{text.strip()}{sign}{whole // 60:02d}:{whole % 60:02d}"
