"""Rows while a capture is read, as C structures; the twin of ``analyzer.rows.Columns``.

The rule: rows go into the columns in the order of the frames that complete their messages, as far
as what is buffered reaches. The order of rows of one frame is that in which they were written.
"""

from cpython cimport array
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport qsort
from libc.string cimport memcpy, memmove


cdef dict offsets_of_rows():
    """Return where each column lies in a row."""
    cdef Row row
    base = <Py_ssize_t>&row
    return {
        "time": <Py_ssize_t>&row.time - base,
        "digits": <Py_ssize_t>&row.digits - base,
        "frame": <Py_ssize_t>&row.frame - base,
        "stream": <Py_ssize_t>&row.stream - base,
        "status": <Py_ssize_t>&row.status - base,
        "method": <Py_ssize_t>&row.method - base,
        "reason": <Py_ssize_t>&row.reason - base,
        "uri": <Py_ssize_t>&row.uri - base,
        "call_id": <Py_ssize_t>&row.call_id - base,
        "cseq": <Py_ssize_t>&row.cseq - base,
        "from_uri": <Py_ssize_t>&row.from_uri - base,
        "from_tag": <Py_ssize_t>&row.from_tag - base,
        "to_uri": <Py_ssize_t>&row.to_uri - base,
        "to_tag": <Py_ssize_t>&row.to_tag - base,
        "content_type": <Py_ssize_t>&row.content_type - base,
        "content_length": <Py_ssize_t>&row.content_length - base,
        "length": <Py_ssize_t>&row.length - base,
        "notes": <Py_ssize_t>&row.notes - base,
        "branch": <Py_ssize_t>&row.branch - base,
        "vias": <Py_ssize_t>&row.vias - base,
        "piece": <Py_ssize_t>&row.piece - base,
        "pieces": <Py_ssize_t>&row.pieces - base,
        "item": <Py_ssize_t>&row.item - base,
        "items": <Py_ssize_t>&row.items - base,
    }


cdef dict offsets_of_places():
    cdef Place place
    base = <Py_ssize_t>&place
    return {
        "frame": <Py_ssize_t>&place.frame - base,
        "offset": <Py_ssize_t>&place.offset - base,
        "length": <Py_ssize_t>&place.length - base,
    }


cdef dict offsets_of_items():
    cdef Item item
    base = <Py_ssize_t>&item
    return {
        "element": <Py_ssize_t>&item.element - base,
        "id": <Py_ssize_t>&item.id - base,
        "seqid": <Py_ssize_t>&item.seqid - base,
        "envid": <Py_ssize_t>&item.envid - base,
        "command_seqid": <Py_ssize_t>&item.command_seqid - base,
        "command_envid": <Py_ssize_t>&item.command_envid - base,
        "has_commandid": <Py_ssize_t>&item.has_commandid - base,
        "code": <Py_ssize_t>&item.code - base,
        "text": <Py_ssize_t>&item.text - base,
    }


ROW_OFFSETS = offsets_of_rows()
PLACE_OFFSETS = offsets_of_places()
ITEM_OFFSETS = offsets_of_items()


cdef int fill(
    dict columns, dict offsets, const uint8_t *table, Py_ssize_t stride, Py_ssize_t count
) except -1:
    """Append a table of structures to columns, one field each."""
    cdef array.array column
    cdef uint8_t *out
    cdef const uint8_t *field
    cdef Py_ssize_t before, k
    if not count:
        return 0
    for name, offset in offsets.items():
        column = columns[name]
        before = len(column)
        array.resize_smart(column, before + count)
        field = table + <Py_ssize_t>offset
        if column.itemsize == 4:
            out = <uint8_t *>column.data.as_voidptr + 4 * before
            for k in range(count):
                memcpy(out + 4 * k, field + stride * k, 4)
        elif column.itemsize == 8:
            out = <uint8_t *>column.data.as_voidptr + 8 * before
            for k in range(count):
                memcpy(out + 8 * k, field + stride * k, 8)
        else:
            out = <uint8_t *>column.data.as_voidptr + before
            for k in range(count):
                out[k] = field[stride * k]
    return 0


cdef struct Key:
    uint32_t frame
    uint32_t place


cdef int by_frame(const void *one, const void *other) noexcept nogil:
    cdef const Key *a = <const Key *>one
    cdef const Key *b = <const Key *>other
    if a.frame != b.frame:
        return -1 if a.frame < b.frame else 1
    return -1 if a.place < b.place else 1


cdef void *enlarged(void *table, Py_ssize_t room, Py_ssize_t size) except NULL:
    table = PyMem_Realloc(table, room * size)
    if table == NULL:
        raise MemoryError
    return table


cdef class RowBuffer:
    """Rows with their pieces and items."""

    def __cinit__(self):
        self.rows = NULL
        self.places = NULL
        self.items = NULL
        self.ordered = True

    def __dealloc__(self):
        PyMem_Free(self.rows)
        PyMem_Free(self.places)
        PyMem_Free(self.items)

    cdef Row *more(self, Py_ssize_t pieces, Py_ssize_t items) except NULL:
        if self.count == self.room:
            self.room = 2 * self.room + 64
            self.rows = <Row *>enlarged(self.rows, self.room, sizeof(Row))
        if self.place_count + pieces > self.place_room:
            self.place_room = 2 * self.place_room + pieces + 64
            self.places = <Place *>enlarged(self.places, self.place_room, sizeof(Place))
        if self.item_count + items > self.item_room:
            self.item_room = 2 * self.item_room + items + 64
            self.items = <Item *>enlarged(self.items, self.item_room, sizeof(Item))
        return &self.rows[self.count]

    cdef int sort(self) except -1:
        """Put the rows into the order of their frames; those of one frame stay as they are."""
        cdef Key *keys
        cdef Row *rows
        cdef Py_ssize_t k
        if self.ordered or self.count < 2:
            return 0
        keys = <Key *>PyMem_Malloc(self.count * sizeof(Key))
        rows = <Row *>PyMem_Malloc(self.room * sizeof(Row))
        if keys == NULL or rows == NULL:
            PyMem_Free(keys)
            PyMem_Free(rows)
            raise MemoryError
        for k in range(self.count):
            keys[k].frame, keys[k].place = self.rows[k].frame, <uint32_t>k
        qsort(keys, self.count, sizeof(Key), by_frame)
        for k in range(self.count):
            rows[k] = self.rows[keys[k].place]
        PyMem_Free(keys)
        PyMem_Free(self.rows)
        self.rows = rows
        self.ordered = True
        return 0

    cdef int move(self, object rows, Py_ssize_t count) except -1:
        """Move the first ``count`` rows of a sorted buffer into the columns of ``rows``."""
        cdef Py_ssize_t room = self.place_count + 1, item_room = self.item_count + 1
        cdef Place *places
        cdef Item *items
        cdef Py_ssize_t left = self.count - count
        if not count:
            return 0
        places = <Place *>PyMem_Malloc(room * sizeof(Place))
        items = <Item *>PyMem_Malloc(item_room * sizeof(Item))
        if places == NULL or items == NULL:
            PyMem_Free(places)
            PyMem_Free(items)
            raise MemoryError
        try:
            self._pack(
                0, count, places, items, len(rows.piece_columns["frame"]),
                len(rows.item_columns["id"]),
            )
            fill(
                rows.message_table.columns, ROW_OFFSETS, <const uint8_t *>self.rows, sizeof(Row),
                count,
            )
            fill(
                rows.piece_columns, PLACE_OFFSETS, <const uint8_t *>places, sizeof(Place),
                self.place_count,
            )
            fill(
                rows.item_columns, ITEM_OFFSETS, <const uint8_t *>items, sizeof(Item),
                self.item_count,
            )
        except BaseException:
            PyMem_Free(places)
            PyMem_Free(items)
            raise
        # What stays is packed into the tables just emptied; those it lay in are done with.
        self._pack(count, self.count, places, items, 0, 0)
        PyMem_Free(self.places)
        PyMem_Free(self.items)
        self.places, self.place_room = places, room
        self.items, self.item_room = items, item_room
        memmove(self.rows, self.rows + count, left * sizeof(Row))
        self.count = left
        return 0

    cdef void _pack(
        self, Py_ssize_t first, Py_ssize_t end, Place *places, Item *items, uint64_t place_base,
        uint64_t item_base
    ) noexcept:
        """Copy pieces and items of some rows side by side; number them from the bases."""
        cdef Py_ssize_t k, place = 0, item = 0
        cdef Row *row
        for k in range(first, end):
            row = &self.rows[k]
            memcpy(places + place, self.places + row.piece, row.pieces * sizeof(Place))
            if row.items:
                memcpy(items + item, self.items + row.item, row.items * sizeof(Item))
            row.piece, row.item = place_base + <uint64_t>place, item_base + <uint64_t>item
            place += row.pieces
            item += row.items
        self.place_count, self.item_count = place, item
