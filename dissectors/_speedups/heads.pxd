# The twin of ``dissectors.sip.scan``.

from libc.stdint cimport int64_t, uint8_t, uint32_t

from dissectors._speedups.strings cimport Strings


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


cdef class HeadScanner:
    cdef Strings strings
    cdef Strings cseqs
    cdef readonly object reference  # dissectors.sip.scan.HeadScanner over the same tables

    # Scan a head (without its blank line): 1 when it is one, 0 when there is no start line.
    cdef int scan_head(self, const uint8_t *data, Py_ssize_t size, Head *head) except -1
