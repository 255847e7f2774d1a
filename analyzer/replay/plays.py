"""The plays of a script: the engine's two ends, behind the faults that were asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.options import User
from analyzer.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.replay.actions import Play
    from analyzer.replay.faults.rules import Rule
    from analyzer.replay.options import PlayOptions
    from analyzer.replay.player.plan import Plan
    from analyzer.replay.script import Party, Script

NOBODY = User("")
"""The user of the script himself."""


class Faults(NamedTuple):
    """What is to go wrong at one end."""

    rules: tuple[Rule, ...] = ()
    seed: int = 0


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
    """Return the server of a script as a play; ``epoch_ns``: when its clock is 0.

    Raises:
        MissingExtra: it demands credentials, and what checks them is not installed.
    """
    from analyzer.replay.player.server import ServerPlay

    return _faulty(ServerPlay(script, options, epoch=epoch_ns / SECOND), faults)


def _faulty(play: Play, faults: Faults) -> Play:
    if not faults.rules:
        return play
    from analyzer.replay.faults.wrapper import Faulty

    return Faulty(play, faults.rules, faults.seed)
