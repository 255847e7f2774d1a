"""ZIP archives: what is in them, the bytes of a member, and everything that may be wrong."""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.sources import archive, member
from analyzer.sources.archive import Archive, Member, is_archive, members
from analyzer.sources.files import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

PCAP = b"\xd4\xc3\xb2\xa1" + bytes(range(256)) * 40
PCAPNG = b"\x0a\x0d\x0d\x0a" + b"pcapng" * 100
LOG = b"TL_INFO(TF_PROTOCOL) [0]06E4.0EB4::01/18/2012-05:00:43.101.00005386\r\n" * 30


def is_log(head: bytes) -> bool:
    return head.startswith(b"TL_INFO")


def zipped(path: Path, contents: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in contents.items():
            file.writestr(name, data)
    return path


def opened(path: Path) -> Archive:
    return members(path, is_log)


def bytes_of(found: Archive, one: Member) -> tuple[bytes, str | None]:
    with found.open(one) as stream:
        return stream.read(), stream.problem


def ignored(found: Archive) -> dict[str, str]:
    return dict(found.ignored)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_captures_and_logs_are_told_from_the_rest_by_their_bytes(
    tmp_path: Path, method: int
) -> None:
    contents = {
        "case/client.bin": PCAP,
        "case/": b"",
        "case/fe.pcapng": PCAPNG,
        "trace.txt": LOG,
        "old.cap": b"GMBU" + bytes(200),
        "older.cap": b"RTSS" + bytes(200),
        "sun.cap": b"snoop\0\0\0" + bytes(200),
        "a.pcap.gz": gzip.compress(PCAP),
        "b.pcap.zst": zstandard.compress(LOG),
        "readme.pcap": b"not a capture at all",
        "empty.pcap": b"",
    }
    with opened(zipped(tmp_path / "case.zip", contents, method)) as found:
        assert [(one.name, one.size) for one in found.members] == [
            (name, len(contents[name]))
            for name in (
                "case/client.bin", "case/fe.pcapng", "trace.txt", "old.cap", "older.cap",
                "sun.cap", "a.pcap.gz", "b.pcap.zst",
            )
        ]  # fmt: skip
        assert ignored(found) == {
            "readme.pcap": "it is no capture and no trace",
            "empty.pcap": "it is empty",
        }
        for one in found.members:
            assert bytes_of(found, one) == (contents[one.name], None)


def test_keys_are_named_and_not_read(tmp_path: Path) -> None:
    names = ["a.keylog", "sub/SSLKEYLOGFILE.txt", "fe.pem", "fe.P12", "fe.pfx", "server.key"]
    contents = {**dict.fromkeys(names, PCAP), "secrets.txt": b"CLIENT_RANDOM 00 11\n"}
    with opened(zipped(tmp_path / "case.zip", contents)) as found:
        assert found.key_logs == [*names, "secrets.txt"]
        assert (found.members, found.ignored) == ([], [])


def test_archives_inside_are_named_and_not_opened(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"a.pcap": PCAP}).read_bytes()
    tar = bytes(257) + b"ustar" + bytes(250)
    contents = {
        "inner.zip": inner,
        "x.7z": b"7z\xbc\xaf\x27\x1c" + bytes(20),
        "x.rar": b"Rar!\x1a\x07\x00",
        "x.cab": b"MSCF" + bytes(20),
        "x.tar": tar,
        "x.tar.gz": gzip.compress(tar),
        "x.zip.gz": gzip.compress(inner),
        "x.gz.gz": gzip.compress(gzip.compress(PCAP)),
        "x.txt.gz": gzip.compress(b"nothing"),
    }
    with opened(zipped(tmp_path / "case.zip", contents)) as found:
        assert found.members == []
        told = ignored(found)
        assert told.pop("x.gz.gz") == "it is compressed twice"
        assert told.pop("x.txt.gz") == "it is no capture and no trace"
        assert all(text.endswith("inside the archive; unpack it first") for text in told.values())
        assert len(told) == 7


def test_several_members_are_read_at_once_and_names_may_occur_twice(tmp_path: Path) -> None:
    path = tmp_path / "case.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.pcap", PCAP)
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("a.pcap", PCAP + b"other")
    with opened(path) as found:
        first, second = found.members
        with found.open(first) as one, found.open(second) as two:
            assert one.read(4) == two.read(4)
            assert (one.read(), two.read()) == (PCAP[4:], PCAP[4:] + b"other")


@pytest.mark.parametrize("name", ["../../etc/a.pcap", "/etc/a.pcap", "C:\\temp\\a.pcap"])
def test_a_path_in_an_archive_is_a_name_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "case.zip", {name: PCAP})
    with opened(path) as found:
        assert [one.name for one in found.members] == [name]
        assert bytes_of(found, found.members[0])[0] == PCAP
    assert list(tmp_path.iterdir()) == [path]


def test_an_empty_archive_has_nothing(tmp_path: Path) -> None:
    path = zipped(tmp_path / "case.zip", {})
    assert is_archive(path.read_bytes())
    with opened(path) as found:
        assert (found.members, found.key_logs, found.ignored) == ([], [], [])


def test_a_member_outlives_its_archive(tmp_path: Path) -> None:
    with opened(zipped(tmp_path / "case.zip", {"a.pcap": PCAP})) as found:
        stream = found.open(found.members[0])
    with stream:
        assert stream.read() == PCAP


# What cannot be unpacked


def patched(path: Path, local: int, central: int, value: bytes) -> None:
    """Write a field of the first member into its local header and the list."""
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[local : local + len(value)] = value
    data[at + central : at + central + len(value)] = value
    path.write_bytes(data)


def test_an_encrypted_member_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "case.zip", {"a.pcap": PCAP, "b.pcap": PCAP})
    patched(path, 6, 8, b"\x01\x00")
    with opened(path) as found:
        assert [one.name for one in found.members] == ["b.pcap"]
        assert ignored(found) == {"a.pcap": "it is encrypted with a password; unpack it first"}


@pytest.mark.parametrize(
    ("method", "name"), [(9, "Deflate64"), (12, "bzip2"), (14, "LZMA"), (77, "method 77")]
)
def test_another_compression_is_named(tmp_path: Path, method: int, name: str) -> None:
    path = zipped(tmp_path / "case.zip", {"a.pcap": PCAP})
    patched(path, 8, 10, struct.pack("<H", method))
    with opened(path) as found:
        assert ignored(found) == {"a.pcap": f"it is compressed with {name}; unpack it first"}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_with_a_wrong_checksum_is_used_and_told(tmp_path: Path, method: int) -> None:
    path = zipped(tmp_path / "case.zip", {"a.pcap": PCAP}, method)
    patched(path, 14, 16, b"\0\0\0\0")
    with opened(path) as found:
        assert bytes_of(found, found.members[0]) == (
            PCAP,
            "its checksum is wrong: something in it was damaged",
        )


@pytest.mark.parametrize("place", [0.01, 0.5, 0.99])
def test_what_was_unpacked_before_damage_is_used(tmp_path: Path, place: float) -> None:
    data = PCAP[:4] + b"".join(b"%d;" % (number * 7919 % 65536) for number in range(50_000))
    path = zipped(tmp_path / "case.zip", {"a.pcap": data})
    whole = bytearray(path.read_bytes())
    at = int(place * whole.index(b"PK\x01\x02"))
    whole[at : at + 100] = b"\xff" * 100
    path.write_bytes(whole)
    with opened(path) as found:
        unpacked, problem = bytes_of(found, found.members[0])
    same = next((n for n, (a, b) in enumerate(zip(unpacked, data, strict=False)) if a != b), 0)
    assert (same or len(unpacked)) > (place - 0.1) * len(data)
    assert problem is not None


@pytest.mark.parametrize("claimed", [10, 0x7FFF_FFFF])
def test_a_lying_size_changes_nothing(tmp_path: Path, claimed: int) -> None:
    path = zipped(tmp_path / "case.zip", {"a.pcap": PCAP})
    patched(path, 22, 24, struct.pack("<I", claimed))
    with opened(path) as found:
        (one,) = found.members
        assert one.size == claimed
        assert bytes_of(found, one) == (PCAP, None)


@pytest.mark.parametrize(
    ("method", "size", "problem"),
    [
        (zipfile.ZIP_DEFLATED, 40, "its compressed data is cut short"),
        (zipfile.ZIP_STORED, 1 << 20, "the archive ends inside it"),
    ],
)
def test_a_lying_compressed_size_ends_it_early(
    tmp_path: Path, method: int, size: int, problem: str
) -> None:
    path = zipped(tmp_path / "case.zip", {"a.pcap": PCAP}, method)
    patched(path, 18, 20, struct.pack("<I", size))
    with opened(path) as found:
        unpacked, told = bytes_of(found, found.members[0])
    assert unpacked[:4] == PCAP[:4]
    assert told is not None
    assert told.startswith(problem)


def test_a_member_that_is_not_where_the_list_has_it_is_ignored(tmp_path: Path) -> None:
    path = zipped(tmp_path / "case.zip", {"a.pcap": PCAP, "b.pcap": PCAP})
    data = path.read_bytes()
    path.write_bytes(data.replace(b"PK\x03\x04", b"XX\x03\x04", 1))
    with opened(path) as found:
        assert [one.name for one in found.members] == ["b.pcap"]
        assert ignored(found) == {"a.pcap": "it is damaged (its header is not where it should be)"}


def test_members_that_share_bytes_are_not_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "case.zip", {"a.pcap": PCAP, "b.pcap": PCAP, "c.pcap": PCAP})
    data = bytearray(path.read_bytes())
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    data[second + 42 : second + 46] = bytes(4)  # where it begins: with the first one
    path.write_bytes(data)
    with opened(path) as found:
        assert [one.name for one in found.members] == ["c.pcap"]
        assert ignored(found) == dict.fromkeys(["a.pcap", "b.pcap"], "it overlaps another member")


def test_a_bomb_is_stopped_by_its_ratio_in_small_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member, "SMALL", 1 << 20)
    path = zipped(tmp_path / "case.zip", {"a.pcap": PCAP + bytes(50 << 20)})
    with opened(path) as found, found.open(found.members[0]) as stream:
        tracemalloc.start()
        try:
            passed = 0
            while piece := stream.read(1 << 16):
                passed += len(piece)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert stream.problem == "it unpacks to more than 500 times its size; the rest is not read"
    assert 20 << 20 < passed < 30 << 20
    assert peak < 2 << 20


def test_what_is_just_as_long_as_it_may_be_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member, "SMALL", len(PCAP))
    monkeypatch.setattr(member, "MAX_RATIO", 0)
    path = zipped(tmp_path / "case.zip", {"a.pcap": PCAP, "b.pcap": PCAP + b"x"})
    with opened(path) as found:
        first, second = (bytes_of(found, one) for one in found.members)
    assert first == (PCAP, None)
    assert second[0] == PCAP
    assert second[1] is not None


def test_all_members_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "case.zip", {f"{n}.pcap": PCAP for n in range(4)})
    monkeypatch.setattr(member, "MAX_TOTAL", 7 * len(PCAP))  # four looks, and three to be read
    with opened(path) as found:
        problems = [bytes_of(found, one)[1] for one in found.members]
    assert problems[:3] == [None] * 3
    assert problems[3] == "it unpacks to more than all members may; the rest is not read"


# What is no archive


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[:-30], "the list of members at its end is missing; was it cut short?"),
        (lambda data: data[:100], "the list of members at its end is missing; was it cut short?"),
        (lambda _: b"", "the list of members at its end is missing; was it cut short?"),
        (lambda data: data.replace(b"PK\x01\x02", b"PK\x01\xff"), "it is damaged (Bad magic"),
    ],
)
def test_a_bad_archive_is_told_in_one_line(
    tmp_path: Path, damage: Callable[[bytes], bytes], reason: str
) -> None:
    path = zipped(tmp_path / "case.zip", {"a.pcap": PCAP})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SourceError) as caught:
        opened(path)
    assert str(caught.value).startswith(f"{path} is no ZIP archive that can be read: {reason}")
    assert "\n" not in str(caught.value)


def test_a_missing_archive_and_standard_input_are_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no such file"):
        opened(tmp_path / "none.zip")
    with pytest.raises(SourceError, match="cannot be read from standard input"):
        opened(Path("-"))


def test_a_list_of_too_many_members_is_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "case.zip", {f"{number}.pcap": PCAP for number in range(5)})
    monkeypatch.setattr(archive, "MAX_MEMBERS", 4)
    with pytest.raises(SourceError, match="it has 5 members, more than 4"):
        opened(path)
    data = bytearray(path.read_bytes())
    end = data.rindex(b"PK\x05\x06")
    data[end + 8 : end + 12] = b"\x01\x00\x01\x00"  # the count lies
    path.write_bytes(data)
    with pytest.raises(SourceError, match="has 5 members, more than 4"):
        opened(path)
    monkeypatch.setattr(archive, "MAX_DIRECTORY", 100)
    with pytest.raises(SourceError, match="its list of members has 260 bytes, more than 100"):
        opened(path)


def test_the_list_of_a_zip64_archive_is_bounded_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "case.zip", {"a.pcap": PCAP})
    data = path.read_bytes()
    end, first = data.rindex(b"PK\x05\x06"), data.index(b"PK\x01\x02")
    size = end - first
    end_64 = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, first)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    full = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    path.write_bytes(data[:end] + end_64 + locator + full)
    with opened(path) as found:
        assert bytes_of(found, found.members[0]) == (PCAP, None)
    monkeypatch.setattr(archive, "MAX_DIRECTORY", size - 1)
    with pytest.raises(SourceError, match=f"its list of members has {size} bytes"):
        opened(path)


# Anything at all


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8),
    st.one_of(st.none(), st.floats(0, 1)),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_is_a_line_and_never_more(
    tmp_path: Path, changes: list[tuple[float, int]], cut: float | None
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.pcap", PCAP)
        file.writestr("b.txt", LOG)
        file.writestr("a.keylog", b"CLIENT_RANDOM")
    data = bytearray(buffer.getvalue())
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    path = tmp_path / "case.zip"
    path.write_bytes(data if cut is None else data[: int(cut * len(data))])
    try:
        found = opened(path)
    except SourceError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return
    with found:
        for one in found.members:
            try:
                unpacked, problem = bytes_of(found, one)
            except SourceError as error:
                assert "\n" not in str(error)  # noqa: PT017
                continue
            known = PCAP if unpacked.startswith(PCAP[:4]) else LOG
            assert problem is not None or zlib.crc32(unpacked) == zlib.crc32(known)
        assert all("\n" not in reason for _, reason in found.ignored)
