# The twin of ``analyzer.rows.Columns`` for the three tables of ``Rows``.

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dissectors._speedups.documents cimport Item
from dissectors._speedups.framing cimport Piece


# One row of ``analyzer.rows.Rows.MESSAGE``
cdef struct Row:
    int64_t time
    int64_t status
    int64_t content_length
    uint64_t piece
    uint64_t item
    uint32_t frame
    uint32_t stream
    uint32_t method
    uint32_t reason
    uint32_t uri
    uint32_t call_id
    uint32_t cseq
    uint32_t from_uri
    uint32_t from_tag
    uint32_t to_uri
    uint32_t to_tag
    uint32_t content_type
    uint32_t length
    uint32_t notes
    uint32_t branch
    uint32_t vias
    uint32_t pieces
    uint32_t items
    uint8_t digits


# What ``Rows.PIECE`` keeps
cdef struct Place:
    uint64_t offset
    uint32_t frame
    uint32_t length


# Rows that wait for their turn; then they go into the columns of a ``Rows``.
cdef class RowBuffer:
    cdef Row *rows
    cdef Place *places
    cdef Item *items
    cdef readonly Py_ssize_t count
    cdef readonly Py_ssize_t place_count
    cdef readonly Py_ssize_t item_count
    cdef Py_ssize_t room
    cdef Py_ssize_t place_room
    cdef Py_ssize_t item_room
    cdef bint ordered  # by frame

    # Room for one more row with so many pieces and items.
    cdef Row *more(self, Py_ssize_t pieces, Py_ssize_t items) except NULL
    cdef int sort(self) except -1
    # Move the first rows (of a sorted buffer) into columns.
    cdef int move(self, object rows, Py_ssize_t count) except -1
    cdef void _pack(
        self, Py_ssize_t first, Py_ssize_t end, Place *places, Item *items, uint64_t place_base,
        uint64_t item_base
    ) noexcept
