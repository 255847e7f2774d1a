"""Packets of a connection as a client logs them: any part of messages, and what they still owe.

The one rule: what is a body is told by the Content-Length of its head, also where the head came in
an earlier packet; only behind the last complete message the form of the text has to be guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dissectors.capture.text.encoding import message_bytes
from dissectors.capture.text.raw_sip import (
    MAX_HEAD,
    declared_length,
    fitted,
    is_part,
    is_start_line,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class Unfinished(NamedTuple):
    """What a connection still owes of a message."""

    head: bytes = b""
    """Of a message whose head is not complete."""
    body: int = 0
    """Bytes of a body that are still to come."""
    after_cr: bool = False
    """The last byte that came was a CR."""

    def __bool__(self) -> bool:
        """Something is still to come."""
        return bool(self.head or self.body)

    def goes_on(self, line: str) -> bool:
        """Tell whether what begins with this line may be the rest, whatever it looks like.

        An empty line may end a head or a body, and ``NFO sip:...`` a start line.
        """
        return bool(self) and (not line.strip() or (bool(self.head) and b"\n" not in self.head))

    def after(self, data: bytes, lost: int = 0) -> Unfinished:
        """Return what is owed after more bytes, and after ``lost`` ones that are not known."""
        cr = data.endswith(b"\r") and not lost
        if self.body >= len(data) + lost:
            return Unfinished(body=self.body - len(data) - lost, after_cr=cr)
        if lost:
            return Unfinished()
        data = self.head + data[self.body :]
        at = 0
        while at < len(data):
            if data.startswith(b"\r\n", at):
                at += 2
                continue
            blank = data.find(b"\r\n\r\n", at)
            if blank < 0:
                head = data[at : at + MAX_HEAD]
                return Unfinished(head, after_cr=cr) if _begins_message(head) else Unfinished()
            at = blank + 4 + (declared_length(data[at : blank + 2]) or 0)
        return Unfinished(body=at - len(data), after_cr=cr)


def _begins_message(head: bytes) -> bool:
    start, end, _ = head.partition(b"\r\n")
    if end:
        return is_start_line(start.decode("utf-8", "surrogateescape"))
    return head[:1].isalpha() and head[:1].isupper()


def packet_bytes(lines: Sequence[str], length: int, owed: Unfinished) -> bytes | None:
    """Return the ``length`` bytes of a packet that comes after ``owed``; None where none fit."""
    if owed.head:
        return _after_head(lines, length, owed.head)
    if owed.after_cr and lines and not lines[0]:
        rest = packet_bytes(lines[1:], length - 1, Unfinished(body=owed.body - 1))
        return None if rest is None else b"\n" + rest
    if owed.body >= length:
        return _tail(lines, length, body=True)
    data = b""
    if owed.body:
        fit = fitted(lines, owed.body, several=True)
        if fit is None:
            return _tail(lines, length, body=True)
        data, lines = fit.data, [*([fit.rest] if fit.rest else []), *lines[fit.lines :]]
    return _messages(data, lines, length)


def _after_head(lines: Sequence[str], length: int, head: bytes) -> bytes | None:
    """Return the bytes of a packet that goes on with a head."""
    *before, last = head.removesuffix(b"\r").decode("utf-8", "surrogateescape").split("\r\n")
    joined = [*before, last + (lines[0] if lines else ""), *lines[1:]]
    whole = packet_bytes(joined, len(head) + length, Unfinished())
    return whole[len(head) :] if whole is not None and whole.startswith(head) else None


def _messages(data: bytes, lines: Sequence[str], length: int) -> bytes | None:
    """Return ``data``, the messages behind it, and the part of one at the end."""
    places = walk(lines, ended=False, room=length - len(data))
    rest: Sequence[str] = ()
    while places and (places[-1][1] is None or is_part(places[-1][1])):
        rest, _ = places.pop()
    whole = [message.data for _, message in places if message is not None]
    # The last one may have been taken for a whole one, with line ends that it never had.
    for count in range(len(whole), max(len(whole) - 2, -1), -1):
        before = b"".join([data, *whole[:count]])
        left = length - len(before)
        tail = _tail(rest, left, body=False) if rest and left >= 0 else b""
        if tail is not None and len(tail) == left:
            return before + tail
        rest = places[count - 1][0] if count else ()
    return None


def _tail(lines: Sequence[str], length: int, *, body: bool) -> bytes | None:
    """Return text of which the end is not there, or not told.

    Line ends of a head are CRLF. A packet may end between CR and LF, but most do not.
    """
    last = next((row for row in range(len(lines), 0, -1) if lines[row - 1]), 0)
    raw = [message_bytes(text) for text in lines[:last]]
    blank = 0 if body else next((row + 1 for row, text in enumerate(raw) if not text), len(raw))
    head = b"".join(text + b"\r\n" for text in raw[:blank])
    if blank == len(raw) and raw:
        head = head[:-2]
    # Where the text has no line end of a body, none is known to be LF.
    for line_end, end in _ENDS if len(raw) - blank > 1 else _CRLF_ENDS:
        data = head + line_end.join(raw[blank:]) + end
        if len(data) == length:
            return data
    fit = fitted(lines, length)
    return None if fit is None else fit.data


_CRLF_ENDS = tuple((b"\r\n", end) for end in (b"", b"\r\n", b"\r\n\r\n", b"\r", b"\r\n\r"))
_ENDS = (*_CRLF_ENDS[:3], (b"\n", b""), (b"\n", b"\n"), *_CRLF_ENDS[3:])
"""What may end lines of a body, and the text; the likelier first."""
