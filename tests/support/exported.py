"""Captures of exported PDUs, made by hand and by tshark, and readings on both paths."""

from __future__ import annotations

import shutil
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest

from analyzer.pipeline import Pipeline
from dissectors.capture.writer import write_pcapng
from dissectors.model import Frame
from tests.support.packets import START_NS, STEP_NS, Udp, key
from tests.support.sameness import plain_reading
from tests.support.twin import is_built

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analyzer.reading import Reading

UPPER_PDU = 252


def tag(number: int, value: bytes) -> bytes:
    """Return one tag of an exported PDU, padded as Wireshark does."""
    value += bytes(-len(value) % 4)
    return struct.pack("!HH", number, len(value)) + value


def exported(tags: Sequence[tuple[int, bytes]], payload: bytes) -> bytes:
    """Return the data of a frame from its tags, in their order."""
    return b"".join(tag(number, value) for number, value in tags) + bytes(4) + payload


def upper(datas: Sequence[bytes]) -> list[Frame]:
    """Return frames with exported PDUs, one millisecond apart."""
    return [
        Frame(number, START_NS + number * STEP_NS, 6, UPPER_PDU, data, 0, len(data))
        for number, data in enumerate(datas, 1)
    ]


def upper_capture(datas: Sequence[bytes]) -> bytes:
    """Return a capture file of exported PDUs."""
    return write_pcapng(upper(datas))


def flow_key(source: str, target: str) -> bytes:
    """Return the key of a direction between ``ip:port`` and ``ip:port``."""
    return key(Udp(source, target, b""))


def read_on_both_paths(data: bytes, *, size: int = 1 << 16) -> Reading:
    """Read a capture; where the compiled path is built it must give the same."""
    reading = _read(Pipeline(), data, size)
    if is_built():
        from analyzer._speedups.pipeline import Pass

        assert plain_reading(_read(Pass(), data, size)) == plain_reading(reading)
    return reading


def _read(pipeline: object, data: bytes, size: int) -> Reading:
    assert hasattr(pipeline, "feed")
    assert hasattr(pipeline, "close")
    for at in range(0, len(data), size):
        pipeline.feed(data[at : at + size])
    reading: Reading = pipeline.close()
    reading.settle()
    return reading


def tshark() -> str:
    """Return where tshark is; without it the test fails."""
    found = shutil.which("tshark")
    if found is None:
        pytest.fail("tshark is needed to test this (Debian: apt install tshark)", pytrace=False)
    return found


def export_of(capture: Path, into: Path, layer: int, *options: str) -> bytes:
    """Return what ``tshark -U`` exports of a capture: the SIP of layer 7, or TCP's payload of 4."""
    command = [tshark(), "-r", str(capture), *options, "-U", f"OSI layer {layer}", "-w", str(into)]
    command += ["-Y", "sip" if layer == 7 else "tcp"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return into.read_bytes()
