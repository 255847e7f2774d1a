"""IEEE 802.11 frames."""

from __future__ import annotations

import pytest

from dissectors.model import Datagram, Malformed
from tests.dissectors.transport.encapsulations import OTHER_LINKS
from tests.dissectors.transport.packets import decode, ignored

pytestmark = pytest.mark.usefixtures("each_path")


LINK = 105
PLAIN = OTHER_LINKS["802.11 data"][1]
QOS = OTHER_LINKS["802.11 QoS"][1]


def _changed(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes((value,)) + data[at + 1 :]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (_changed(PLAIN, 0, 0x80), "802.11 management"),
        (_changed(PLAIN, 0, 0xD4), "802.11 control"),
        (_changed(PLAIN, 0, 0x48), "802.11 without data"),
        (_changed(PLAIN, 0, 0x0C), "802.11 extension"),
        (_changed(PLAIN, 1, 0x41), "802.11 protected"),
        (_changed(PLAIN, 1, 0x05), "802.11 fragment"),
        (_changed(PLAIN, 22, 0x11), "802.11 fragment"),
        (_changed(QOS, 24, 0x80), "802.11 aggregate"),
    ],
)
def test_what_is_no_data_in_the_clear_is_named(data: bytes, name: str) -> None:
    assert ignored(data, LINK) == [name]


def test_what_dpkt_raises_becomes_a_value() -> None:
    short = PLAIN[:23]
    assert decode(short, LINK) == [Malformed("link", "ends inside a header", 1, raw=short)]
    assert decode(short, LINK, wire=200) == []


def test_both_directions_of_an_access_point_are_read() -> None:
    for name in ("802.11 data", "802.11 from AP", "802.11 bridge"):
        (found,) = decode(OTHER_LINKS[name][1], LINK)
        assert isinstance(found, Datagram)
