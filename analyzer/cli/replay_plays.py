"""The plays of a command line: the engine's two ends, behind the faults that were asked for."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer.export.printable import printable
from analyzer.extras import MissingExtra
from analyzer.replay import plays
from analyzer.replay.plays import Faults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.replay.actions import Play
    from analyzer.replay.options import PlayOptions
    from analyzer.replay.script import Script

MAX_SEED = 1 << 31
"""A number that people can copy."""


def seed_of(options: dict[str, Any]) -> int:
    """Return the seed that was given, else one that nobody knows beforehand."""
    given: int | None = options["seed"]
    return secrets.randbelow(MAX_SEED) if given is None else given


def seed_remarks(options: dict[str, Any], seed: int, *, wanted: bool) -> tuple[str, ...]:
    """Return how to have the same identifiers and faults again, where they were not chosen.

    Args:
        options: of the command line.
        seed: the one that was used.
        wanted: something did not hold, so that somebody may want it again.
    """
    chance = wanted or any(options.get(name) for name in ("fault_rules", "fault_file"))
    if options["seed"] is not None or not chance:
        return ()
    return (f"--seed {seed} plays it again with the same identifiers and faults",)


def faults_of(texts: Sequence[str], file: str | None, seed: int) -> Faults:
    """Return the faults of the command line and of a file. Raises UsageError."""
    if not texts and file is None:
        return Faults()
    from analyzer.replay.faults.files import MAX_FILE, read_rules
    from analyzer.replay.faults.parse import parse_rule

    try:
        rules = [parse_rule(text) for text in texts]
        if file is not None:
            with Path(file).open("rb") as stream:
                rules += read_rules(stream.read(MAX_FILE + 1).decode("utf-8", "replace"), file)
    except (ValueError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise click.UsageError(printable(f"--fault: {reason}")) from None
    return Faults(tuple(rules), seed)


def server_play(script: Script, options: PlayOptions, faults: Faults, epoch_ns: int) -> Play:
    """Return the server of a script as a play; ``epoch_ns``: when its clock is 0.

    Raises UsageError.
    """
    try:
        return plays.server_play(script, options, faults, epoch_ns)
    except MissingExtra as error:
        raise click.UsageError(str(error)) from None
