"""A small script by hand: a client signs in, is told something, and leaves."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.replay.capture import CaptureOptions, CaptureSummary, write_script_capture
from analyzer.replay.script import Aside, Connection, Dialog, Party, Script, Slot, Turn
from analyzer.replay.template import Template
from analyzer.trace import open_capture

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.trace import Trace

STARTED = "2026-11-22T07:20:06.541321Z"
STARTED_NS = 1_795_332_006_541_321_000
TO = ("To", "<sip:${client1.user}>")
SLOTS = (
    Slot("call1", "call-id", "0123abcd0123abcd", "client1", "t1"),
    Slot("tag1", "tag", "58f1", "client1", "t1"),
    Slot("client1.user", "user", "ann@contoso.com"),
    Slot("client1.address", "address", "10.0.0.1:50000", "client1", "t1"),
    Slot("client1.host", "host", "10.0.0.1", "client1", "t1"),
    Slot("client1.port", "port", "50000", "client1", "t1"),
    Slot("contact1", "contact", "sip:10.0.0.1:50000;transport=tcp", "client1", "t1"),
    Slot("date1", "date", "Sun, 22 Nov 2026 07:20:06 GMT", "server", "t2"),
    Slot("time1", "time", "2026-11-22T07:20:07.5000000Z", "server", "t3"),
    Slot("envid1", "envid", "7962449779256945056", "server", "t3"),
    Slot("text1", "text", "a < b", "server", "t3"),
)


def request(number: int, method: str, at_ms: float, body: str = "", **other: str) -> Turn:
    """Return a request of the client, or of whoever ``speaker`` names."""
    headers = (
        ("Via", "SIP/2.0/TCP ${client1.address}"),
        ("From", "<sip:${client1.user}>;tag=${tag1}"),
        TO,
        ("Call-ID", "${call1}"),
        ("CSeq", f"{number} {method}"),
        ("Contact", "<${contact1}>"),
        ("Content-Length", "${content_length}"),
    )
    template = Template(f"{method} sip:contoso.com SIP/2.0", headers, body)
    turn = Turn(f"t{number}", "client1", "server", "c1", "d1", template, at_ms)
    return replace(turn, **other)  # type: ignore[arg-type]


def answer(number: int, to: Turn, at_ms: float) -> Turn:
    """Return the 200 to a turn."""
    kept = [one for one in to.message.headers if one[0] not in ("Contact", "Content-Length")]
    headers = (*kept, ("Date", "${date1}"), ("Content-Length", "${content_length}"))
    return Turn(
        id=f"t{number}",
        speaker=to.listener,
        listener=to.speaker,
        connection=to.connection,
        dialog="d1",
        message=Template("SIP/2.0 200 OK", headers),
        at_ms=at_ms,
        answers=to.id,
    )


CHAT = (
    '<xccos ver="1" envid="${envid1}"><grpchat id="grpchat" ts="${time1}">'
    "<chat>${text1}</chat></grpchat></xccos>"
)
REGISTER = request(1, "REGISTER", 0.0)
INFO = request(3, "INFO", 1000.0, CHAT, speaker="server", listener="client1")
TURNS = (REGISTER, answer(2, REGISTER, 20.5), INFO, answer(4, INFO, 1001.0))
CONNECTION = Connection(
    *("c1", "client1", "server", "10.0.0.1:50000", "10.0.0.2:5060"),
    opened_ms=-1.0,
    closed_ms=2000.0,
    closed_by="client1",
)
SCRIPT = Script(
    title="hand-made",
    parties=(Party("client1", "client", "client1.user"), Party("server", "server")),
    connections=(CONNECTION,),
    dialogs=(Dialog("d1", "client1", "registration", "call1"),),
    slots=SLOTS,
    turns=TURNS,
    started=STARTED,
)


def with_connection(**changed: object) -> Script:
    """Return the script with another connection."""
    return replace(SCRIPT, connections=(replace(CONNECTION, **changed),))  # type: ignore[arg-type]


def with_asides(*asides: Aside) -> Script:
    """Return the script with something besides SIP."""
    return replace(SCRIPT, asides=asides)


def written(script: Script, **options: object) -> tuple[bytes, CaptureSummary]:
    """Return the capture of a script, and what is said of it."""
    out = io.BytesIO()
    summary = write_script_capture(script, CaptureOptions(**options), out)  # type: ignore[arg-type]
    return out.getvalue(), summary


def opened(folder: Path, script: Script, **options: object) -> Trace:
    """Return the capture of a script as the analyzer reads it."""
    path = folder / "again.pcapng"
    path.write_bytes(written(script, **options)[0])
    return open_capture(path)


def said(trace: Trace) -> str:
    """Return all messages, one after another."""
    return "\n".join(trace.raw(row).decode() for row in range(len(trace)))
