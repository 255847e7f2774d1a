"""Ladders written: one file, or a file for each page, or text to the terminal."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analyzer.cli.output import destination, encoding_of, write_lines
from analyzer.cli.terminal import talk, terminal_of
from analyzer.export.printable import printable
from analyzer.extras import MissingExtra
from analyzer.ladder.renderers import FORMATS, format_of_name, renderer_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.ladder.look import Detail, Look
    from analyzer.ladder.values import Ladder


def ladder_format(given: str | None, output: str | None) -> str:
    """Return the format of ``--format``, else that of the suffix of ``-o``, else text.

    Raises UsageError for a suffix that is none of a ladder.
    """
    if given is not None:
        return given
    if output in (None, "-") or not Path(output or "").suffix:
        return "txt"
    found = format_of_name(output or "")
    if found is None:
        suffixes = " ".join(suffix for one in FORMATS.values() for suffix in one.suffixes)
        raise click.UsageError(f"-o {output}: a ladder is written as one of {suffixes}")
    return found


def documents(
    ladder: Ladder, look: Look, name: str, detail: Detail | None = None
) -> Iterator[bytes]:
    """Yield the pages of a ladder in a format. Raises UsageError where its library is missing."""
    try:
        if name == "html":
            from analyzer.ladder.html import render_html  # it alone shows messages

            yield from render_html(ladder, look, detail)
        else:
            yield from renderer_of(name)(ladder, look)
    except MissingExtra as error:
        raise click.UsageError(str(error)) from None


def show_text(ladder: Ladder, look: Look) -> None:
    """Write a ladder to stdout as text that fits the terminal."""
    from analyzer.ladder.text import text_lines

    terminal = terminal_of(sys.stdout, click.get_current_context().meta.get("color", "auto"))
    unicode = look.unicode and terminal.unicode
    look = replace(look, width=look.width or terminal.width, unicode=unicode)
    lines = (line + "\n" for line in text_lines(ladder, look, terminal.paint))
    with destination(None, ()) as write:
        write_lines(lines, write, encoding_of(sys.stdout))


def write_pages(
    pages: Iterator[bytes], name: str, output: str | None, inputs: Sequence[str]
) -> None:
    """Write the pages of one format: to ``out.svg``, ``out-2.svg`` ..., and say so.

    To stdout goes everything that is text; of what is not, the first page.
    """
    if output in (None, "-"):
        if FORMATS[name].binary and sys.stdout.isatty():
            raise click.UsageError(f"{name} is no text: name a file with -o")
        _to_stdout(pages, text=FORMATS[name].text)
        return
    written: list[str] = []
    for number, page in enumerate(pages, 1):
        path = page_path(output or "", number)
        with destination(path, inputs) as write:
            write(page)
        written.append(path)
    if len(written) > 1:
        names = f"{written[0]}, {written[1]}" + (", ..." if len(written) > 2 else "")
        talk(f"xccos: {len(written)} pages: {printable(names)}")


def page_path(output: str, number: int) -> str:
    """Return the name of a page: ``out.svg``, ``out-2.svg``."""
    if number == 1:
        return output
    path = Path(output)
    return str(path.with_name(f"{path.stem}-{number}{path.suffix}"))


def _to_stdout(pages: Iterator[bytes], *, text: bool) -> None:
    with destination(None, ()) as write:
        for number, page in enumerate(pages):
            if number and not text:
                talk("xccos: only the first page was written: name a file with -o for all")
                return
            write(page)
