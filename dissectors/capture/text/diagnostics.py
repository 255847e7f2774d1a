"""What servers write about messages and about themselves, between the messages: annotations.

The one rule: only what an engineer would look for is kept, that is errors, warnings, and remarks
that name a result or a message. A busy server writes a thousand component lines for each of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dissectors.capture.text.dates import CLOCK, DATE, time_ns
from dissectors.capture.text.values import Annotation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_TEXT = 4096
"""Characters of an annotation's text that are kept: dumps of memory and XML are longer."""
MAX_VALUE = 1024
"""Characters of one of its further values."""
MAX_VALUES = 64
"""Of its further values: real records have a handful."""

# The prefix that the tracing of Windows (tracefmt) puts before what a component says. Component,
# function, file and line follow in parentheses; they differ from version to version.
_PREFIX = re.compile(
    r"TL_([A-Z]+)\(([A-Z][A-Z0-9_|, ]*)\)\s*\[([^\]]{0,255})\]\s*"
    r"([0-9A-Fa-f]{1,8}\.[0-9A-Fa-f]{1,8})::"
    rf"{DATE}[-T|\s]\s?{CLOCK}(?:\.([0-9A-Fa-f]{{8}})\b)?\s*"
)
_PLACE = re.compile(
    r"\((?P<component>[^,()]{1,64}),.{1,512}?:[^:()]{1,255}\(\d{1,9}\)\)\s*(?:\[\d{1,20}\]\s*)?"
    r"(?:\(\s*[0-9A-Fa-f]{8,16}\s*\)\s*)?"
)
_FIELD = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]{0,63}):\s?(.*)", re.DOTALL)
# Copies from pages run fields together: `Text: none matches Result-Code: 0xc3e93d6f SIPPROXY_E_..`
_JOINED = re.compile(
    r"(?<!\s)\s+(?=(?:Result-Code|SIP-Start-Line|SIP-Call-ID|SIP-CSeq|Peer|Data):\s)"
)
_CODE = re.compile(r"\b0x([0-9A-Fa-f]{8})\b(?:\s?\(?\s?([A-Z][A-Za-z0-9]*_[A-Za-z0-9_]+))?")
_PAIR = re.compile(r"([A-Za-z][A-Za-z0-9_.-]{0,63})\s{0,8}=\s{0,8}\"([^\"]*)\"")
_CALL_ID = re.compile(r"\bCall-ID[:=]\s*\"?([^\s\";,]{1,255})", re.IGNORECASE)

_SEVERITIES = {
    **dict.fromkeys(("fatal", "error", "critical"), "error"),
    **dict.fromkeys(("warn", "warning"), "warning"),
}
_OWN = frozenset(
    ("severity", "text", "result-code", "sip-start-line", "sip-call-id", "sip-cseq", "peer")
)
_SAID_ELSEWHERE = frozenset(("logtype", "data", "date", "trace-correlation-id", "instance-id"))


class TraceLine(NamedTuple):
    """The prefix of a line of a trace, and what follows it."""

    number: int
    level: str
    """``ERROR``, ``WARN``, ``INFO``, ``VERBOSE``, ``NOISE``, ``FATAL``"""
    flag: str
    """``TF_PROTOCOL``, ``TF_DIAG``, ``TF_COMPONENT`` .."""
    bracket: str
    """The number of a processor (OCSLogger) or ``pool\\server`` (CLS)."""
    thread: str
    """Process and thread: ``06E4.0EB4``."""
    time_ns: int
    digits: int
    sequence: int
    """Counted by the trace session; -1 where the line has none."""
    rest: str

    @property
    def server(self) -> str:
        """Name of the machine where the bracket has it."""
        return "" if self.bracket.strip().isdigit() else self.bracket.rpartition("\\")[2].strip()

    @property
    def severity(self) -> str:
        """Of an annotation at this level."""
        return _SEVERITIES.get(self.level.lower(), "information")


def trace_line(text: str, number: int, start: int = 0) -> TraceLine | None:
    """Return the prefix of a line that begins at ``start``; None where there is none."""
    found = _PREFIX.match(text, start)
    if found is None:
        return None
    level, flag, bracket, thread, day, *clock, sequence = found.groups()
    hour, minute, second, fraction, half = clock
    moment = time_ns(day, (hour, minute, second, fraction, half))
    if moment is None:
        return None
    return TraceLine(
        number,
        level,
        flag,
        bracket,
        thread.upper(),
        moment,
        len(fraction or ""),
        int(sequence, 16) if sequence else -1,
        text[found.end() :],
    )


def may_matter(text: str) -> bool:
    """Tell whether a line of information can have a result code or a Call-ID; cheap."""
    return "0x" in text or "Call-I" in text or "CALL-I" in text or "call-i" in text


def line_annotation(line: TraceLine) -> Annotation | None:
    """Return what a single line says, if it is an error, a warning or has a result code."""
    failed = line.severity != "information"
    if not (failed or may_matter(line.rest)):
        return None
    place = _PLACE.match(line.rest)
    text = (line.rest[place.end() :] if place else line.rest)[:MAX_TEXT].strip()
    code, call_id = _code(text), _CALL_ID.search(text)
    # An address or a flag in a line of information looks like a code; a name says that it is one.
    if not (failed or " " in code or call_id):
        return None
    return Annotation(
        time_ns=line.time_ns,
        line=line.number,
        severity=line.severity,
        text=text,
        code=code,
        call_id=call_id[1] if call_id else "",
    )


def record_annotation(
    line: TraceLine, texts: Sequence[str], number: int | None = None
) -> Annotation | None:
    """Return what a diagnostic record says; None for information about nothing in particular.

    ``texts`` are the lines between its begin and its end, ``number`` the line that it begins with
    where that is not the one with the prefix.
    """
    fields: dict[str, tuple[str, str]] = {}
    for name, value in _fields(texts):
        fields.setdefault(name.lower(), (name, value))
    said = {key: value for key, (_name, value) in fields.items()}
    severity = _SEVERITIES.get(said.get("severity", "").lower(), "")
    severity = severity or ("information" if said.get("severity") else line.severity)
    call_id, code = said.get("sip-call-id", ""), _code(said.get("result-code", ""))
    if severity == "information" and not (call_id or code):
        return None
    return Annotation(
        time_ns=line.time_ns,
        line=line.number if number is None else number,
        severity=severity,
        text=said.get("text", "")[:MAX_TEXT],
        code=code or said.get("result-code", "")[:MAX_VALUE],
        call_id=call_id[:MAX_VALUE],
        cseq=said.get("sip-cseq", "")[:MAX_VALUE],
        start_line=said.get("sip-start-line", "")[:MAX_TEXT],
        peer=said.get("peer", "")[:MAX_VALUE],
        data=tuple(_values(said.get("data", ""), fields))[:MAX_VALUES],
    )


def _fields(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give the ``Name: value`` of a record; a line without a name goes on with the one before."""
    name, value = "", ""
    for text in texts[: 4 * MAX_VALUES]:
        for part in _JOINED.split(text[: 4 * MAX_TEXT]):
            found = _FIELD.fullmatch(part)
            if found is None:
                value += " " + part.strip()
                continue
            if name:
                yield name, value.strip()
            name, value = found[1], found[2]
    if name:
        yield name, value.strip()


def _values(data: str, fields: dict[str, tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Give the pairs of a Data field, then the fields that have no place of their own."""
    for found in _PAIR.finditer(data):
        yield found[1], found[2].strip()[:MAX_VALUE]
    for key, (name, value) in fields.items():
        if key not in _OWN and key not in _SAID_ELSEWHERE:
            yield name, value[:MAX_VALUE]


def _code(text: str) -> str:
    """Return the first result code with its name: ``0xC3E93C5E SIPPROXY_E_ROUTING``."""
    found = _CODE.search(text)
    if found is None:
        return ""
    return f"0x{found[1].upper()} {found[2] or ''}".rstrip()
