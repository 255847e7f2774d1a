"""SIP framing of streams; the twin of ``dissectors.sip.stream``.

The rule: a message is framed here when its head is plain, its Content-Length is a number that fits
and its body holds no token of SIP. At anything else the direction is handed to the reference's
``StreamReader`` with all that is held of it, and taken back when the reader holds nothing more.
That gives equal answers because those of the reference do not depend on where the bytes were cut.

A message is read where it lies; only what straddles packets is copied.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy

from dissectors._speedups.heads cimport Head, HeadScanner
from dissectors._speedups.held cimport Origin, Stream

from dissectors.model import Chunk
from dissectors.notes import LF_ONLY
from dissectors.sip.ending import DOUBTFUL, MAX_BODY
from dissectors.sip.framed import join_pieces
from dissectors.sip.overreach import LOOK_BACK
from dissectors.sip.resume import MAX_HEAD
from dissectors.sip.stream import StreamReader as Reference

cdef uint32_t UNUSUAL = DOUBTFUL | LF_ONLY
cdef int64_t LONGEST_BODY = MAX_BODY
cdef Py_ssize_t LONGEST_HEAD = MAX_HEAD
cdef Py_ssize_t TAIL = LOOK_BACK
cdef int64_t LARGEST = (1 << 63) - 1  # what columns hold
cdef enum:
    CR = 13
    LF = 10
    NONE = -1
    ODD = -2


cdef Py_ssize_t blank_line(const uint8_t *data, Py_ssize_t size, Py_ssize_t at) noexcept nogil:
    """Return where CR LF CR LF begins at or after ``at``; NONE, or ODD: another empty line may."""
    cdef const uint8_t *found
    cdef const uint8_t *end = data + size
    cdef const uint8_t *from_ = data + at
    while from_ < end:
        found = <const uint8_t *>memchr(from_, LF, end - from_)
        if found == NULL or end - found < 2:
            return NONE
        if found[1] == LF:
            return ODD
        if found[1] == CR and end - found >= 3:
            if found[2] == LF:
                return found - data - 1 if found - data > at and (found - 1)[0] == CR else ODD
            if found[2] == CR:
                return ODD
        from_ = found + 1
    return NONE


cdef bint has_token(const uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Tell whether ``SIP/2.0`` stands somewhere in the bytes."""
    cdef const uint8_t *found
    cdef const uint8_t *end = data + size
    while end - data >= 7:
        found = <const uint8_t *>memchr(data, b"S", end - data - 6)
        if found == NULL:
            return False
        if memcmp(found, b"SIP/2.0", 7) == 0:
            return True
        data = found + 1
    return False


cdef int64_t clamped(object number):
    """Return a number that a column holds."""
    return <int64_t>min(LARGEST, number)


cdef class Framer:
    """Frames the directions of all connections; to be subclassed."""

    def __cinit__(self, *_):
        self.pieces = NULL

    def __init__(self, HeadScanner scanner not None):
        self.scanner = scanner

    def __dealloc__(self):
        PyMem_Free(self.pieces)

    cdef int on_message(self, Stream stream, const Message *message) except -1:
        raise NotImplementedError

    cdef bytes read_back(self, uint64_t offset, Py_ssize_t size):
        raise NotImplementedError

    cdef int feed_bytes(
        self, Stream stream, const uint8_t *data, Py_ssize_t size, const Origin *origin
    ) except -1:
        cdef Py_ssize_t at = 0
        if stream.reader is not None:
            return self._by_reference(stream, data, size, 0, origin)
        while at < size:
            if stream.size:
                at = self._go_on(stream, data, size, at, origin)
            else:
                at = self._whole(stream, data, size, at, origin)
            if at < 0:
                return 0
        return 0

    cdef Py_ssize_t _whole(
        self, Stream stream, const uint8_t *data, Py_ssize_t size, Py_ssize_t at,
        const Origin *origin
    ) except -2:
        """Frame the message that begins at ``at``; return where to go on, -1: it is all taken."""
        cdef Py_ssize_t blank, body, end, tail
        cdef Head head
        cdef Message message
        cdef Piece piece
        cdef Origin part
        while data[at] == CR or data[at] == LF:  # keep-alives (RFC 5626 3.5.1)
            stream.behinds = 0
            at += 1
            if at == size:
                return at
        blank = blank_line(data, size, at)
        part = origin[0]
        part.offset += <uint64_t>at
        if blank < 0:
            if blank == ODD or size - at > LONGEST_HEAD:
                self._by_reference(stream, data, size, at, origin)
                return -1
            stream.hold(data + at, size - at, &part)
            return size if self._begins_well(stream, 0) else -1
        body = blank + 4
        if (
            blank - at > LONGEST_HEAD
            or not self.scanner.scan_head(data + at, blank - at, &head)
            or head.content_length < 0
            or head.content_length > LONGEST_BODY
            or head.notes & UNUSUAL
        ):
            self._by_reference(stream, data, size, at, origin)
            return -1
        end = body + <Py_ssize_t>head.content_length
        if end > size:
            stream.hold(data + at, size - at, &part)
            stream.head, stream.body, stream.need = head, body - at, end - at
            return size
        if has_token(data + body, end - body):
            self._by_reference(stream, data, size, at, origin)
            return -1
        piece.frame, piece.offset, piece.length = origin.frame, part.offset, end - at
        message.head, message.data = &head, data + at
        message.size, message.body, message.notes = end - at, body - at, head.notes
        message.frame, message.time_ns = origin.frame, origin.time_ns
        message.digits = origin.digits
        message.pieces, message.count = &piece, 1
        stream.found += 1
        self.on_message(stream, &message)
        tail = min(TAIL, end - body)
        part.offset = origin.offset + <uint64_t>(end - tail)
        part.length = tail
        stream.behind[0] = part
        stream.behinds = 1 if tail else 0
        return end

    cdef bint _begins_well(self, Stream stream, Py_ssize_t searched) except -1:
        """Tell whether what is held may be a message; else the reference has got it.

        The first ``searched`` bytes are known to hold no line end.
        """
        cdef const uint8_t *end
        cdef Py_ssize_t line
        if stream.begins_well:
            return True
        end = <const uint8_t *>memchr(stream.held + searched, LF, stream.size - searched)
        if end == NULL:
            return True
        line = end - stream.held
        while line > 0 and stream.held[line - 1] == CR:
            line -= 1
        stream.begins_well = self.scanner.is_start_line(stream.held, line)
        if not stream.begins_well:
            self._hand_over(stream)
        return stream.begins_well

    cdef Py_ssize_t _go_on(
        self, Stream stream, const uint8_t *data, Py_ssize_t size, Py_ssize_t at,
        const Origin *origin
    ) except -2:
        """Take more of the message that is held; return as ``_whole`` does."""
        cdef Py_ssize_t taken
        cdef Origin part
        if not stream.need:
            at = self._complete_head(stream, data, size, at, origin)
            if at < 0 or not stream.need:
                return at
        taken = min(size - at, stream.need - stream.size)
        if taken > 0:
            part = origin[0]
            part.offset += <uint64_t>at
            stream.hold(data + at, taken, &part)
            at += taken
        if stream.size < stream.need:
            return at
        if has_token(stream.held + stream.body, stream.need - stream.body):
            self._by_reference(stream, data, size, at, origin)
            return -1
        if not self._emit_held(stream):
            self._by_reference(stream, data, size, at, origin)
            return -1
        return at

    cdef Py_ssize_t _complete_head(
        self, Stream stream, const uint8_t *data, Py_ssize_t size, Py_ssize_t at,
        const Origin *origin
    ) except -2:
        """Look for the end of the head that is held; sets ``need`` when it is known."""
        cdef uint8_t seam[6]
        cdef Py_ssize_t before = min(stream.size, 3), behind = min(size - at, 3), blank, end
        cdef Origin part = origin[0]
        part.offset += <uint64_t>at
        memcpy(seam, stream.held + stream.size - before, before)
        memcpy(seam + before, data + at, behind)
        blank = blank_line(seam, before + behind, 0)
        if blank >= 0:
            end = at + blank + 4 - before
        else:
            if blank == NONE:
                blank = blank_line(data, size, at)
            if blank == ODD:
                self._by_reference(stream, data, size, at, origin)
                return -1
            end = blank + 4 if blank >= 0 else size
        stream.hold(data + at, end - at, &part)
        if stream.size > LONGEST_HEAD:
            self._by_reference(stream, data, size, end, origin)
            return -1
        if blank < 0:
            return end if self._begins_well(stream, stream.size - (end - at)) else -1
        stream.body = stream.size
        if (
            not self.scanner.scan_head(stream.held, stream.size - 4, &stream.head)
            or stream.head.content_length < 0
            or stream.head.content_length > LONGEST_BODY
            or stream.head.notes & UNUSUAL
        ):
            self._by_reference(stream, data, size, end, origin)
            return -1
        stream.need = stream.body + <Py_ssize_t>stream.head.content_length
        return end

    cdef int _emit_held(self, Stream stream) except -1:
        """Hand on the message that is held; 0 when the reference must."""
        cdef Message message
        cdef Origin *last = &stream.origins[0]
        cdef Py_ssize_t k, tail = min(TAIL, stream.need - stream.body)
        cdef Piece *pieces
        if stream.count > self.piece_room:
            pieces = <Piece *>PyMem_Realloc(self.pieces, 2 * stream.count * sizeof(Piece))
            if pieces == NULL:
                raise MemoryError
            self.pieces, self.piece_room = pieces, 2 * stream.count
        if not stream.remember(stream.origins, stream.count, tail):
            return 0
        for k in range(stream.count):
            if stream.origins[k].frame > last.frame:
                last = &stream.origins[k]
            self.pieces[k].frame = stream.origins[k].frame
            self.pieces[k].offset = stream.origins[k].offset
            self.pieces[k].length = stream.origins[k].length
        message.head, message.data, message.size = &stream.head, stream.held, stream.need
        message.body, message.notes = stream.body, stream.head.notes
        message.frame, message.time_ns, message.digits = last.frame, last.time_ns, last.digits
        message.pieces, message.count = self.pieces, stream.count
        stream.found += 1
        self.on_message(stream, &message)
        stream.release()
        return 1

    # the reference

    cdef int _hand_over(self, Stream stream) except -1:
        """Give the direction to the reference, with all that is held of it."""
        cdef Py_ssize_t at = 0, k
        cdef const Origin *origin
        if stream.reader is None:
            stream.reader = Reference(self.scanner.reference, whole=True)
            stream.reader.found = stream.found
            if stream.behinds:
                stream.reader.behind = self._behind(stream)
        for k in range(stream.count):
            origin = &stream.origins[k]
            chunk = Chunk(
                0, PyBytes_FromStringAndSize(<const char *>stream.held + at, origin.length),
                origin.frame, origin.time_ns, origin.digits, origin.offset, (),
            )
            at += origin.length
            for framed in stream.reader.feed(chunk):
                self.on_framed(stream, framed)
        stream.release()
        return 0

    cdef object _behind(self, Stream stream):
        """Return what the reference keeps in mind of the last body."""
        cdef Py_ssize_t at = 0
        cdef int k
        cdef const Origin *origin
        anchors = []
        for k in range(stream.behinds):
            origin = &stream.behind[k]
            data = self.read_back(origin.offset, origin.length)
            anchors.append((
                at,
                Chunk(0, data, origin.frame, origin.time_ns, origin.digits, origin.offset, ()),
            ))
            at += origin.length
        return anchors, 0, at

    cdef int _by_reference(
        self, Stream stream, const uint8_t *data, Py_ssize_t size, Py_ssize_t at,
        const Origin *origin
    ) except -1:
        """Let the reference take what is held, and the bytes from ``at`` on."""
        if stream.reader is None or stream.size:
            self._hand_over(stream)
        if at < size:
            chunk = Chunk(
                0, PyBytes_FromStringAndSize(<const char *>data + at, size - at), origin.frame,
                origin.time_ns, origin.digits, origin.offset + <uint64_t>at, (),
            )
            for framed in stream.reader.feed(chunk):
                self.on_framed(stream, framed)
        stream.take_back()
        return 0

    cdef int feed_chunk(self, Stream stream, object chunk) except -1:
        cdef Origin origin
        cdef bytes data = chunk.data
        if not chunk.fragments:
            origin.frame, origin.time_ns = chunk.frame, chunk.time_ns
            origin.digits, origin.offset = chunk.digits, chunk.offset
            origin.length = PyBytes_GET_SIZE(data)
            return self.feed_bytes(
                stream, <const uint8_t *>PyBytes_AS_STRING(data), origin.length, &origin
            )
        self._hand_over(stream)
        for framed in stream.reader.feed(chunk):
            self.on_framed(stream, framed)
        stream.take_back()
        return 0

    cdef int feed_gap(self, Stream stream, int64_t length) except -1:
        self._hand_over(stream)
        for framed in stream.reader.gap(length):
            self.on_framed(stream, framed)
        return 0

    cdef int finish(self, Stream stream) except -1:
        if stream.reader is None and not stream.size:
            return 0
        self._hand_over(stream)
        for framed in stream.reader.close():
            self.on_framed(stream, framed)
        stream.found = stream.reader.found
        stream.junk += stream.reader.junk
        stream.reader = None
        return 0

    cdef bint is_hopeless(self, Stream stream):
        return stream.reader is not None and stream.reader.hopeless

    cdef int on_framed(self, Stream stream, object framed) except -1:
        cdef Head head
        cdef Message message
        cdef Py_ssize_t k, count
        cdef Piece *pieces
        cdef bytes raw = framed.raw
        values = framed.head
        head.method, head.reason, head.uri, head.call_id = (
            values.method, values.reason, values.uri, values.call_id
        )
        head.status = clamped(values.status)
        head.cseq, head.from_uri, head.from_tag = values.cseq, values.from_uri, values.from_tag
        head.to_uri, head.to_tag, head.content_type = (
            values.to_uri, values.to_tag, values.content_type
        )
        head.content_length = (
            -1 if values.content_length is None else clamped(values.content_length)
        )
        head.branch, head.vias, head.notes = values.branch, values.vias, values.notes
        joined = []
        join_pieces(joined, framed.pieces)
        count = len(joined)
        if count > self.piece_room:
            pieces = <Piece *>PyMem_Realloc(self.pieces, count * sizeof(Piece))
            if pieces == NULL:
                raise MemoryError
            self.pieces, self.piece_room = pieces, count
        for k in range(count):
            frame, offset, length = joined[k]
            self.pieces[k].frame, self.pieces[k].offset = frame, offset
            self.pieces[k].length = length
        message.head, message.data = &head, <const uint8_t *>PyBytes_AS_STRING(raw)
        message.size, message.body, message.notes = len(raw), framed.body, framed.notes
        message.frame, message.time_ns = framed.frame, framed.time_ns
        message.digits = framed.digits
        message.pieces, message.count = self.pieces, count
        return self.on_message(stream, &message)


cpdef Stream begun(HeadScanner scanner, bint whole):
    """Return a direction; ``whole``: its beginning is in the capture."""
    cdef Stream stream = Stream()
    if not whole:
        stream.reader = Reference(scanner.reference, whole=False)
    return stream
