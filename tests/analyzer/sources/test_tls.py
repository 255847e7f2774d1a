"""TLS whose keys are at hand: where they are looked for, what is read, and what is said if not."""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import zstandard

from analyzer import decryption, pipeline, trace
from analyzer.cli.main import run
from analyzer.sources import keylog, programs, tls, tls_keys
from analyzer.sources.beside import key_log_beside
from analyzer.sources.files import SourceError
from analyzer.sources.spool import Spool
from analyzer.sources.tls_keys import Keys
from analyzer.trace import open_capture
from dissectors.capture.writer import write_pcapng
from dissectors.notes import HOLE, TRUNCATED
from tests.support.packets import Tcp, Udp, frames, pcap
from tests.support.tls_captures import Sealed, split, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.trace import Trace

RANDOM = bytes(range(32))
SECRET = b"CLIENT_RANDOM " + RANDOM.hex().encode() + b" " + b"ab" * 48 + b"\n"
NO_KEYS = (
    "1 TLS connection cannot be read: no key log (give one with --keylog, or put NAME.keylog "
    "beside the capture)."
)
NO_SECRETS = "1 TLS connection cannot be read: the key log has no secrets for these connections."


def info(number: int, body: bytes = b"") -> bytes:
    """Return a message."""
    head = (
        "INFO sip:ann@example.com SIP/2.0\r\nVia: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\r\n"
        "From: <sip:bob@example.com>;tag=1\r\nTo: <sip:ann@example.com>;tag=2\r\n"
        f"Call-ID: one\r\nCSeq: {number} INFO\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def answer(number: int) -> bytes:
    """Return a response."""
    start, _, rest = info(number).partition(b"\r\n")
    return start.replace(start, b"SIP/2.0 200 OK") + b"\r\n" + rest


@pytest.fixture
def session(tmp_path: Path) -> Sealed:
    """A TLS session whose key log is ``keys`` in the temporary directory."""
    return Sealed(tmp_path / "keys")


@pytest.fixture
def capture(tmp_path: Path, session: Sealed) -> Path:
    """A capture of a request and its answer, without a key log beside it."""
    session.client(info(1)).server(answer(1))
    path = tmp_path / "call.pcap"
    path.write_bytes(pcap(told(session.writes)))
    return path


def read(path: Path | str, keylog: Path | None = None, *, jobs: int = 1) -> list[bytes]:
    """Return the messages of a capture."""
    with open_capture(path, keylog=keylog, jobs=jobs) as opened:
        return list(map(opened.raw, range(len(opened))))


def opened(path: Path, keylog: Path | None = None) -> Trace:
    """Return the trace of a capture, closed."""
    with open_capture(path, keylog=keylog) as found:
        return found


BOTH = [info(1), answer(1)]
APPLICATION = 10
"""Number of the first record with data, of a session of ``Sealed``."""


# where keys are


@pytest.mark.parametrize("name", ["call.pcap.keylog", "call.keylog"])
def test_a_key_log_beside_the_capture_is_found(capture: Path, name: str) -> None:
    assert read(capture) == []
    capture.with_name("keys").rename(capture.with_name(name))
    assert read(capture) == BOTH


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("name", ["call.pcap{}.keylog", "call.pcap.keylog", "call.keylog"])
def test_a_compressed_capture_finds_the_key_log_of_the_plain_one(
    capture: Path, name: str, suffix: str
) -> None:
    pack = gzip.compress if suffix == ".gz" else zstandard.compress
    packed = capture.with_name(f"call.pcap{suffix}")
    packed.write_bytes(pack(capture.read_bytes()))
    capture.unlink()
    capture.with_name("keys").rename(capture.with_name(name.format(suffix)))
    assert read(packed) == BOTH


def test_the_key_log_of_another_capture_is_left_alone(capture: Path) -> None:
    other = capture.with_name("call.one.pcap")
    capture.rename(other)
    other.with_name("keys").rename(other.with_name("call.keylog"))
    assert key_log_beside(other) is None


def test_a_key_log_that_is_given_comes_before_one_beside_the_capture(capture: Path) -> None:
    capture.with_name("call.keylog").write_bytes(SECRET)
    assert read(capture) == []
    assert read(capture, capture.with_name("keys")) == BOTH


def _pcapng(session: Sealed, key_log: bytes, *, after: bool = False) -> bytes:
    """Return a capture that carries its keys, in front of the packets or behind them."""
    data = write_pcapng(frames(told(session.writes)))
    padded = key_log + bytes(-len(key_log) % 4)
    body = struct.pack("<II", 0x544C534B, len(key_log)) + padded
    length = struct.pack("<I", 12 + len(body))
    block = struct.pack("<I", 10) + length + body + length
    if after:
        return data + block
    header = int.from_bytes(data[4:8], "little")
    return data[:header] + block + data[header:]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_keys_inside_a_pcapng_are_used_wherever_they_stand(
    capture: Path, session: Sealed, after: bool
) -> None:
    path = capture.with_name("call.pcapng")
    path.write_bytes(_pcapng(session, capture.with_name("keys").read_bytes(), after=after))
    assert read(path) == BOTH


def test_embedded_keys_never_have_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    log = keylog.embedded([SECRET.rstrip(b"\n"), SECRET])
    with closing(Keys([log]).gathered([RANDOM])) as secrets:
        assert list(tmp_path.iterdir()) == []
        status = os.fstat(secrets.file.fileno())
        assert (status.st_nlink, stat.S_IMODE(status.st_mode) & 0o077) == (0, 0)
        assert (secrets.known, secrets.lines) == ({RANDOM}, 2)
    log.close()


def test_nothing_is_left_behind(
    capture: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    before = sorted(capture.parent.iterdir())
    assert read(capture, capture.with_name("keys")) == BOTH
    assert list(place.iterdir()) == []
    assert sorted(capture.parent.iterdir()) == before


def test_a_key_log_that_cannot_be_opened_is_said_in_one_line(tmp_path: Path, capture: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path / "absent", tmp_path, pipe):
        with pytest.raises(SourceError, match=f"^the key log {path} is not a file$"):
            open_capture(capture, keylog=path)
    with pytest.raises(SourceError, match="is not a file"):
        open_capture(capture, keylog="a\0b")


# the file


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_compressed_capture_is_decrypted(capture: Path, pack: Callable[[bytes], bytes]) -> None:
    capture.write_bytes(pack(capture.read_bytes()))
    assert read(capture, capture.with_name("keys")) == BOTH


def test_standard_input_has_no_key_log_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-.keylog").write_bytes(SECRET)
    assert key_log_beside("./-") == Path("-.keylog")
    assert key_log_beside("-") is None


def test_standard_input_is_decrypted(capture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO(capture.read_bytes())
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=buffer, closed=False))
    assert read("-", capture.with_name("keys")) == BOTH


def test_names_are_never_taken_for_options(capture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(capture.parent)
    capture.rename("-V")
    Path("keys").rename("-w a,b:c.keylog")
    assert read("-V", Path("-w a,b:c.keylog")) == BOTH
    assert sorted(map(str, Path().iterdir())) == ["-V", "-w a,b:c.keylog"]


def test_several_processes_give_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "MIN_SHARED", 1)
    packets: list[Tcp] = []
    for number in range(8):
        session = Sealed(tmp_path / "many.keylog").client(info(number)).server(answer(number))
        packets += told(session.writes, client=f"10.0.1.{number}:50000")
    path = tmp_path / "many.pcap"
    path.write_bytes(pcap(packets))
    assert read(path, jobs=2) == read(path)
    assert len(read(path, jobs=2)) == 16


# the connections


def test_plain_and_decrypted_messages_stand_in_the_order_of_their_frames(
    tmp_path: Path, session: Sealed
) -> None:
    session.client(info(1)).server(answer(1)).client(info(2))
    packets: list[Tcp | Udp] = []
    for number, packet in enumerate(told(session.writes)):
        packets += [packet, Udp("10.0.0.3:5060", "10.0.0.4:5060", info(100 + number))]
    path = tmp_path / "both.pcap"
    path.write_bytes(pcap(packets))
    with open_capture(path, keylog=tmp_path / "keys") as found:
        assert list(found.rows.frame) == sorted(found.rows.frame)
        kinds = [found.streams[stream].transport for stream in found.rows.stream]
        assert (kinds.count("tls"), kinds.count("udp")) == (3, len(packets) // 2)
        for row in range(len(found)):
            number, _ = found.rows.cseqs.values[found.rows.cseq[row]] or (0, "")
            assert (number < 100) == (kinds[row] == "tls")
            assert found.raw(row) in (info(number), answer(number))


def test_ports_that_are_used_again_are_another_connection(tmp_path: Path) -> None:
    packets: list[Tcp] = []
    for number in (1, 2):
        session = Sealed(tmp_path / "keys").client(info(number)).server(answer(number))
        packets += told(session.writes, isns=(number * 10_000_000, number * 20_000_000))
    path = tmp_path / "again.pcap"
    path.write_bytes(pcap(packets))
    found = opened(path, tmp_path / "keys")
    assert [one.messages for one in found.connections] == [(1, 1), (1, 1)]
    assert [one.first_frame for one in found.connections] == [1, len(packets) // 2 + 1]
    assert [one.ends for one in found.connections] == [("fin", "fin")] * 2


@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_a_record_that_looks_like_another_protocol_is_not_lost(
    tmp_path: Path, session: Sealed, first: bool
) -> None:
    body = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
    whole = info(1, body)
    if not first:
        session.client(info(0))
    session.client(whole[: -len(body)]).client(body)
    path = tmp_path / "lines.pcap"
    path.write_bytes(pcap(told(session.writes)))
    assert read(path, tmp_path / "keys")[-1] == whole


def test_large_messages_and_single_bytes_come_out_whole(tmp_path: Path, session: Sealed) -> None:
    large = info(1, b"x" * 100_000)
    session.client(large)
    for byte in info(2):
        session.client(bytes((byte,)))
    path = tmp_path / "sizes.pcap"
    path.write_bytes(pcap(told(split(session.writes, 1400))))
    assert read(path, tmp_path / "keys") == [large, info(2)]


def test_what_is_not_sip_is_counted_by_what_it_is(tmp_path: Path) -> None:
    key_log = tmp_path / "keys"
    sessions = (
        Sealed(key_log).client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").server(b"HTTP/1.1 200 OK\r\n"),
        Sealed(key_log).client(b"\0\1\2\3"),
        Sealed(key_log),
    )
    packets: list[Tcp] = []
    for number, session in enumerate(sessions, 1):
        packets += told(session.writes, client=f"10.0.1.{number}:50000")
    path = tmp_path / "others.pcap"
    path.write_bytes(pcap(packets))
    quality = opened(path, key_log).quality
    assert quality.services == {"HTTP in TLS": 1, "unknown in TLS": 1, "TLS without data": 1}
    assert quality.counters["decrypted tls connections"] == 2
    assert quality.notes == ()


# what cannot be read is said


def test_connections_beyond_the_limit_are_counted_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "MAX_TLS", 2)
    packets: list[Tcp] = []
    for number in range(5):
        session = Sealed(tmp_path / "keys").client(info(number))
        packets += told(session.writes, client=f"10.0.1.{number}:50000")
    path = tmp_path / "many.pcap"
    path.write_bytes(pcap(packets))
    found = opened(path, tmp_path / "keys")
    assert (len(found), found.quality.services) == (2, {"TLS": 3})
    assert found.quality.notes == (
        "3 TLS connections cannot be read: only the first 2 are looked at.",
    )


def test_without_keys_the_connections_are_counted_and_the_way_out_is_named(capture: Path) -> None:
    found = opened(capture)
    assert (len(found), found.quality.notes) == (0, (NO_KEYS,))
    assert found.quality.services == {"TLS": 1}


def test_without_tshark_the_connections_are_counted_and_the_way_out_is_named(
    capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(capture.parent))
    found = opened(capture, capture.with_name("keys"))
    assert found.quality.services == {"TLS": 1}
    assert found.quality.notes == (
        f"1 TLS connection cannot be read: {programs.how_to_install('tshark')}.",
    )


def test_the_key_log_of_other_connections_is_named_as_such(
    capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Sealed(tmp_path / "others")
    monkeypatch.setattr(tls, "Tshark", None)  # nothing to decrypt: not even started
    found = opened(capture, tmp_path / "others")
    assert (found.quality.services, found.quality.notes) == ({"TLS": 1}, (NO_SECRETS,))


def test_keys_that_do_not_fit_are_named_as_such(capture: Path, tmp_path: Path) -> None:
    text = (tmp_path / "keys").read_text().rstrip()
    (tmp_path / "keys").write_text(text[:-96] + "0" * 96 + "\n")
    found = opened(capture, tmp_path / "keys")
    assert found.quality.services == {"TLS": 1}
    assert found.quality.notes == ("1 TLS connection cannot be read: none of the keys fits.",)


def test_a_handshake_that_was_not_captured_is_named_as_such(
    tmp_path: Path, session: Sealed
) -> None:
    handshake = len(session.writes)
    session.client(info(1)).server(answer(1))
    path = tmp_path / "late.pcap"
    path.write_bytes(pcap(told(session.writes)[2 + handshake :]))
    found = opened(path, tmp_path / "keys")
    assert found.quality.services == {"TLS": 1}
    assert found.quality.notes == (
        "1 TLS connection cannot be read: their handshake was not captured, or not as a whole.",
    )


def test_behind_a_hole_messages_are_found_again(tmp_path: Path, session: Sealed) -> None:
    """Each record of AES-CBC says with which bytes its first block is mixed."""
    for number in range(1, 9):
        message = info(number, b"x" * 3000)
        for at in range(0, len(message), 500):
            session.client(message[at : at + 500])
        session.server(answer(number))
    packets = told(split(session.writes, 300))
    sizes = [len(packet.payload) for packet in packets]
    # In the third record of a message.
    lost = next(at for at in range(len(sizes) // 2, len(sizes)) if sizes[at] == 300) + 4
    path = tmp_path / "hole.pcap"
    path.write_bytes(pcap(packets[:lost] + packets[lost + 1 :]))
    with open_capture(path, keylog=tmp_path / "keys") as found:
        assert found.connections[0].messages == (8, 8)
        [hole] = found.quality.holes
        assert (hole.stream, found.connections[0].holes) == (0, 1)
        assert hole.frame > lost
        assert found.quality.notes == ()
        [hit] = [row for row in range(16) if found.rows.notes[row] & HOLE]
        whole = [found.raw(row) for row in range(16) if row != hit and not found.rows.stream[row]]
        left = [info(number, b"x" * 3000) for number in range(1, 9)]
        assert [message in whole for message in left].count(True) == 7


def test_a_capture_that_ends_within_a_record_has_no_hole(tmp_path: Path, session: Sealed) -> None:
    half = len(info(2)) // 2
    session.client(info(1)).client(info(2)[:half]).client(info(2)[half:])
    packets = told(split(session.writes, 100), closed=False)
    path = tmp_path / "end.pcap"
    path.write_bytes(pcap(packets[:-1]))
    found = opened(path, tmp_path / "keys")
    assert (found.quality.holes, found.quality.notes) == ((), ())
    assert found.connections[0].ends == ("end", "end")
    assert [bool(notes & TRUNCATED) for notes in found.rows.notes] == [False, True]


def test_a_capture_cut_short_gives_what_is_before_the_cut(capture: Path) -> None:
    capture.write_bytes(capture.read_bytes()[:-150])
    found = opened(capture, capture.with_name("keys"))
    assert (found.quality.damaged, found.quality.notes) == (True, ())
    assert len(found) == 1


def _pretend(path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put another program into the place of tshark."""
    place = path.with_name("bin")
    place.mkdir()
    program = place / "tshark"
    program.write_text(f"#!{sys.executable}\n{script}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(place))


def test_a_tshark_that_fails_is_quoted(capture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = "import sys\nsys.exit('Running as root.\\ntshark: Some fields aren\\'t valid')"
    _pretend(capture, monkeypatch, script)
    found = opened(capture, capture.with_name("keys"))
    assert found.quality.notes == (
        "1 TLS connection cannot be read: tshark: Some fields aren't valid (Wireshark 4.0 or newer "
        "with GnuTLS is needed).",
    )


def test_a_tshark_that_cannot_be_started_is_said(
    capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pretend(capture, monkeypatch, "")
    capture.with_name("bin").joinpath("tshark").write_text("#!/nonexistent\n")
    found = opened(capture, capture.with_name("keys"))
    assert found.quality.notes == (
        "1 TLS connection cannot be read: tshark cannot be run: No such file or directory.",
    )


def test_a_tshark_that_dies_leaves_what_it_gave_and_a_remark(
    capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = _line(data=[info(1)])
    script = (
        f"import sys\nsys.stdout.write({line.decode()!r})\nsys.stdout.write('2\\t')\nsys.exit(3)"
    )
    _pretend(capture, monkeypatch, script)
    found = opened(capture, capture.with_name("keys"))
    assert len(found) == 1
    assert found.quality.notes == (
        "TLS may not have been read to its end: tshark ended with status 3.",
    )


def test_an_interrupted_run_takes_tshark_with_it(
    capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = capture.with_name("pid")
    script = (
        f"import os, sys, time\nopen({str(place)!r}, 'w').write(str(os.getpid()))\n"
        f"sys.stdout.write({_line(data=[info(1)]).decode()!r})\nsys.stdout.flush()\n"
        "time.sleep(600)"
    )
    _pretend(capture, monkeypatch, script)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(decryption._Pass, "take", interrupt)
    with pytest.raises(KeyboardInterrupt):
        open_capture(capture, keylog=capture.with_name("keys"))
    with pytest.raises(ProcessLookupError):
        os.kill(int(place.read_text()), 0)


def test_no_room_for_what_is_decrypted_is_said(
    capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Spool, "write", lambda *_: "there is not enough room for temporary files")
    found = opened(capture, capture.with_name("keys"))
    assert len(found) == 0
    assert found.quality.notes == (
        "1 TLS connection cannot be read: there is not enough room for temporary files.",
    )


def test_a_key_log_beside_the_capture_that_may_not_be_read_is_said(
    capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture.with_name("keys").rename(capture.with_name("call.keylog"))

    def refuse(path: Path) -> None:
        raise SourceError(f"the key log {path.name} cannot be opened: Permission denied")

    monkeypatch.setattr(tls_keys, "open_key_log", refuse)
    assert opened(capture).quality.notes == (
        "the key log call.keylog cannot be opened: Permission denied.",
        NO_KEYS,
    )


def test_no_temporary_file_for_what_is_decrypted_is_said(
    capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(decryption, "Spool", refuse)
    assert opened(capture, capture.with_name("keys")).quality.notes == (
        "1 TLS connection cannot be read: no temporary file can be made (No space left on device).",
    )


def test_a_long_stream_of_something_else_is_given_up(tmp_path: Path, session: Sealed) -> None:
    for _ in range(30):
        session.client(b"\0" * 50_000)
    path = tmp_path / "binary.pcap"
    path.write_bytes(pcap(told(split(session.writes, 30_000))))
    found = opened(path, tmp_path / "keys")
    assert found.quality.services == {"unknown in TLS": 1}


# lines of tshark


def _line(**fields: object) -> bytes:
    """Return a line as tshark writes it."""
    data = fields.get("data", [])
    assert isinstance(data, list)
    values = {
        "number": APPLICATION, "kinds": ",".join(["23"] * len(data)), "opaque": "",
        "lengths": ",".join(str(len(one) + 24) for one in data),
        **fields, "data": ",".join(one.hex() for one in data),
    }  # fmt: skip
    return "\t".join(map(str, values.values())).encode() + b"\n"


def test_a_line_becomes_a_frame() -> None:
    frame = tls._frame(_line(number=7, data=[b"SIP", b"/2.0"]), whole=True)
    assert frame == tls.TlsFrame(7, unread=False, plain=(b"534950", b"2f322e30"))


@pytest.mark.parametrize(
    ("fields", "unread"),
    [
        ({"kinds": "23", "lengths": "200"}, True),  # TLS 1.2 without its key
        ({"kinds": "", "opaque": "23", "lengths": "200"}, True),  # TLS 1.3 without its key
        ({"kinds": "22,20", "opaque": "23", "lengths": "90,1,900"}, True),
        ({"kinds": "22,20,22", "opaque": "23", "lengths": "90,1,900"}, False),
        ({"kinds": "21", "opaque": "23", "lengths": "19"}, False),  # an alert, decrypted
        ({"kinds": "22,20,22", "lengths": "37,1,40"}, False),
        ({"kinds": "23", "lengths": "32"}, False),  # nothing in it: TLS 1.0
        ({"kinds": "23,23", "lengths": "32,64", "data": [b"x" * 20]}, False),
        ({"kinds": "23,23", "lengths": "500,64", "data": [b"x" * 20]}, True),
        ({"kinds": "", "lengths": ""}, False),  # a part of a record
    ],
)
def test_application_data_that_stayed_closed_is_told_from_the_rest(
    fields: dict[str, object], unread: bool
) -> None:
    frame = tls._frame(_line(**fields), whole=True)
    assert frame is not None
    assert frame.unread is unread


@pytest.mark.parametrize(
    "line", [b"\n", b"7\n", _line(number="x"), _line(lengths="x", kinds="23"), _line() + b"\t\n"]
)
def test_a_line_of_another_form_is_passed_over(line: bytes) -> None:
    assert tls._frame(line, whole=True) is None


def test_records_that_nobody_handed_over_are_passed_over(
    capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [_line(number=0, data=[info(1)]), _line(number=99, data=[info(2)])]
    _pretend(capture, monkeypatch, f"import sys\nsys.stdout.write({b''.join(lines).decode()!r})")
    assert len(opened(capture, capture.with_name("keys"))) == 0


def test_a_line_that_is_too_long_is_a_hole(
    tmp_path: Path, session: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        session.client(info(number))
    path = tmp_path / "call.pcap"
    path.write_bytes(pcap(told(session.writes)))
    texts = [info(1), info(2, b"x" * 900), info(3)]
    lines = [_line(number=APPLICATION + at, data=[text]) for at, text in enumerate(texts)]
    script = f"import sys\nsys.stdout.write({b''.join(lines).decode()!r})"
    _pretend(path, monkeypatch, script)
    monkeypatch.setattr(tls, "MAX_LINE", 1000)
    found = opened(path, tmp_path / "keys")
    numbers = [found.rows.cseqs.values[number] for number in found.rows.cseq]
    assert numbers == [(1, "INFO"), (3, "INFO")]
    assert [hole.stream for hole in found.quality.holes] == [0]
    assert found.quality.holes[0].frame == found.rows.frame[1]


def test_what_was_decrypted_lies_behind_every_file() -> None:
    class Capture:
        name, problem, conversion = "x", None, None

        def read(self, offset: int, length: int) -> bytes:
            return b"c%d" % offset if length else b""

    plaintext = Spool()
    assert plaintext.write(b"plain text") is None
    source = tls.DecryptedSource(Capture(), plaintext)  # type: ignore[arg-type]
    assert source.read(tls.PLAINTEXT + 6, 100) == b"text"
    assert source.read(tls.PLAINTEXT - 1, 1) == b"c%d" % (tls.PLAINTEXT - 1)
    assert source.read(0, 1) == b"c0"
    plaintext.close()


# the command


@pytest.mark.parametrize("command", [["messages"], ["show", "1"]])
def test_the_command_takes_a_key_log(
    capture: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    name, *rest = command
    arguments = [name, str(capture), *rest, "--keylog", str(capture.with_name("keys"))]
    assert run(arguments) == 0
    assert "10.0.0.1:50000" in capsys.readouterr().out


def test_triage_takes_a_key_log(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["triage", str(capture), "--keylog", str(capture.with_name("keys"))]) == 0
    assert "2 SIP messages" in capsys.readouterr().out


def test_a_key_log_that_does_not_exist_is_an_error_of_usage(
    capture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["messages", str(capture), "--keylog", str(capture.with_name("none"))]) == 2
    assert "does not exist" in capsys.readouterr().err
