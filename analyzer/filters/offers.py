"""What a filter box can offer behind a word: the values of the capture, most used first."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from analyzer.export.printable import printable
from analyzer.filters.words import WORDS
from analyzer.roles import plain_uri
from dissectors.xccos.messages import base_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.filters.facts import Looked

MOST = 200
"""Values of one word: all of them are sent to the browser, where typing narrows them down."""
MAX_LENGTH = 120
"""Characters of a value; a longer one helps nobody."""
SESSIONS = 100
"""Sessions whose rooms are offered: what they are called has to be read from the capture."""

Offer = tuple[str, str]
"""A value, and what is said of it."""


def offers_of(looked: Looked) -> dict[str, list[Offer]]:
    """Return values by word; words that nothing is known of have their examples."""
    found: dict[str, Iterable[Offer]] = {
        "user": _addresses(looked, "from_uri", "to_uri"),
        "from": _addresses(looked, "from_uri"),
        "to": _addresses(looked, "to_uri"),
        "method": _strings(looked, "method"),
        "status": _statuses(looked),
        "command": _commands(looked),
        "room": _rooms(looked),
        "session": _sessions(looked),
        "finding": _findings(looked),
        "evidence": _findings(looked),
        **_hosts(looked),
    }
    for word in WORDS:
        if word.known is not None:
            found[word.name] = [(one, "") for one in dict.fromkeys(word.known.values())]
        elif word.name not in found:
            found[word.name] = [(one, "example") for one in word.examples if "..." not in one]
    return {name: _bounded(offers) for name, offers in found.items()}


def _bounded(offers: Iterable[Offer]) -> list[Offer]:
    """Return the first of those that somebody can read."""
    fitting = (one for one in offers if 0 < len(one[0]) <= MAX_LENGTH and one[0].isprintable())
    return [(text, printable(note)[:MAX_LENGTH]) for text, note in islice(fitting, MOST)]


def _counted(found: Counter[str]) -> Iterator[Offer]:
    return ((name, f"{count:,}") for name, count in found.most_common(2 * MOST))


def _strings(looked: Looked, *columns: str) -> Iterator[Offer]:
    rows = looked.trace.rows
    counts: Counter[int] = Counter()
    for column in columns:
        counts.update(getattr(rows, column))
    return ((rows.strings.values[one] or "", f"{count:,}") for one, count in counts.most_common())


def _addresses(looked: Looked, *columns: str) -> Iterator[Offer]:
    rows, found = looked.trace.rows, Counter[str]()
    for column in columns:
        for number, count in Counter(getattr(rows, column)).items():
            uri = rows.strings.values[number]
            if uri:
                found[plain_uri(uri).removeprefix("sip:")] += count
    return _counted(found)


def _statuses(looked: Looked) -> Iterator[Offer]:
    counts = Counter(str(one) for one in looked.trace.rows.status if one >= 0)
    return _counted(counts)


def _commands(looked: Looked) -> Iterator[Offer]:
    """Yield names of commands, and each with the kinds of its elements."""
    rows, found = looked.trace.rows, Counter[str]()
    columns, values = rows.item_columns, rows.strings.values
    for (element, name), count in Counter(
        zip(columns["element"], columns["id"], strict=True)
    ).items():
        whole = (values[name] or values[element] or "").lower()
        for text in {whole, base_name(whole)}:
            found[text] += count
    return _counted(found)


def _rooms(looked: Looked) -> Iterator[Offer]:
    found: Counter[str] = Counter()
    for view in looked.scene.views[:SESSIONS]:
        for room in view.rooms:
            found[room.name or room.uri] += 1
    return _counted(found)


def _sessions(looked: Looked) -> Iterator[Offer]:
    views = looked.scene.views
    return ((str(view.index + 1), plain_uri(view.user or "")) for view in views[:MOST])


def _findings(looked: Looked) -> Iterator[Offer]:
    titles = {one.rule: one.title for one in looked.diagnosed}
    return iter(sorted(titles.items()))


def _hosts(looked: Looked) -> dict[str, Iterator[Offer]]:
    trace = looked.trace
    sent, got = Counter[str](), Counter[str]()
    for number, count in Counter(trace.rows.stream).items():
        stream = trace.streams[number]
        sent[stream.src.rpartition(":")[0].strip("[]")] += count
        got[stream.dst.rpartition(":")[0].strip("[]")] += count
    return {"src": _counted(sent), "dst": _counted(got), "host": _counted(sent + got)}
