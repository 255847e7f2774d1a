"""A trace from an index is the trace from its capture, and a file that does not fit is not used."""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import sys
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from analyzer import trace as trace_module
from analyzer.library import key, make, places, saved
from analyzer.library.make import Index, fitting_index, index_capture
from analyzer.library.places import index_path
from analyzer.library.saved import Unfit
from analyzer.trace import open_capture
from tests.analyzer.captures import capture, message
from tests.analyzer.library.indexes import copied, is_used, made, same
from tests.paths import SAMPLES, SHARED, require_shared

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from analyzer.reading import Reading

KINDS = {".pcap", ".pcapng", ".cap", ".gz", ".zst"}


def _captures() -> list[Path]:
    found = [*SAMPLES.iterdir(), *SHARED.glob("captures/*"), *SHARED.glob("corpus/**/*")]
    return sorted(path for path in found if path.suffix in KINDS and path.is_file())


@pytest.mark.untraced
@pytest.mark.parametrize("path", _captures(), ids=lambda path: path.name)
def test_the_trace_from_an_index_is_the_trace_from_the_capture(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = copied(path, tmp_path / path.name)
    for keys in path.parent.glob(f"{path.stem}.keylog"):
        shutil.copy(keys, tmp_path)
    made(own)
    assert is_used(own, monkeypatch)
    with open_capture(own, index=False) as read, open_capture(own) as trace:
        same(read, trace)


def test_the_captures_of_the_corpus_are_compared_too() -> None:
    require_shared()
    assert len(_captures()) > 25


def test_meaning_is_the_same(sample: Path) -> None:
    made(sample)
    with open_capture(sample, index=False) as read, open_capture(sample) as trace:
        assert trace.analysis() == read.analysis()
        assert trace.document(62) == read.document(62)
        assert len(trace.analysis().sessions) == 2


def test_tls_is_decrypted_anew(tmp_path: Path) -> None:
    shared = require_shared() / "captures"
    own = copied(shared / "tls.pcap", tmp_path / "tls.pcap")
    made(own)
    with open_capture(own) as closed:
        assert len(closed) == 0
        assert "no key log" in closed.quality.notes[0]
    shutil.copy(shared / "tls.keylog", tmp_path)
    with open_capture(own, index=False) as read, open_capture(own) as trace:
        assert len(trace) > 0
        same(read, trace)


def test_a_compressed_capture_has_an_index_too(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = sample.with_name("sample.pcap.gz")
    packed.write_bytes(gzip.compress(sample.read_bytes()))
    made(packed)
    assert is_used(packed, monkeypatch)
    with open_capture(packed, index=False) as read, open_capture(packed) as trace:
        same(read, trace)


def test_without_items_an_index_serves_as_well(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(sample)
    with monkeypatch.context() as patch:
        patch.setattr(trace_module, "read_plain", None)
        with open_capture(sample, items=False) as trace:
            assert len(trace) == 114


def test_new_strings_can_be_added_and_all_of_them_found(sample: Path) -> None:
    made(sample)
    with open_capture(sample) as trace:
        strings = trace.rows.strings
        count = len(strings)
        assert strings.find("INFO") == strings.values.index("INFO")
        assert strings.find("never seen") is None
        assert strings.id(None) == 0
        assert strings.id("INFO") == strings.find("INFO")
        assert strings.id("never seen") == count == strings.find("never seen")
        assert strings.value(count) == "never seen"


def test_text_that_is_no_unicode_survives(sample: Path) -> None:
    from analyzer.library.sections import reading_of, sections_of

    reading = _read(sample)
    reading.rows.strings.id("lone \udc80 surrogate")
    parts = {name: memoryview(data) for name, data in sections_of(reading).items()}
    assert reading_of(parts).rows.strings.values == reading.rows.strings.values


def _read(path: Path) -> Reading:
    from analyzer.sources.files import open_source

    with open_source(path) as source:
        return trace_module.read_plain(source)


# staleness


def _same_times(path: Path, change: Callable[[Path], object]) -> None:
    before = path.stat()
    change(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _change_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _extend(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


@pytest.mark.parametrize("change", [_change_a_byte, _cut, _extend])
def test_an_index_of_other_bytes_is_not_used_whatever_the_time_says(
    change: Callable[[Path], object], sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(sample)
    _same_times(sample, change)
    assert not is_used(sample, monkeypatch)
    found = fitting_index(sample)
    assert isinstance(found, Unfit)
    assert saved.OTHER in found.reason


def test_a_touched_or_copied_capture_is_the_same_capture(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = made(sample)
    os.utime(sample, ns=(1, 1))
    assert is_used(sample, monkeypatch)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    copy = copied(sample, elsewhere / sample.name)
    shutil.copyfile(index, elsewhere / index.name)
    assert is_used(copy, monkeypatch)


def test_an_index_by_another_version_of_the_code_is_not_used(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(sample)
    monkeypatch.setattr(saved, "reading_version", lambda: "0.0.0")
    assert not is_used(sample, monkeypatch)


def test_an_index_by_another_user_is_not_used(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(sample)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
    assert not is_used(sample, monkeypatch)
    assert not (tmp_path / "other").exists()  # reading makes no key
    assert isinstance(index_capture(sample), Index)
    assert is_used(sample, monkeypatch)


def test_a_stale_index_is_replaced_and_a_fitting_one_left_alone(sample: Path) -> None:
    index = made(sample)
    written = index.stat()
    again = index_capture(sample)
    assert isinstance(again, Index)
    assert not again.new
    assert os.path.samestat(index.stat(), written)
    _change_a_byte(sample)
    anew = index_capture(sample)
    assert isinstance(anew, Index)
    assert anew.new


def test_an_index_may_lie_elsewhere(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "indexes"
    directory.mkdir()
    index = index_capture(sample, directory=directory)
    assert isinstance(index, Index)
    assert index.path.parent == directory
    assert not is_used(sample, monkeypatch)
    monkeypatch.setenv(places.ENVIRONMENT, str(directory))
    assert is_used(sample, monkeypatch)
    other = tmp_path / "other" / sample.name
    assert index_path(other, directory) != index.path


# making


def test_only_its_user_may_read_an_index_whatever_the_umask(sample: Path) -> None:
    sample.chmod(0o666)
    before = os.umask(0)
    try:
        index = made(sample)
    finally:
        os.umask(before)
    assert stat.S_IMODE(index.stat().st_mode) == 0o600


def test_nothing_is_left_when_an_index_cannot_be_written(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index_path(sample).mkdir()  # cannot be replaced by a file
    before = set(sample.parent.iterdir())
    refused = index_capture(sample)
    assert isinstance(refused, saved.Unwritten)
    assert "cannot be written" in refused.reason
    assert set(sample.parent.iterdir()) - before == {sample.parent / "state"}
    assert not is_used(sample, monkeypatch)


def test_two_writers_leave_one_whole_index(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = [Thread(target=index_capture, args=(sample,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert is_used(sample, monkeypatch)
    assert {path.name for path in sample.parent.iterdir()} == {
        sample.name,
        index_path(sample).name,
        "state",
    }


def test_a_capture_that_changes_while_it_is_read_gets_no_index(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = trace_module.read_plain

    def read_plain(*arguments: object, **options: object) -> object:
        reading = original(*arguments, **options)  # type: ignore[arg-type]
        _same_times(sample, _change_a_byte)
        return reading

    monkeypatch.setattr(make, "read_plain", read_plain)
    refused = index_capture(sample)
    assert refused == Unfit(make.CHANGED)
    assert not index_path(sample).exists()


def test_numbers_beyond_all_measure_are_refused(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = _read(sample)
    reading.flows[0].times[1] = 1 << 70
    monkeypatch.setattr(make, "read_plain", lambda *_, **__: reading)
    refused = index_capture(sample)
    assert isinstance(refused, Unfit)
    assert "beyond all measure" in refused.reason


def test_without_pyarrow_an_index_is_passed_over_and_none_made(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(sample)
    for name in [name for name in sys.modules if name.split(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "analyzer.library.sections")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert not is_used(sample, monkeypatch)
    index_path(sample).unlink()
    assert index_capture(sample) == Unfit(saved.MISSING)


def test_a_capture_whose_bytes_did_not_all_come_gets_no_index(sample: Path, tmp_path: Path) -> None:
    packed = tmp_path / "cut.pcap.gz"
    packed.write_bytes(gzip.compress(sample.read_bytes())[:-500])
    refused = index_capture(packed)
    assert isinstance(refused, Unfit)
    assert "cut short" in refused.reason


@pytest.mark.parametrize("name", ["-", "pipe"])
def test_what_is_no_file_has_no_index(name: str, tmp_path: Path) -> None:
    path = name if name == "-" else _pipe(tmp_path / name, b"\0" * 100)
    assert index_capture(path) == Unfit(saved.NO_FILE)


def _pipe(path: Path, data: bytes) -> Path:
    os.mkfifo(path)
    Thread(target=path.write_bytes, args=(data,), daemon=True).start()
    return path


def test_an_empty_reading_is_saved_as_one(tmp_path: Path) -> None:
    own = capture(tmp_path / "none.pcap")
    made(own)
    with open_capture(own, index=False) as read, open_capture(own) as trace:
        assert len(trace) == 0
        same(read, trace)


def test_small_captures_need_no_index(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(sample)
    monkeypatch.setattr(places, "MIN_SIZE", sample.stat().st_size + 1)
    assert not is_used(sample, monkeypatch)
    assert index_capture(sample) == Unfit(saved.TOO_SMALL)


# the key


def test_all_that_make_a_key_at_once_have_the_same_one() -> None:
    keys: list[bytes | None] = []
    threads = [Thread(target=lambda: keys.append(key.made_key())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert set(keys) == {key.user_key()}
    path = key.key_path()
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_may_read_is_none(mode: int, sample: Path) -> None:
    index = made(sample)
    path = key.key_path()
    assert path is not None
    path.chmod(mode)
    assert key.user_key() is None
    assert isinstance(fitting_index(sample), Unfit)
    index.unlink()
    assert isinstance(index_capture(sample), saved.Unwritten)


def test_a_relative_state_directory_is_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert key.key_path() == tmp_path / ".local" / "state" / "xccos" / "index.key"


def test_without_a_home_there_is_no_key(monkeypatch: pytest.MonkeyPatch, sample: Path) -> None:
    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr("analyzer.library.key.Path.home", home)
    assert key.user_key() is None
    refused = index_capture(sample)
    assert isinstance(refused, saved.Unwritten)
    assert "the key of this user cannot be made" in refused.reason


@pytest.mark.parametrize("content", [b"", b"k" * (key.LENGTH - 1), b"k" * (key.LENGTH + 1)])
def test_a_key_of_another_length_is_none(content: bytes, sample: Path) -> None:
    made(sample)
    path = key.key_path()
    assert path is not None
    path.write_bytes(content)
    assert key.user_key() is None


def test_what_is_no_file_in_the_place_of_the_key_is_none(sample: Path) -> None:
    path = key.key_path()
    assert path is not None
    path.mkdir(parents=True, mode=0o700)
    assert isinstance(index_capture(sample), saved.Unwritten)
    assert list(path.parent.iterdir()) == [path]


def test_a_message_more_is_another_capture(tmp_path: Path) -> None:
    own = capture(tmp_path / "one.pcap", message())
    made(own)
    capture(own, message(), message())
    with open_capture(own) as trace:
        assert len(trace) == 2
