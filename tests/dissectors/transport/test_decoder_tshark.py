"""The same captures through tshark: which frame carries which segment or datagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dissectors.transport.decoder import FrameDecoder
from tests.dissectors.transport.encapsulations import ETHERNET, OTHER_LINKS
from tests.dissectors.transport.wireshark import (
    frames_of,
    seen_by_tshark,
    seen_by_us,
    write_capture,
)
from tests.paths import SHARED, require_shared

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_path")


CAPTURES = SHARED / "corpus" / "captures"
GROUPS = (
    *("linktypes", "ip_fragments", "tcp_reassembly", "sip_tcp_dev", "sip_udp", "sip_encap"),
    *("file_formats", "pcapng_suite", "sip_tcp", "sip_malformed", "sip_tls", "xccos_dev"),
)
FILES = [
    path.relative_to(CAPTURES).as_posix()
    for group in GROUPS
    for path in sorted((CAPTURES / group).glob("*"))
    if path.suffix in (".pcap", ".pcapng", ".ntar", ".zst")
]

# Where we differ from tshark on purpose: file, frame, reason.
EXCEPTIONS = {
    ("linktypes/LINKTYPE_IPV4_invalid.pcap", 1): (
        "IPv6 under a link type that says IPv4: tshark goes by the version, we report damage"
    ),
    ("ip_fragments/fragmented-1.pcap", 3): (
        "fragments that overlap, beyond the UDP length: tshark lets later bytes win"
    ),
    ("ip_fragments/fragmented-4.pcap", 5): (
        "fragments that overlap: the bytes that came first make the request, later ones hide it"
    ),
    ("sip_encap/gtp-iphone.pcap", 7): (
        "an ICMP error that quotes no payload: the last payload tshark lists is of the tunnel"
    ),
}


def test_there_are_captures() -> None:
    require_shared()
    assert len(FILES) > 90


@pytest.mark.parametrize("name", FILES)
def test_each_frame_carries_what_tshark_says(name: str) -> None:
    path = require_shared() / "corpus" / "captures" / name
    decoder = FrameDecoder()
    ours = {seen.frame: seen for seen in seen_by_us(decoder.feed(frames_of(path)))}
    theirs = {seen.frame: seen for seen in seen_by_tshark(path)}
    different = {
        frame for frame in ours.keys() | theirs.keys() if ours.get(frame) != theirs.get(frame)
    }
    assert different == {frame for file, frame in EXCEPTIONS if file == name}


def test_tshark_finds_the_same_behind_ethernet(tmp_path: Path) -> None:
    # Without a label table, tshark does not guess what a pseudowire carries
    frames = [data for name, data in ETHERNET.items() if name != "MPLS pseudowire"]
    path = tmp_path / "ethernet.pcap"
    ours = seen_by_us(FrameDecoder().feed(write_capture(path, 1, frames)))
    assert [seen.frame for seen in ours] == list(range(1, len(frames) + 1))
    assert ours == seen_by_tshark(path)


@pytest.mark.parametrize("name", OTHER_LINKS)
def test_tshark_finds_the_same_behind_other_links(name: str, tmp_path: Path) -> None:
    link, data = OTHER_LINKS[name]
    path = tmp_path / "link.pcap"
    ours = seen_by_us(FrameDecoder().feed(write_capture(path, link, [data])))
    assert len(ours) == 1
    assert ours == seen_by_tshark(path)
