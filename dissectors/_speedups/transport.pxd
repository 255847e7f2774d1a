# The twin of the fast path of ``dissectors.transport.decoder``.

from dissectors._speedups.packet cimport Packet, Record

# Give what a frame carries if that needs no decision: 1, and ``packet`` points into the record.
# 0 is for the reference's ``FrameDecoder`` to decide; ``packet`` is undefined then.
cdef int plain(const Record *record, Packet *packet) noexcept nogil

# Tell, after ``plain`` gave 1, whether this is a segment that the reference's ``FrameDecoder``
# leaves out unless it is to give bare ones.
cdef bint is_bare(const Record *record, const Packet *packet) noexcept nogil

# ``dissectors.model.Segment`` or ``Datagram`` of a packet (a copy).
cdef object item_of(const Packet *packet)
