"""HEP over UDP with compressed payloads: what the ordinary decoding of frames counts and leaves.

What is unpacked lies nowhere in the capture. The items therefore have no offset: whoever asks for
them keeps their bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.model import Datagram
from dissectors.transport.hep import CUT_SHORT, Hep, inflated
from dissectors.transport.layers import Item, Layers

if TYPE_CHECKING:
    from dissectors.transport.ip import Packet


class PackedHep(Layers):
    """Decodes frames as ``Layers`` does, and keeps apart what was compressed in them."""

    def __init__(self) -> None:
        super().__init__()
        self.packed: list[Datagram | str] = []
        """What an agent saw, or why it cannot be told; the caller takes it away."""

    def _hep(self, body: Packet, hep: Hep | str) -> Item | None:
        if isinstance(hep, str) or hep.other or not hep.compressed or hep.end > body.length:
            return super()._hep(body, hep)
        plain = inflated(body.data[hep.start : hep.end]) if hep.end <= len(body.data) else CUT_SHORT
        if isinstance(plain, str):
            self.packed.append(plain)
            return None
        time_ns, digits = (hep.time_ns, 6) if hep.time_ns else (body.time_ns, body.digits)
        self.packed.append(
            Datagram(
                body.frame, time_ns, digits, hep.key, plain, 0, 0,
                transport=hep.transport, whole=hep.transport == "udp",
            )
        )  # fmt: skip
        return None
