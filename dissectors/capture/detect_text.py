"""What kind of text a file is that is no trace that can be read.

The one rule: the kind is named together with the way to something that can be read.
"""

from __future__ import annotations

import re

# First bytes of text, in lower case and without blanks before them.
_TEXTS: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "an HTML page (perhaps the error page of a download)"),
    (b"<html", "an HTML page (perhaps the error page of a download)"),
    (b"<?xml", "an XML document"),
    (b"{", "JSON text"),
    (b"[{", "JSON text"),
    (b"[\n", "JSON text"),
    (b"[\r\n", "JSON text"),
)
_DUMP = "a hex dump; text2pcap, or `xxd -r -p`, makes bytes of it again"
_WRITTEN_OUT = "packets written out as text; save the packets themselves (File, Save As; -w FILE)"
_FOLLOWED = (
    "a stream followed and saved as text, which has neither times nor directions; save the capture"
)
# Kinds of text that are told by how their lines look; the first that fits.
_LOOKS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"={40,}\r?\nFollow: "), _FOLLOWED),
    (
        re.compile(
            rb"(?:[^\n]{0,80}\n)?\s*(?:SIP/2\.0 [1-6]\d\d |[A-Z]{3,16} sips?:\S{1,400} SIP/2)"
        ),
        "SIP messages as text without their times; " + _FOLLOWED.partition("; ")[2],
    ),
    (re.compile(rb"Frame \d+: \d+ bytes on wire"), _WRITTEN_OUT),
    (re.compile(rb"No\.\s+Time\s+Source\s+Destination"), _WRITTEN_OUT),
    (re.compile(rb"1 +[\d.:-]{3,32} +\S+ (?:\xe2\x86\x92|->) \S+ +[A-Z]"), _WRITTEN_OUT),
    (re.compile(rb"\d\d:\d\d:\d\d\.\d{6} (?:IP6?|[0-9a-f:]{17}) "), _WRITTEN_OUT),
    (
        re.compile(
            rb"(?:0x)?[0-9a-f]{4,16}:?[ \t]+[0-9a-f]{2,8}(?:[ \t]+[0-9a-f]{2,8}){3}", re.IGNORECASE
        ),
        _DUMP,
    ),
    (re.compile(rb"(?:[0-9a-f]{2}[ \t\r\n]{0,4}){64}", re.IGNORECASE), _DUMP),
    (
        re.compile(rb"(?:[A-Za-z-]{2,32}: [^\n]{0,400}\n(?:[ \t][^\n]{0,400}\n)*){2,}", re.ASCII),
        "a mail or a list of fields; save what is attached to it",
    ),
    (
        re.compile(rb"(?:data:[^,]{0,99},)?[A-Za-z0-9+/\r\n]{64,}={0,2}\s*\Z"),
        "base64; decode it first",
    ),
)
_TEXT_BYTES = (
    frozenset(range(0x20, 0x7F)) | frozenset(b"\t\n\r\f\x1b") | frozenset(range(0x80, 0x100))
)


def text_kind(head: bytes) -> str | None:
    """Return what kind of text this is; None when it is not text."""
    start = head.removeprefix(b"\xef\xbb\xbf")
    if not _TEXT_BYTES.issuperset(start):
        return None
    plain = start.lstrip().lower()
    for prefix, name in _TEXTS:
        if plain.startswith(prefix):
            return name
    for pattern, name in _LOOKS:
        if pattern.match(start.lstrip()):
            return name
    # Bytes above 0x7F are letters in UTF-8 and Latin-1; text of nothing else is no text.
    return "plain text" if sum(byte < 0x80 for byte in start) * 2 > len(start) else None
