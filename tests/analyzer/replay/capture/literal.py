"""A capture as a script word by word, without derivation: every message literal, no slot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.script import Connection, Dialog, Party, Script, Turn
from analyzer.replay.template import Template, escape
from analyzer.times import time_text
from dissectors.sip.messages import SipMessage

if TYPE_CHECKING:
    from analyzer.rows import Connection as Row
    from analyzer.trace import Trace

MILLISECOND = 1_000_000


def literal_script(trace: Trace) -> Script:
    """Return all messages of a capture as turns between the two ends of each connection."""
    started = trace.rows.time[0]
    connections = tuple(_connection(row, started) for row in trace.connections)
    parties = dict.fromkeys(end for one in connections for end in (one.opener, one.responder))
    return Script(
        title=trace.name,
        parties=tuple(Party(end, "host") for end in parties),
        connections=connections,
        dialogs=(Dialog("d", "", "other", ""),),
        slots=(),
        turns=tuple(_turn(trace, row, started) for row in range(len(trace))),
        started=time_text(started, 9),
        origin={"ended": time_text(trace.quality.last_time or 0, 9)},
    )


def _connection(row: Row, started: int) -> Connection:
    ended = next((how for how in ("fin", "rst") if how in row.ends), None)
    closer = None
    if ended is not None:
        closer = _party(row.opener if row.ends[0] == ended else row.responder)
    return Connection(
        id=f"c{row.number}",
        opener=_party(row.opener),
        responder=_party(row.responder),
        opener_address=row.opener,
        responder_address=row.responder,
        transport="udp" if row.transport == "udp" else "tcp",
        opened_ms=_ms(row.first_time, started) if row.syn_seen else None,
        closed_ms=None if closer is None else _ms(row.last_time, started),
        closed_by=closer,
        closed_how="rst" if ended == "rst" else "fin",
    )


def _turn(trace: Trace, row: int, started: int) -> Turn:
    message, stream = trace.message(row), trace.streams[trace.rows.stream[row]]
    assert isinstance(message, SipMessage)
    template = Template(
        message.start_line.decode(),
        # A last line that was cut has no name.
        tuple((one.name, escape(one.value)) for one in message.headers if one.name),
        escape(message.body.decode()),
    )
    return Turn(
        id=f"t{row + 1}",
        speaker=_party(stream.src),
        listener=_party(stream.dst),
        connection=f"c{trace.rows.stream[row] >> 1}",
        dialog="d",
        message=template,
        at_ms=_ms(trace.rows.time[row], started),
        frame=trace.rows.frame[row],
    )


def _party(address: str) -> str:
    return f"host-{address}"


def _ms(time_ns: int, started: int) -> float:
    return (time_ns - started) / MILLISECOND
