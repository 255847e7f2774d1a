"""Messages as JSON lines and CSV: the same text as the general way, much sooner.

The lines are the reference; blocks of them are the same bytes, from the compiled writer where that
is there.
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any

from analyzer.export.cells import XCCOS_COLUMNS, commandid_text, text_cell, xccos_cells
from analyzer.export.columns import Columns
from analyzer.export.records import CRLF, encoded, to_json
from analyzer.paths import compiled
from analyzer.views.messages import FIELDS, FULL_FIELDS, with_chat_texts, xccos_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer._speedups.lines import LineWriter
    from analyzer.window import Window


class _JsonColumns(Columns):
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
        counts = zip(self._of(items), self._of(item), self._numbers, strict=True)
        for count, first, row in counts:
            if not count:
                yield "[]"
                continue
            chats, made, before = None, "", "["
            for k in range(first, first + count):
                text, command = texts[resps[k]], "null"
                if elements[k] == chat:
                    chats = self._chat_texts(row) if chats is None else chats
                    text = self.spell(chats[k - first] if k - first < len(chats) else None)
                if has_command[k]:
                    command = f'{{"seqid":{texts[of_seqids[k]]},"envid":{texts[of_envids[k]]}}}'
                made += (
                    f'{before}{{"element":{texts[elements[k]]},"id":{texts[ids[k]]},'
                    f'"seqid":{texts[seqids[k]]},"envid":{texts[envids[k]]},'
                    f'"commandid":{command},"code":{texts[codes[k]]},"text":{text}}}'
                )
                before = ","
            yield made + "]"


class _CsvColumns(Columns):
    def spell(self, text: str | None) -> str:
        return text_cell(text)

    def spell_list(self, values: Sequence[str]) -> str:
        return text_cell(" ".join(values))

    def _cseq(self) -> Iterator[str]:
        values = self._rows.cseqs.values
        texts = [text_cell(f"{pair[0]} {pair[1]}") if pair else "" for pair in values]
        return map(texts.__getitem__, self._of(self._rows.cseq))

    def _xccos(self) -> Iterator[str]:
        texts, values, columns = self._texts, self._rows.strings.values, self._rows.item_columns
        elements, ids, seqids = columns["element"], columns["id"], columns["seqid"]
        envids, codes, resps = columns["envid"], columns["code"], columns["text"]
        of_seqids, of_envids = columns["command_seqid"], columns["command_envid"]
        has_command = columns["has_commandid"]
        items, item = self._rows.items, self._rows.item
        empty = "," * (len(XCCOS_COLUMNS) - 1)
        counts = zip(self._of(items), self._of(item), self._numbers, strict=True)
        for count, k, row in counts:
            if not count:
                yield empty
                continue
            if count > 1:
                yield ",".join(xccos_cells(self._items(row)))
                continue
            # An item that is alone: each cell is the spelling of one string.
            element, text, command = texts[elements[k]], texts[resps[k]], ""
            if element == "grpchat":
                text = text_cell(next(iter(self._chat_texts(row)), None))
            if has_command[k]:
                command = text_cell(commandid_text(values[of_seqids[k]], values[of_envids[k]]))
            yield (
                f"{texts[ids[k]] or element},{texts[seqids[k]]},"
                f"{texts[envids[k]]},{command},{texts[codes[k]]},{text}"
            )

    def _items(self, row: int) -> list[dict[str, Any]]:
        items = self._rows.xccos(row)
        if any(item.element == "grpchat" for item in items):
            items = with_chat_texts(items, self._chat_texts(row))
        return [xccos_record(item) for item in items]


def json_names(fields: Sequence[str], file: str | None) -> list[str]:
    """Return what stands before each value of a JSON line."""
    names = [f',"{name}":' for name in fields]
    before = "{" if file is None else f'{{"file":{encode_basestring_ascii(file)},'
    return [before + names[0][1:], *names[1:]]


def csv_names(fields: Sequence[str], file: str | None) -> list[str]:
    """Return what stands before each value of a CSV line. Raises ValueError for JSON's own."""
    if deep := [name for name in fields if name in FULL_FIELDS]:
        raise ValueError(f"no CSV has {', '.join(deep)}")
    return ["" if file is None else f"{text_cell(file)},", *[","] * (len(fields) - 1)]


class MessageWriter:
    """Writes messages as lines, a window after another: each string is spelt once over all."""

    def __init__(
        self, form: str, fields: Sequence[str] = tuple(FIELDS), *, file: str | None = None
    ) -> None:
        """Write ``fields`` as ``jsonl`` or (without the header) ``csv``; ``file`` comes first.

        Raises ValueError for fields that a CSV cannot have.
        """
        self._form, self._fields, self._file = form, fields, file
        self._names = json_names(fields, file) if form == "jsonl" else csv_names(fields, file)
        self._spelt: list[str] = []
        self._compiled: LineWriter | None = None

    def lines(self, window: Window, rows: Sequence[int] | None = None) -> Iterator[str]:
        """Yield one line per message of ``rows`` (None: all); the reference."""
        columns = _JsonColumns if self._form == "jsonl" else _CsvColumns
        end = "}\n" if self._form == "jsonl" else CRLF
        return columns(window, rows, self._spelt).lines(self._fields, self._names, end)

    def blocks(self, window: Window, rows: Sequence[int] | None = None) -> Iterator[bytes]:
        """Yield the bytes of ``lines``, many whole lines at a time."""
        if not compiled():
            return encoded(self.lines(window, rows))
        if self._compiled is None:
            from analyzer._speedups.lines import LineWriter  # not everywhere

            self._compiled = LineWriter(
                self._fields, form=self._form, file=self._file,
                streams=window.streams, read=window.read,
            )  # fmt: skip
        return self._compiled.blocks(window.rows, window.first, rows)


def message_json_lines(
    window: Window,
    rows: Sequence[int] | None = None,
    fields: Sequence[str] = tuple(FIELDS),
    *,
    file: str | None = None,
) -> Iterator[str]:
    """Yield one JSON line per message of ``rows`` (None: all), with ``file`` first where given."""
    return MessageWriter("jsonl", fields, file=file).lines(window, rows)


def message_csv_lines(
    window: Window,
    rows: Sequence[int] | None = None,
    fields: Sequence[str] = tuple(FIELDS),
    *,
    file: str | None = None,
) -> Iterator[str]:
    """Yield one CSV line per message of ``rows`` (None: all), without the header."""
    return MessageWriter("csv", fields, file=file).lines(window, rows)
