# The twin of ``dissectors.capture``: records of a capture file, handed to a sink one at a time.

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from dissectors._speedups.packet cimport Record


# Takes the records of a capture file in their order.
cdef class RecordSink:
    # To be overridden. The record is good until the call returns, what it points to until ``done``
    # is called. An exception leaves ``feed``; the reader must not be fed again then.
    cdef int record(self, const Record *record) except -1
    cdef int done(self) except -1


# ``dissectors.model.Frame`` of a record (a copy), and the record of a frame (which it points into).
cdef object frame_of(const Record *record)
cdef int fill_record(object frame, Record *record) except -1


# Numbers as they lie in a file, at any address; compilers make one load of each.
cdef inline uint16_t big16(const uint8_t *at) noexcept nogil:
    return <uint16_t>(at[0] << 8 | at[1])


cdef inline uint32_t big32(const uint8_t *at) noexcept nogil:
    return <uint32_t>at[0] << 24 | <uint32_t>at[1] << 16 | <uint32_t>at[2] << 8 | at[3]


cdef inline uint32_t little32(const uint8_t *at) noexcept nogil:
    return <uint32_t>at[3] << 24 | <uint32_t>at[2] << 16 | <uint32_t>at[1] << 8 | at[0]
