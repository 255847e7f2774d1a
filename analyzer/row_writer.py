"""Framed messages to rows: the last stage of reading, and the only one that writes columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.notes import BAD_XCCOS, HOLE, TRUNCATED
from dissectors.xccos.scan import scan_items

if TYPE_CHECKING:
    from analyzer.rows import Rows
    from dissectors.sip.framed import Framed
    from dissectors.xccos.scan import Row

_NO_ADDRESS = (None, None)
_CUT = HOLE | TRUNCATED


class RowWriter:
    """Write one row per message, and one per XCCOS element."""

    __slots__ = (
        "_add_item", "_add_message", "_add_piece", "_charsets", "_items", "_pieces", "_rows",
        "_scan", "_strings",
    )  # fmt: skip

    def __init__(self, rows: Rows, *, items: bool = True) -> None:
        """Write to ``rows``; without ``items`` bodies are not looked at."""
        self._rows = rows
        self._scan = items
        self._strings = rows.strings
        self._charsets: dict[int, str] = {}  # content types that name a charset; else empty
        self._add_message = rows.message_table.append
        self._add_piece = rows.piece_table.append
        self._add_item = rows.item_table.append
        self._pieces = 0
        self._items = 0

    def restart(self) -> None:
        """Go on behind what is left of the rows, some of which were taken away."""
        self._pieces = len(self._rows.piece_columns["frame"])
        self._items = len(self._rows.item_columns["id"])

    def write(self, batch: list[tuple[int, list[Framed]]]) -> None:
        """Write the rows of messages, given by stream (a number into ``Trace.streams``)."""
        add_message, add_piece = self._add_message, self._add_piece
        first_piece = self._pieces
        for stream, messages in batch:
            for head, raw, body, notes, frame, time_ns, digits, pieces in messages:
                (
                    method, status, reason, uri, call_id, cseq, from_uri, from_tag, to_uri,
                    to_tag, content_type, content_length, branch, vias, _,
                ) = head  # fmt: skip
                first_item, items, length = self._items, 0, len(raw)
                if body < length and self._scan:
                    items, bits = self._body(raw[body:], content_type)
                    if not notes & _CUT:  # what the capture lost is no fault of the sender
                        notes |= bits
                for piece in pieces:
                    add_piece(piece)
                count = len(pieces)
                add_message(
                    (
                        time_ns, digits, frame, stream,
                        min(MAX_NUMBER, status), method, reason, uri,
                        call_id, cseq, from_uri, from_tag, to_uri, to_tag, content_type,
                        -1 if content_length is None else min(MAX_NUMBER, content_length),
                        length, notes, branch, vias, first_piece, count, first_item, items,
                    )
                )  # fmt: skip
                first_piece += count
        self._pieces = first_piece

    def _body(self, body: bytes, content_type: int) -> tuple[int, int]:
        """Write the XCCOS items of a body; return their number and notes."""
        charset = self._charsets.get(content_type)
        if charset is None:
            text = self._strings.values[content_type] or ""
            charset = self._charsets[content_type] = text if "charset" in text.lower() else ""
        scanned = scan_items(body, charset) if charset else scan_items(body)
        if scanned is None:
            return 0, 0
        found, malformed = scanned
        if found:
            self._write_items(found)
        return len(found), BAD_XCCOS if malformed else 0

    def _write_items(self, found: list[Row]) -> None:
        string, add = self._strings.id, self._add_item
        for element, id_, seqid, envid, command, code, text in found:
            command_seqid, command_envid = command or _NO_ADDRESS
            add(
                (
                    string(element), string(id_), string(seqid), string(envid),
                    string(command_seqid), string(command_envid), command is not None,
                    string(code), 0 if element == "grpchat" else string(text),
                )
            )  # fmt: skip
        self._items += len(found)


# Columns hold 64 bits; a torture message claims more.
MAX_NUMBER = (1 << 63) - 1
