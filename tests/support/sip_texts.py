"""SIP messages to cut, mix and damage, written short."""

from __future__ import annotations

from tests.paths import SHARED

CRLF = b"\r\n"


def message(
    number: int = 1,
    body: bytes = b"",
    *,
    method: str = "INFO",
    length: str | None = "",
    extra: str = "",
    end: bytes = CRLF,
) -> bytes:
    """Return a request; its Call-ID is ``c{number}``, its CSeq ``{number} {method}``.

    Args:
        number: tells messages apart.
        body: its body.
        method: its method.
        length: Content-Length; empty for the right one, None for none at all.
        extra: further header lines, each with its CRLF.
        end: what ends the lines.
    """
    declared = str(len(body)) if length == "" else length
    lines = [
        f"{method} sip:ma@contoso.com SIP/2.0",
        f"Via: SIP/2.0/TCP 10.0.0.1:50000;branch=z9hG4bK{number}",
        "From: <sip:u1@contoso.com>;tag=a;epid=1",
        "To: <sip:ma@contoso.com>;tag=b",
        f"Call-ID: c{number}",
        f"CSeq: {number} {method}",
        *extra.splitlines(),
    ]
    if declared is not None:
        lines.append(f"Content-Length: {declared}")
    return end.join([line.encode() for line in lines]) + end + end + body


def response(number: int = 1, body: bytes = b"", *, status: str = "200 OK") -> bytes:
    """Return a response to ``message(number)``."""
    start, _, rest = message(number, body).partition(CRLF)
    assert start
    return b"SIP/2.0 " + status.encode() + CRLF + rest


def torture_messages() -> dict[str, bytes]:
    """Return the torture messages of RFC 4475 and RFC 5118 by file."""
    folder = SHARED / "corpus" / "torture"
    paths = sorted(folder.glob("*/*.dat"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
