"""Preferences: documents that are stored under an old version, or fetched over and over."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.diagnostics.reading import item_of, rows_of, who
from analyzer.diagnostics.rule import Hit, Rule
from analyzer.sessions.rooms import is_good

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.commands import Command
    from analyzer.diagnostics.rule import Case
    from analyzer.sessions.view import SessionView

FETCHES = 3
"""A document that brought the same content so often within one session was not kept."""
MAX_DIGITS = 18


class _Pref(NamedTuple):
    """One ``pref`` element."""

    row: int
    label: str
    version: int | None
    """Its ``seqid``, which is the version of the document."""
    content: str | None


def _churn(case: Case) -> Iterator[Hit]:
    for view in case.sessions:
        commands = [*view.named("getpref"), *view.named("setpref")]
        if view.named("setpref") or _brings_content(case, commands):
            history = _History(case, view)
            for command in sorted(commands, key=lambda one: one.first()[0]):
                yield from history.follow(command)
            yield from history.fetched_again()


def _brings_content(case: Case, commands: list[Command]) -> bool:
    """Say whether any reply has a document: parsing those of most sessions would be in vain."""
    rows = {answer.row for one in commands for answer in one.answers}
    return any(b"content" in case.trace.raw(row) for row in rows)


class _History:
    """The documents of one session, as its commands and replies tell them."""

    def __init__(self, case: Case, view: SessionView) -> None:
        self._case = case
        self._view = view
        self._last: dict[str, _Pref] = {}
        """The newest version seen, by label."""
        self._brought: dict[tuple[str, int | None], list[tuple[int, ...]]] = {}
        """The rows of each fetch that brought a document, by label and version."""

    def follow(self, command: Command) -> Iterator[Hit]:
        """Take in a command and its replies."""
        asked = next(_sent(self._case, command), None)
        replies = [
            one
            for one in _answered(self._case, self._view, command)
            if asked is None or one.label == asked.label
        ]
        if command.name == "getpref":
            yield from self._fetched(command, asked, replies)
        elif asked is not None:
            yield from self._stored(command, asked)
            replies.append(asked)
        for one in replies:
            last = self._last.get(one.label)
            if last is None or (one.version or 0) > (last.version or 0):
                self._last[one.label] = one

    def _stored(self, command: Command, asked: _Pref) -> Iterator[Hit]:
        last = self._last.get(asked.label)
        if last is None or last.version is None or asked.version is None:
            return
        if asked.version <= last.version:
            view = self._view
            text = (
                f"{who(view)} stored the preferences {asked.label} in frame "
                f"{view.frame(command.row)} as version {asked.version}, though version "
                f"{last.version} was already seen in frame {view.frame(last.row)}"
            )
            yield Hit(text, (last.row, *rows_of(view, command)), view.index, "likely")

    def _fetched(
        self, command: Command, asked: _Pref | None, replies: list[_Pref]
    ) -> Iterator[Hit]:
        view = self._view
        for reply in replies:
            if not reply.content:
                continue
            rows = rows_of(view, command)
            self._brought.setdefault((reply.label, reply.version), []).append(rows)
            if asked is None or asked.version is None or reply.version is None:
                continue
            if asked.version >= reply.version > 0:
                text = (
                    f"{who(view)} has version {asked.version} of the preferences {reply.label} "
                    f"(frame {view.frame(command.row)}), and the service sends the content of "
                    f"version {reply.version} all the same"
                )
                yield Hit(text, rows, view.index, "likely")

    def fetched_again(self) -> Iterator[Hit]:
        """Tell of documents that were fetched over and over."""
        view = self._view
        for (label, version), fetches in self._brought.items():
            if len(fetches) >= FETCHES:
                text = (
                    f"{who(view)} fetched the preferences {label} {len(fetches)} times and got "
                    f"the same version ({version}) with its content each time"
                )
                rows = dict.fromkeys(row for rows in fetches for row in rows)
                yield Hit(text, tuple(rows), view.index)


def _sent(case: Case, command: Command) -> Iterator[_Pref]:
    if command.element >= 0:
        yield from _prefs(case, command.row, command.element)


def _answered(case: Case, view: SessionView, command: Command) -> Iterator[_Pref]:
    for answer in command.answers:
        if is_good(view.outcomes.code(answer)):
            yield from _prefs(case, answer.row, answer.element)


def _prefs(case: Case, row: int, element: int) -> Iterator[_Pref]:
    item = item_of(case, row, element)
    if item is None:
        return
    for node in item.node.iter("pref"):
        text = node.get("seqid") or ""
        version = int(text) if text.isdecimal() and len(text) <= MAX_DIGITS else None
        yield _Pref(row, node.get("label") or "", version, node.get("content"))


RULES: tuple[Rule, ...] = (
    Rule(
        "GC308",
        "note",
        "Preference churn",
        "A preference document was stored under a version that is not newer than the last one "
        "seen, or its content was sent though the client has that version. Two clients of one "
        "user overwrite each other so, and room lists get lost.",
        "Look for a second client of the same user, and for a client that cannot keep its local "
        "copy.",
        "docs/protocol.md section 4 and section 9 row 20; SDK",
        _churn,
    ),
)
