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
    from collections.abc import Iterator, Mapping, Sequence

    from analyzer.replay.problem import Problem
    from analyzer.replay.script import Script
    from analyzer.trace import Trace

SNIFFED = 4096
"""Bytes that are looked at to tell a script from a capture; more blanks has no script before it."""
ERRORS_SHOWN = 5
"""More is for ``xccos script --check``."""

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
    from analyzer.replay.check import errors_of
    from analyzer.replay.script_json import MAX_FILE, ScriptError, read_script

    try:
        with Path(file).open("rb") as stream:
            script = read_script(stream.read(MAX_FILE + 1), file)
    except ScriptError as error:
        raise stopped(file, str(error)) from None
    except OSError as error:
        raise stopped(file, error.strerror or str(error)) from None
    errors = errors_of(script)
    if errors:
        raise _refused(file, errors)
    return Case(file, script)


def _refused(file: str, errors: Sequence[Problem]) -> click.exceptions.Exit:
    """Say what keeps a script from being played and return what ends the command."""
    for one in errors[:ERRORS_SHOWN]:
        talk(f"xccos: {printable(file)}: {printable(f'{one.place}: {one.text}')}")
    if len(errors) > ERRORS_SHOWN:
        talk(f"xccos: and {len(errors) - ERRORS_SHOWN} more: xccos script --check")
    return click.exceptions.Exit(DAMAGED)


def _of_capture(file: str) -> Case:
    reading = Reading([file])
    scripts = list(reading.each(_derived))
    if not scripts:
        raise click.exceptions.Exit(reading.code or DAMAGED)
    say_losses(file, scripts[0])
    return Case(file, scripts[0], reading.code)


def say_losses(file: str, script: Script) -> None:
    """Say on stderr, a line each, what a script does not have of its capture."""
    from analyzer.replay.derive.losses import losses

    for one in losses(script.origin):
        talk(f"xccos: {printable(file)}: {printable(one)}")


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
