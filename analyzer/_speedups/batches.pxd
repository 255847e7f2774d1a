# The rows of a batch, and what they refer to; of ``items`` and ``lines``.

from cpython.array cimport array
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from analyzer._speedups.readback cimport Message, MessageReader, Pieces
from analyzer._speedups.spelling cimport Out
from analyzer._speedups.spelt cimport Spelt, SpeltPairs


# The columns of a batch that lines are made of: ``analyzer.rows.Rows``.
cdef struct Batch:
    Py_ssize_t rows
    const int64_t *time
    const uint8_t *digits
    const uint32_t *frame
    const uint32_t *stream
    const int64_t *status
    const uint32_t *cseq
    const int64_t *content_length
    const uint32_t *length
    const uint32_t *notes
    const uint32_t *content_type
    const uint32_t *strings[9]
    const uint64_t *item
    const uint32_t *items
    Py_ssize_t all_items
    const uint32_t *element
    const uint32_t *id
    const uint32_t *seqid
    const uint32_t *envid
    const uint32_t *command_seqid
    const uint32_t *command_envid
    const uint8_t *has_command
    const uint32_t *code
    const uint32_t *text
    Pieces pieces


cdef enum:
    ADDRESS = 56  # the longest: IPv6 in brackets, a port and quotes


# The texts of a stream as they are written; a place is used again for another stream.
cdef struct StreamTexts:
    int64_t stream
    char text[3][ADDRESS]
    uint8_t size[3]
    bint datagrams


cdef class BatchWriter:
    cdef bint json
    cdef Out out
    cdef Out scratch
    cdef object streams
    cdef object keys  # of the connections, where the streams are made of them; else None
    cdef MessageReader reader
    cdef object rows
    cdef list columns  # keeps what the batch points to, where it is
    cdef Batch batch
    cdef object strings
    cdef Spelt texts
    cdef object pairs
    cdef SpeltPairs cseqs
    cdef StreamTexts *known
    # Of the message that was read back last
    cdef Py_ssize_t read_row
    cdef Message message

    cdef int take(self, object rows) except -1
    cdef int take_items(self, object rows) except -1
    cdef const void *column(self, array column, char code, Py_ssize_t least) except? NULL
    cdef int put_string(self, uint32_t number) except -1
    cdef const StreamTexts *stream_texts(self, uint32_t stream) except NULL
    cdef int spell_stream(self, StreamTexts *known, uint32_t stream) except -1
    cdef int spell_text(self, StreamTexts *known, int k, str text) except -1
    cdef int spell_addresses(self, StreamTexts *known, const uint8_t *key, bint back) except -1
    cdef int keep_text(self, StreamTexts *known, int k) except -1
    cdef int read_back(self, Py_ssize_t row) except -1
    cdef bytes raw(self, Py_ssize_t row)
