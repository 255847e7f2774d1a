"""``xccos export``: tables for other programs, and parts of a capture as captures."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.exits import OK
from analyzer.cli.main import color_option
from analyzer.cli.options import files_argument, filter_options, parsed, query_of
from analyzer.cli.output import destination, write_blocks
from analyzer.cli.progress import Progress
from analyzer.cli.reading import Reading
from analyzer.cli.terminal import talk
from analyzer.export.printable import printable
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.diagnostics.rule import Finding
    from analyzer.export.choice import Choice, Chosen
    from analyzer.export.parquet import ParquetOut
    from analyzer.export.slice_file import SliceFile
    from analyzer.export.slices import Slice
    from analyzer.export.tables import LinesOut
    from analyzer.trace import Trace

TABLES = ("messages", "commands", "dialogs", "sessions", "flows", "findings")
SUFFIXES = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".pcap": "pcap",
    ".cap": "pcap",
    ".pcapng": "pcapng",
}
CAPTURES = ("pcap", "pcapng")
_OF_CAPTURES = {
    "dialogs": "--dialog",
    "findings": "--finding",
    "flows": "--flow",
    "frames": "--frames",
    "whole_connections": "--whole-connections",
    "with_keys": "--with-keys",
    "decrypted": "--decrypted",
    "no_comments": "--no-comments",
}
"""Options that only captures have."""


def _frames(_: click.Context, __: click.Parameter, text: str | None) -> Any:  # noqa: ANN401
    from analyzer.named import parse_frames

    return () if text is None else parsed(parse_frames, text)


@click.command(
    epilog="""\b
Examples:
  xccos export capture.pcap -o messages.parquet
  xccos export *.pcap --table commands --table findings -o '{table}.csv'
  xccos export capture.pcap --session 2 -o ticket.pcapng
  xccos export capture.pcap --finding GC409 -o post.pcapng
  xccos export capture.pcap -o commented.pcapng
  xccos export capture.pcap --format sipp --dialog '#5' -o scenarios/
"""
)
@files_argument
@click.option("-o", "--output", metavar="OUT",
              help="File, written whole or not at all; - is standard output. Of several tables a "
              "directory, or a name with {table} in it.")  # fmt: skip
@click.option("--format", "format_",
              type=click.Choice([*dict.fromkeys(SUFFIXES.values()), "sipp"]),
              help="Default: by the suffix of OUT, else jsonl. Of sipp OUT is a "
              "directory.")  # fmt: skip
@click.option("--table", "tables", multiple=True, type=click.Choice(TABLES),
              help="Which table (default: messages). Repeatable.")  # fmt: skip
@click.option("--session", "numbers", multiple=True, type=click.IntRange(min=1), metavar="N",
              help="Number of the session, as `xccos triage` counts them from 1.")  # fmt: skip
@filter_options
@click.option("--dialog", "dialogs", multiple=True, metavar="CALL-ID|N",
              help="Captures and sipp: a dialog by Call-ID or number in "
              "`xccos dialogs`.")  # fmt: skip
@click.option("--finding", "findings", multiple=True, metavar="ID|N",
              help="Captures: what a finding rests on: the id of its rule, or its number in "
              "`xccos findings`, from 1.")  # fmt: skip
@click.option("--flow", "flows", multiple=True, metavar="NAME[:N]",
              help="Captures: runs of a flow: sign-in, posting; posting:2 is one.")  # fmt: skip
@click.option("--frames", callback=_frames, metavar="A-B,C",
              help="Captures: only messages with bytes in these frames: 10-40,55.")  # fmt: skip
@click.option("--whole-connections", is_flag=True,
              help="Captures: take connections frame by frame, with whatever else they carry, "
              "instead of writing them anew with the chosen messages alone.")  # fmt: skip
@click.option("--decrypted", is_flag=True,
              help="Captures: write what TLS connections said as plain TCP.")  # fmt: skip
@click.option("--with-keys", is_flag=True,
              help="pcapng: add the TLS secrets of the connections in it. Whoever has the file "
              "can read them.")  # fmt: skip
@click.option("--no-comments", is_flag=True,
              help="pcapng: no comments with findings and commands.")  # fmt: skip
@color_option
def export(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Write tables for other programs, or parts of a capture as a capture.

    The suffix of OUT says what: .jsonl, .json, .csv and .parquet are tables (docs/json.md);
    .pcapng and .pcap are captures with the frames of what is chosen (docs/export.md). The filters
    are those of the lists; several values of one mean any of them, several filters all of them.
    """
    if options["format_"] == "sipp":
        from analyzer.cli.export_sipp import SippExport

        others = {"tables": "--table", "numbers": "--session", **_OF_CAPTURES}
        del others["dialogs"]
        return SippExport(options, others).run()
    if _format(options) in CAPTURES:
        return _CaptureExport(options).run()
    return _TableExport(options).run()


def _format(options: dict[str, Any]) -> str:
    """Return the format: the one asked for, else by the suffix of OUT."""
    if options["format_"] is not None:
        return str(options["format_"])
    output = options["output"]
    suffix = Path(output).suffix.lower() if output not in (None, "-") else ""
    if suffix and suffix not in SUFFIXES and not Path(output).is_dir():
        known = ", ".join(SUFFIXES)
        raise click.UsageError(f"no format has the suffix {printable(suffix)} ({known}): --format")
    return SUFFIXES.get(suffix, "jsonl")


class _TableExport:
    def __init__(self, options: dict[str, Any]) -> None:
        self._format = _format(options)
        given = [name for key, name in _OF_CAPTURES.items() if options[key]]
        if given:
            raise click.UsageError(f"{', '.join(given)}: for captures, not for {self._format}")
        self._output: str | None = options["output"]
        self._tables: tuple[str, ...] = tuple(dict.fromkeys(options["tables"])) or ("messages",)
        self._paths = {name: self._path(name) for name in self._tables}
        self._reading = Reading(options["files"])
        self._several = self._reading.several
        self._query, self._numbers = query_of(options), options["numbers"]
        self._written = dict.fromkeys(self._tables, 0)

    def run(self) -> int:
        """Write the tables; return the exit code."""
        from analyzer.export.tables import TABLES as KNOWN
        from analyzer.export.tables import Filter

        wanted = Filter(self._query, self._numbers)
        with ExitStack() as stack:
            outs = {name: stack.enter_context(self._out(name)) for name in self._tables}

            def add(file: str, trace: Trace) -> Iterator[None]:
                for name, out in outs.items():
                    chosen = KNOWN[name].select(trace, wanted)
                    self._written[name] += len(chosen)
                    out.add(file, trace, chosen)
                yield

            for _ in self._reading.each(add):
                pass
        empty = [name for name, count in self._written.items() if not count]
        if empty and not self._reading.code:
            talk(f"xccos: no {' and no '.join(empty)} match")
        return self._reading.code

    def _path(self, table: str) -> str | None:
        """Return where a table goes."""
        output = self._output
        if output in (None, "-"):
            if len(self._tables) > 1:
                raise click.UsageError("several tables need -o with a directory or {table}")
            if self._format == "parquet" and sys.stdout.isatty():
                raise click.UsageError("Parquet is no text: give a file with -o")
            return None
        assert output is not None
        if Path(output).is_dir() or output.endswith("/"):
            return str(Path(output) / f"{table}.{self._format}")
        if len(self._tables) > 1 and "{table}" not in output:
            raise click.UsageError("several tables need -o with a directory or {table}")
        return output.replace("{table}", table)

    @contextmanager
    def _out(self, name: str) -> Iterator[LinesOut | ParquetOut]:
        """Open what writes a table, and close it when all of it is written."""
        from analyzer.export.tables import TABLES as KNOWN
        from analyzer.export.tables import LinesOut

        with destination(self._paths[name], self._reading.files) as write:
            out: LinesOut | ParquetOut
            if self._format == "parquet":
                out = _parquet(write, name, several=self._several)
            else:
                out = LinesOut(write, KNOWN[name], self._format, several=self._several)
            yield out
            out.close()


def _parquet(write: Callable[[bytes], object], table: str, *, several: bool) -> ParquetOut:
    from analyzer.export.parquet import MissingLibraryError, ParquetOut
    from analyzer.export.tables import TABLES as KNOWN

    try:
        return ParquetOut(write, KNOWN[table], several=several)
    except MissingLibraryError as error:
        raise click.UsageError(str(error)) from None


class _CaptureExport:
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._format = _format(options)
        if options["tables"]:
            raise click.UsageError("--table: a capture is no table")
        self._reading = Reading(options["files"])
        if self._reading.several:
            raise click.UsageError("a capture is made of one capture: give one FILE, or --join")
        if self._format == "pcap" and options["with_keys"]:
            raise click.UsageError("--with-keys: a pcap has no room for keys; write .pcapng")
        if options["with_keys"] and options["decrypted"]:
            raise click.UsageError("--with-keys and --decrypted: what is plain needs no keys")
        if options["output"] in (None, "-") and sys.stdout.isatty():
            raise click.UsageError("a capture is no text: give a file with -o")
        self._found: list[Finding] | None = None

    def run(self) -> int:
        """Write the capture; return the exit code."""
        for _ in self._reading.each(self._each):
            pass
        return max(OK, self._reading.code)

    def _each(self, file: str, trace: Trace) -> Iterator[None]:
        from analyzer.export.choice import choose
        from analyzer.export.slices import Slice, SliceOptions

        options = self._options
        choice, chosen = self._choice(), None
        if choice:
            findings = lambda: self._findings(trace)  # noqa: E731
            chosen = parsed(lambda one: choose(trace, one, findings), choice)
            if not (chosen.rows or chosen.frames):
                raise click.UsageError("nothing matches: no capture was written")
        how = SliceOptions(options["whole_connections"], options["decrypted"])
        with Progress(file) as progress:
            cut = Slice(trace, chosen, how, progress.step)
            cut.plan()
        with Progress(file) as progress:
            cut.step = progress.step
            written = self._write(file, trace, chosen, cut)
        self._say(trace, chosen, cut, written)
        yield

    def _choice(self) -> Choice:
        from analyzer.export.choice import Choice

        options = self._options
        return Choice(
            options["numbers"], options["dialogs"], options["findings"], options["flows"],
            options["frames"], query_of(options),
        )  # fmt: skip

    def _findings(self, trace: Trace) -> list[Finding]:
        if self._found is None:
            from analyzer.diagnostics.table import diagnose

            self._found = diagnose(trace)
        return self._found

    def _write(self, file: str, trace: Trace, chosen: Chosen | None, cut: Slice) -> SliceFile:
        from analyzer.export.slice_file import Extras, SliceFile

        written = SliceFile(cut)
        extras = Extras()
        if self._format == "pcapng":
            extras = Extras(
                about=f"{Path(file).name}: {_amounts(trace, chosen)}",
                comments=self._comments(trace, chosen, cut),
                secrets=self._secrets(file, cut),
            )
        with destination(self._options["output"], self._reading.files) as write:
            blocks = written.pcapng(extras) if self._format == "pcapng" else written.pcap()
            try:
                write_blocks(blocks, write)
            except ValueError as error:
                if self._format == "pcapng":
                    raise
                raise click.UsageError(f"{error}: pcap cannot hold it; write .pcapng") from None
        return written

    def _comments(self, trace: Trace, chosen: Chosen | None, cut: Slice) -> Any:  # noqa: ANN401
        if self._options["no_comments"]:
            return None
        from analyzer.export.comments import Comments

        if chosen is None:
            return Comments(trace, self._findings(trace), cut.number_of())
        return Comments(trace, self._cited(trace, chosen), cut.number_of(), chosen.rows)

    def _cited(self, trace: Trace, chosen: Chosen) -> list[Finding]:
        """Return findings about what was chosen: all there are, where all are known."""
        if self._found is not None:
            return self._found
        from analyzer.diagnostics.table import diagnose
        from analyzer.export.related import Related

        sessions = Related(trace).sessions_of(chosen.rows).union(chosen.sessions)
        return diagnose(trace, sessions=sorted(sessions))

    def _secrets(self, file: str, cut: Slice) -> bytes:
        if not (self._options["with_keys"] and cut.tls):
            return b""
        from analyzer.export.keys import secrets_of

        given = click.get_current_context().meta.get("keylog")
        return secrets_of(cut.randoms, capture=file, given=given, embedded=cut.secrets)

    def _say(self, trace: Trace, chosen: Chosen | None, cut: Slice, written: SliceFile) -> None:
        talk(f"xccos: {_amounts(trace, chosen)} in {amount(written.frames, 'frame')}")
        if cut.anew:
            were = "was" if cut.anew == 1 else "were"
            talk(
                f"xccos: {amount(cut.anew, 'connection')} {were} written anew with the chosen "
                "messages alone"
            )
        if cut.tls:
            talk(f"xccos: {_about_tls(cut, with_keys=self._options['with_keys'])}")


def _about_tls(cut: Slice, *, with_keys: bool) -> str:
    if with_keys:
        return f"with its keys, all of {amount(cut.tls, 'TLS connection')} can be read"
    return (
        f"{amount(cut.tls, 'TLS connection')} as captured, without keys "
        "(--with-keys adds them, --decrypted writes what was said)"
    )


def _amounts(trace: Trace, chosen: Chosen | None) -> str:
    if chosen is None or len(chosen.rows) == len(trace):
        return f"all {amount(len(trace), 'message')}"
    return f"{len(chosen.rows):,} of {amount(len(trace), 'message')}"
