"""What is known of a TCP connection or UDP flow while a capture is read; twin of ``analyzer.flow``.

The rule: no Python object of its own but the key, until something unusual needs one.
"""

from libc.stdint cimport int64_t

from dissectors._speedups.framing cimport Stream
from dissectors._speedups.reassembly cimport Direction

from analyzer.flow import Flow


cdef class Link:
    """Both directions."""

    cdef object settled(self):
        """Return it as the reference has it."""
        flow = self.flow
        if flow is None:
            flow = self.flow = Flow(
                self.key, self.transport, syn=bool(self.syn), frame=self.first,
                time_ns=self.first_time,
            )
        flow.connection = self.connection
        flow.number = self.number
        flow.last = self.last
        flow.times = [self.first_time, self.last_time]
        flow.messages = [self.messages[0], self.messages[1]]
        flow.holes = self.holes
        flow.service = self.service
        flow.open = self.open
        flow.cut = [bool(self.cut[0]), bool(self.cut[1])]
        if self.ends is not None:
            flow.ends = self.ends
        return flow


cdef class Side(Direction):
    """One direction, and the SIP in it."""
