"""Captures made for a test: SIP messages in UDP datagrams, hostile ones among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.capture.writer import write_pcap
from dissectors.model import Frame
from tests.dissectors.transport.packets import ethernet, ipv4, udp

if TYPE_CHECKING:
    from pathlib import Path

TIME_NS = 1_795_332_006_541_321_000  # 2026-11-22T07:20:06.541321Z
ESCAPE = "\x1b]0;owned\x07"
"""Sets the title of a terminal window."""


def message(
    start: str = "OPTIONS sip:ann@example.com SIP/2.0", body: str = "", **headers: str
) -> bytes:
    """Return a message; ``headers`` replace or add to the usual ones (``Call_ID="x"``)."""
    usual = {
        "Via": "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1",
        "From": "<sip:bob@example.com>;tag=1",
        "To": "<sip:ann@example.com>",
        "Call-ID": "one@example.com",
        "CSeq": "1 OPTIONS",
        "Max-Forwards": "70",
    }
    usual.update({name.replace("_", "-"): value for name, value in headers.items()})
    data = body.encode()
    lines = [start, *(f"{name}: {value}" for name, value in usual.items())]
    lines += [f"Content-Length: {len(data)}", "", ""]
    return "\r\n".join(lines).encode() + data


def capture(
    path: Path, *messages: bytes, nanoseconds: bool = False, step_ns: int = 1_000_000
) -> Path:
    """Write a capture with a datagram for each message, ``step_ns`` apart, and return its path."""
    frames = []
    for number, data in enumerate(messages, 1):
        packet = ethernet(ipv4(udp(data)))
        time = TIME_NS + (number - 1) * step_ns
        digits = 9 if nanoseconds else 6
        frames.append(Frame(number, time, digits, 1, packet, 0, len(packet)))
    path.write_bytes(write_pcap(frames, link=1, nanoseconds=nanoseconds))
    return path


def chat(text: str, room: str = "ma-chan://example.com/1") -> bytes:
    """Return an INFO that posts ``text``, which is XML."""
    body = (
        '<xccos xmlns="urn:parlano:xml:ns:xccos" ver="1" envid="7">'
        f'<grpchat id="grpchat" seqid="1" chanUri="{room}" author="sip:bob@example.com" '
        f'ts="2026-11-22T07:20:06Z"><chat>{text}</chat></grpchat></xccos>'
    )
    return message(
        "INFO sip:ann@example.com SIP/2.0", body, CSeq="2 INFO", Content_Type="text/plain"
    )
