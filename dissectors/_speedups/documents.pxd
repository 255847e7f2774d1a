# The twin of ``dissectors.xccos.scan``.

from libc.stdint cimport uint8_t, uint32_t

from dissectors._speedups.markup cimport Place
from dissectors._speedups.strings cimport Strings

# What ``scan_body`` returns in place of the number of items.
cdef enum:
    NOT_XCCOS = -1
    MALFORMED = -2


# One row of ``analyzer.rows.Rows.ITEM``; numbers of strings, 0 where absent
cdef struct Item:
    uint32_t element
    uint32_t id
    uint32_t seqid
    uint32_t envid
    uint32_t command_seqid
    uint32_t command_envid
    uint32_t code
    uint32_t text  # of ``resp``; 0 for a grpchat, whose text rows do not keep
    uint8_t has_commandid


# One item as it stands in the body; strings get their numbers when the whole body was accepted
cdef struct Found:
    Place element
    Place id
    Place seqid
    Place command_seqid
    Place command_envid
    Place code
    Place text
    uint8_t has_commandid
    uint8_t has_resp
    uint8_t is_chat
    uint8_t escaped  # the text of ``resp`` holds references or line ends, which may read otherwise


cdef class DocumentScanner:
    cdef Strings strings
    cdef Item *items  # what the last scan found; good until the next one
    cdef Found *found
    cdef Py_ssize_t room  # entries allocated, of each
    cdef readonly Py_ssize_t fallbacks  # bodies that the reference was asked about
    cdef dict verdicts  # by content type: whether it names UTF-8
    cdef object last_type
    cdef bint last_verdict

    # Scan a body; return the number of items, NOT_XCCOS or MALFORMED. ``content_type`` is None
    # unless it names a charset (as analyzer.row_writer passes it).
    cdef Py_ssize_t scan_body(
        self, const uint8_t *body, Py_ssize_t size, object content_type
    ) except -3

    cdef tuple row(self, Py_ssize_t k)
    cdef Py_ssize_t walk(self, const uint8_t *body, const uint8_t *end, Place *envid) except -3
    cdef int number_strings(self, const uint8_t *body, Py_ssize_t count, Place envid) except -1
    cdef uint32_t number_escaped(self, const uint8_t *text, uint32_t size) except 0
    cdef Py_ssize_t refer(
        self, const uint8_t *body, Py_ssize_t size, object content_type
    ) except -3
    cdef int store(self, Py_ssize_t k, tuple row) except -1
    cdef bint names_utf8(self, object content_type) except -1
    cdef int widen(self, Py_ssize_t least) except -1
