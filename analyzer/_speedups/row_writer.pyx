"""Framed messages to rows; the twin of ``analyzer.row_writer``.

The rule: a row is a structure in a buffer; no Python object is made for a message.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from analyzer._speedups.links cimport Link
from analyzer._speedups.rows cimport Place, Row, RowBuffer
from dissectors._speedups.documents cimport MALFORMED, DocumentScanner
from dissectors._speedups.framing cimport Message
from dissectors._speedups.heads cimport Head
from dissectors._speedups.strings cimport CSeqs, Strings

from analyzer.reading import Reading
from dissectors.notes import BAD_XCCOS, HOLE, TRUNCATED

cdef uint32_t CUT = HOLE | TRUNCATED
cdef uint32_t BROKEN = BAD_XCCOS


cdef class RowWriter:
    """Writes one row per message, and one per XCCOS element."""

    def __init__(self, *, items=True):
        """Begin; without ``items`` bodies are not looked at."""
        self.reading = Reading()
        self.strings = self.reading.rows.strings = Strings()
        self.cseqs = self.reading.rows.cseqs = CSeqs()
        self.buffer = RowBuffer()
        self.documents = DocumentScanner(self.strings)
        self.scan = items
        self.links = []
        self.charsets = {}

    cdef int on_numbered(self, Link link) except -1:
        raise NotImplementedError

    cdef int write(self, Link link, int back, const Message *message) except -1:
        """Write the row of a message."""
        cdef const Head *head = message.head
        cdef Row *row
        cdef Place *place
        cdef Py_ssize_t k, items = 0
        cdef uint32_t notes = message.notes
        if link.number < 0:
            self.number(link)
        link.messages[back] += 1
        if message.frame > link.last:
            link.last = message.frame
            link.last_time = message.time_ns
        if message.body < message.size and self.scan:
            items = self.documents.scan_body(
                message.data + message.body, message.size - message.body,
                self.charset(head.content_type),
            )
            if items < 0:
                if items == MALFORMED and not notes & CUT:
                    notes |= BROKEN
                items = 0
        row = self.buffer.more(message.count, items)
        row.time = message.time_ns
        row.digits = message.digits
        row.frame = message.frame
        row.stream = <uint32_t>(2 * link.number + back)
        row.status = head.status
        row.method = head.method
        row.reason = head.reason
        row.uri = head.uri
        row.call_id = head.call_id
        row.cseq = head.cseq
        row.from_uri = head.from_uri
        row.from_tag = head.from_tag
        row.to_uri = head.to_uri
        row.to_tag = head.to_tag
        row.content_type = head.content_type
        row.content_length = head.content_length
        row.length = <uint32_t>message.size
        row.notes = notes
        row.branch = head.branch
        row.vias = head.vias
        row.piece = <uint64_t>self.buffer.place_count
        row.pieces = <uint32_t>message.count
        row.item = <uint64_t>self.buffer.item_count
        row.items = <uint32_t>items
        for k in range(message.count):
            place = &self.buffer.places[self.buffer.place_count + k]
            place.frame = <uint32_t>message.pieces[k].frame
            place.offset = message.pieces[k].offset
            place.length = <uint32_t>message.pieces[k].length
        for k in range(items):
            self.buffer.items[self.buffer.item_count + k] = self.documents.items[k]
        self.buffer.place_count += message.count
        self.buffer.item_count += items
        if self.buffer.count and row.frame < self.buffer.rows[self.buffer.count - 1].frame:
            self.buffer.ordered = False
        self.buffer.count += 1
        return 0

    cdef object charset(self, uint32_t content_type):
        """Return the Content-Type where it names a charset, else None."""
        cdef uint32_t slot = content_type % CHARSETS
        if self.charset_known[slot] and self.charset_ids[slot] == content_type:
            return None if self.charset_known[slot] == 1 else self.charsets[content_type]
        text = self.strings.value(content_type) or ""
        named = "charset" in text.lower()
        if named:
            self.charsets[content_type] = text
        self.charset_ids[slot], self.charset_known[slot] = content_type, 2 if named else 1
        return text if named else None

    cdef int number(self, Link link) except -1:
        """Number a connection that carries SIP."""
        link.number = len(self.links)
        self.links.append(link)
        if link.gaps is not None:
            self.reading.holes += [
                (2 * link.number + back, frame, size) for back, frame, size in link.gaps
            ]
        if link.conflicts is not None:
            self.reading.conflicts += [
                (2 * link.number + back, frame, size) for back, frame, size in link.conflicts
            ]
        link.gaps = link.conflicts = None
        return self.on_numbered(link)
