"""What tshark says of a capture, in the shape in which our values can be compared with it."""

from __future__ import annotations

import shutil
import struct
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest
import zstandard

from dissectors.capture.detect import reader_for
from dissectors.model import Datagram, Frame, Malformed, Segment, address_text
from tests.dissectors.capture.layouts import enhanced, interface, section

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from dissectors.transport.layers import Item

FIELDS = (
    *("frame.number", "frame.protocols", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst"),
    *("tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.len", "tcp.payload"),
    *("udp.srcport", "udp.dstport", "udp.length", "udp.payload"),
)


class Seen(NamedTuple):
    """The innermost segment or datagram of one frame."""

    frame: int
    layer: str
    source: str
    destination: str
    seq: int
    length: int
    """Of the payload on the wire."""
    payload: bytes
    """As far as captured."""


def frames_of(path: Path) -> list[Frame]:
    """Read a whole capture file (also one that is compressed with zstandard)."""
    data = path.read_bytes()
    if path.suffix == ".zst":
        data = zstandard.ZstdDecompressor().stream_reader(data).read()
    reader = reader_for(data[:64])
    if isinstance(reader, Malformed):
        return []
    return [item for item in [*reader.feed(data), *reader.close()] if isinstance(item, Frame)]


def write_capture(path: Path, link: int, frames: Iterable[bytes]) -> list[Frame]:
    """Write a pcap file, and return its frames as a reader of it would."""
    out = bytearray(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link))
    made = []
    for number, data in enumerate(frames, 1):
        out += struct.pack("<IIII", number, 0, len(data), len(data))
        made.append(Frame(number, number * 10**9, 6, link, data, len(out), len(data)))
        out += data
    path.write_bytes(out)
    return made


def write_captures(path: Path, captures: Iterable[Iterable[Frame]]) -> None:
    """Write captures one behind the other as a pcapng file; each has interfaces of its own."""
    blocks, interfaces = [section()], 0
    for frames in captures:
        own: dict[int, int] = {}
        for frame in frames:
            if frame.link not in own:
                own[frame.link] = interfaces
                interfaces += 1
                blocks.append(interface(link=frame.link))
            blocks.append(enhanced(frame.data, number=own[frame.link], wire=frame.wire_length))
    path.write_bytes(b"".join(blocks))


def seen_in_each(captures: Mapping[str, list[Frame]], path: Path) -> dict[str, list[Seen]]:
    """Return what tshark says of captures, asked once: its start takes longer than the answer.

    They are written to ``path``, one behind the other. That their frames are those that tshark
    finds in their own files is not looked at here.
    """
    write_captures(path, captures.values())
    owners = [(name, frame.number) for name, frames in captures.items() for frame in frames]
    found: dict[str, list[Seen]] = {name: [] for name in captures}
    for seen in seen_by_tshark(path):
        name, number = owners[seen.frame - 1]
        found[name].append(seen._replace(frame=number))
    return found


def seen_by_tshark(path: Path, *options: str) -> list[Seen]:
    """Return the innermost segment or datagram of each frame, as tshark has it."""
    program = shutil.which("tshark")
    if program is None:
        pytest.fail("tshark is not installed")
    command = [program, "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=l"]
    command += ["-o", "ip.defragment:TRUE", "-o", "tcp.check_checksum:FALSE", *options]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    rows = [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]
    return [seen for row in rows if (seen := _row(row)) is not None]


def _row(row: dict[str, str]) -> Seen | None:
    layers = row["frame.protocols"].split(":")
    at = max((i for i, name in enumerate(layers) if name in ("tcp", "udp")), default=None)
    if at is None or {"gtp", "vxlan", "geneve"} & set(layers[at:]):
        return None  # neither, or a tunnel with something else inside
    layer = layers[at]
    network = [name for name in layers[:at] if name in ("ip", "ipv6")][-1]
    brackets = "[{}]:{}" if network == "ipv6" else "{}:{}"
    source = brackets.format(row[f"{network}.src"], row[f"{layer}.srcport"])
    destination = brackets.format(row[f"{network}.dst"], row[f"{layer}.dstport"])
    length = int(row["tcp.len"]) if layer == "tcp" else int(row["udp.length"]) - 8
    payload = bytes.fromhex(row[f"{layer}.payload"])
    seq = int(row["tcp.seq_raw"]) if layer == "tcp" else 0
    return Seen(int(row["frame.number"]), layer, source, destination, seq, length, payload)


def seen_by_us(items: Iterable[Item]) -> list[Seen]:
    """Return our values in the same shape; what an ICMP error quotes runs the other way."""
    found = []
    for item in items:
        if not isinstance(item, Segment | Datagram):
            continue
        source, destination = address_text(item.key)
        if isinstance(item, Datagram) and item.quoted:
            source, destination = destination, source
        layer, seq = ("tcp", item.seq) if isinstance(item, Segment) else ("udp", 0)
        length = len(item.payload) + item.missing
        found.append(Seen(item.frame, layer, source, destination, seq, length, item.payload))
    return found
