"""The twin of ``dissectors.sip.stream`` with the interface of the reference, for tests.

The rule: what is fed is kept, so that it can be read again.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint64_t

from dissectors._speedups.framing cimport Framer, Message
from dissectors._speedups.heads cimport Head, HeadScanner
from dissectors._speedups.held cimport Stream

from dissectors._speedups.framing import begun
from dissectors.model import Piece
from dissectors.sip.framed import Framed, join_pieces
from dissectors.sip.scan import Head as HeadTuple


cdef class _Collector(Framer):
    """Collects messages as the reference gives them."""

    cdef list out
    cdef dict fed  # bytes by their offset, to read back

    def __init__(self, HeadScanner scanner not None):
        Framer.__init__(self, scanner)
        self.out = []
        self.fed = {}

    cdef bytes read_back(self, uint64_t offset, Py_ssize_t size):
        for start, data in self.fed.items():
            if start <= offset and offset + size <= start + len(data):
                return data[offset - start : offset - start + size]
        return b""

    cdef int on_message(self, Stream stream, const Message *message) except -1:
        cdef const Head *head = message.head
        cdef Py_ssize_t k
        values = HeadTuple(
            head.method, head.status, head.reason, head.uri, head.call_id, head.cseq,
            head.from_uri, head.from_tag, head.to_uri, head.to_tag, head.content_type,
            None if head.content_length < 0 else head.content_length, head.branch, head.vias,
            head.notes,
        )
        pieces = tuple(
            Piece(
                message.pieces[k].frame, message.pieces[k].offset, message.pieces[k].length
            )
            for k in range(message.count)
        )
        raw = PyBytes_FromStringAndSize(<const char *>message.data, message.size)
        self.out.append(
            Framed(
                values, raw, message.body, message.notes, message.frame, message.time_ns,
                message.digits, pieces,
            )
        )
        return 0

    cdef int on_framed(self, Stream stream, object framed) except -1:
        joined = []
        join_pieces(joined, framed.pieces)
        self.out.append(framed._replace(pieces=tuple(joined)))
        return 0

    cdef list taken(self):
        out, self.out = self.out, []
        return out


class StreamReader:
    """One direction, with the interface of the reference."""

    def __init__(self, scanner, *, whole):
        self._framer = _Collector(scanner)
        self._stream = begun(scanner, whole)

    @property
    def found(self):
        """Messages so far."""
        stream = <Stream?>self._stream
        return stream.found if stream.reader is None else stream.reader.found

    @property
    def junk(self):
        """Bytes that belong to no message."""
        stream = <Stream?>self._stream
        return stream.junk + (0 if stream.reader is None else stream.reader.junk)

    @property
    def hopeless(self):
        """No message in so many bytes that the stream must be something else."""
        return (<_Collector?>self._framer).is_hopeless(<Stream?>self._stream)

    def feed(self, chunk):
        """Return the messages that this chunk completes."""
        framer = <_Collector?>self._framer
        if not chunk.fragments:
            framer.fed[chunk.offset] = chunk.data
        framer.feed_chunk(<Stream?>self._stream, chunk)
        return framer.taken()

    def gap(self, length):
        """Return what can still be used before ``length`` missing bytes."""
        framer = <_Collector?>self._framer
        framer.feed_gap(<Stream?>self._stream, length)
        return framer.taken()

    def close(self):
        """Return what can still be used at the end of the stream."""
        framer = <_Collector?>self._framer
        framer.finish(<Stream?>self._stream)
        return framer.taken()
