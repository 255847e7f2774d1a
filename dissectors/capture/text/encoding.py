"""From the bytes of a trace to text, and from its text back to the message that was on the wire.

The one rule: SIP is UTF-8 (RFC 3261 section 7), whatever a trace was written in. So a trace in
UTF-16 or in a Windows code page is turned back into UTF-8, and where that is in doubt the
Content-Length of the message decides, because it was counted on the wire.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HEAD = 4096
"""First bytes that the encoding is told by where no mark says it: dozens of lines of a trace."""
WIDE_SHARE = 5
"""One NUL in so many characters makes 16-bit text: ASCII has one in each, Chinese in its signs."""
FEW = 8
"""Lone CR in the head without any LF that make CR the line end, as Macintosh editors wrote it."""

MAX_FIELDS = 32
"""Fields of a record before the start line of its message; there are five."""
MAIL = re.compile(r"\[email[ \xa0]protected\]")
"""What web pages show instead of anything with an @ in it (Cloudflare)."""
MASKED = "email-protected@masked.invalid"
"""Stands for it, so that what has it is still a URI (RFC 2606 section 2: such a name never is)."""

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
# A character of UTF-8 that is longer than a byte.
_MULTIBYTE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_HIDDEN = "deleted|removed|masked|hidden|suppressed|omitted|redacted|stripped|not (?:logged|shown)"
# What stands in a trace where the body would: `****MESSAGE BODY DELETED****` and its relatives.
_NOTICE = re.compile(
    r"\*{3,}|\*{2,}[^*\r\n]{1,200}\*{2,}|#{2,}[^#\r\n]{1,200}#{2,}|\[[^\[\]\r\n]{1,200}\]"
    rf"|[<(][^<>()\r\n]{{0,200}}\b(?:{_HIDDEN})\b[^<>()\r\n]{{0,200}}[>)]",
    re.IGNORECASE,
)

_ESCAPED = re.compile("[\udc80-\udcff]+")
_HEADER = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+[ \t]*:")
_LENGTH = re.compile(r"((?:content-length|l)[ \t]*:[ \t]*)(\d{1,10})\s*", re.IGNORECASE)
_VIA = re.compile(r"(?:via|v)\s*:\s*SIP\s*/\s*2\.0\s*/\s*(\w+)\s+([^\s;,]+)", re.IGNORECASE)
_BODY, _START = "message-body:", "start-line:"
# An empty body; copies make an en dash of it, which a code page or two then distort.
_NO_BODY = frozenset(("", "-", "\u2013", "\u2014", "\ufffd", "\udc96", "\u00e2\u20ac\u201c"))
_ROOT = re.compile(r"(?:<\?xml[^>]*>)?\s*<([A-Za-z_][\w:.-]*)")


def codec_of(head: bytes) -> tuple[str, int]:
    """Return the codec of a trace and the length of its byte-order mark.

    ``utf-8-sig`` says that a mark proves UTF-8; ``utf-8`` is also what may turn out to be a Windows
    code page.
    """
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return codec, len(mark)
    half = max(len(head[:HEAD]) // 2, 1)
    even, odd = head[:HEAD:2].count(0), head[1:HEAD:2].count(0)
    if odd * WIDE_SHARE >= half and even * WIDE_SHARE < odd:
        return "utf-16-le", 0
    if even * WIDE_SHARE >= half and odd * WIDE_SHARE < even:
        return "utf-16-be", 0
    return "utf-8", 0


def line_end(text: str) -> str:
    """Return what ends the lines of a trace that begins with ``text``: LF, or CR alone."""
    return "\r" if "\n" not in text and text.count("\r") >= FEW else "\n"


def decoded(head: bytes) -> str:
    """Return the beginning of a trace as text, for looking at it; what does not fit is replaced."""
    codec, mark = codec_of(head)
    return head[mark:].decode(codec, "replace")


class LineCodec:
    """Decides line by line what an 8-bit trace without a mark is written in.

    A line that is UTF-8 is taken as such: other text is not so by chance. One that is not is in the
    code page of the machine that wrote it (1252, that of Western Windows, stands for all), unless
    the trace was seen to be UTF-8 before or the line itself is UTF-8 but for some bytes: then these
    bytes are damage, or were on the wire, and are kept.
    """

    __slots__ = ("_utf8",)

    def __init__(self, *, marked: bool = False) -> None:
        self._utf8 = marked

    def decode(self, raw: bytes) -> str:
        """Return a line as text; bytes that the encoding does not know as lone surrogates."""
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            if self._utf8 or _MULTIBYTE.search(raw):
                return raw.decode("utf-8", "surrogateescape")
            return raw.decode("cp1252", "surrogateescape")
        if not (self._utf8 or raw.isascii()):
            self._utf8 = True
        return text


def message_bytes(text: str) -> bytes:
    """Return text of a trace as the bytes that it stands for: UTF-8, and escaped bytes as such."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a pair of UTF-16, which no encoding has
        return text.encode("utf-8", "replace")


def is_notice(text: str) -> bool:
    """Tell whether a body is only a note that the trace hides it."""
    return _NOTICE.fullmatch(text.strip()) is not None


def wire_body(lines: Sequence[str], length: int | None) -> bytes:
    """Return a body, given as its lines, as it was on the wire.

    ``length`` is its Content-Length, if there is one. Of the forms that the lines may have had
    (CRLF or LF between them, with or without one at the end, in UTF-8 or in the code page of the
    trace) the first of that length is taken; otherwise UTF-8 with CRLF.
    """
    body = message_bytes("\r\n".join(lines))
    if length is None or len(body) == length:
        return body
    forms = list(_forms(lines))
    for form in forms:
        if len(form) == length:
            return form
    for form in forms:
        # Copies gain blank lines at the end.
        if len(form) > length and not form[length:].strip():
            return form[:length]
    return body


def _forms(lines: Sequence[str]) -> Iterator[bytes]:
    for last in (False, True):
        for end in ("\r\n", "\n"):
            text = end.join(lines) + (end if last else "")
            yield message_bytes(text)
            if not text.isascii():
                # As a sender that knew no UTF-8 would have put it ..
                with contextlib.suppress(UnicodeEncodeError):
                    yield text.encode("cp1252", "surrogateescape")
                # .. and with bytes that were no UTF-8 read as characters of the code page.
                yield message_bytes(_ESCAPED.sub(_of_the_page, text))


def _of_the_page(escaped: re.Match[str]) -> str:
    return escaped[0].encode("utf-8", "surrogateescape").decode("cp1252", "surrogateescape")


class Rebuilt(NamedTuple):
    """A message put together from the lines of a record, and what the record says of it."""

    data: bytes
    direction: str
    """``incoming``, ``outgoing`` or empty"""
    peer: str
    transport: str
    """``tls``, ``tcp`` or ``udp``, as the topmost Via has it, else empty."""
    via: str
    """``host:port`` of the topmost Via."""
    response: bool
    missing: int
    masked: bool
    altered: str
    """What does not agree in the body, where it was changed when it was written or copied."""


def content_length(text: str) -> int | None:
    """Return the value of a Content-Length header; None where the line is another."""
    if text[:1] not in "CcLl":
        return None
    found = _LENGTH.fullmatch(text)
    return int(found[2]) if found else None


def body_of(text: str) -> str | None:
    """Return what follows ``Message-Body:``; None where the line is another."""
    if text[: len(_BODY)].lower() != _BODY:
        return None
    return text[len(_BODY) :].removeprefix(" ")


def is_field(text: str) -> bool:
    """Tell whether a line begins with a name and a colon."""
    return _HEADER.match(text) is not None


def with_port(peer: str) -> str:
    """Return ``host:port`` of a peer: port 0 where none is said, IPv6 in brackets."""
    if not peer:
        return ""
    host, colon, port = peer.rpartition(":")
    if not colon or not port.isdigit():
        return f"[{peer}]:0" if peer.count(":") > 1 and peer[0] != "[" else f"{peer}:0"
    if ":" in host and host[0] != "[":
        # Of an address without brackets it cannot be told whether the last part is a port.
        return f"[{peer}]:0" if peer.count(":") == 7 or "::" in peer else f"[{host}]:{port}"
    return peer


def rebuilt(texts: Sequence[str]) -> Rebuilt | None:
    """Return the message of a record; None where it holds none (no ``Start-Line:``)."""
    fields: dict[str, str] = {}
    for place, text in enumerate(texts):
        name, colon, value = text.partition(":")
        if colon and text[: len(_START)].lower() == _START:
            start = value.removeprefix(" ")
            return _rebuilt(fields, start, texts[place + 1 :]) if start.strip() else None
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
        if len(fields) > MAX_FIELDS:
            break
    return None


def _rebuilt(fields: dict[str, str], start: str, texts: Sequence[str]) -> Rebuilt:
    head, body = _parts(start, texts)
    lengths = [
        (at, length) for at, text in enumerate(head) if (length := content_length(text)) is not None
    ]
    length = lengths[0][1] if lengths else None
    data, missing, masked, altered = _body(_from_label(body, length), length)
    if altered:
        # The body is all there: a length that cuts it, or waits for more, would hide it.
        at = lengths[0][0]
        head[at] = _LENGTH.sub(rf"\g<1>{len(data)}", head[at])
    via = next((found for text in head if (found := _VIA.match(text))), None)
    transport = via[1].lower() if via else ""
    return Rebuilt(
        data=message_bytes(MAIL.sub(MASKED, "\r\n".join(head))) + b"\r\n\r\n" + data,
        direction=fields.get("direction", "").partition(";")[0].strip().lower(),
        peer=fields.get("peer", "").partition(" ")[0],
        transport=transport if transport in {"tls", "tcp", "udp"} else "",
        via=via[2] if via else "",
        response=start.lstrip()[:4].upper() == "SIP/",
        missing=missing,
        masked=masked,
        altered=altered,
    )


def _parts(start: str, texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the start line with the headers, and the lines of the body."""
    response = start.lstrip()[:4].upper() == "SIP/"
    head, blank = [[start.lstrip() if response else start.strip()]], False
    for place, text in enumerate(texts):
        if (body := body_of(text)) is not None:
            return ["".join(field) for field in head], [body, *texts[place + 1 :]]
        if not text.strip():
            blank = True
            continue
        if is_field(text):
            head.append([text])
        elif text[0] in " \t" and len(head) > 1 and not blank:
            head[-1].append("\r\n" + text)  # a folded header (RFC 3261 section 7.3.1)
        else:
            head[-1].append(" " + text.strip())  # broken by whoever copied it
        blank = False
    return _unlabelled(start, texts) or (["".join(field) for field in head], [])


def _unlabelled(start: str, texts: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """Return head and body of a message with an empty line and no ``Message-Body:``, if it is one.

    Only a body that is as long as it should be, or markup, is one: other blank lines mean nothing.
    """
    place = next((at for at, text in enumerate(texts) if not text.strip()), None)
    if not place:
        return None
    lengths = [length for text in texts[:place] if (length := content_length(text)) is not None]
    body = list(texts[place + 1 :])
    if not lengths or not lengths[0] or not body:
        return None
    if len(wire_body(body, lengths[0])) != lengths[0] and not _ROOT.match(body[0]):
        return None
    head, _nothing = _parts(start, texts[:place])
    return head, body


def _from_label(lines: Sequence[str], length: int | None) -> Sequence[str]:
    """Return a body without the blank line that a copy has after the label."""
    if len(lines) < 2 or lines[0].strip() or len(wire_body(lines, length)) == length:
        return lines
    return lines[1:]


def _body(lines: Sequence[str], length: int | None) -> tuple[bytes, int, bool, str]:
    """Return a body, how many bytes are missing, whether it is masked, how it was altered."""
    text = "\n".join(lines).strip()
    if text in _NO_BODY or (length == 0 and len(text) < len(_NO_BODY)):
        # The only body that looks like the sign for none is as long as the sign.
        return (
            (b"-", 0, False, "") if text == "-" and length == 1 else (b"", length or 0, False, "")
        )
    body = wire_body(lines, length)
    if length is None or len(body) == length:
        return (b"", 0, True, "") if length is None and is_notice(text) else (body, 0, False, "")
    if is_notice(text):
        return b"", length, True, ""
    if len(body) > length and _is_document(body[:length]):
        return body[:length], 0, False, ""
    masked_mail = MAIL.search(text) is not None
    # A code page has question marks for the characters that it lacks.
    questions = 0 if _ROOT.match(text) else body.count(b"?") * 3
    if len(body) < length and not (
        masked_mail or _is_document(body) or 0 < length - len(body) <= questions
    ):
        return body, length - len(body), False, ""
    altered = f"the body has {len(body)} bytes and not {length}: it was altered when it was written"
    if masked_mail:
        body = message_bytes(MAIL.sub(MASKED, body.decode("utf-8", "surrogateescape")))
    return body, 0, False, f"{altered} or copied"


def _is_document(body: bytes) -> bool:
    """Tell whether markup is all there: its last tag closes its first."""
    text = body.strip().decode("utf-8", "replace")
    root = _ROOT.match(text)
    if root is None:
        return False
    name = re.escape(root[1])
    return re.search(rf"(?:</{name}\s*>|^[^>]*/>)\Z", text[root.start(1) - 1 :][-4096:]) is not None
