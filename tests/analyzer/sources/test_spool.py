"""Unpacking in small steps, and the temporary file."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import struct
import zlib
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from analyzer.sources import spool
from analyzer.sources.spool import Decoder, GzipDecoder, Spool, ZstdDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Half of it compresses badly, so that the packed data is long enough to be damaged in the middle.
TEXT = b"".join(b"%d;" % number for number in range(40_000))
NOISE = hashlib.shake_128().digest(200_000)
PLAIN = TEXT + NOISE


def gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def zst(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def streamed_zst(data: bytes) -> bytes:
    """Compress without the length in the frame header, as a pipe through ``zstd`` does."""
    packer = zstandard.ZstdCompressor(write_checksum=False).compressobj()
    return packer.compress(data) + packer.flush()


FORMATS: dict[str, tuple[Callable[[], Decoder], Callable[[bytes], bytes]]] = {
    "gzip": (GzipDecoder, gz),
    "zstd": (ZstdDecoder, zst),
    "zstd stream": (ZstdDecoder, streamed_zst),
}
every_format = pytest.mark.parametrize(("decoder", "pack"), FORMATS.values(), ids=FORMATS)


def unpack(decoder: Decoder, pieces: Iterable[bytes]) -> bytes:
    plain = [part for piece in pieces for part in decoder.decode(piece)]
    plain += decoder.end()
    assert b"" not in plain
    return b"".join(plain)


def cut(data: bytes, step: int) -> list[bytes]:
    return [data[start : start + step] for start in range(0, len(data), step)]


@pytest.mark.untraced
@every_format
@pytest.mark.parametrize("step", [1, 7, 1000, 1 << 20])
def test_any_cut_unpacks_to_the_same(
    decoder: Callable[[], Decoder], pack: Callable[[bytes], bytes], step: int
) -> None:
    made = decoder()
    assert unpack(made, cut(pack(PLAIN), step)) == PLAIN
    assert made.problem is None


@every_format
@given(parts=st.lists(st.binary(max_size=100), min_size=1, max_size=6), step=st.integers(1, 60))
def test_members_and_frames_are_put_together(
    decoder: Callable[[], Decoder],
    pack: Callable[[bytes], bytes],
    parts: list[bytes],
    step: int,
) -> None:
    made = decoder()
    assert unpack(made, cut(b"".join(map(pack, parts)), step)) == b"".join(parts)
    assert made.problem is None


@every_format
def test_cut_data_yields_its_beginning_and_one_line(
    decoder: Callable[[], Decoder], pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(PLAIN) + pack(b"second")
    shortest = 0
    for length in (5, 300, 50_000, 200_000, len(pack(PLAIN)) - 1, len(packed) - 3):
        made = decoder()
        plain = unpack(made, cut(packed[:length], 1000))
        assert (PLAIN + b"second").startswith(plain)
        assert made.problem is not None
        assert made.problem.endswith("data is cut short")
        assert len(plain) >= shortest
        shortest = len(plain)
    assert shortest >= len(PLAIN)


@pytest.mark.untraced
@every_format
@given(place=st.integers(0, 1 << 30), value=st.integers(1, 255), step=st.integers(100, 1 << 18))
def test_damage_never_raises_and_what_comes_before_it_is_used(
    decoder: Callable[[], Decoder],
    pack: Callable[[bytes], bytes],
    place: int,
    value: int,
    step: int,
) -> None:
    packed = bytearray(pack(PLAIN))
    place %= len(packed)
    packed[place] ^= value
    plain = unpack(decoder(), cut(bytes(packed), step))
    same = next((i for i, (a, b) in enumerate(zip(plain, PLAIN, strict=False)) if a != b), None)
    # Blocks of zstd have 128 KiB at most. Only what lies before the damage can be right.
    right = len(plain) if same is None else same
    share = place / len(packed)
    assert right >= (share * len(PLAIN) - (300_000 if decoder is ZstdDecoder else 150_000))


def test_gzip_yields_all_bytes_before_the_damaged_one() -> None:
    head = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    stored = b"\0" + struct.pack("<HH", 1000, 1000 ^ 0xFFFF) + NOISE[:1000]
    lying = b"\0" + struct.pack("<HH", 1000, 1000) + NOISE[:1000]  # the second is not inverted
    made = GzipDecoder()
    assert unpack(made, [head + stored + stored + lying]) == NOISE[:1000] * 2
    place = len(head + stored + stored)
    assert made.problem == f"the gzip data is damaged near byte {place + 4}"


@every_format
def test_a_wrong_checksum_is_told_and_costs_no_bytes(
    decoder: Callable[[], Decoder], pack: Callable[[bytes], bytes]
) -> None:
    if pack is streamed_zst:
        pack = zst  # the only one that has a checksum
    packed = bytearray(pack(PLAIN))
    packed[-1 if decoder is ZstdDecoder else -5] ^= 1
    made = decoder()
    assert unpack(made, [bytes(packed)]) == PLAIN
    assert made.problem is not None
    assert "damaged" in made.problem


def test_zeros_after_gzip_data_are_padding() -> None:
    made = GzipDecoder()
    packed = gz(b"one") + bytes(1000) + gz(b"two") + bytes(70_000)
    assert unpack(made, cut(packed, 13)) == b"onetwo"
    assert made.problem is None


@every_format
def test_other_bytes_behind_the_data_are_told(
    decoder: Callable[[], Decoder], pack: Callable[[bytes], bytes]
) -> None:
    made = decoder()
    packed = pack(b"one")
    assert unpack(made, [packed + b"garbage"]) == b"one"
    assert made.problem is not None
    assert f"near byte {len(packed)} is not " in made.problem
    assert list(made.decode(pack(b"two"))) == []


def test_skippable_frames_are_passed_over() -> None:
    skippable = b"\x5a\x2a\x4d\x18" + (3000).to_bytes(4, "little") + bytes(3000)
    empty = b"\x50\x2a\x4d\x18\0\0\0\0"
    made = ZstdDecoder()
    packed = skippable + zst(b"one") + empty + skippable + zst(b"two") + skippable
    assert unpack(made, cut(packed, 11)) == b"onetwo"
    assert made.problem is None


def test_a_skippable_frame_that_is_cut_is_told() -> None:
    made = ZstdDecoder()
    assert unpack(made, [zst(b"one") + b"\x50\x2a\x4d\x18\x09\0\0\0abc"]) == b"one"
    assert made.problem == "the zstd data is cut short"


def test_a_window_beyond_the_bound_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=28)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    made = ZstdDecoder()
    assert unpack(made, [packer.compress(PLAIN) + packer.flush()]) == b""
    assert made.problem is not None
    assert "not supported" in made.problem


@every_format
def test_a_bomb_comes_out_in_small_pieces(
    decoder: Callable[[], Decoder], pack: Callable[[bytes], bytes]
) -> None:
    made = decoder()
    length = 0
    for plain in made.decode(pack(bytes(64 << 20))):
        assert len(plain) <= 1 << 19
        length += len(plain)
    assert length == 64 << 20


def test_what_zlib_holds_back_at_a_full_piece_is_not_lost_when_the_data_is_cut() -> None:
    packed = gz(bytes(1 << 20))
    for length in range(len(packed) // 2 - 20, len(packed) // 2 + 20):
        made = GzipDecoder()
        expected = zlib.decompressobj(31).decompress(packed[:length])
        assert unpack(made, [packed[:length]]) == expected
        assert made.problem == "the gzip data is cut short"


def test_many_tiny_gzip_members_take_time_in_proportion() -> None:
    made = GzipDecoder()
    assert unpack(made, [gz(b"") * 20_000 + gz(b"end")]) == b"end"


def test_the_spool_gives_back_what_was_written_at_any_offset() -> None:
    kept = Spool()
    assert [kept.write(part) for part in (b"abc", b"", b"defgh")] == [None, None, None]
    assert kept.length == 8
    assert kept.read(2, 3) == b"cde"
    assert kept.read(6, 100) == b"gh"
    assert kept.read(100, 5) == b""
    assert kept.read(0, 0) == b""
    kept.close()


def test_the_spool_leaves_room_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    free = spool.KEEP_FREE + spool.CHECK_EVERY
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    monkeypatch.setattr(spool, "CHECK_EVERY", spool.CHECK_EVERY)
    kept = Spool()
    assert kept.write(b"abc") is None
    free -= 1
    assert kept.write(b"def") is None  # looked at only every CHECK_EVERY bytes
    kept.length = spool.CHECK_EVERY
    assert kept.write(b"ghi") == "there is not enough room for temporary files"
    kept.close()


def test_a_temporary_file_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "disk_usage", full)
    kept = Spool()
    assert kept.write(b"abc") == "the temporary file cannot be written: No space left on device"
    assert kept.length == 0
    kept.close()
