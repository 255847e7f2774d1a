# Messages as JSON lines and CSV.

from cpython.array cimport array
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from analyzer._speedups.fulltext cimport Parts
from analyzer._speedups.readback cimport Message, MessageReader, Pieces
from analyzer._speedups.spelling cimport Out
from analyzer._speedups.spelt cimport Spelt, SpeltPairs


# One field of a line.
cdef struct Step:
    int kind
    const char *before  # what stands before its value
    Py_ssize_t before_size
    int at  # of a string: its column; of a field of the stream: its place there


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


cdef class LineWriter:
    cdef bint json
    cdef tuple befores  # keeps what the steps point to
    cdef Step *steps
    cdef int count
    cdef const char *end
    cdef Py_ssize_t end_size
    cdef Out out
    cdef Out scratch
    cdef object streams
    cdef MessageReader reader
    cdef object rows
    cdef list columns  # keeps what the batch points to, where it is
    cdef Py_ssize_t at  # the next row of the batch
    cdef int64_t first_index
    cdef Batch batch
    cdef object strings
    cdef Spelt texts
    cdef object pairs
    cdef SpeltPairs cseqs
    cdef dict notes
    cdef dict utf8  # by content type: chat texts are UTF-8
    cdef StreamTexts *known
    cdef int64_t second
    cdef char second_text[20]  # 2026-11-22T07:20:06
    # Of the message that was read back last
    cdef Py_ssize_t read_row
    cdef Message message
    cdef Py_ssize_t cut_row
    cdef bint plain
    cdef Parts parts
    cdef dict record

    cdef int fill(self, object wanted) except -1
    cdef int line(self, Py_ssize_t row, int64_t index) except -1
    cdef int value(self, const Step *step, Py_ssize_t row, int64_t index) except -1
    cdef int slow_value(self, const Step *step, Py_ssize_t row) except -1
    cdef int put_time(self, Py_ssize_t row) except -1
    cdef int put_frames(self, Py_ssize_t row) except -1
    cdef int put_kind(self, bint request) except -1
    cdef int put_string(self, uint32_t number) except -1
    cdef int put_notes(self, uint32_t bits) except -1
    cdef const StreamTexts *stream_texts(self, uint32_t stream) except NULL
    cdef int spell_stream(self, StreamTexts *known, uint32_t stream) except -1
    cdef int read_back(self, Py_ssize_t row) except -1
    cdef bytes raw(self, Py_ssize_t row)
    cdef int put_sha1(self, Py_ssize_t row) except -1
    cdef int put_full(self, int kind, Py_ssize_t row) except -1
    cdef int put_plain_part(self, int kind, Py_ssize_t row) except -1
    cdef int cut(self, Py_ssize_t row) except -1
    cdef int put_json_items(self, Py_ssize_t row) except -1
    cdef int put_csv_items(self, Py_ssize_t row) except -1
    cdef int put_csv_item(self, Py_ssize_t row, uint64_t k) except -1
    cdef int put_command(self, uint32_t seqid, uint32_t envid) except -1
    cdef int put_plain_chat(self, Py_ssize_t row) except -1
    cdef object chat_texts(self, Py_ssize_t row)
    cdef int take(self, object rows) except -1
    cdef int take_items(self, object rows) except -1
    cdef const void *column(self, array column, char code, Py_ssize_t least) except? NULL
