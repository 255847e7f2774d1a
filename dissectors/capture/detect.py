"""Which reader a capture file needs, told by its first bytes.

The one rule: the magic number decides, never the file's name. For a file that no reader knows, say
what it seems to be: that is what helps the engineer, not "unsupported".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.capture.detect_text import text_kind
from dissectors.capture.pcap import VARIANTS, PcapReader
from dissectors.capture.pcapng import PcapngReader
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAGIC_LENGTH = 4
HEAD_LENGTH = 512
"""First bytes that are worth passing: more do not change the answer."""

READERS: dict[bytes, Callable[[], PcapReader | PcapngReader]] = {
    **dict.fromkeys(VARIANTS, PcapReader),
    b"\x0a\x0d\x0d\x0a": PcapngReader,
}

_CONVERT = "Wireshark's editcap may be able to convert it to pcapng"
_UNPACK = "unpack it first"

# First bytes, what they are, what to do about it. A longer prefix stands before a shorter one.
OTHER_FORMATS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x0d\x0a\x0d\x0d\x0d\x0a", "a pcapng file damaged by a text-mode transfer", "copy it anew"),
    (b"\x0a\x0d\x0a", "a pcapng file damaged by a text-mode transfer", "copy it anew"),
    (b"GMBU", "a Microsoft Network Monitor 2 capture", _CONVERT),
    (b"RTSS", "a Microsoft Network Monitor 1 capture", _CONVERT),
    (b"snoop\0\0\0", "a snoop capture", _CONVERT),
    (b"btsnoop\0", "a Bluetooth snoop capture", "it holds no network traffic"),
    (b"iptrace ", "an AIX iptrace capture", _CONVERT),
    (b"TRSNIFF data", "a Sniffer capture", _CONVERT),
    (b"XCP\0", "a NetXray or Windows Sniffer capture", _CONVERT),
    (b"\x7fver", "an OmniPeek capture", _CONVERT),
    (b"\x1c\x00\x01\xac", "an Ixia capture", _CONVERT),
    (b"\x1c\x00\x01\xab", "an Ixia capture", _CONVERT),
    (b"\x1f\x8b", "gzip data", "it may have been compressed twice; unpack it once"),
    (b"\x28\xb5\x2f\xfd", "zstd data", "it may have been compressed twice; unpack it once"),
    (b"BZh", "bzip2 data", _UNPACK),
    (b"\xfd7zXZ\0", "xz data", _UNPACK),
    (b"\x04\x22\x4d\x18", "lz4 data", _UNPACK),
    (b"PK\x03\x04", "a ZIP archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"MSCF", "a cabinet archive", _UNPACK),
    (b"%PDF-", "a PDF document", ""),
    (b"\x89PNG", "a picture", ""),
    (b"\xff\xd8\xff", "a picture", ""),
    (b"MZ", "a Windows program", ""),
    (b"\x7fELF", "a program", ""),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a Microsoft Office or installer file", ""),
    (b"SQLite format 3\0", "an SQLite database", ""),
    (b"\xff\xfe", "UTF-16 text", ""),
    (b"\xfe\xff", "UTF-16 text", ""),
)

# Behind the header of the first buffer (72 bytes) stands the system event that begins each log:
# version, 1 or 2 for 32 or 64 bits, the mark 0xC0 (SYSTEM_TRACE_HEADER).
_ETW_VERSIONS = (b"\1\0", b"\2\0")
_ETW = (
    "an event trace log of Windows (.etl); packets of netsh and pktmon: etl2pcapng, server traces: "
    "OCSLogger or Search-CsClsLogging make text of it"
)


def reader_for(
    head: bytes,
    readers: Mapping[bytes, Callable[[], PcapReader | PcapngReader]] = READERS,
) -> PcapReader | PcapngReader | Malformed:
    """Return a new reader for the file that begins with ``head``, to be fed from the first byte.

    ``head`` is the first ``HEAD_LENGTH`` bytes; fewer do (4 decide), more are ignored. Returns a
    ``Malformed`` that says what the file seems to be when there is no reader for it.
    """
    make = readers.get(head[:MAGIC_LENGTH])
    if make is not None:
        return make()
    return Malformed("capture", _what_it_is(head[:HEAD_LENGTH], readers), offset=0)


def _what_it_is(head: bytes, magics: Mapping[bytes, object]) -> str:
    if not head:
        return "the file is empty"
    if len(head) < MAGIC_LENGTH and any(magic.startswith(head) for magic in magics):
        return f"the file ends inside the file header ({len(head)} bytes are left of it)"
    for magic, name, advice in OTHER_FORMATS:
        if head.startswith(magic):
            return f"this is not a capture file that can be read but {name}" + (
                f"; {advice}" if advice else ""
            )
    if text := text_kind(head):
        return f"this is not a capture file but {text}"
    if not any(head):
        return "the file begins with zeros: it was never written, or its beginning is lost"
    if kind := _by_structure(head):
        return f"this is not a capture file that can be read{kind}"
    return f"this is not a capture file that can be read; it begins with {head[:8].hex(' ')}"


def _by_structure(head: bytes) -> str | None:
    """Return what a file is that has no magic number at its beginning."""
    if head[257:262] == b"ustar":
        return f" but a tar archive; {_UNPACK}"
    if head[72:74] in _ETW_VERSIONS and head[74:75] in (b"\1", b"\2") and head[75:76] == b"\xc0":
        return f" but {_ETW}"
    return f", perhaps an ERF capture; {_CONVERT}" if _may_be_erf(head) else None


def _may_be_erf(head: bytes) -> bool:
    """Tell a likely ERF record, which has no magic number: little-endian time, type, lengths."""
    if len(head) < 16:
        return False
    seconds = int.from_bytes(head[4:8], "little")
    kind, length = head[8] & 0x7F, int.from_bytes(head[10:12], "big")
    year_2000, year_2100 = 946684800, 4102444800
    return year_2000 <= seconds < year_2100 and 1 <= kind <= 48 and length >= 16
