"""Where output goes: stdout in large pieces, or a file that appears whole or not at all."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from analyzer.export.records import encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

SUFFIXES = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}


def format_of(given: str | None, output: str | None) -> str:
    """Return the format: the one asked for, else by the suffix of ``-o``, else a table."""
    if given is not None:
        return given
    if output is None or output == "-":
        return "table"
    return SUFFIXES.get(Path(output).suffix.lower(), "table")


@contextmanager
def destination(output: str | None, inputs: Sequence[str]) -> Iterator[Callable[[bytes], object]]:
    """Give a function that writes bytes to stdout, or to the file that ``-o`` names.

    The file is written under another name beside it and renamed at the end, so that an interrupted
    run leaves what was there before. Raises UsageError where it is an input or cannot be written.
    """
    if output is None or output == "-":
        yield _written_at_once
        return
    path = Path(os.path.realpath(output))
    _refuse_inputs(path, output, inputs)
    if path.exists() and not path.is_file():  # /dev/null, a named pipe: nothing to rename
        try:
            with path.open("wb") as stream:
                yield stream.write
        except IsADirectoryError:
            raise click.UsageError(f"cannot write {output}: it is a directory") from None
        return
    with _renamed_at_the_end(path, output) as write:
        yield write


def _written_at_once(block: bytes) -> None:
    """Write to stdout: whoever reads it gets lines as soon as they are made."""
    sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()


@contextmanager
def _renamed_at_the_end(path: Path, output: str) -> Iterator[Callable[[bytes], object]]:
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        stream = beside.open("xb")
    except OSError as error:
        raise click.UsageError(f"cannot write {output}: {error.strerror}") from None
    try:
        with stream:
            yield stream.write
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def _refuse_inputs(path: Path, output: str, inputs: Sequence[str]) -> None:
    for name in inputs:
        with suppress(OSError):
            if path.samefile(name):
                raise click.UsageError(f"-o {output} is an input: it would be overwritten")


def write_lines(
    lines: Iterable[str], write: Callable[[bytes], object], encoding: str = "utf-8"
) -> None:
    """Write lines, which carry their line ends, many at a time."""
    write_blocks(encoded(lines, encoding), write)


def write_blocks(blocks: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    """Write bytes as they come."""
    for block in blocks:
        write(block)


def encoding_of(stream: TextIO) -> str:
    """Return the encoding of a stream that people read."""
    return stream.encoding or "ascii"
