"""Whatever lies in the place of an index, it is not believed, and reading goes on without it."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.library import head
from analyzer.library.content import BLOCK, hash_of
from analyzer.library.make import Index, fitting_index, index_capture
from analyzer.library.places import index_path
from analyzer.library.saved import Unfit, load
from analyzer.sources.files import open_source
from analyzer.trace import open_capture
from tests.analyzer.library.indexes import copied, is_used, made
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = b"k" * 32


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, bytes]]:
    """Give a capture, the bytes of its index, and the user who made it."""
    directory = tmp_path_factory.mktemp("indexed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(directory / "state"))
        patch.setattr("analyzer.library.places.MIN_SIZE", 1)
        patch.setattr("analyzer.library.make.reading_version", lambda: "1")
        capture = copied(SAMPLES / "fault-503.pcap", directory / "fault.pcap")
        yield capture, made(capture).read_bytes()


def _loads(capture: Path, data: bytes) -> bool:
    """Tell whether an index of these bytes is believed."""
    place = capture.with_name("tried")
    place.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch, open_source(capture) as source:
        patch.setenv("XDG_STATE_HOME", str(capture.parent / "state"))
        return not isinstance(load(place, capture, source), Unfit)


def test_the_bytes_as_they_are_written_are_believed(indexed: tuple[Path, bytes]) -> None:
    assert _loads(*indexed)


def _regions(data: bytes) -> dict[str, tuple[int, int]]:
    start = head.head_length(data)
    magic = len(head.MAGIC)
    return {
        "magic": (0, magic),
        "length": (magic, magic + 4),
        "code": (magic + 4, head.PREFIX),
        "head": (head.PREFIX, start),
        "payload": (start, len(data)),
    }


@pytest.mark.parametrize("region", ["magic", "length", "code", "head", "payload"])
@given(data=st.data())
def test_a_changed_byte_in_any_region_is_noticed(
    region: str, data: st.DataObject, indexed: tuple[Path, bytes]
) -> None:
    capture, index = indexed
    first, end = _regions(index)[region]
    at = data.draw(st.integers(first, end - 1))
    value = data.draw(st.integers(0, 255).filter(lambda value: value != index[at]))
    assert not _loads(capture, index[:at] + bytes([value]) + index[at + 1 :])


@given(st.data())
def test_an_index_cut_or_extended_anywhere_is_noticed(
    indexed: tuple[Path, bytes], data: st.DataObject
) -> None:
    capture, index = indexed
    at = data.draw(st.integers(0, len(index) - 1))
    more = data.draw(st.binary(min_size=1, max_size=9))
    assert not _loads(capture, index[:at])
    assert not _loads(capture, index[:at] + more + index[at:])


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_no_index(
    indexed: tuple[Path, bytes],
    data: bytes,
    begins: bool,
) -> None:
    capture, _ = indexed
    assert not _loads(capture, head.MAGIC + data if begins else data)


@given(st.binary(max_size=200))
def test_a_head_without_the_key_is_not_even_decoded(data: bytes) -> None:
    start = head.MAGIC + len(data).to_bytes(4, "little")
    forged = start + hashlib.sha256(start + data).digest() + data
    assert isinstance(head.unpack(forged, KEY), str)
    assert isinstance(head.unpack(forged, None), str)


@settings(max_examples=20)
@given(st.binary(max_size=3 * 50), st.integers(1, 60))
def test_every_byte_counts_in_the_hash_of_a_capture(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, block: int
) -> None:
    path = tmp_path_factory.mktemp("hash") / "file"
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch, path.open("rb") as file:
        patch.setattr("analyzer.library.content.BLOCK", block)
        blocks = [data[at : at + block] for at in range(0, len(data), block)]
        digests = b"".join(hashlib.sha256(one).digest() for one in blocks)
        assert hash_of(file.fileno(), len(data)) == hashlib.sha256(digests).digest()
        assert hash_of(file.fileno(), len(data) + 1) is None  # it shrank


def test_the_blocks_of_the_hash_are_read_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(BLOCK + BLOCK // 2 + 7))
    data = path.read_bytes()
    with path.open("rb") as file:
        found = hash_of(file.fileno(), len(data))
    parts = (data[:BLOCK], data[BLOCK:])
    assert found == hashlib.sha256(b"".join(hashlib.sha256(p).digest() for p in parts)).digest()


def test_a_file_that_cannot_be_read_has_no_hash(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:  # for writing only
        file.write(b"text")
        file.flush()
        assert hash_of(file.fileno(), 4) is None


def test_what_is_no_file_in_the_place_of_an_index_does_not_matter(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = index_path(sample)
    os.mkfifo(place)
    assert not is_used(sample, monkeypatch)
    place.unlink()
    place.symlink_to(place)
    assert not is_used(sample, monkeypatch)
    place.unlink()
    place.mkdir()
    assert not is_used(sample, monkeypatch)


def test_a_payload_that_the_library_cannot_read_is_passed_over(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("analyzer.library.sections.sections_of", lambda _: {"messages": b"nothing"})
        assert isinstance(index_capture(sample), Index)
    assert not is_used(sample, monkeypatch)
    found = fitting_index(sample)
    assert isinstance(found, Unfit)
    assert "cannot read it" in found.reason


def test_the_index_of_a_capture_handed_over_by_its_maker_is_not_believed(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their index would show messages of another capture."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    with monkeypatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(theirs))
        other = copied(SAMPLES / "fault-503.pcap", theirs / "fault.pcap")
        forged = made(other).read_bytes()
    index_path(sample).write_bytes(forged)
    with open_capture(sample) as trace:
        assert len(trace) == 114


def test_a_format_of_the_future_is_not_read() -> None:
    fields = head.Head("1", 1, 1, "", True, 0, "", [], format=head.FORMAT + 1)
    found = head.unpack(head.pack(fields, KEY), KEY)
    assert found == "it was made by another version of xccos"
    current = head.Head("1", 1, 1, "", True, 0, "", [("a", 1)])
    assert head.unpack(head.pack(current, KEY), KEY) == current


def test_an_unreadable_index_is_passed_over(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(sample)

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("analyzer.library.saved.os.open", refuse)
    assert not is_used(sample, monkeypatch)


def test_a_head_with_other_fields_is_of_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    current = head.pack(head.Head("1", 1, 1, "", True, 0, "", []), KEY)
    monkeypatch.setattr(head, "_FIELDS", {"version"})
    assert head.unpack(current, KEY) == "it was made by another version of xccos"
