# The values of a head as they lie and as they are kept; of ``heads``.

from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint32_t

from dissectors._speedups.strings cimport Span, Strings

# Slots of the values that are collected, as in the reference.
cdef enum:
    OTHER, CALL_ID, CSEQ, FROM, TO, TYPE, LENGTH, FORWARDS, VIA
    SLOT = 15
    COMPACT_FORM = 16


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


# A string of which the number is wanted, and where it is to be written.
cdef struct Wanted:
    const uint8_t *data
    Py_ssize_t size
    uint32_t hash
    bint pair  # of ``cseqs``
    uint32_t *number


cdef enum:
    MOST_WANTED = 16  # of one head; there are ten


cdef inline int64_t clamped(object number) except? -1:
    return INT64_MAX if number > INT64_MAX else number


cdef class ValueReader:
    cdef Strings strings
    cdef Strings cseqs
    cdef readonly object reference  # dissectors.sip.scan.HeadScanner over the same tables
    cdef tuple remembered  # of the reference, by slot
    cdef Wanted[MOST_WANTED] wanted
    cdef int wanting

    # Have the number of a string written before ``keep_wanted`` returns. The tables are large, and
    # the strings of one head are looked up together.
    cdef void want(
        self, const uint8_t *data, Py_ssize_t size, uint32_t *number, bint pair=*
    ) noexcept
    cdef int keep_wanted(self) except -1

    cdef object learnt(self, int slot, Span value)
    cdef int keep(self, Span value, bint latin, int slot, uint32_t *number) except -1
    cdef int read_values(self, Values *found, Head *head) except -1
    cdef int read_cseq(self, Values *found, Head *head, uint32_t *method) except -1
    cdef int read_address(
        self, Values *found, int slot, uint32_t *uri, uint32_t *tag
    ) except -1
    cdef int read_length(self, Values *found, Head *head) except -1
    cdef uint32_t branch_of(self, Span via) except? 0
