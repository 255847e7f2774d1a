"""MPPC: the published vectors, the codes of RFC 2118 one by one, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.sip.compression_mppc import KIB_8, KIB_64, BadPacketError, History
from tests.support.sipcomp import AT_FRONT, COMPRESSED, Compressor, Header

# [MS-RDPBCGR] 3.1.8.2 and, packed, libfreerdp/codec/test/TestFreeRDPCodecMppc.c of FreeRDP: what
# Microsoft's implementation makes of it.
BELLS = b"for.whom.the.bell.tolls,.the.bell.tolls.for.thee!"
BELLS_8K = "666f722e77686f6d2e7468652e62656c6c2e746f6c6c732cf4372e66fa1f199484"
BELLS_64K = "666f722e77686f6d2e7468652e62656c6c2e746f6c6c732cfa1b97337e87e3329080"
ISLAND = (
    b"No man is an island entire of itself; every man is a piece of the continent, a part of the "
    b"main; if a clod be washed away by the sea, Europe is the less, as well as if a promontory "
    b"were, aswell as any manner of thy friends or of thine own were; any man's death diminishes "
    b"me, because I am involved in mankind. And therefore never send to know for whom the bell "
    b"tolls; it tolls for thee."
)
ISLAND_64K = (
    "4e6f206d616e20697320f8d2d8c2dcc840cadce8d2e4ca40decc40d2e8e6cad8cc7640caeccae4f3fa7120706965"
    "63fc12e8d0ca40c6dffbcddfd05840c240e0c2e4e9fe63ecc36b0b4b71d9034b37d731b637b2103132903bb0b9b4"
    "32b21030bbb0bc90313c907e687365612c204575726f7065f2347d386c657373f069cc81dd95b1b08185cfc094e0"
    "e4dedbe2b37f924eecae4cbf863f060c2dde5d96e6572f1e53c90333934b2b732399037fd2b696ef381ddbbc2472"
    "653bf55bf8493b9903232b0ba34103234b6b4b734f96ce640dbe193132b1b0bab9b290249030b69034b73b37b63b"
    "79d4d2ddec186b696e642e2041f733cd47265666ff749bbdbf040e7e31103a379035b737bb907d8103bb437b6fa8"
    "e58bd0f0e8ded8d8e7ecf3a7e47ca7e29f01994b80"
)


def packed(*codes: str) -> bytes:
    """Return a packet of codes written as bits; the last byte is filled with zeros."""
    bits = "".join(codes).replace(" ", "")
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))


def text(data: bytes) -> str:
    """Return the codes of literals below 0x80."""
    return "".join(f"{byte:08b}" for byte in data)


@pytest.mark.parametrize(
    ("size", "packet", "plain"),
    [(KIB_8, BELLS_8K, BELLS), (KIB_64, BELLS_64K, BELLS), (KIB_64, ISLAND_64K, ISLAND)],
    ids=["bells 8K", "bells 64K", "island 64K"],
)
def test_what_microsofts_compressor_made_is_unpacked(size: int, packet: str, plain: bytes) -> None:
    data = bytes.fromhex(packet)
    assert History(size).expand(data) == (plain, len(data))


def test_a_literal_from_0x80_on_has_nine_bits() -> None:
    assert History(KIB_8).expand(packed("10 0000101", "10 1111111")).data == b"\x85\xff"


# The examples of [MS-RDPBCGR] 3.1.8.4.1.2.1 and 3.1.8.4.1.2.2
@pytest.mark.parametrize(
    ("back", "code"),
    [(3, "1111 000011"), (128, "1110 01000000"), (1024, "110 0001011000000")],
)
def test_an_offset_counts_back_from_where_the_copy_goes(back: int, code: str) -> None:
    history = History(KIB_8)
    before = bytes(at % 128 for at in range(1500))
    history.expand(packed(text(before)))
    assert history.expand(packed(code, "0")).data == (before[-back:] * 3)[:3]


@pytest.mark.parametrize(
    ("count", "code"),
    [(3, "0"), (15, "110 111"), (120, "111110 111000"), (4097, "111111111110 000000000001")],
)
def test_a_match_may_run_into_what_it_makes(count: int, code: str) -> None:
    assert History(KIB_8).expand(packed(text(b"a"), "1111 000001", code)).data == b"a" * (count + 1)


def test_behind_the_front_lies_what_was_sent_before() -> None:
    history = History(KIB_8)
    history.expand(packed(text(b"0123456789")))
    history.to_front()
    # Two bytes are new; three back from there is the end of the buffer, which was never written.
    with pytest.raises(BadPacketError, match="was not sent"):
        history.copy().expand(packed(text(b"ab"), "1111 000011", "0"))
    # 8,192 - 3 bytes back, that is three further on.
    far = 8192 - 3 - 320
    assert history.expand(packed(text(b"ab"), f"110 {far:013b}", "0")).data == b"ab567"


def test_a_cleared_history_has_nothing_to_refer_to() -> None:
    history = History(KIB_8)
    history.expand(packed(text(b"abc")))
    assert history.copy().expand(packed("1111 000011", "0")).data == b"abc"
    history.clear()
    with pytest.raises(BadPacketError, match="was not sent"):
        history.expand(packed("1111 000011", "0"))


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (b"", "empty"),
        (packed(text(b"abc"), "1111 000000", "0"), "was not sent"),  # of itself
        (packed(text(b"abc"), "1111 000100", "0"), "was not sent"),
        (packed(text(b"a"), "1111 000001", "1" * 12 + "0" * 20), "code"),  # longer than 8,191
        (packed(text(b"a"), "1111 0000"), "code"),
        (packed(text(b"a"), "1111 000001", "11111110 1"), "code"),
        (packed(text(b"a" * 8193)), "more than the history"),
        (packed(text(b"ab"), "1111 000001", "111111111110" + "1" * 12), "more than the history"),
    ],
)
def test_what_is_no_packet_is_refused_with_its_reason(packet: bytes, why: str) -> None:
    with pytest.raises(BadPacketError, match=why):
        History(KIB_8).expand(packet)


def test_with_a_length_a_packet_ends_where_it_is_full() -> None:
    data = bytes.fromhex(BELLS_8K)
    assert History(KIB_8).expand(data + b"more", len(BELLS)) == (BELLS, len(data))
    with pytest.raises(BadPacketError, match="less than it says"):
        History(KIB_8).expand(data, len(BELLS) + 1)


@given(st.lists(st.binary(max_size=400).map(lambda data: data * 3), max_size=12), st.booleans())
def test_what_is_packed_comes_out_again(sent: list[bytes], large: bool) -> None:
    size = KIB_64 if large else KIB_8
    sender, history = Compressor(size, Header(6, 4, 2)), History(size)
    for data in sent:
        wire = sender.send(data)
        while wire:
            flags, length = wire[0] >> 4, int.from_bytes(wire[2:4], "big")
            plain, packet, wire = (
                int.from_bytes(wire[4:6], "big"),
                wire[6 : 6 + length],
                wire[6 + length :],
            )
            if flags & AT_FRONT:
                history.to_front()
            if not flags & COMPRESSED:
                history.clear()
                assert data.startswith(packet)
            else:
                assert data.startswith(history.expand(packet).data)
            data = data[plain:]
        assert data == b""


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_a_packet_or_refused(data: bytes, large: bool) -> None:
    history = History(KIB_64 if large else KIB_8)
    try:
        found = history.expand(data)
    except BadPacketError:
        return
    assert found.used == len(data)
    assert 0 < len(found.data) <= history.size
