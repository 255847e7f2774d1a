"""The twin of ``dissectors.transport.decoder``."""

from __future__ import annotations

from dissectors.model import Datagram, Frame, Segment
from dissectors.transport import decoder
from dissectors.transport.layers import Item

def plain_item(frame: Frame) -> Segment | Datagram | None:
    """Return what a frame carries if the compiled path takes it, None otherwise."""

class FrameDecoder(decoder.FrameDecoder):
    """The reference's decoder, which is asked only for what the compiled path does not take."""

    def feed(self, frames: list[Frame]) -> list[Item]:
        """Return what the frames carry; a datagram in fragments comes with its last frame."""
