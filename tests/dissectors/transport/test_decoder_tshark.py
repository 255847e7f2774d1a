"""The same captures through tshark: which frame carries which segment or datagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dissectors.model import Frame
from dissectors.transport.decoder import FrameDecoder
from tests.dissectors.transport.encapsulations import ETHERNET, OTHER_LINKS
from tests.dissectors.transport.wireshark import (
    frames_of,
    seen_by_tshark,
    seen_by_us,
    seen_in_each,
    write_capture,
)
from tests.paths import SHARED, require_shared

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dissectors.transport.wireshark import Seen

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


@pytest.fixture(scope="module")
def recorded() -> dict[str, list[Frame]]:
    captures = require_shared() / "corpus" / "captures"
    return {name: frames_of(captures / name) for name in FILES}


@pytest.fixture(scope="module")
def by_tshark(
    recorded: dict[str, list[Frame]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Seen]]:
    # Their fragments do not meet one another's: identifications and addresses differ.
    return seen_in_each(recorded, tmp_path_factory.mktemp("recorded") / "all.pcapng")


@pytest.mark.parametrize("name", FILES)
def test_each_frame_carries_what_tshark_says(
    name: str, recorded: dict[str, list[Frame]], by_tshark: dict[str, list[Seen]]
) -> None:
    ours = {seen.frame: seen for seen in seen_by_us(FrameDecoder().feed(recorded[name]))}
    theirs = {seen.frame: seen for seen in by_tshark[name]}
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


@pytest.fixture(scope="module")
def other_links(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Seen]]:
    frames = {
        name: [Frame(1, 0, 6, link, data, 0, len(data))]
        for name, (link, data) in OTHER_LINKS.items()
    }
    return seen_in_each(frames, tmp_path_factory.mktemp("links") / "all.pcapng")


@pytest.mark.parametrize("name", OTHER_LINKS)
def test_tshark_finds_the_same_behind_other_links(
    name: str, other_links: dict[str, list[Seen]], tmp_path: Path
) -> None:
    link, data = OTHER_LINKS[name]
    ours = seen_by_us(FrameDecoder().feed(write_capture(tmp_path / "link.pcap", link, [data])))
    assert len(ours) == 1
    assert ours == other_links[name]
