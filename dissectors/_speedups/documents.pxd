# The twin of ``dissectors.xccos.scan``.

from libc.stdint cimport uint8_t, uint32_t

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


cdef class DocumentScanner:
    cdef Strings strings
    cdef Item *items  # what the last scan found; good until the next one
    cdef Py_ssize_t room  # entries allocated

    # Scan a body; return the number of items, NOT_XCCOS or MALFORMED. ``content_type`` is None
    # unless it names a charset (as analyzer.row_writer passes it).
    cdef Py_ssize_t scan_body(
        self, const uint8_t *body, Py_ssize_t size, object content_type
    ) except -3
