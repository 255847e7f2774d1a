"""Whether something is wrong with what was captured, in a sentence; and what the capture is worth.

The rule: nothing is called well that the capture does not show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from analyzer.dashboard.verdict.told import told_of
from analyzer.meaning import outline
from analyzer.times import SECOND, duration_text
from analyzer.views.numbers import amount
from analyzer.views.quality import damage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.dashboard.cases import Case

NAMED = 2
"""Findings that the headline has by name."""
Record = dict[str, Any]


class Headline(NamedTuple):
    """The first thing that is read."""

    sign: str
    """A word that has a sign: of a verdict."""
    word: str
    text: str


class Group(NamedTuple):
    """What one rule found, at one severity."""

    rule: str
    severity: str
    title: str
    numbers: Sequence[int]
    """Of its findings, from 0."""
    sessions: int
    """How many sessions they are about."""


def headline(case: Case) -> Headline:
    """Return the verdict on the whole capture."""
    messages, count = len(case.trace.rows), len(case.views)
    if not messages:
        return Headline("not-captured", "nothing to judge", "There is no SIP to be read in this.")
    if not count:
        text = f"There are {amount(messages, 'SIP message')}, but no session of a client."
        return Headline("not-captured", "nothing to judge", text)
    counts = told_of(case).by_verdict()
    if failed := counts.get("failed", 0):
        text = f"Something is wrong: {_has(failed, count)} a problem{_named(case)}."
        return Headline("failed", "problem", text)
    if _beside(case, "error"):
        text = "Something is wrong, though not in any one session: see the findings."
        return Headline("failed", "problem", text)
    if doubtful := counts.get("doubtful", 0):
        text = f"Nothing failed, but {_has(doubtful, count)} something to remark{_named(case)}."
        return Headline("doubtful", "remarks", text)
    if _beside(case, "warning"):
        text = "Nothing is seen to have failed, but there are remarks on the capture itself."
        return Headline("doubtful", "remarks", text)
    if unseen := counts.get("not-captured", 0):
        text = f"Nothing wrong is to be seen, but not all of {_of(unseen, count)} was captured."
        return Headline("not-captured", "not all captured", text)
    text = f"No problem is to be seen in {amount(count, 'session')}."
    return Headline("ok", "no problem seen", text)


def _has(some: int, count: int) -> str:
    if count == 1:
        return "the only session has"
    if some == count:
        return f"all {count:,} sessions have"
    return f"{some:,} of {count:,} sessions {'has' if some == 1 else 'have'}"


def _named(case: Case) -> str:
    """Return what was found of the worst severity, in brackets; of many kinds the first."""
    found = groups(case)
    titles = [one.title for one in found if one.severity == found[0].severity]
    if len(titles) > NAMED:
        titles[NAMED:] = [f"{amount(len(titles) - NAMED, 'other kind')} of finding"]
    return f" ({'; '.join(titles)})" if titles else ""


def _of(some: int, count: int) -> str:
    return "the only session" if count == 1 else f"{some:,} of {count:,} sessions"


def _beside(case: Case, severity: str) -> bool:
    """Tell whether something is found that belongs to no session."""
    return any(case.diagnosed[at].severity == severity for at in case.findings_of(None))


def damage_text(case: Case) -> str | None:
    """Return where a file is damaged, and what was read before; None of a whole one."""
    quality = case.trace.quality
    if not quality.damaged:
        return None
    read = amount(quality.frames, quality.unit)
    messages = amount(len(case.trace.rows), "SIP message")
    return f"The file is damaged: {damage(quality)}. Read before that: {read}, {messages}."


def groups(case: Case) -> Sequence[Group]:
    """Return the findings by severity and rule, errors first."""
    return case.once("finding groups", lambda: [*_groups(case, range(len(case.diagnosed)))])


def _groups(case: Case, numbers: Sequence[int]) -> Iterator[Group]:
    found: dict[tuple[str, str], list[int]] = {}
    for number in numbers:
        one = case.diagnosed[number]
        found.setdefault((one.severity, one.rule), []).append(number)
    for (severity, rule), those in found.items():
        sessions = {case.diagnosed[number].session for number in those} - {None}
        title = case.diagnosed[those[0]].title
        yield Group(rule, severity, title, those, len(sessions))


def worth(case: Case) -> list[tuple[str, str]]:
    """Return the facts of the capture, by name."""
    record = case.record
    lasted = record["duration_ms"]
    held = (
        amount(record["frames"], case.trace.quality.unit),
        amount(record["messages"], "SIP message"),
        amount(record["connections"], "connection"),
        amount(len(case.views), "session"),
    )
    return [
        ("Duration", "" if lasted is None else duration_text(round(lasted * SECOND / 1000))),
        ("Holds", ", ".join(held)),
        ("Hop copies", _copies(case)),
        ("TLS", _tls(record["quality"]["tls"])),
        *(_input(one) for one in record["inputs"]),
    ]


def _copies(case: Case) -> str:
    if not len(case.trace.rows):
        return ""
    count = case.once("hop copies", lambda: len(outline(case.trace).copy_of))
    if not count:
        return ""
    return f"{amount(count, 'message')} seen again on another hop, and counted once"


def _tls(connections: Sequence[Record]) -> str:
    """Return how much of TLS could be read: what stayed dark may hold what is missed."""
    if not connections:
        return ""
    words = {"decrypted": "decrypted", "partly": "decrypted in part", "dark": "not decrypted"}
    found = []
    for status, word in words.items():
        count = sum(1 for one in connections if one["status"] == status)
        if count:
            found.append(f"{amount(count, 'connection')} {word}")
    return ", ".join(found)


def _input(one: Record) -> tuple[str, str]:
    kind = "" if one["kind"] == "capture" else f"{one['kind']}, "
    text = f"{one['name']}: {kind}{amount(one['messages'], 'message')}; {one['clock']['words']}"
    return ("Input", text)
