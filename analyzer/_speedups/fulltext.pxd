# What is written straight from the bytes of a message: its headers, its body, a chat text.

from libc.stdint cimport int64_t, uint8_t

from analyzer._speedups.readback cimport Message
from analyzer._speedups.spelling cimport Out


# A message cut into its parts, as offsets.
cdef struct Parts:
    Py_ssize_t start_end  # of the start line, without its line end
    Py_ssize_t head_end  # of the last header, with its line end
    Py_ssize_t body


# 1 when the head is plain CRLF lines that the parser reads as they stand, else 0.
cdef int cut_message(const Message *message, Parts *parts) noexcept nogil

# Each writes JSON and returns 1; or 0, with a part written, where the parser has to decide.
cdef int put_start_line(Out *out, const Message *message, const Parts *parts) except -1
cdef int put_headers(Out *out, const Message *message, const Parts *parts) except -1
cdef int put_body(Out *out, const Message *message, const Parts *parts) except -1

# Say whether bytes are UTF-8.
cdef bint is_utf8(const uint8_t *data, Py_ssize_t size) noexcept nogil

# The text of a message with one chat message in the plainest shape; 0 as above for any other.
cdef int put_chat(
    Out *out, const Message *message, int64_t content_length, bint json
) except -1
