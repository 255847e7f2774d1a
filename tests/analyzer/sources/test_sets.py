"""File sets: which names belong together, and their frames as one capture."""

from __future__ import annotations

import gzip
import subprocess
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from analyzer.sources.files import SourceError
from analyzer.sources.set_chunks import Place, SetChunks, first_time
from analyzer.sources.sets import (
    DUMPCAP,
    MAX_MISSING,
    NUMBERS,
    TCPDUMP,
    TCPDUMP_TIMES,
    FileSet,
    file_sets,
    in_time_order,
    siblings,
)
from dissectors.capture.detect import reader_for
from dissectors.capture.pcap import PcapReader
from dissectors.capture.writer import write_pcap, write_pcapng
from dissectors.model import Frame, Malformed
from tests.dissectors.capture.layouts import frames_of, pcap_header, problems_of, read_all
from tests.paths import SHARED, require_shared
from tests.support.reading import messages_in

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def names(found: Sequence[FileSet]) -> list[list[str]]:
    return [list(one.paths) for one in found]


# Names


@pytest.mark.parametrize("form", ["fe_{number:05}_{time}.pcapng", "fe_{time}_{number:05}.pcapng"])
def test_files_of_dumpcap_are_in_order_of_their_numbers(form: str) -> None:
    paths = [form.format(number=n, time=20261122101010 + n) for n in (3, 1, 12, 2)]
    (found,) = file_sets(paths)
    assert found.paths == tuple(paths[at] for at in (1, 3, 0, 2))
    assert (found.kind, found.pattern) == (DUMPCAP, "fe_*.pcapng")
    assert found.missing == tuple(range(4, 12))


def test_the_files_of_a_gzipped_ring_and_without_suffix_belong_together_as_well() -> None:
    for end in ("", ".pcapng.gz", ".pcap"):
        paths = [f"x_0000{n}_2026112210101{n}{end}" for n in (1, 2)]
        assert names(file_sets(paths)) == [paths]


def test_a_ring_that_gave_up_its_oldest_files_misses_nothing() -> None:
    (found,) = file_sets([f"fe_{n:05}_20261122101010.pcap" for n in (812, 813, 814)])
    assert (found.missing, found.missing_count) == ((), 0)


def test_a_hole_is_named_and_a_very_large_one_is_counted() -> None:
    (found,) = file_sets([f"fe_{n:05}_20261122101010.pcap" for n in (1, 90_000)])
    assert found.missing_count == 89_998
    assert found.missing == tuple(range(2, 2 + MAX_MISSING))


def test_the_count_begins_anew_where_the_times_say_so() -> None:
    times = {99_998: 10, 99_999: 11, 0: 12, 2: 14}
    (found,) = file_sets([f"fe_{n:05}_202611221010{time}.pcap" for n, time in times.items()])
    assert [int(path[3:8]) for path in found.paths] == [99_998, 99_999, 0, 2]
    assert found.missing == (1,)


def test_a_clock_that_was_set_back_does_not_change_the_order() -> None:
    times = {1: "013000", 2: "023000", 3: "020500", 4: "023500"}  # the end of summer time
    (found,) = file_sets([f"fe_{n:05}_20261025{time}.pcap" for n, time in times.items()])
    assert [int(path[3:8]) for path in found.paths] == [1, 2, 3, 4]


def test_a_second_run_of_the_same_name_is_a_set_of_its_own() -> None:
    first = [f"fe_{n:05}_2026112210101{n}.pcap" for n in (1, 2, 3)]
    second = [f"fe_{n:05}_2026112310101{n}.pcap" for n in (1, 2)]
    third = ["fe_00001_20261124101010.pcap"]
    assert names(file_sets([*second, *third, *first])) == [second, third, first]


def test_what_has_another_stem_suffix_or_directory_is_another_set() -> None:
    stamp = "20261122101010"
    paths = [
        f"a/fe_00001_{stamp}.pcapng",
        f"b/fe_00002_{stamp}.pcapng",
        f"a/be_00002_{stamp}.pcapng",
        f"a/fe_00002_{stamp}.pcap",
        f"a/fe_{stamp}_00002.pcapng.gz",
        "a/notes.txt",
    ]
    assert names(file_sets(paths)) == [[path] for path in paths]
    assert {one.kind for one in file_sets(paths)} == {""}


def test_files_of_tcpdump_are_in_order_of_numbers_not_of_letters() -> None:
    paths = ["x.pcap10", "x.pcap2", "x.pcap", "x.pcap1"]
    (found,) = file_sets(paths)
    assert found.paths == ("x.pcap", "x.pcap1", "x.pcap2", "x.pcap10")
    assert found.missing == tuple(range(3, 10))
    assert (found.kind, found.pattern, found.ring) == (TCPDUMP, "x.pcap*", False)


def test_a_limited_number_of_tcpdump_files_is_a_ring_and_begins_with_its_oldest() -> None:
    (found,) = file_sets(["x.pcap03", "x.pcap00", "x.pcap02", "x.pcap01"])
    assert found.ring
    turned = in_time_order(found, [30, 40, 10, 20])
    assert turned.paths == ("x.pcap02", "x.pcap03", "x.pcap00", "x.pcap01")
    for times in ([10, 20, 30, 40], [None] * 4, [20, 10, 40, 30], [None, 30, 10, 40]):
        assert in_time_order(found, times) is found
    assert in_time_order(found, [30, None, 10, 20]).paths[0] == "x.pcap02"
    (plain,) = file_sets(["x.pcap", "x.pcap1"])
    assert in_time_order(plain, [2, 1]) is plain


def test_a_capture_of_the_same_name_is_no_part_of_a_ring() -> None:
    assert names(file_sets(["x.pcap", "x.pcap0", "x.pcap1"])) == [
        ["x.pcap"],
        ["x.pcap0", "x.pcap1"],
    ]


@pytest.mark.parametrize(
    "paths",
    [
        ["x-20261122101112.pcap", "x-20261122101012.pcap"],
        ["x_2026-11-22_10:11:12.pcap", "x_2026-11-22_10:10:12.pcap"],
        ["x-1795327782.pcap.gz", "x-1795327781.pcap.gz"],
        ["20261122-101112.pcap", "20261122-101012.pcap"],
        ["x-20261122101012.pcap1", "x-20261122101012.pcap"],
    ],
)
def test_files_of_tcpdump_with_times_are_in_order_of_these(paths: list[str]) -> None:
    (found,) = file_sets(paths)
    assert found.paths == tuple(paths[::-1])
    assert (found.kind, found.missing) == (TCPDUMP_TIMES, ())


def test_names_that_only_look_alike_stay_alone() -> None:
    paths = [
        "client1.pcap", "client2.pcap", "a.pcap", "b.pcap", "trace1", "trace2", "fe_1.pcap",
        "fe_2.pcap", "log-2026.pcap", "log-2027.pcap", "x.pcap.gz", "x.pcapng",
        "call1795327781.pcap2",         "log1.txt", "log2.txt",
    ]  # fmt: skip
    assert names(file_sets(paths)) == [[path] for path in paths]


def test_one_file_alone_is_no_set_and_a_file_named_twice_is_there_once() -> None:
    path = "fe_00001_20261122101010.pcap"
    assert file_sets([path, path]) == [FileSet((path,))]
    assert file_sets([]) == []


def test_sets_come_in_the_order_in_which_they_were_named() -> None:
    stamp = "20261122101010"
    paths = ["z.pcap", f"fe_00002_{stamp}.pcap", "a.pcap", f"fe_00001_{stamp}.pcap"]
    assert names(file_sets(paths)) == [["z.pcap"], [paths[3], paths[1]], ["a.pcap"]]


@given(
    st.lists(
        st.from_regex(
            r"(fe|be)?_?(\d{5}_20261122\d{6}|20261122\d{6}_\d{5}|20261122\d{6})?"
            r"(\.pcap(ng)?)?\d{0,3}(\.gz)?",
            fullmatch=True,
        ),
        max_size=12,
    )
)
def test_every_file_is_in_one_set_once(paths: list[str]) -> None:
    found = file_sets(paths)
    assert sorted(path for one in found for path in one.paths) == sorted(set(paths))
    for one in found:
        assert (len(one.paths) > 1) == bool(one.kind)
        assert all(0 <= number < max(NUMBERS, 1000) for number in one.missing)
    assert sorted(map(sorted, names(found))) == sorted(map(sorted, names(file_sets(paths[::-1]))))


def test_the_other_files_of_a_set_are_found_beside_one_of_it(tmp_path: Path) -> None:
    mine = [tmp_path / f"fe_{n:05}_2026112210101{n}.pcapng" for n in (1, 2, 4)]
    others = [
        tmp_path / "fe_00009_20261122101010.pcap",
        tmp_path / "be_00001_20261122101010.pcapng",
    ]
    for path in [*mine, *others]:
        path.write_bytes(b"")
    (tmp_path / "fe_00003_20261122101013.pcapng").mkdir()
    found = siblings(str(mine[1]))
    assert found.paths == tuple(map(str, mine))
    assert found.missing == (3,)
    assert siblings(str(others[0])) == FileSet((str(others[0]),))
    assert siblings("none/such.pcap") == FileSet(("none/such.pcap",))


def test_siblings_in_the_working_directory_have_names_like_the_one_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("x.pcap", "x.pcap1", "x.pcap2"):
        (tmp_path / name).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    assert siblings("x.pcap1").paths == ("x.pcap", "x.pcap1", "x.pcap2")
    assert set(siblings("./x.pcap1").paths) == {"./x.pcap", "./x.pcap1", "./x.pcap2"}


# The frames of a set


def frame(number: int, link: int = 1, digits: int = 6) -> Frame:
    data = b"%d;" % number * (number % 50 + 1)
    return Frame(number, number * 10**9, digits, link, data, 0, len(data) + 3)


def written(directory: Path, files: dict[str, bytes]) -> list[str]:
    for name, data in files.items():
        (directory / name).write_bytes(data)
    return [str(directory / name) for name in files]


def joined(chunks: SetChunks, size: int = 1 << 19) -> tuple[list[Frame], list[Malformed]]:
    data = b"".join(chunks.chunks(size))
    reader = reader_for(data)
    assert not isinstance(reader, Malformed)
    items = read_all(reader, data)
    return frames_of(items), problems_of(items)


def plain(frames: Sequence[Frame]) -> list[Frame]:
    return [one._replace(offset=0) for one in frames]


@pytest.mark.parametrize("form", ["pcap", "pcapng", "nsecpcap"])
@pytest.mark.parametrize("size", [777, 1 << 19])
def test_a_capture_that_editcap_cut_is_whole_again(form: str, size: int, tmp_path: Path) -> None:
    require_shared()
    original = SHARED / "captures" / "straddle.pcap"
    subprocess.run(
        ["editcap", "-F", form, "-c", "50", str(original), str(tmp_path / f"s.{form}")],
        check=True, capture_output=True,
    )  # fmt: skip
    (found,) = file_sets(sorted(map(str, tmp_path.iterdir()), reverse=True))
    known = frames_of(read_all(PcapReader(), original.read_bytes()))
    chunks = SetChunks(found.paths)
    frames, problems = joined(chunks, size)
    assert [(f.number, f.time_ns, f.link, f.data, f.wire_length) for f in frames] == [
        (f.number, f.time_ns, f.link, f.data, f.wire_length) for f in known
    ]
    assert problems == chunks.problems == []
    assert list(chunks.before) == [0, 50, 100, 150]
    assert [chunks.place(number) for number in (1, 50, 51, 156)] == [
        Place(0, 1),
        Place(0, 50),
        Place(1, 1),
        Place(3, 6),
    ]


def test_streams_that_straddle_files_go_on(tmp_path: Path) -> None:
    require_shared()
    original = SHARED / "captures" / "straddle.pcap"
    subprocess.run(
        ["editcap", "-F", "pcap", "-c", "7", str(original), str(tmp_path / "s.pcap")],
        check=True, capture_output=True,
    )  # fmt: skip
    chunks = SetChunks(siblings(str(min(tmp_path.iterdir()))).paths)
    known = messages_in(original.read_bytes())
    assert messages_in(b"".join(chunks.chunks())) == known
    # Seven frames of a file: there are messages that begin in one and end in another.
    assert len(known) > 50
    assert len(chunks.before) == 23


def test_packed_files_are_joined_as_well(tmp_path: Path) -> None:
    frames = [frame(number) for number in range(1, 10)]
    files = {
        "x.pcap": write_pcap(frames[:3], link=1),
        "x.pcap1": gzip.compress(write_pcap(frames[3:6], link=1)),
        "x.pcap2": zstandard.compress(write_pcap(frames[6:], link=1)),
    }
    found, problems = joined(SetChunks(written(tmp_path, files)))
    assert plain(found) == frames
    assert problems == []


def test_the_largest_snap_length_stands_for_all(tmp_path: Path) -> None:
    files = {
        "x.pcap": write_pcap([frame(1)], link=1, snaplen=96),
        "x.pcap1": write_pcap([frame(2)], link=1, snaplen=400_000),
    }
    data = b"".join(SetChunks(written(tmp_path, files)).chunks())
    assert int.from_bytes(data[16:20], "little") == 400_000
    assert len(data) == len(files["x.pcap"]) + len(files["x.pcap1"]) - 24


@pytest.mark.parametrize(
    "others",
    [
        write_pcap([frame(2, link=113)], link=113),
        write_pcap([frame(2)], link=1, big_endian=True),
        write_pcap([frame(2, digits=9)], link=1, nanoseconds=True),
        write_pcapng([frame(2)]),
        write_pcapng([frame(2)], big_endian=True),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_files_that_differ_become_one_pcapng(
    tmp_path: Path, others: bytes, *, turned: bool
) -> None:
    parts = [write_pcap([frame(1)], link=1), others]
    files = dict(zip(["x.pcap", "x.pcap1"], parts[::-1] if turned else parts, strict=True))
    chunks = SetChunks(written(tmp_path, files))
    found, problems = joined(chunks)
    assert problems == chunks.problems == []
    reader = reader_for(others)
    assert not isinstance(reader, Malformed)
    known = [frame(1), *frames_of(read_all(reader, others))]
    assert [(f.number, f.time_ns, f.link, f.digits, f.data, f.wire_length) for f in found] == [
        (number, f.time_ns, f.link, f.digits, f.data, f.wire_length)
        for number, f in enumerate(known[::-1] if turned else known, 1)
    ]


@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_a_file_that_breaks_off_costs_its_last_record_alone(form: str, tmp_path: Path) -> None:
    frames = [frame(number) for number in range(1, 7)]

    def file(frames: Sequence[Frame]) -> bytes:
        return write_pcap(frames, link=1) if form == "pcap" else write_pcapng(frames)

    first, last = file(frames[:3]), file(frames[3:])
    ends = [len(file(frames[:many])) for many in range(4)]
    for cut in range(24 if form == "pcap" else 28, len(first)):
        chunks = SetChunks(written(tmp_path, {"x.pcap": first[:cut], "x.pcap1": last}))
        found, problems = joined(chunks)
        whole = max(many for many in range(4) if ends[many] <= cut or many == 0)
        assert [one.data for one in found] == [one.data for one in [*frames[:whole], *frames[3:]]]
        assert problems == []
        assert list(chunks.before) == [0, whole]
        if form == "pcap":
            assert len(chunks.problems) == (cut not in ends)
        for problem in chunks.problems:
            assert problem.reason.startswith(f"{tmp_path / 'x.pcap'}: the file ends inside")


def test_a_file_damaged_in_the_middle_is_used_up_to_there(tmp_path: Path) -> None:
    broken = write_pcap([frame(1), frame(2)], link=1) + b"\xff" * 50
    files = {"x.pcap": broken, "x.pcap1": write_pcap([frame(3)], link=1)}
    for size in (1, 100, 1 << 19):
        chunks = SetChunks(written(tmp_path, files))
        found, problems = joined(chunks, size)
        assert plain(found) == [frame(1), frame(2), frame(3)]
        assert problems == []
        assert [problem.reason for problem in chunks.problems] == [
            f"{tmp_path / 'x.pcap'}: the record header at byte {len(broken) - 50} claims "
            "4294967295 captured bytes; reading stopped there"
        ]


def test_files_that_cannot_be_read_are_told_and_the_others_used(tmp_path: Path) -> None:
    files = {
        "x.pcap": b"",
        "x.pcap1": write_pcap([frame(1)], link=1),
        "x.pcap2": b"<html>no capture</html>",
        "x.pcap4": write_pcap([frame(2)], link=1),
        "x.pcap5": pcap_header()[:10],
    }
    paths = written(tmp_path, files)
    paths.insert(3, str(tmp_path / "x.pcap3"))
    chunks = SetChunks(paths)
    found, problems = joined(chunks)
    assert plain(found) == [frame(1), frame(2)]
    assert problems == []
    assert [chunks.place(1), chunks.place(2)] == [Place(1, 1), Place(4, 1)]
    told = sorted(problem.reason.removeprefix(f"{tmp_path}/") for problem in chunks.problems)
    assert told == [
        f"there is no file {tmp_path / 'x.pcap3'}",
        "x.pcap2: this is not a capture file but an HTML page (perhaps the error page of a "
        "download)",
        "x.pcap5: the file ends inside the file header (10 of 24 bytes)",
        "x.pcap: the file is empty",
    ]


def test_a_set_of_which_nothing_can_be_opened_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no file"):
        list(SetChunks([str(tmp_path / "a.pcap"), str(tmp_path / "b.pcap")]).chunks())


def test_a_ring_of_tcpdump_is_turned_by_the_times_of_its_frames(tmp_path: Path) -> None:
    files = {
        f"x.pcap{position}": write_pcap([frame(number)], link=1)
        for position, number in enumerate([5, 6, 3, 4])
    }
    (found,) = file_sets(written(tmp_path, files))
    turned = in_time_order(found, [first_time(path) for path in found.paths])
    frames, _ = joined(SetChunks(turned.paths))
    assert [one.time_ns // 10**9 for one in frames] == [3, 4, 5, 6]


@pytest.mark.parametrize("data", [b"", b"text", pcap_header(), pcap_header() + b"\xff" * 30])
def test_a_file_without_frames_has_no_first_time(tmp_path: Path, data: bytes) -> None:
    (path,) = written(tmp_path, {"x.pcap": data})
    assert first_time(path) is None
    assert first_time(str(tmp_path / "none.pcap")) is None
