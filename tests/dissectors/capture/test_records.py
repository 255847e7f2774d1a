"""What holds for every reader: the cut of the input does not matter, and no bytes raise."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dissectors.capture.pcap import VARIANTS, PcapReader
from dissectors.capture.pcapng import PcapngReader
from dissectors.model import Frame, Malformed
from tests.dissectors.capture.layouts import (
    KUZNETZOV,
    Item,
    block,
    enhanced,
    interface,
    obsolete,
    pcap_header,
    pcap_record,
    read_all,
    read_in_pieces,
    section,
    simple,
)

pytestmark = pytest.mark.usefixtures("each_path")


PCAP = pcap_header() + pcap_record(b"a") + pcap_record(b"", time=(1, 1)) + pcap_record(b"x" * 90)
KUZNETZOV_PCAP = pcap_header(">", magic=KUZNETZOV) + pcap_record(bytes(8) + b"abc", ">", captured=3)
PCAPNG = (
    section(">")
    + interface(">", resolution=9, offset=1)
    + enhanced(b"abc", ">")
    + section()
    + interface(snaplen=20)
    + enhanced(b"defgh")
    + simple(b"i" * 21)
    + block(10, b"KSLT\4\0\0\0abcd")
    + obsolete(b"jk")
    + enhanced(b"lm", number=3)
    + enhanced(b"no")
)
FILES = {"pcap": PCAP, "kuznetzov": KUZNETZOV_PCAP, "pcapng": PCAPNG}
every_file = pytest.mark.parametrize("name", FILES)


def reader_of(name: str) -> PcapReader | PcapngReader:
    return PcapngReader() if name == "pcapng" else PcapReader()


def check(name: str, data: bytes, cuts: list[int]) -> list[Item]:
    """Read ``data`` whole and cut, and see that what comes out is well formed and the same."""
    items = read_all(reader_of(name), data)
    assert read_in_pieces(reader_of(name), data, cuts) == items
    last = 0
    for item in items:
        assert isinstance(item, Frame | Malformed)
        if isinstance(item, Frame):
            assert item.number > last
            assert data[item.offset : item.offset + len(item.data)] == item.data
            assert item.wire_length >= len(item.data)
            assert -(2**63) <= item.time_ns < 2**63
            last = item.number
    return items


@every_file
def test_byte_by_byte_gives_the_same_as_all_at_once(name: str) -> None:
    data = FILES[name]
    assert len(check(name, data, list(range(len(data))))) >= 1


@every_file
@given(data=st.data())
def test_any_cut_of_any_mutation_gives_the_same(name: str, data: st.DataObject) -> None:
    content = bytearray(FILES[name])
    places = st.integers(0, len(content) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=6)):
        content[place] = value
    kept = content[: data.draw(st.integers(0, len(content)))]
    cuts = data.draw(st.lists(st.integers(0, len(kept)), max_size=12))
    check(name, bytes(kept), cuts)


@every_file
@given(tail=st.binary(max_size=300), step=st.integers(1, 40))
@example(tail=bytes(300), step=1)
@example(tail=b"\xff" * 300, step=7)
def test_garbage_after_the_head_of_a_file_gives_the_same(name: str, tail: bytes, step: int) -> None:
    head = FILES[name][: 48 if name == "pcapng" else 24]
    data = head + tail
    check(name, data, list(range(0, len(data), step)))


@given(
    data=st.one_of(
        st.binary(max_size=200),
        st.builds(lambda magic, rest: magic + rest, st.sampled_from([*VARIANTS]), st.binary()),
        st.builds(lambda rest: b"\n\r\r\n" + rest, st.binary()),
    ),
    step=st.integers(1, 40),
)
def test_random_bytes_never_raise(data: bytes, step: int) -> None:
    for name in ("pcap", "pcapng"):
        check(name, data, list(range(0, len(data), step)))


def test_a_record_that_comes_in_many_pieces_is_put_together_once() -> None:
    payload = bytes(range(256)) * 4096
    data = pcap_header(snaplen=len(payload)) + pcap_record(payload) + pcap_record(b"x")
    items = read_in_pieces(PcapReader(), data, range(0, len(data), 1000))
    assert [frame.data for frame in items if isinstance(frame, Frame)] == [payload, b"x"]
