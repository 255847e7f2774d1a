"""The plays of a command line: the engine's two ends, behind the faults that were asked for."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from analyzer.export.printable import printable
from analyzer.extras import MissingExtra
from analyzer.replay.options import User
from analyzer.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.replay.actions import Play
    from analyzer.replay.faults.rules import Rule
    from analyzer.replay.options import PlayOptions
    from analyzer.replay.player.plan import Plan
    from analyzer.replay.script import Party, Script

MAX_SEED = 1 << 31
"""A number that people can copy."""


NOBODY = User("")
"""The user of the script himself."""


class Faults(NamedTuple):
    """What is to go wrong at one end."""

    rules: tuple[Rule, ...] = ()
    seed: int = 0


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


def cast(script: Script, users: Sequence[User]) -> tuple[User, ...]:
    """Return users in order of the script's clients.

    Who has the name of a client plays that client; the others take the places that are left, in
    their order. A place without anybody is played by the user of the script.
    """
    names = [_name_of(script, party) for party in script.clients]
    places: list[User | None] = [None] * len(names)
    rest: list[User] = []
    for user in users:
        name = user.user.lower()
        at = names.index(name) if name in names else -1
        if at >= 0 and places[at] is None:
            places[at] = user
        else:
            rest.append(user)
    others = iter(rest)
    return tuple(place or next(others, NOBODY) for place in places)


def _name_of(script: Script, party: Party) -> str:
    slot = script.slot(party.user) if party.user else None
    return slot.value.lower() if slot is not None else ""


def client_play(
    script: Script,
    options: PlayOptions,
    faults: Faults,
    epoch_ns: int,
    plan: Plan | None = None,
) -> Play:
    """Return the clients of a script as one play.

    Args:
        script: the case.
        options: how it is played.
        faults: what goes wrong.
        epoch_ns: nanoseconds since 1970 UTC at which the clock of the play is 0.
        plan: of the script's clients, where several plays share it.
    """
    from analyzer.replay.player.client import ClientPlay

    return _faulty(ClientPlay(script, options, epoch=epoch_ns / SECOND, plan=plan), faults)


def server_play(script: Script, options: PlayOptions, faults: Faults, epoch_ns: int) -> Play:
    """Return the server of a script as a play; ``epoch_ns``: when its clock is 0."""
    from analyzer.replay.player.server import ServerPlay

    try:
        play = ServerPlay(script, options, epoch=epoch_ns / SECOND)
    except MissingExtra as error:
        raise click.UsageError(str(error)) from None
    return _faulty(play, faults)


def _faulty(play: Play, faults: Faults) -> Play:
    if not faults.rules:
        return play
    from analyzer.replay.faults.wrapper import Faulty

    return Faulty(play, faults.rules, faults.seed)
