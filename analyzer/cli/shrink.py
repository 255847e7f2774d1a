"""``xccos shrink``: the least script that still shows what is looked for."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.exits import FAILED
from analyzer.cli.output import destination
from analyzer.cli.replay_case import read_case, script_argument
from analyzer.cli.terminal import talk
from analyzer.export.printable import printable
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.cli.replay_case import Case
    from analyzer.replay.script import Script

PLACE = "{}"
"""Stands for the script in a command."""


@click.command(
    epilog="""\b
Examples:
  xccos shrink case.json --until GC204 -o small.json
  xccos shrink capture.pcap --until GC409 --until GC301 -o small.json
  xccos shrink case.json --until-exit './reproduce.sh {}' -o small.json
"""
)
@script_argument
@click.option("--until", "rules", multiple=True, metavar="ID",
              help="A finding that must still show (`xccos rules`), or the beginning of its id. "
              "Repeatable: all of them.")  # fmt: skip
@click.option("--until-exit", "command", metavar="COMMAND",
              help="A command that must still exit with 0; {} is the script.")  # fmt: skip
@click.option("--playable", is_flag=True,
              help="Keep what a live play rests on: sign-in, beginnings of dialogs, turns that "
              "values are learned from.")  # fmt: skip
@click.option("-o", "--output", metavar="FILE", help="The script that is left; default: stdout.")
def shrink(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Drop turns of a script as long as a finding still shows.

    Whole clients first, then dialogs, commands with their answers, single turns; what depends on a
    dropped turn goes with it. For a finding the script is regenerated as a capture and analysed;
    a command is run with the name of a file. Exits with 1 where the whole script does not show it.
    """
    return _Shrinking(options).run()


class _Shrinking:
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._file: str = options["file"]
        self._output: str | None = options["output"]
        self._rules: tuple[str, ...] = options["rules"]
        self._command = _words(options["command"])
        if bool(self._rules) == (self._command is not None):
            raise click.UsageError("say what is to show: --until ID, or --until-exit COMMAND")

    def run(self) -> int:
        """Shrink and write; return the exit code."""
        self._check_rules()
        case = read_case(self._file)
        try:
            return self._run(case)
        except ValueError as error:  # the command cannot be run
            raise click.UsageError(f"--until-exit: {printable(str(error))}") from None

    def _check_rules(self) -> None:
        from analyzer.diagnostics.table import RULES

        for wanted in self._rules:
            if not any(name.startswith(wanted.upper()) for name in RULES):
                raise click.UsageError(
                    f"--until {printable(wanted)}: `xccos rules` lists the rules"
                )

    def _run(self, case: Case) -> int:
        holds = self._condition()
        if not holds(case.script):
            talk(f"xccos: {printable(self._file)}: it does not show {printable(self._sought())}")
            return max(case.code, FAILED)
        return self._shrunk(case, holds)

    def _sought(self) -> str:
        return " and ".join(self._rules) or "what the command looks for (it did not exit with 0)"

    def _shrunk(self, case: Case, holds: Callable[[Script], bool]) -> int:
        from analyzer.replay.script_json import write_script
        from analyzer.replay.shrink import shrink as least

        with _Progress() as progress:
            playable: bool = self._options["playable"]
            found = least(case.script, holds, progress=progress.show, playable=playable)
        with destination(self._output, (self._file,)) as write:
            write(write_script(found.script).encode())
        before, after = len(case.script.turns), len(found.script.turns)
        talk(
            f"xccos: {after:,} of {amount(before, 'turn')} left, after {amount(found.runs, 'run')}"
        )
        return case.code

    def _condition(self) -> Callable[[Script], bool]:
        from analyzer.replay.shrink import finding_shows, until_exit

        command = self._command
        if command is not None:
            return lambda script: until_exit(script, command)
        return lambda script: finding_shows(script, self._rules)


def _words(command: str | None) -> list[str] | None:
    """Return the words of a command. Raises UsageError."""
    if command is None:
        return None
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise click.UsageError(f"--until-exit: {error}") from None
    if not any(PLACE in word for word in words):
        raise click.UsageError(f"--until-exit: {PLACE} says where the script is named")
    return words


class _Progress:
    """How far it got: a line that is written over, on a terminal only."""

    def __init__(self) -> None:
        self._wanted = sys.stderr.isatty()

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._wanted:
            self._write("")

    def show(self, runs: int, turns: int) -> None:
        """Show it."""
        if self._wanted:
            self._write(f"{amount(runs, 'run')}, {amount(turns, 'turn')} left")

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(f"\r{text}\x1b[K")
        sys.stderr.flush()
