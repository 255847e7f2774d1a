"""Which text trace a file is, told by the lines that its records begin with.

The one rule: one line that only this format writes decides, wherever in the first 64 KiB it stands;
a trace may begin with a banner, in the middle of a record, or with a thousand lines about nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dissectors.capture.text.copies import Copy
from dissectors.capture.text.dates import CLOCK, DATE
from dissectors.capture.text.encoding import HEAD, decoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from dissectors.capture.text.values import TextReader

HEAD_LENGTH = 64 * 1024
"""First bytes that are looked at."""


class Format(NamedTuple):
    """A format of text traces."""

    record: re.Pattern[str]
    """Begins or ends its records; counted, where several formats are in one file."""
    line: re.Pattern[str] | None
    """Shows that a file may hold such records further on, and without which they mean nothing; None
    where the records need nothing else."""
    make: Callable[[], TextReader]


def _server() -> TextReader:
    from dissectors.capture.text.server import ServerReader

    return ServerReader()


def _uccapi() -> TextReader:
    from dissectors.capture.text.uccapi import UccapiReader

    return UccapiReader()


def _s4() -> TextReader:
    from dissectors.capture.text.server import ServerReader

    return ServerReader(services=True)


def _sipe() -> TextReader:
    from dissectors.capture.text.sipe import SipeReader

    return SipeReader()


FORMATS: tuple[Format, ...] = (
    Format(
        re.compile(r"\$\$(?:begin|end)_record\b|^[^\r\n:]{0,64}\bMessage-Body:", re.MULTILINE),
        re.compile(r"TL_[A-Z]+\([A-Z][A-Z0-9_|, ]*\)\s*\[[^\]\r\n]{0,255}\]\s*[0-9A-Fa-f]+\."),
        _server,
    ),
    Format(
        re.compile(
            r"[<>]{3}\s{0,8}(?:Outgoing|Incoming) SipMessage|---\s{0,8}EndOf(?:Outgoing|Incoming)"
        ),
        None,
        _s4,
    ),
    Format(
        re.compile(
            r"(?:Sending Packet|Data Received)\s*-\s*\S{1,300}\s+\((?:From|To) Local Address"
        ),
        re.compile(
            rf"{DATE}[|\sT-]\s?{CLOCK}\s+[0-9A-Fa-f]{{1,8}}:[0-9A-Fa-f]{{1,8}}\s+"
            r"[A-Za-z]{3,16}\s*::"
        ),
        _uccapi,
    ),
    Format(
        re.compile(
            r"\bMESSAGE (?:(?:START|END)\s+)?(?:>{3,}|<{3,})\s+[A-Za-z]{2,8}\b"
            r"|\b(?:sending|received) - (?:\w{3} ){2}[ \d]\d \d\d:\d\d:\d\d \d{4}$",
            re.MULTILINE,
        ),
        None,
        _sipe,
    ),
)
_SIPE_LINE = re.compile(r"^(?:\(\d\d:\d\d:\d\d[^)\r\n]{0,16}\) )?sipe: ", re.MULTILINE)
"""What Pidgin writes for the plug-in before it signs in."""


def text_reader_for(head: bytes) -> TextReader | None:
    """Return a new reader for the text trace that begins with ``head``, or None if it is none.

    ``head`` is the first ``HEAD_LENGTH`` bytes, in any encoding; more are ignored.
    """
    found = _format_of(head)
    return found.make() if found else None


def seems_text_trace(head: bytes) -> str | None:
    """Return the name of the format of the text trace that begins with ``head``, or None."""
    reader = text_reader_for(head)
    return reader.name if reader else None


def _format_of(head: bytes) -> Format | None:
    """Return the format most of whose records are there; else that of the other lines."""
    text = decoded(head[:HEAD_LENGTH])
    return _format_in(text) or _format_in(Copy(text[:HEAD]).text(text))


def _format_in(text: str) -> Format | None:
    most, found = 0, None
    for form in FORMATS:
        count = sum(1 for _record in form.record.finditer(text))
        # Records alone say nothing without the lines that have their times.
        if count > most and (form.line is None or form.line.search(text)):
            most, found = count, form
    return found or _by_other_lines(text)


def _by_other_lines(text: str) -> Format | None:
    for form in FORMATS:
        if form.line is not None and form.line.search(text):
            return form
    return FORMATS[-1] if _SIPE_LINE.search(text) else None
