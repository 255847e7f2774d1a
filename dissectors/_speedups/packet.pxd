# The value types of the compiled path. They are those of ``dissectors.model``, as C structures that
# live on the stack: nothing is allocated for a frame. Pointers are good until the call returns.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t


# ``dissectors.model.Frame``
cdef struct Record:
    int64_t number
    int64_t time_ns
    int digits
    int link
    const uint8_t *data
    Py_ssize_t size  # captured bytes
    uint64_t offset  # of data in the capture file
    int64_t wire  # length on the wire


# ``dissectors.model.Segment`` or ``Datagram`` (udp), nothing missing, not from fragments
cdef struct Packet:
    int64_t frame
    int64_t time_ns
    int digits
    bint udp
    uint8_t flags
    uint8_t key_size  # 12 or 36
    uint8_t key[36]  # source address, destination address, source port, destination port
    uint32_t seq
    uint32_t ack
    const uint8_t *payload
    Py_ssize_t size
    uint64_t offset  # of payload in the capture file
