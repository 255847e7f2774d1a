# The twin of ``dissectors.sip.scan``.

from libc.stdint cimport int64_t, uint8_t, uint32_t

from dissectors._speedups.strings cimport Span, Strings


# ``dissectors.sip.scan.Head``; numbers of strings (of cseqs in ``cseq``), 0 where absent
cdef struct Head:
    int64_t status  # -1 for a request
    int64_t content_length  # as declared, at most 2**63 - 1; -1 where absent or not a number
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
    uint32_t branch
    uint32_t vias
    uint32_t notes


# The values of a head where they lie; data is NULL where the header is absent.
cdef struct Values:
    Span first[9]  # by slot
    Py_ssize_t vias
    uint32_t notes
    bint latin  # not all of the head is UTF-8: its text is decoded line by line


cdef class HeadScanner:
    cdef Strings strings
    cdef Strings cseqs
    cdef readonly object reference  # dissectors.sip.scan.HeadScanner over the same tables
    cdef tuple remembered  # of the reference, by slot
    cdef uint32_t *ends  # of the lines of a head

    # Scan a head (without its blank line): 1 when it is one, 0 when there is no start line.
    cdef int scan_head(self, const uint8_t *data, Py_ssize_t size, Head *head) except -1

    # Tell whether a line (without its end) is a start line.
    cdef bint is_start_line(self, const uint8_t *line, Py_ssize_t size) except -1

    cdef int refer(self, const uint8_t *data, Py_ssize_t size, Head *head) except -1
    cdef object learnt(self, int slot, Span value)
    cdef int read_start(self, Span line, bint latin, Head *head) except -1
    cdef int read_status_line(self, Span line, bint latin, Head *head) except -1
    cdef int read_request_line(self, Span line, Head *head) except -1
    cdef int collect(
        self, const uint8_t *data, Py_ssize_t lines, bint high, Values *found
    ) except -1
    cdef int add_via(self, Span text, Values *found) except -1
    cdef uint32_t keep(self, Span value, bint latin, int slot) except? 0
    cdef int read_values(self, Values *found, Head *head) except -1
    cdef int read_cseq(self, Values *found, Head *head) except -1
    cdef int read_address(
        self, Values *found, int slot, uint32_t *uri, uint32_t *tag
    ) except -1
    cdef int read_length(self, Values *found, Head *head) except -1
    cdef uint32_t branch_of(self, Span via) except? 0
