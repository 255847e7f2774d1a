"""Answers beside their requests where the analysis has not paired them.

The rule: an answer has the Call-ID, CSeq and From tag of its request (RFC 3261 section 8.2.6.2).
The address beside the tag may be spelt in another case: hosts compare without regard to it (section
19.1.4), and users do with Microsoft's servers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.roles import plain_uri

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.replay.derive.recording import Recording
    from dissectors.sip.messages import SipMessage

Sign = tuple[int, str | None, int, str, str | None, str]
"""Direction on a connection, Call-ID, CSeq number and method, From tag, From without case."""


def respelled(recording: Recording, answers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield answers that have no request in the analysis, each with the one spelt otherwise."""
    left = list(answers)
    if not left:
        return
    requests: dict[Sign, int] = {}
    for row, message in sorted(recording.messages.items()):
        if message.kind == "request" and _is_open(recording, row):
            requests.setdefault(_sign(message, recording.trace.rows.stream[row]), row)
    for row in left:
        # The request went the other way on the same connection.
        stream = recording.trace.rows.stream[row] ^ 1
        asked = requests.get(_sign(recording.messages[row], stream))
        if asked is not None:
            yield row, asked


def _is_open(recording: Recording, row: int) -> bool:
    """Say whether a request has had no final answer."""
    transaction = recording.transaction(row)
    return transaction is not None and transaction.expects_answer and transaction.final is None


def _sign(message: SipMessage, stream: int) -> Sign:
    cseq, sender = message.cseq, message.from_
    method = (message.cseq_method or "").upper()
    number = -1 if cseq is None else cseq.number
    tag, uri = (None, "") if sender is None else (sender.tag, plain_uri(sender.uri))
    return stream, message.call_id, number, method, tag, uri
