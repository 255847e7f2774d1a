"""Framed messages to rows: the last stage of reading, and the only one that writes columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.rows import Rows
from dissectors.notes import BAD_XCCOS
from dissectors.xccos.scan import scan_items

if TYPE_CHECKING:
    from dissectors.sip.framed import Framed
    from dissectors.xccos.scan import Row

_NO_ADDRESS = (None, None)


class RowWriter:
    """Write one row per message, and one per XCCOS element."""

    __slots__ = ("_add_item", "_add_message", "_add_piece", "_items", "_pieces", "rows")

    def __init__(self) -> None:
        self.rows = Rows()
        self._add_message = self.rows.message_table.append
        self._add_piece = self.rows.piece_table.append
        self._add_item = self.rows.item_table.append
        self._pieces = 0
        self._items = 0

    def write(self, stream: int, messages: list[Framed]) -> None:
        """Write the rows of messages of one stream (a number into ``Trace.streams``)."""
        string, cseq_number = self.rows.strings.id, self.rows.cseqs.id
        add_message, add_piece = self._add_message, self._add_piece
        for head, raw, body, notes, frame, time_ns, digits, pieces in messages:
            (
                method, status, reason, uri, call_id, cseq, sender, recipient, content_type,
                content_length, branch, vias, _,
            ) = head  # fmt: skip
            first_item, items = self._items, 0
            length = len(raw)
            if body < length:
                scanned = scan_items(raw[body:])
                if scanned is not None:
                    found, malformed = scanned
                    if malformed:
                        notes |= BAD_XCCOS
                    items = len(found)
                    if items:
                        self._write_items(found)
            first_piece = self._pieces
            for piece in pieces:
                add_piece(piece)
            count = len(pieces)
            self._pieces = first_piece + count
            from_uri, from_tag = sender or _NO_ADDRESS
            to_uri, to_tag = recipient or _NO_ADDRESS
            add_message(
                (
                    time_ns, digits, frame, stream, min(status, MAX_STATUS), string(method),
                    string(reason), string(uri), string(call_id), cseq_number(cseq),
                    string(from_uri), string(from_tag), string(to_uri), string(to_tag),
                    string(content_type),
                    -1 if content_length is None else min(content_length, MAX_STATUS),
                    length, notes, string(branch), vias, first_piece, count, first_item, items,
                )
            )  # fmt: skip

    def _write_items(self, found: list[Row]) -> None:
        string, add = self.rows.strings.id, self._add_item
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
MAX_STATUS = (1 << 63) - 1
