"""A script with other values: its slots, and what is written out in its messages.

The rule: what flows goes on flowing. A value that reaches from a literal into a slot (``pool01.``
before the slot of a domain) changes on both sides, and the slot stays.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.template import LENGTH, SLOT, Template, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from analyzer.replay.edit.words import Found, Words
    from analyzer.replay.script import Aside, Connection, Expectation, Script, Slot, Turn


class Piece(NamedTuple):
    """A part of a template: a literal, or a slot."""

    start: int
    end: int
    """In the filled text."""
    text: str
    """As the template has it."""
    slot: str | None


class Pieces:
    """The parts of a template, in order."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        """Take the parts of one template."""
        self.all = list(pieces)
        self._starts = [piece.start for piece in self.all]
        self._ends = [piece.end for piece in self.all]

    def between(self, start: int, end: int) -> list[Piece]:
        """Return the parts that have a character of the filled text from ``start`` to ``end``."""
        first, last = bisect_right(self._ends, start), bisect_left(self._starts, end)
        return [piece for piece in self.all[first:last] if piece.start < piece.end]

    def cut(self, start: int, end: int) -> str:
        """Return the template of a part of the filled text; a slot counts as where it begins."""
        done = []
        first, last = bisect_left(self._ends, start), bisect_right(self._starts, end)
        for piece in self.all[first:last]:
            if piece.slot is None:
                done.append(piece.text[max(0, start - piece.start) : max(0, end - piece.start)])
            # A slot without a value has no room; it stays where it stands.
            elif start <= piece.start <= end and piece.end <= end and _whole(piece, end):
                done.append(piece.text)
        return "".join(done)


def _whole(piece: Piece, end: int) -> bool:
    return piece.start < end or piece.start == piece.end


class Texts:
    """Rewrites the texts of templates."""

    def __init__(
        self,
        words: Words,
        new: Callable[[str], str],
        old_slots: Mapping[str, str],
        new_slots: Mapping[str, str],
    ) -> None:
        """Take what to look for, what each value found becomes, and the values of slots."""
        self._words = words
        self._new = new
        self._old_slots = old_slots
        self._new_slots = new_slots

    def value(self, text: str) -> str:
        """Return a text that is no template."""
        pieces: list[str] = []
        at = 0
        for found in self._words.find(text):
            pieces += (text[at : found.start], self._new(found.old))
            at = found.end
        return "".join([*pieces, text[at:]])

    def template(self, text: str) -> str:
        """Return a template; its slots stay where they are."""
        if "${" not in text:
            return self.value(text)
        pieces = Pieces(self._pieces(text))
        filled = "".join(
            piece.text if piece.slot is None else self._old_slots.get(piece.slot, "")
            for piece in pieces.all
        )
        done: list[str] = []
        at = 0
        for found in self._words.find(filled):
            touched = pieces.between(found.start, found.end)
            if len(touched) == 1 and touched[0].slot is not None:
                continue  # the slot itself has another value now
            done += (pieces.cut(at, found.start), self._straddling(found, touched))
            at = found.end
        return "".join([*done, pieces.cut(at, len(filled) + 1)])

    def _pieces(self, text: str) -> Iterator[Piece]:
        at, filled = 0, 0
        for match in SLOT.finditer(text):
            if match[1] or match[2] == LENGTH:
                continue
            literal = text[at : match.start()]
            yield Piece(filled, filled + len(literal), literal, None)
            filled += len(literal)
            length = len(self._old_slots.get(match[2], ""))
            yield Piece(filled, filled + length, match[0], match[2])
            filled += length
            at = match.end()
        yield Piece(filled, filled + len(text) - at, text[at:], None)

    def _straddling(self, found: Found, touched: Sequence[Piece]) -> str:
        """Return what stands for a value of which a part is a slot."""
        new = self._new(found.old)
        first, last = touched[0], touched[-1]
        if last.slot is not None and last.end == found.end:
            value = self._new_slots.get(last.slot, "")
            if value and new.lower().endswith(value.lower()):
                return escape(new[: -len(value)]) + last.text
        if first.slot is not None and first.start == found.start:
            value = self._new_slots.get(first.slot, "")
            if value and new.lower().startswith(value.lower()):
                return first.text + escape(new[len(value) :])
        return escape(new)


class Rewriter(NamedTuple):
    """How the parts of a script change."""

    texts: Texts
    slot: Callable[[Slot], str]
    """The new value of a slot."""
    start: Callable[[str], str]
    """The new start line."""
    header: Callable[[str, str], str]
    """The new value of a header, from its name and its value."""
    body: Callable[[Turn], str]
    binary: Callable[[bytes], bytes]
    expectation: Callable[[Expectation], str]


def rewritten_script(script: Script, how: Rewriter) -> Script:
    """Return a script with everything in it changed, texts for people included."""
    texts = how.texts
    return replace(
        script,
        title=texts.value(script.title),
        origin={key: texts.value(value) for key, value in script.origin.items()},
        connections=tuple(_connection(one, texts) for one in script.connections),
        slots=tuple(
            replace(slot, value=how.slot(slot), where=texts.value(slot.where))
            for slot in script.slots
        ),
        turns=tuple(_turn(turn, how) for turn in script.turns),
        asides=tuple(_aside(aside, texts) for aside in script.asides),
    )


def _connection(one: Connection, texts: Texts) -> Connection:
    return replace(
        one,
        opener_address=texts.value(one.opener_address),
        responder_address=texts.value(one.responder_address),
    )


def _aside(one: Aside, texts: Texts) -> Aside:
    return replace(
        one,
        opener_address=texts.value(one.opener_address),
        responder_address=texts.value(one.responder_address),
        exchanges=tuple((ms, opener, texts.value(text)) for ms, opener, text in one.exchanges),
    )


def _turn(turn: Turn, how: Rewriter) -> Turn:
    message = turn.message
    changed = Template(
        how.start(message.start),
        tuple((name, how.header(name, value)) for name, value in message.headers),
        how.body(turn) if message.body else "",
        how.binary(message.binary) if message.binary else b"",
    )
    expect = tuple(replace(one, equals=how.expectation(one)) for one in turn.expect)
    return replace(turn, message=changed, expect=expect)
