"""One list over several captures in one of four formats: the frame that the list commands share."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.options import fields_of, query_of
from analyzer.cli.output import (
    destination,
    encoding_of,
    format_of,
    write_blocks,
    write_lines,
)
from analyzer.cli.reading import Reading
from analyzer.cli.table import Column, table
from analyzer.cli.terminal import plain_terminal, talk, terminal_of
from analyzer.export.cells import FLATTENED, flat
from analyzer.export.records import array_of_blocks, csv_header, csv_lines, encoded, json_lines
from analyzer.query import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from analyzer.cli.terminal import Terminal
    from analyzer.export.messages import MessageWriter
    from analyzer.trace import Trace
    from analyzer.window import Window

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listing:
    """What is particular to one list."""

    noun: str
    """In the remark that nothing matches."""
    fields: tuple[str, ...]
    select: Callable[[Selection], Sequence[Any]]
    record: Callable[[Trace, Any, Sequence[str]], Record]
    columns: tuple[Column, ...]
    """Of the table for people."""
    needs: tuple[str, ...]
    """The fields that the table is made of."""
    cells: Callable[[Record], list[str]]
    writer: type[MessageWriter] | None = None
    """Writes the formats for programs, from windows of a capture that is being read."""
    full: tuple[str, ...] = ()
    """Fields of JSON alone, which are there when they are asked for."""
    frames: Callable[[Trace, Any], Iterable[int]] | None = None
    """The frames of one, for ``--wireshark-filter``."""


class Listed:
    """One run of a list command."""

    def __init__(self, listing: Listing, options: dict[str, Any]) -> None:
        self._listing = listing
        self._query = query_of(options)
        self._limit: int | None = options["limit"]
        self._output: str | None = options["output"]
        self._format = format_of(options["format_"], self._output)
        self._asked = _asked(listing, self._format, options)
        self._reading = Reading(options["files"], items=self._needs_items())
        self._several = self._reading.several
        self._shown = 0
        self._options = options
        self.codes: list[int] = []
        self.judge: Callable[[str, Trace, Sequence[Any]], int] | None = None
        """Looks at what was selected and returns an exit code."""

    def run(self) -> int:
        """Write the list; return the exit code."""
        if self._options.get("wireshark_filter"):
            return self._filters()
        terminal = plain_terminal()
        encoding = "utf-8"
        if self._output in (None, "-"):
            terminal = terminal_of(
                sys.stdout, click.get_current_context().meta.get("color", "auto")
            )
            if self._format == "table":
                encoding = encoding_of(sys.stdout)
        with destination(self._output, self._reading.files) as write:
            if self._format == "table":
                write_lines(self._table(terminal), write, encoding)
            else:
                write_blocks(self._blocks(), write)
        if not self._shown and not self._reading.code:
            talk(f"xccos: no {self._listing.noun} matches")
        return max([self._reading.code, *self.codes])

    def _filters(self) -> int:
        from analyzer.cli.wireshark import print_filters

        frames = self._listing.frames
        assert frames is not None

        def shown(file: str, trace: Trace) -> Iterator[int]:
            for one in self._judged(file, trace):
                yield from frames(trace, one)

        code = print_filters(self._options, self._reading, shown, self._listing.noun)
        return max([code, *self.codes])

    def _needs_items(self) -> bool:
        """Say whether the XCCOS of messages matters: for any list but that of other fields."""
        plain = self._listing.writer is not None and not (self._query.commands or self._query.rooms)
        return not plain or self._asked is None or bool({"xccos", "notes"} & set(self._asked))

    def _blocks(self) -> Iterator[bytes]:
        """Yield the list in a format for programs: whole lines, many at a time."""
        if self._format == "csv":
            return self._csv()
        blocks = self._each()
        return array_of_blocks(blocks) if self._format == "json" else blocks

    def _each(self) -> Iterator[bytes]:
        if self._listing.writer is None:
            return self._reading.each(self._blocks_of)
        if self._query.rooms:  # names of rooms may come later than their messages
            return self._reading.each(lambda file, trace: self._written(file, [trace]))
        shows = self._output in (None, "-") and sys.stdout.isatty()
        return self._reading.each_window(self._written, quietly=shows)

    def _csv(self) -> Iterator[bytes]:
        fields = self._asked or self._listing.fields
        named = ("file", *fields) if self._several else tuple(fields)
        yield csv_header(named, messages=self._listing.writer is not None).encode()
        yield from self._each()

    def _blocks_of(self, file: str, trace: Trace) -> Iterator[bytes]:
        fields = self._asked or self._listing.fields
        records = self._records(file, trace, self._judged(file, trace), fields)
        return encoded(csv_lines(records) if self._format == "csv" else json_lines(records))

    def _written(self, file: str, windows: Iterable[Window]) -> Iterator[bytes]:
        """Write the messages of one capture, given in windows."""
        assert self._listing.writer is not None
        form = "csv" if self._format == "csv" else "jsonl"
        fields = self._asked or self._listing.fields
        writer = self._listing.writer(form, fields, file=file if self._several else None)
        for window in windows:
            chosen = self._limited(self._listing.select(Selection(window, self._query)))
            everything = isinstance(chosen, range) and len(chosen) == len(window)
            yield from writer.blocks(window, None if everything else chosen)
            if self._limit is not None and self._shown >= self._limit:
                return

    def _judged(self, file: str, trace: Trace) -> Sequence[Any]:
        found = self._listing.select(Selection(trace, self._query))
        if self.judge is not None:
            self.codes.append(self.judge(file, trace, found))
        return self._limited(found)

    def _limited(self, found: Sequence[Any]) -> Sequence[Any]:
        if self._limit is not None:
            found = found[: max(self._limit - self._shown, 0)]
        self._shown += len(found)
        return found

    def _records(
        self, file: str, trace: Trace, chosen: Sequence[Any], fields: Sequence[str]
    ) -> Iterator[Record]:
        for one in chosen:
            record = self._listing.record(trace, one, fields)
            yield {"file": file, **record} if self._several else record

    def _table(self, terminal: Terminal) -> Iterator[str]:
        listing = self._listing
        columns: Sequence[Column] = listing.columns
        if self._asked:
            columns = [Column(name) for name in self._asked]
        if self._several:
            columns = [Column("file", least=16, keep_end=True), *columns]
        rows = self._reading.each(self._rows)
        return (line + "\n" for line in table(columns, rows, terminal))

    def _rows(self, file: str, trace: Trace) -> Iterator[list[str]]:
        fields = self._asked or self._listing.needs
        for record in self._records(file, trace, self._judged(file, trace), fields):
            cells = (
                [flat_cell(name, record[name]) for name in self._asked]
                if self._asked
                else self._listing.cells(record)
            )
            yield [file, *cells] if self._several else cells


def _asked(listing: Listing, format_: str, options: dict[str, Any]) -> tuple[str, ...] | None:
    """Return the fields that someone asked for; None where they are the usual ones."""
    asked = fields_of(options["fields"], (*listing.fields, *listing.full))
    if options.get("full"):
        asked = tuple(dict.fromkeys((*(asked or listing.fields), *listing.full)))
    deep = [name for name in asked or () if name in listing.full]
    if deep and format_ not in ("json", "jsonl"):
        what = "--full" if options.get("full") else f"--fields: {', '.join(deep)}"
        raise click.UsageError(f"{what} is for --format json and jsonl")
    return asked


def flat_cell(name: str, value: Any) -> str:  # noqa: ANN401  (any value of a record)
    """Return a value of a record as one cell of a table."""
    if value is None:
        return ""
    if name == "xccos" and isinstance(value, list):
        return " ".join(item["id"] or item["element"] for item in value)
    return FLATTENED.get(name, flat)(value)
