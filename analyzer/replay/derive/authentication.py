"""Rounds of authentication: requests that were challenged and sent again with credentials.

The rule: whoever plays live makes his own rounds, so that those of the recording are no live turns.
A challenge that nothing came after is an end, and stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.transaction_table import CHALLENGES

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from analyzer.replay.derive.recording import Recording
    from analyzer.replay.derive.said import Said

WHOLE = ("REGISTER", "INVITE", "SUBSCRIBE", "SERVICE", "OPTIONS", "PUBLISH")
"""Methods of which a Call-ID has one at a time: the next one is the same again. Of others the body
tells, because an INFO follows the other."""


def rounds(recording: Recording, messages: Iterable[Said]) -> set[int]:
    """Return the rows of the rounds: challenged requests, their answers, and the ACKs."""
    chains: dict[Hashable, list[Said]] = {}
    for one in messages:
        if one.is_request and not one.voice.hop and one.method != "ACK":
            body = None if one.method in WHOLE else one.message.body
            chains.setdefault((one.dialog, one.by, one.method, body), []).append(one)
    found: set[int] = set()
    for chain in chains.values():
        for one in chain[:-1]:
            found.update(_round(recording, one))
    return found


def _round(recording: Recording, one: Said) -> Iterable[int]:
    transaction = recording.transaction(one.row)
    if transaction is None or transaction.status not in CHALLENGES:
        return ()
    final = () if transaction.final is None else (transaction.final,)
    return (one.row, *transaction.provisional, *final, *transaction.acks)
