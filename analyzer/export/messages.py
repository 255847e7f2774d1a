"""Messages as JSON lines and CSV, column by column: the same text as the general way, much sooner.

A capture has hundreds of thousands of messages and a few thousand different strings. Each string
is spelt once; a column is then a lookup per row, and a line is one join over all columns.
The columns are lazy: nothing is held but the spelt strings and the line being made. Columns that
nobody asked for cost nothing; without ``sha1`` and chat texts the capture is not read again.
"""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from itertools import repeat
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any, TypeVar

from analyzer.export.cells import XCCOS_COLUMNS, commandid_text, text_cell, xccos_cells
from analyzer.export.readback import reader_of
from analyzer.export.records import CRLF, to_json
from analyzer.times import SECOND, second_text
from analyzer.views.messages import FIELDS, with_chat_texts, xccos_items, xccos_record
from dissectors.notes import note_names
from dissectors.xccos.encoding import charset_of
from dissectors.xccos.scan import scan_items

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from analyzer.trace import Trace

T = TypeVar("T")

_STRINGS = (
    *("method", "reason", "uri", "call_id", "from_uri", "from_tag", "to_uri", "to_tag"),
    "content_type",
)
_STREAM = ("src", "dst", "transport")


# One chat message in the plainest shape. The body is known to be well-formed, and it has neither
# comments nor sections, so every ``<`` begins a tag.
_PLAIN_CHAT = re.compile(rb"<grpchat\s[^<]*><chat>([^<\r]*)</chat>")
_REFERENCES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))


def _plain_chat(body: bytes) -> str | None:
    """Return the chat text of a body of that shape with one item; None for any other body."""
    if body[:6] != b"<xccos" or b"<!" in body or b"<?" in body or body.count(b"<grpchat") != 1:
        return None
    found = _PLAIN_CHAT.search(body)
    if found is None:
        return None
    try:
        text = found[1].decode()
    except UnicodeDecodeError:
        return None
    if "&" in text:
        if "&#" in text:
            return None
        for reference, character in _REFERENCES:  # ampersands last: they make no new references
            text = text.replace(reference, character)
    return text


class _Known(dict[int, T]):
    """What follows from a number, worked out when it is first asked for."""

    def __init__(self, work_out: Callable[[int], T]) -> None:
        super().__init__()
        self._work_out = work_out

    def __missing__(self, number: int) -> T:
        value = self[number] = self._work_out(number)
        return value


class _Columns:
    """The columns of the chosen rows, as iterators of text that move in step."""

    absent = ""
    quote = ""
    brackets = ("", " ", "")

    def __init__(self, trace: Trace, chosen: Sequence[int] | None) -> None:
        self._trace, self._rows = trace, trace.rows
        self._chosen = chosen
        self._raw = reader_of(trace)
        everything = range(len(trace.rows))
        self._numbers: Sequence[int] = everything if chosen is None else chosen

    def lines(self, fields: Sequence[str], names: Sequence[str], end: str) -> Iterator[str]:
        """Return the lines: each field with the text before it (``names``), then ``end``."""
        parts: list[Iterator[str]] = []
        named = dict(zip(fields, names, strict=True))
        for name in fields:
            if name in _STREAM:
                parts.append(self._stream(name, named[name]))
            else:
                parts += (repeat(named[name]), self._column(name))
        # Joined, not formatted: a third of the time for 24 fields.
        return map("".join, zip(*parts, repeat(end), strict=False))

    def _stream(self, name: str, before: str) -> Iterator[str]:
        texts = [before + self.spell(getattr(stream, name)) for stream in self._trace.streams]
        return map(texts.__getitem__, self._of(self._rows.stream))

    def _column(self, name: str) -> Iterator[str]:
        """Return the texts of one field."""
        if name in _STRINGS:
            return map(self._texts.__getitem__, self._of(getattr(self._rows, name)))
        made: Iterator[str] = getattr(self, f"_{name}")()
        return made

    def spell(self, text: str | None) -> str:
        """Return one string as it is written."""
        raise NotImplementedError

    def spell_list(self, values: Sequence[str]) -> str:
        """Return a list of plain names as it is written."""
        raise NotImplementedError

    @cached_property
    def _texts(self) -> list[str]:
        return [self.spell(value) for value in self._rows.strings.values]

    def _of(self, column: Sequence[int]) -> Iterable[int]:
        return column if self._chosen is None else map(column.__getitem__, self._chosen)

    def _number_or_absent(self, number: int) -> str:
        return self.absent if number < 0 else str(number)

    def _index(self) -> Iterator[str]:
        return map(str, self._numbers)

    def _frame(self) -> Iterator[str]:
        return map(str, self._of(self._rows.frame))

    def _length(self) -> Iterator[str]:
        return map(str, self._of(self._rows.length))

    def _content_length(self) -> Iterator[str]:
        spelt = _Known(self._number_or_absent)
        return map(spelt.__getitem__, self._of(self._rows.content_length))

    def _status(self) -> Iterator[str]:
        spelt = _Known(self._number_or_absent)
        return map(spelt.__getitem__, self._of(self._rows.status))

    def _kind(self) -> Iterator[str]:
        request, response = self.spell("request"), self.spell("response")
        return (request if status < 0 else response for status in self._of(self._rows.status))

    def _notes(self) -> Iterator[str]:
        spelt = _Known(lambda bits: self.spell_list(note_names(bits)))
        return map(spelt.__getitem__, self._of(self._rows.notes))

    def _time(self) -> Iterator[str]:
        absent, quote = self.absent, self.quote
        last, prefix = -1, ""  # most messages are of the same second as the one before
        for time, digits in zip(
            self._of(self._rows.time), self._of(self._rows.digits), strict=True
        ):
            seconds = time // SECOND
            if seconds != last:
                last, prefix = seconds, f"{quote}{second_text(seconds)}"
            if not time:
                yield absent
            elif digits == 6:
                yield f"{prefix}.{(time - seconds * SECOND) // 1000:06d}Z{quote}"
            elif digits:
                yield f"{prefix}.{f'{time - seconds * SECOND:09d}'[:digits]}Z{quote}"
            else:
                yield f"{prefix}Z{quote}"

    def _frames(self) -> Iterator[str]:
        piece, pieces = self._rows.piece, self._rows.pieces
        frame, frames = self._rows.piece_columns["frame"], self._trace.frames
        before, between, after = self.brackets
        for row in self._numbers:
            if pieces[row] == 1:
                yield f"{before}{frame[piece[row]]}{after}"
            else:
                yield f"{before}{between.join(map(str, frames(row)))}{after}"

    def _sha1(self) -> Iterator[str]:
        sha1, raw, quote = hashlib.sha1, self._raw, self.quote
        for row in self._numbers:
            yield f"{quote}{sha1(raw(row), usedforsecurity=False).hexdigest()}{quote}"

    def _chat_texts(self, row: int) -> Sequence[str | None]:
        """Return the texts of the items of a message that holds chat messages."""
        if not self._rows.notes[row]:
            body = self._raw(row).partition(b"\r\n\r\n")[2]
            number = self._rows.content_type[row]
            if self._rows.items[row] == 1 and self._is_utf8[number]:
                text = _plain_chat(body)
                if text is not None:
                    return (text,)
            scanned = scan_items(body, self._rows.strings.values[number])
            if scanned is not None and not scanned[1]:
                return [item[6] for item in scanned[0]]
        return [item.text for item in xccos_items(self._trace, row)]

    @cached_property
    def _is_utf8(self) -> _Known[bool]:
        values = self._rows.strings.values
        return _Known(lambda number: charset_of(values[number] or "") in (None, "utf-8"))


class _JsonColumns(_Columns):
    absent = "null"
    quote = '"'
    brackets = ("[", ",", "]")

    def spell(self, text: str | None) -> str:
        return "null" if text is None else encode_basestring_ascii(text)

    def spell_list(self, values: Sequence[str]) -> str:
        return to_json(values)

    def _cseq(self) -> Iterator[str]:
        values = self._rows.cseqs.values
        texts = [
            to_json({"number": pair[0], "method": pair[1]}) if pair else "null" for pair in values
        ]
        return map(texts.__getitem__, self._of(self._rows.cseq))

    def _xccos(self) -> Iterator[str]:
        # One loop with all columns at hand: half of the time of a function for each message.
        texts, columns = self._texts, self._rows.item_columns
        has_command = columns["has_commandid"]
        elements, ids, seqids = columns["element"], columns["id"], columns["seqid"]
        envids, codes, resps = columns["envid"], columns["code"], columns["text"]
        of_seqids, of_envids = columns["command_seqid"], columns["command_envid"]
        item, items = self._rows.item, self._rows.items
        chat = self._rows.strings.find("grpchat")
        for row in self._numbers:
            count = items[row]
            if not count:
                yield "[]"
                continue
            first, chats, made = item[row], None, []
            for k in range(first, first + count):
                text, command = texts[resps[k]], "null"
                if elements[k] == chat:
                    chats = self._chat_texts(row) if chats is None else chats
                    text = self.spell(chats[k - first] if k - first < len(chats) else None)
                if has_command[k]:
                    command = f'{{"seqid":{texts[of_seqids[k]]},"envid":{texts[of_envids[k]]}}}'
                made.append(
                    f'{{"element":{texts[elements[k]]},"id":{texts[ids[k]]},'
                    f'"seqid":{texts[seqids[k]]},"envid":{texts[envids[k]]},'
                    f'"commandid":{command},"code":{texts[codes[k]]},"text":{text}}}'
                )
            yield f"[{','.join(made)}]"


class _CsvColumns(_Columns):
    def spell(self, text: str | None) -> str:
        return text_cell(text)

    def spell_list(self, values: Sequence[str]) -> str:
        return text_cell(" ".join(values))

    def _cseq(self) -> Iterator[str]:
        values = self._rows.cseqs.values
        texts = [text_cell(f"{pair[0]} {pair[1]}") if pair else "" for pair in values]
        return map(texts.__getitem__, self._of(self._rows.cseq))

    def _xccos(self) -> Iterator[str]:
        items, item = self._rows.items, self._rows.item
        empty = "," * (len(XCCOS_COLUMNS) - 1)
        for row in self._numbers:
            count = items[row]
            if not count:
                yield empty
            elif count == 1:
                yield self._item(row, item[row])
            else:
                yield ",".join(xccos_cells(self._items(row)))

    def _item(self, row: int, k: int) -> str:
        """Return the cells of an item that is alone: each is the spelling of one string."""
        texts, columns = self._texts, self._rows.item_columns
        element = texts[columns["element"][k]]
        text = texts[columns["text"][k]]
        if element == "grpchat":
            text = text_cell(next(iter(self._chat_texts(row)), None))
        command = ""
        if columns["has_commandid"][k]:
            values = self._rows.strings.values
            parts = values[columns["command_seqid"][k]], values[columns["command_envid"][k]]
            command = text_cell(commandid_text(*parts))
        return (
            f"{texts[columns['id'][k]] or element},{texts[columns['seqid'][k]]},"
            f"{texts[columns['envid'][k]]},{command},{texts[columns['code'][k]]},{text}"
        )

    def _items(self, row: int) -> list[dict[str, Any]]:
        items = self._rows.xccos(row)
        if any(item.element == "grpchat" for item in items):
            items = with_chat_texts(items, self._chat_texts(row))
        return [xccos_record(item) for item in items]


def message_json_lines(
    trace: Trace,
    rows: Sequence[int] | None = None,
    fields: Sequence[str] = tuple(FIELDS),
    *,
    file: str | None = None,
) -> Iterator[str]:
    """Yield one JSON line per message of ``rows`` (None: all), with ``file`` first where given."""
    names = [f',"{name}":' for name in fields]
    before = "{" if file is None else f'{{"file":{encode_basestring_ascii(file)},'
    names[0] = before + names[0][1:]
    return _JsonColumns(trace, rows).lines(fields, names, "}\n")


def message_csv_lines(
    trace: Trace,
    rows: Sequence[int] | None = None,
    fields: Sequence[str] = tuple(FIELDS),
    *,
    file: str | None = None,
) -> Iterator[str]:
    """Yield one CSV line per message of ``rows`` (None: all), without the header."""
    names = ["" if file is None else f"{text_cell(file)},", *[","] * (len(fields) - 1)]
    return _CsvColumns(trace, rows).lines(fields, names, CRLF)
