"""``xccos script``: a capture as a case that can be edited, kept and replayed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from analyzer.cli.exits import DAMAGED, FAILED, OK
from analyzer.cli.ladder_options import choice_of, choice_options, in_zone
from analyzer.cli.main import color_option
from analyzer.cli.options import parsed_by, reading_options
from analyzer.cli.output import destination, encoding_of, write_lines
from analyzer.cli.reading import Reading
from analyzer.cli.replay_case import say_losses
from analyzer.cli.terminal import talk
from analyzer.export.printable import printable
from analyzer.export.records import json_lines
from analyzer.ladder.selection import Choice
from analyzer.views.numbers import amount
from analyzer.zones import parse_zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analyzer.replay.script import Script
    from analyzer.trace import Trace

SNIFFED = 4096
"""Bytes in which the first character that is not blank must be."""


def parse_setting(text: str) -> tuple[str, str]:
    """Read ``NAME=VALUE``. Raises ValueError."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ValueError(f"{text[:60]!r} is not NAME=VALUE")
    return name.strip(), value


@click.command(
    epilog="""\b
Examples:
  xccos script capture.pcap -o case.json
  xccos script capture.pcap --session 1 --anonymise -o case.json
  xccos script case.json --set room=ma-chan://fabrikam.com/1a2b --set text1=hello
  xccos script capture.pcap --report > case.json
  xccos script case.json --check

docs/script.md says what a script is, and how one is edited by hand.
"""
)
@click.argument("file", type=click.Path())
@choice_options
@click.option("--bare", is_flag=True,
              help="Of a flow, room, finding or time, only that: without the sign-in and the "
              "rooms that it rests on.")  # fmt: skip
@click.option("--zone", default="UTC", callback=parsed_by(parse_zone), metavar="ZONE",
              help="Of these times: Europe/Berlin, +02:00, local; UTC by default.")  # fmt: skip
@click.option("-o", "--output", metavar="FILE",
              help="Write to a file, whole or not at all. Default: stdout.")  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE",
              callback=parsed_by(parse_setting),
              help="Another user, client2, domain, room, room:Sales, text, or slot by its name. "
              "Repeatable.")  # fmt: skip
@click.option("--users", metavar="CSV", type=click.Path(exists=True, dir_okay=False),
              help="Users (user,password,...) who take the places of the clients, in order; "
              "passwords are not written.")  # fmt: skip
@click.option("--anonymise", "--anonymize", is_flag=True,
              help="Pseudonyms for people, domains, hosts, rooms and words.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), metavar="N",
              help="Of the pseudonyms: the same number, the same names (0).")  # fmt: skip
@click.option("--report", "report", is_flag=False, flag_value="text", metavar="[text|json]",
              type=click.Choice(["text", "json"]),
              help="Say on stderr which slots were found and which values "
              "stayed as they were.")  # fmt: skip
@click.option("--check", "checking", is_flag=True,
              help="Write no script: say what is wrong with it. "
              "Exits with 1 for an error.")  # fmt: skip
@reading_options
@color_option
def script(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Derive a script from a capture, or edit one.

    FILE is a capture, or a script that was written before. A script is JSON: turns with what must
    have been said before each, messages with slots for what differs from play to play, and what is
    expected of the other side. `xccos replay` plays it.
    """
    return _Scripting(options).run()


class _Case(NamedTuple):
    script: Script
    code: int
    """``DAMAGED``: only a part of the capture could be read."""


class _Scripting:
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._file: str = options["file"]
        self._output: str | None = options["output"]
        self._choice = choice_of(options)
        if options["seed"] is not None and not options["anonymise"]:
            raise click.UsageError("--seed is for --anonymise")
        if options["checking"] and self._output is not None:
            raise click.UsageError("--check writes no script: leave -o out")

    def run(self) -> int:
        case = self._read()
        changed = self._edited(case.script)
        if self._options["checking"]:
            return max(case.code, self._check(changed))
        if self._options["report"]:
            self._report(changed)
        changed, code = self._anonymised(changed)
        if code == OK:
            self._write(changed)
        return max(case.code, code)

    def _read(self) -> _Case:
        if not _is_json(self._file):
            return self._derive()
        if self._choice != Choice():
            raise click.UsageError("--session and the like choose of a capture; this is a script")
        from analyzer.replay.script_json import MAX_FILE, ScriptError, read_script

        try:
            with Path(self._file).open("rb") as stream:
                return _Case(read_script(stream.read(MAX_FILE + 1), self._file), OK)
        except ScriptError as error:
            raise _stopped(self._file, str(error)) from None

    def _derive(self) -> _Case:
        reading = Reading([self._file])
        found = list(reading.each(self._derived))
        if not found:
            raise click.exceptions.Exit(reading.code or DAMAGED)
        if not self._options["report"]:  # which says it too
            say_losses(self._file, found[0])
        return _Case(found[0], reading.code)

    def _derived(self, _: str, trace: Trace) -> Iterator[Script]:
        from analyzer.replay.derive.build import derive
        from analyzer.replay.derive.grounded import derive_playable

        derived = derive if self._options["bare"] else derive_playable
        choice = in_zone(self._choice, self._options["zone"], trace)
        if not len(trace.rows):
            raise _stopped(self._file, "there is no SIP message in it")
        try:
            yield derived(trace, choice)
        except ValueError as error:
            if self._choice == Choice():  # nothing was asked for: it is the file
                raise _stopped(self._file, str(error)) from None
            raise click.UsageError(printable(str(error))) from None

    def _edited(self, script: Script) -> Script:
        options = self._options
        if options["users"]:
            from analyzer.replay.edit.users import with_users
            from analyzer.replay.load import UsersError, read_users

            try:
                script = with_users(script, read_users(Path(options["users"])))
            except (UsersError, ValueError) as error:
                raise click.UsageError(f"--users: {printable(str(error))}") from None
        if options["settings"]:
            from analyzer.replay.edit.values import set_values

            try:
                script = set_values(script, dict(options["settings"]))
            except ValueError as error:
                raise click.UsageError(f"--set: {printable(str(error))}") from None
        return script

    def _anonymised(self, script: Script) -> tuple[Script, int]:
        if not self._options["anonymise"]:
            return script, OK
        from analyzer.replay.edit.anonymise import anonymise
        from analyzer.replay.edit.leaks import leaks

        done = anonymise(script, self._options["seed"] or 0)
        left = leaks(done.script, done.originals)
        for one in left[:10]:
            talk(
                f"xccos: {printable(one.place)}: still has the {one.kind} {printable(one.value)!r}"
            )
        if left:
            talk(f"xccos: {amount(len(left), 'place')} could not be anonymised; nothing is written")
            return done.script, FAILED
        talk(f"xccos: replaced {_counted(done.places)}; none of the old values is left")
        return done.script, OK

    def _write(self, script: Script) -> None:
        from analyzer.replay.script_json import write_script

        inputs = [self._file, *filter(None, (self._options["users"],))]
        with destination(self._output, inputs) as write:
            write(write_script(script).encode())

    def _report(self, script: Script) -> None:
        from analyzer.replay.derive.report import report_lines, slot_report

        report = slot_report(script)
        if self._options["report"] == "json":
            lines: Sequence[str] = list(json_lines([_plain(report)]))
        else:
            lines = report_lines(report)
        for line in lines:
            talk(printable(line.rstrip("\n")))

    def _check(self, script: Script) -> int:
        from analyzer.replay.check import check_script

        problems = check_script(script)
        lines = (printable(str(one)) + "\n" for one in problems)
        write_lines(lines, sys.stdout.buffer.write, encoding_of(sys.stdout))
        errors = sum(one.severity == "error" for one in problems)
        warnings = len(problems) - errors
        told = f"{amount(len(script.turns), 'turn')}, {amount(len(script.slots), 'slot')}"
        talk(
            f"xccos: {printable(self._file)}: {told}: "
            f"{amount(errors, 'error')}, {amount(warnings, 'warning')}"
        )
        return FAILED if errors else OK


def _is_json(file: str) -> bool:
    """Tell whether a file begins as a script does; a pipe is a capture."""
    if file == "-" or not Path(file).is_file():
        return False
    try:
        with Path(file).open("rb") as stream:
            return stream.read(SNIFFED).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"
    except OSError as error:
        raise _stopped(file, error.strerror or str(error)) from None


def _stopped(file: str, reason: str) -> click.exceptions.Exit:
    talk(f"xccos: {printable(file)}: {printable(reason.removeprefix(f'{file}: '))}")
    return click.exceptions.Exit(DAMAGED)


def _counted(places: Mapping[Any, int]) -> str:
    return ", ".join(f"{kind} ×{count}" for kind, count in places.items()) or "nothing"


def _plain(value: Any) -> Any:  # noqa: ANN401  (a report: values within values)
    """Return a report as JSON values."""
    if hasattr(value, "_asdict"):
        return {key: _plain(each) for key, each in value._asdict().items()}
    if hasattr(value, "__dataclass_fields__"):
        return {key: _plain(getattr(value, key)) for key in value.__dataclass_fields__}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    return value
