"""The case that is played: a script file, or a capture that it is derived from on the fly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from analyzer.cli.exits import DAMAGED, OK
from analyzer.cli.reading import Reading
from analyzer.cli.terminal import talk
from analyzer.export.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from analyzer.replay.script import Script
    from analyzer.trace import Trace

SNIFFED = 4096
"""Bytes that are looked at to tell a script from a capture; more blanks has no script before it."""

script_argument = click.argument("file", metavar="SCRIPT", type=click.Path())


class Case(NamedTuple):
    """What is played."""

    file: str
    script: Script
    code: int = OK
    """``DAMAGED``: of the capture only a part could be read."""
    values: Mapping[str, str] = {}
    """Slots that were set by their names: not even the peer decides them otherwise."""


def read_case(file: str) -> Case:
    """Return the script of a file, or of a capture.

    Raises:
        Exit: with 3, after one line on stderr, where there is none.
    """
    return _of_script(file) if is_script(file) else _of_capture(file)


def case_of(options: dict[str, Any]) -> Case:
    """Return the case that a command line names, with what ``--set`` says.

    Raises:
        Exit: as ``read_case``.
        UsageError: the script has no such value.
    """
    case, settings = read_case(options["file"]), dict(options["settings"])
    if not settings:
        return case
    from analyzer.replay.edit.values import set_values

    try:
        script = set_values(case.script, settings)
    except ValueError as error:
        raise click.UsageError(f"--set: {printable(str(error))}") from None
    slots = {slot.name for slot in script.slots}
    values = {name: value for name, value in settings.items() if name in slots}
    return case._replace(script=script, values=values)


def is_script(file: str) -> bool:
    """Say whether a file is JSON: no capture begins with a brace after blanks."""
    if file == "-":
        return False
    try:
        with Path(file).open("rb") as stream:
            return stream.read(SNIFFED).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
    except OSError as error:
        raise stopped(file, error.strerror or str(error)) from None


def _of_script(file: str) -> Case:
    from analyzer.replay.script_json import MAX_FILE, ScriptError, read_script

    try:
        with Path(file).open("rb") as stream:
            return Case(file, read_script(stream.read(MAX_FILE + 1), file))
    except ScriptError as error:
        raise stopped(file, str(error)) from None
    except OSError as error:
        raise stopped(file, error.strerror or str(error)) from None


def _of_capture(file: str) -> Case:
    reading = Reading([file])
    scripts = list(reading.each(_derived))
    if not scripts:
        raise click.exceptions.Exit(reading.code or DAMAGED)
    return Case(file, scripts[0], reading.code)


def _derived(file: str, trace: Trace) -> Iterator[Script]:
    from analyzer.replay.derive.build import derive

    try:
        yield derive(trace)
    except ValueError as error:
        raise stopped(file, str(error)) from None


def stopped(file: str, reason: str) -> click.exceptions.Exit:
    """Say one line about a file and return what ends the command with 3."""
    talk(f"xccos: {printable(file)}: {printable(reason.removeprefix(f'{file}: '))}")
    return click.exceptions.Exit(DAMAGED)
