"""The twin of ``dissectors.capture``: records go to a compiled sink."""

from __future__ import annotations

from dissectors.capture.pcap import PcapReader
from dissectors.capture.pcapng import PcapngReader
from dissectors.model import Frame, Malformed

class RecordSink:
    """Takes the records of a capture file in their order; a subclass says what becomes of them."""

class FrameSink(RecordSink):
    """Appends each record to ``items``, as the reference's frame."""

    items: list[Frame | Malformed]
    def __init__(self) -> None: ...

class FastPcapReader(PcapReader):
    """Bytes of a pcap file in; records go to a sink, what is to be said of the file comes out."""

    def __init__(self, sink: RecordSink) -> None: ...

class FastPcapngReader(PcapngReader):
    """Bytes of a pcapng file in; records go to a sink, what is to be said of the file comes out."""

    def __init__(self, sink: RecordSink) -> None: ...

def fast_reader_for(head: bytes, sink: RecordSink) -> FastPcapReader | FastPcapngReader | Malformed:
    """Return a new reader for the file that begins with ``head``, whose records go to ``sink``.

    As ``dissectors.capture.detect.reader_for``: a ``Malformed`` where there is no reader for it.
    """
