"""Files, pipes, standard input and compressed files: one way to read them all."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import sys
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import zstandard

from analyzer.sources import files
from analyzer.sources.files import PEEK, SourceError, open_source
from dissectors.capture.detect import reader_for
from dissectors.capture.pcap import PcapReader
from dissectors.model import Malformed
from tests.paths import require_shared

if TYPE_CHECKING:
    from collections.abc import Callable

# The second half does not compress: what is packed is long enough to be damaged in the middle.
DATA = (
    b"\xd4\xc3\xb2\xa1"
    + b"".join(b"%d;" % number for number in range(50_000))
    + hashlib.shake_128().digest(400_000)
)
WAYS: dict[str, tuple[str | None, Callable[[bytes], bytes]]] = {
    "plain": (None, bytes),
    "gzip": ("gzip", gzip.compress),
    "zstd": ("zstd", zstandard.compress),
}
every_way = pytest.mark.parametrize(("compression", "pack"), WAYS.values(), ids=WAYS)


def standard_input(monkeypatch: pytest.MonkeyPatch, data: bytes) -> io.BytesIO:
    buffer = io.BytesIO(data)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=buffer, closed=False))
    return buffer


@every_way
@pytest.mark.parametrize("size", [1, 100, 1 << 19])
def test_the_bytes_pass_in_order_and_can_be_read_again(
    tmp_path: Path, compression: str | None, pack: Callable[[bytes], bytes], size: int
) -> None:
    data = DATA[:5000] if size == 1 else DATA
    path = tmp_path / "capture"  # the suffix says nothing
    path.write_bytes(pack(data))
    with open_source(path) as source:
        assert (source.name, source.size) == (str(path), path.stat().st_size)
        assert source.compression == compression
        passed = b""
        for chunk in source.chunks(size):
            passed += chunk
            assert source.read(len(passed) - 1, 1) == passed[-1:]
        assert passed == data
        assert source.problem is None
        assert source.read(0, 10) == data[:10]
        assert source.read(4000, 500) == data[4000:4500]
        assert source.read(len(data) - 3, 100) == data[-3:]
        assert source.read(len(data) + 3, 100) == b""


@every_way
def test_standard_input_is_read_like_a_file_and_left_open(
    monkeypatch: pytest.MonkeyPatch, compression: str | None, pack: Callable[[bytes], bytes]
) -> None:
    buffer = standard_input(monkeypatch, pack(DATA))
    with open_source("-") as source:
        assert (source.name, source.size) == ("standard input", None)
        assert source.compression == compression
        assert b"".join(source.chunks()) == DATA
        assert source.read(70, 7) == DATA[70:77]
        assert source.problem is None
    assert not buffer.closed


@every_way
def test_a_named_pipe_is_read_like_a_file(
    tmp_path: Path, compression: str | None, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    packed = pack(DATA)

    def write() -> None:
        with path.open("wb", 0) as pipe:
            for part in (packed[:1], packed[1:3], packed[3:]):  # short writes at the start
                view = memoryview(part)
                while view:
                    view = view[pipe.write(view) :]

    writer = threading.Thread(target=write)
    writer.start()
    with open_source(path) as source:
        assert (source.size, source.compression) == (None, compression)
        chunks = list(source.chunks())
        assert b"".join(chunks) == DATA
        assert len(chunks[0]) >= 4
        assert source.read(100, 50) == DATA[100:150]
    writer.join()


def test_progress_counts_the_bytes_of_the_file_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "capture.gz"
    path.write_bytes(gzip.compress(DATA))
    seen: list[int] = []
    with open_source(path, progress=seen.append) as source:
        assert b"".join(source.chunks(1000)) == DATA
        assert source.size is not None
        assert seen == sorted(seen)
        assert seen[-1] == source.size
        assert len(seen) >= (source.size - PEEK) // 1000


def test_an_empty_file_has_no_chunks_and_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    with open_source(str(path)) as source:
        assert (source.size, source.compression) == (0, None)
        assert list(source.chunks()) == []
        assert source.problem is None
        assert source.read(0, 10) == b""


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_damaged_data_is_delivered_up_to_the_damage(
    tmp_path: Path, pack: Callable[[bytes], bytes], damage: str
) -> None:
    path = tmp_path / "capture"
    packed = pack(DATA)
    half = len(packed) // 2
    path.write_bytes(packed[:half] + (b"" if damage == "cut" else b"\xff" * half))
    with open_source(path) as source:
        passed = b"".join(source.chunks(1000))
        problem = source.problem
        assert len(passed) >= 100_000
        assert DATA.startswith(passed[:100_000])
        assert source.read(0, len(passed)) == passed
    assert problem is not None
    assert (problem.layer, problem.offset) == ("capture", len(passed))
    assert problem.reason.endswith("; what was unpacked before that is used")


@every_way
@pytest.mark.parametrize("size", [30_000, 50_000])
def test_what_passes_through_the_spool_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
    compression: str | None,
    pack: Callable[[bytes], bytes],
    size: int,
) -> None:
    standard_input(monkeypatch, pack(DATA))
    with open_source("-", limit=100_000) as source:
        assert b"".join(source.chunks(size)) == DATA[:100_000]
        assert source.problem == Malformed(
            "capture",
            "the capture has more than 100000 bytes; the rest is not read",
            offset=100_000,
        )


def test_a_capture_of_just_the_bound_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    standard_input(monkeypatch, DATA)
    with open_source("-", limit=len(DATA)) as source:
        assert b"".join(source.chunks(1000)) == DATA
        assert source.problem is None


def test_a_plain_file_is_not_bounded(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(DATA)
    with open_source(path, limit=10) as source:
        assert b"".join(source.chunks()) == DATA


def test_a_full_disk_ends_the_bytes_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    standard_input(monkeypatch, gzip.compress(DATA))
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    with open_source("-") as source:
        assert list(source.chunks()) == []
        assert source.problem == Malformed(
            "capture", "there is not enough room for temporary files", offset=0
        )


def test_a_file_that_shrank_gives_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(DATA)
    with open_source(path) as source:
        assert sum(map(len, source.chunks())) == len(DATA)
        os.truncate(path, 1000)
        assert source.read(990, 100) == DATA[990:1000]
        assert source.read(2000, 100) == b""


def test_a_file_that_is_replaced_while_open_is_still_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(DATA)
    with open_source(path) as source:
        path.unlink()
        path.write_bytes(b"other")
        assert b"".join(source.chunks()) == DATA


def test_an_error_while_reading_ends_the_bytes_and_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Failing(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:  # noqa: ARG002  (as io has it)
            if self.tell() >= 2000:
                raise OSError(5, "Input/output error")
            return super().read1(1000)

    buffer = Failing(DATA)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=buffer, closed=False))
    with open_source("-") as source:
        assert b"".join(source.chunks()) == DATA[:2000]
        assert source.problem == Malformed(
            "capture", "reading failed at byte 2000: Input/output error", offset=2000
        )


def test_a_place_that_cannot_be_read_again_is_like_a_missing_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "capture"
    path.write_bytes(DATA)

    def stale(*_: object) -> bytes:
        raise OSError(116, "Stale file handle")

    with open_source(path) as source:
        monkeypatch.setattr(os, "pread", stale)
        assert source.read(0, 100) == b""


def test_a_length_beyond_all_memory_gives_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(DATA * 3)
    with open_source(path) as source:
        assert source.read(4, 1 << 60) == (DATA * 3)[4:]


def test_an_error_of_the_progress_callback_is_not_taken_for_one_of_the_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "capture"
    path.write_bytes(DATA)

    def fail(_: int) -> None:
        raise BrokenPipeError

    with open_source(path, progress=fail) as source, pytest.raises(BrokenPipeError):
        list(source.chunks())


def test_standard_input_that_fails_at_once_is_told_and_left_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Failing(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:  # noqa: ARG002  (as io has it)
            raise OSError(5, "Input/output error")

    buffer = Failing()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=buffer, closed=False))
    with pytest.raises(SourceError, match="standard input cannot be opened: Input/output error"):
        open_source("-")
    assert not buffer.closed


def test_the_chunks_can_be_taken_once(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(DATA)
    with open_source(path) as source:
        list(source.chunks())
        with pytest.raises(RuntimeError, match="once"):
            list(source.chunks())


def test_closing_twice_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "capture.gz"
    path.write_bytes(gzip.compress(DATA))
    source = open_source(path)
    list(source.chunks())
    source.close()
    source.close()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(2, "No such file or directory"), "there is no file {}"),
        (IsADirectoryError(21, "Is a directory"), "{} is a directory, not a capture file"),
        (PermissionError(13, "Permission denied"), "{} may not be read: no permission"),
        (OSError(40, "Too many levels"), "{} cannot be opened: Too many levels"),
        (OSError(), "{} cannot be opened: unknown error"),
    ],
)
def test_an_input_that_cannot_be_opened_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, error: OSError, words: str
) -> None:
    def fail(*_: object) -> object:
        raise error

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(SourceError) as caught:
        open_source("some/capture.pcap")
    assert str(caught.value) == words.format("some/capture.pcap")


def test_a_missing_file_a_directory_and_an_impossible_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no file"):
        open_source(tmp_path / "absent.pcap")
    with pytest.raises(SourceError, match="is a directory"):
        open_source(tmp_path)
    with pytest.raises(SourceError, match="is not the name of a file"):
        open_source("a\0b")


def test_a_file_that_cannot_be_read_at_all_is_told_and_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "capture.gz"
    path.write_bytes(gzip.compress(DATA))

    def fail(**_: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", fail)
    with pytest.raises(SourceError, match="cannot be opened: No space left on device"):
        open_source(path)


@pytest.mark.parametrize("closed", [None, SimpleNamespace(closed=True)])
def test_a_closed_standard_input_is_told(monkeypatch: pytest.MonkeyPatch, closed: object) -> None:
    monkeypatch.setattr(sys, "stdin", closed)
    with pytest.raises(SourceError, match="standard input is closed"):
        open_source(files.STANDARD_INPUT)


def test_the_compressed_file_of_the_corpus_is_a_pcapng_file() -> None:
    folder = require_shared() / "corpus" / "captures" / "file_formats"
    with open_source(folder / "pcapng-example.pcapng.zst") as source:
        data = b"".join(source.chunks())
        assert source.compression == "zstd"
        reader = reader_for(data)
        assert not isinstance(reader, Malformed | PcapReader)
        frames = [*reader.feed(data), *reader.close()]
        assert len(frames) == 159
        assert not any(isinstance(frame, Malformed) for frame in frames)
