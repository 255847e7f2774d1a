"""The words of the filter language, and what may stand behind each.

The rule: a word that a command has as an option means the same (docs/cli.md); what people would
type who come from Snooper or Wireshark is understood too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.diagnostics.select import ids_of
from analyzer.named import MAX_DIGITS, parse_frames
from analyzer.query import parse_status
from analyzer.zoned_times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BARE = ""
"""The word of a text that stands alone: each of them must be in the message."""
DIRECTIONS: dict[str, str] = {
    **dict.fromkeys(("out", "outgoing", "sent", "client", "from-client"), "out"),
    **dict.fromkeys(("in", "incoming", "received", "server", "from-server", "to-client"), "in"),
}
KINDS: dict[str, str] = {
    **dict.fromkeys(("request", "requests", "req"), "request"),
    **dict.fromkeys(("response", "responses", "answer", "resp"), "response"),
}
STATES: dict[str, str] = {
    **dict.fromkeys(("error", "errors", "failed", "refused"), "error"),
    **dict.fromkeys(("copy", "copies", "hop", "hop-copy"), "copy"),
    **dict.fromkeys(("retransmission", "retransmitted", "repeated", "resent"), "retransmission"),
    "unanswered": "unanswered",
    "slow": "slow",
    **dict.fromkeys(("post", "posts"), "post"),
}
PARTS: dict[str, str] = {
    "xccos": "xccos",
    "body": "body",
    **dict.fromkeys(("note", "notes"), "note"),
}


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the language."""

    name: str
    means: str
    """For whoever reads the list of words."""
    examples: tuple[str, ...]
    """What may stand behind it."""
    check: Callable[[str], object] = str
    """Raises ValueError, with one line for people, for a value that cannot be meant."""
    known: Mapping[str, str] | None = None
    """All values there are, with the one that each stands for."""
    parted: bool = True
    """A comma parts values; where the values themselves may have commas it does not."""
    compared: bool = False
    """``>=`` and the like may stand before the value."""
    aliases: tuple[str, ...] = ()


def _frames(text: str) -> object:
    for sign, make in _SPANS.items():
        if text.startswith(sign):
            number = text[len(sign) :].strip()
            if not (number.isascii() and number.isdigit()):
                raise ValueError(f"{text!r} is not a frame, or a span of frames such as 8-13")
            return parse_frames(make(int(number[:19])))
    return parse_frames(text)


_SPANS: dict[str, Callable[[int], str]] = {
    ">=": lambda number: f"{number}-",
    "<=": lambda number: f"0-{number}",
    ">": lambda number: f"{number + 1}-",
    "<": lambda number: f"0-{max(0, number - 1)}",
}


def spans_of(text: str) -> tuple[tuple[int, int], ...]:
    """Read ``8-13`` or ``>=100``. Raises ValueError with one line for people."""
    return _frames(text)  # type: ignore[return-value]


def session_number(text: str) -> int:
    """Read the number of a session, from 1."""
    plain = text.removeprefix("#")
    if not (plain.isascii() and plain.isdigit() and int(plain[:MAX_DIGITS])):
        raise ValueError(f"{text!r} is no number of a session; they count from 1")
    return int(plain[:MAX_DIGITS])


def _rule(text: str) -> None:
    """Check the id of a rule, or its beginning; a number is of a finding of the capture."""
    if not text.strip().isdigit():
        ids_of(text)


WORDS: tuple[Word, ...] = (
    Word("user", "in From or To", ("ann", "*@contoso.com"),
         aliases=("who", "participant", "sip.user")),
    Word("from", "in From", ("ann",),
         aliases=("from-uri", "sip.from", "sip.from.addr", "sip.from.user")),
    Word("to", "in To", ("ann",), aliases=("to-uri", "sip.to", "sip.to.addr", "sip.to.user")),
    Word("direction", "sent by the client (out) or to it (in)", ("out", "in"), known=DIRECTIONS,
         aliases=("dir",)),
    Word("method", "SIP method; of an answer, the method it answers", ("INVITE", "INFO"),
         aliases=("sip.method", "sip.cseq.method")),
    Word("status", "of an answer", ("200", "4xx", ">=400"), parse_status, compared=True,
         aliases=("code", "sip.status-code", "response-code")),
    Word("command", "the XCCOS body has it", ("join", "cmd:join", "rpl:join", "grpchat"),
         aliases=("xccos", "xccos.id", "xccos.cmd")),
    Word("room", "the XCCOS body speaks of it", ("ops", "ma-chan://..."), parted=False,
         aliases=("channel", "chan", "xccos.room")),
    Word("call-id", "Call-ID, or its beginning with *", ("1a2b*",), parted=False,
         aliases=("callid", "cid", "sip.call-id")),
    Word("frame", "number, span or bound", ("4", "8-13", ">=100"), _frames, compared=True,
         aliases=("frames", "frame.number")),
    Word("session", "number of a session", ("2",), session_number),
    Word("dialog", "number of a dialog, or its Call-ID", ("#3",), parted=False,
         aliases=("conversation",)),
    Word("after", "complete at that time or later", ("07:20", "2026-11-22T07:20:06Z"), parse_time,
         parted=False, aliases=("from-time", "since")),
    Word("before", "complete at that time or earlier, all of its last unit", ("07:20:06.5",),
         parse_time, parted=False, aliases=("to-time", "until")),
    Word("kind", "request or response", ("request", "response"), known=KINDS, aliases=("type",)),
    Word("finding", "in the dialogs that a finding is about: rule, or number of a finding",
         ("GC204", "GC3", "1"), _rule, aliases=("rule",)),
    Word("evidence", "the messages that a finding rests on", ("GC204",), _rule),
    Word("is", "what became of it",
         ("error", "copy", "retransmission", "unanswered", "slow", "post"), known=STATES),
    Word("has", "an XCCOS body, any body, or something unusual (note)", ("xccos", "note"),
         known=PARTS),
    Word("src", "address that sent it: host, host:port or port; * is any characters",
         ("10.0.0.5",), aliases=("source", "ip.src", "ipv6.src", "tcp.srcport")),
    Word("dst", "address that got it", ("10.0.0.5:5061",),
         aliases=("destination", "ip.dst", "ipv6.dst", "tcp.dstport")),
    Word("host", "either of them", ("fe1.contoso.com",),
         aliases=("addr", "ip", "ip.addr", "ip.host", "tcp.port", "port")),
    Word("text", "anywhere in the message, case aside", ('"no such room"',), parted=False,
         aliases=("contains", "body", "content", "frame.contains", "find")),
)  # fmt: skip
BY_NAME: dict[str, Word] = {name: one for one in WORDS for name in (one.name, *one.aliases)}
"""Every word and alias."""
KINDS_OF_COMMANDS = ("cmd", "rpl", "ntc")
"""``cmd:join`` alone is short for ``command:cmd:join``."""
SCHEMES = frozenset(
    {"sip", "sips", "tel", "http", "https", "ma-chan", "ma-filelink", "urn", "mailto", "epid"}
)
"""Of addresses, which are looked for as text: ``sip:ann@contoso.com``."""
