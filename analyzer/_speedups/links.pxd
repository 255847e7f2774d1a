# What is known of a connection while a capture is read; the twin of ``analyzer.flow``.

from libc.stdint cimport int64_t

from dissectors._speedups.framing cimport Stream
from dissectors._speedups.reassembly cimport Direction


cdef class Link:
    cdef readonly bytes key  # from the opener to the other side
    cdef readonly str transport
    cdef bint syn
    cdef int64_t connection  # number that the reassembler gave
    cdef public int64_t number  # number in the reading, -1 before the first message
    cdef readonly int64_t first
    cdef int64_t last
    cdef int64_t first_time
    cdef int64_t last_time
    cdef int64_t messages[2]
    cdef int64_t holes
    cdef int open  # directions that have not ended
    cdef bint cut[2]
    cdef object service
    cdef object ends  # list of two, or None while neither direction has ended
    cdef list gaps  # before the first message; None where there are none
    cdef list conflicts  # likewise
    cdef object flow  # the reference's, where somebody keeps it

    cdef object settled(self)


# A direction, and the SIP in it.
cdef class Side(Direction):
    cdef Link link
    cdef int back  # 0 from the opener, 1 to it
    cdef Stream sip  # None while no byte of it was seen
