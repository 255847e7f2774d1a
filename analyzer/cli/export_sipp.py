"""``xccos export --format sipp``: one dialog as scenarios for SIPp, and the CSV that they read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.exits import OK
from analyzer.cli.output import destination
from analyzer.cli.reading import Reading
from analyzer.cli.terminal import talk
from analyzer.export.printable import printable
from analyzer.named import dialog_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from analyzer.replay.script import Script
    from analyzer.trace import Trace


class SippExport:
    """Writes the scenarios of one dialog."""

    def __init__(self, options: dict[str, Any], others: Mapping[str, str]) -> None:
        """Check the options; ``others`` are those that say nothing about scenarios."""
        given = [name for key, name in others.items() if options[key]]
        if given:
            raise click.UsageError(f"{', '.join(given)}: not for sipp; --dialog chooses")
        if len(options["files"]) != 1:
            raise click.UsageError("sipp: one file at a time")
        if len(options["dialogs"]) > 1:
            raise click.UsageError("sipp: one dialog at a time, SIPp cannot hold several")
        output = options["output"]
        if output in (None, "-"):
            raise click.UsageError("sipp: three files are written, give a directory with -o")
        self._directory = Path(output)
        self._file: str = options["files"][0]
        self._dialog: str | None = next(iter(options["dialogs"]), None)
        self._reading = Reading([self._file])

    def run(self) -> int:
        """Write the files; return the exit code."""
        from analyzer.cli.replay_case import is_script, read_case

        if is_script(self._file):
            self._write(read_case(self._file).script, self._dialog)
            return OK
        for _ in self._reading.each(self._of_capture):
            pass
        return self._reading.code

    def _of_capture(self, _: str, trace: Trace) -> Iterator[int]:
        from analyzer.replay.derive.build import derive

        try:
            script = derive(trace)
            dialog = None if self._dialog is None else _scripted(trace, script, self._dialog)
        except ValueError as error:
            raise click.UsageError(printable(str(error))) from None
        self._write(script, dialog)
        yield OK

    def _write(self, script: Script, dialog: str | None) -> None:
        from analyzer.replay.sipp.files import write_sipp

        try:
            files = write_sipp(script, dialog)
        except ValueError as error:
            raise click.UsageError(printable(str(error))) from None
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise click.UsageError(f"{self._directory}: {error.strerror}") from None
        texts = {"uac.xml": files.uac, "uas.xml": files.uas, "users.csv": files.csv}
        for name, text in texts.items():
            path = self._directory / name
            with destination(str(path), [self._file]) as write:
                write(text.encode())  # line ends as they are: SIPp makes CR LF of LF itself
        talk(f"xccos: {printable(str(self._directory))}: uac.xml, uas.xml and users.csv")
        for note in files.notes:
            talk(f"xccos: {printable(note)}")


def _scripted(trace: Trace, script: Script, text: str) -> str:
    """Return the id in a script of the dialog that people name as `xccos dialogs` shows it."""
    from analyzer.ladder.selection import Choice
    from analyzer.replay.derive.recording import Recording

    if any(one.id == text for one in script.dialogs):
        return text
    wanted = set(dialog_named(trace, text))
    rows = Recording(trace, Choice()).rows
    turns = {turn.id: turn for turn in script.turns}
    for number, row in enumerate(rows, 1):
        turn = turns.get(f"t{number}")
        if row in wanted and turn is not None and turn.live:
            return turn.dialog
    raise ValueError(f"the dialog {text} has no message that a client says or hears")
