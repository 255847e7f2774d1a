"""The bytes of many messages, read back in capture order.

``Window.raw`` reads each message by itself, which costs more than hashing it. Messages of a capture
lie behind one another, so here a window is read at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.window import Window

WINDOW = 1 << 16
"""Bytes of one read: a few hundred messages, and little to waste where rows lie far apart."""


def reader_of(messages: Window) -> Callable[[int], bytes]:
    """Return ``Window.raw`` for rows that are asked for mostly in order, each maybe twice."""
    read = messages.read
    piece, pieces = messages.rows.piece, messages.rows.pieces
    offsets, lengths = messages.rows.piece_columns["offset"], messages.rows.piece_columns["length"]
    start = end = 0
    window = b""
    last, found = -1, b""

    def moved(first: int, behind: int) -> bytes:
        nonlocal start, end, window
        if first < start or behind > end:
            window = read(first, max(WINDOW, behind - first))
            start, end = first, first + len(window)
        return window[first - start : behind - start]

    def raw(row: int) -> bytes:
        nonlocal last, found
        if row == last:
            return found
        last, k = row, piece[row]
        if pieces[row] == 1:
            first = offsets[k]
            behind = first + lengths[k]
            if first < start or behind > end:
                found = moved(first, behind)
            else:  # nearly always: without a further call
                found = window[first - start : behind - start]
        else:
            some = range(k, k + pieces[row])
            found = b"".join([moved(offsets[k], offsets[k] + lengths[k]) for k in some])
        return found

    return raw
