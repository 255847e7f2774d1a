"""``xccos export``: formats by suffix, several tables, captures that Wireshark takes."""

from __future__ import annotations

import builtins
import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.trace import open_capture
from tests.analyzer.captures import capture, message
from tests.analyzer.cli.running import xccos
from tests.analyzer.export.slicing import frames_of
from tests.paths import SAMPLES, SHARED, require_shared

if TYPE_CHECKING:
    from pathlib import Path

POSTS = SAMPLES / "twousers-post.pcap"
FAULT = SAMPLES / "fault-503.pcap"
HOPS = SAMPLES / "fe-two-hops.pcapng"
TLS = SHARED / "captures/tls.pcap"
COMPLAINTS = (
    "_ws.malformed || tcp.analysis.flags || tcp.checksum.status == 0 || ip.checksum.status == 0"
)


def tshark(path: Path, *arguments: str) -> list[str]:
    """Return the lines of a run of tshark; fails where it says anything."""
    command = ["tshark", "-n", "-r", str(path), "-o", "tcp.reassemble_out_of_order:TRUE"]
    command += ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = [line for line in done.stderr.splitlines() if "root" not in line]
    assert said == []
    return done.stdout.splitlines()


@pytest.mark.parametrize("suffix", ["jsonl", "ndjson", "json", "csv"])
def test_the_suffix_says_the_format(suffix: str, tmp_path: Path) -> None:
    out = tmp_path / f"out.{suffix}"
    assert xccos("export", POSTS, "-o", out).code == 0
    form = "jsonl" if suffix == "ndjson" else suffix
    assert out.read_bytes() == xccos("messages", POSTS, "--format", form).raw


def test_without_a_file_messages_are_written_as_json_lines() -> None:
    assert xccos("export", POSTS).raw == xccos("messages", POSTS, "--format", "jsonl").raw


def test_filters_are_those_of_the_lists() -> None:
    asked = ("--user", "user1", "--method", "INFO", "--command", "join")
    wanted = xccos("messages", POSTS, *asked, "--format", "jsonl").raw
    assert xccos("export", POSTS, *asked).raw == wanted != b""
    done = xccos("export", POSTS, "--table", "commands", "--session", "2")
    assert {json.loads(line)["session"] for line in done.lines} == {1}


def test_several_tables_go_into_a_directory_or_by_name(tmp_path: Path) -> None:
    tables = ("--table", "sessions", "--table", "flows")
    assert xccos("export", FAULT, *tables, "--format", "csv", "-o", tmp_path).code == 0
    assert xccos("export", FAULT, *tables, "-o", tmp_path / "x-{table}.json").code == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"sessions.csv", "flows.csv", "x-sessions.json", "x-flows.json"}
    done = xccos("export", FAULT, *tables, "-o", tmp_path / "one.json")
    assert (done.code, "several tables need -o" in done.err) == (2, True)


def test_parquet_is_written_and_can_be_read(tmp_path: Path) -> None:
    import pyarrow.parquet

    out = tmp_path / "out.parquet"
    assert xccos("export", POSTS, "-o", out).code == 0
    assert pyarrow.parquet.read_table(out).num_rows == 114


def test_a_missing_pyarrow_is_one_line_that_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, *rest: Any) -> Any:  # noqa: ANN401
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *rest)

    real = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", refuse)
    done = xccos("export", POSTS, "-o", tmp_path / "out.parquet")
    assert done.code == 2
    assert "pip install 'xccos-analyzer[parquet]'" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_capture_is_exported_as_far_as_it_goes(tmp_path: Path) -> None:
    source, out = tmp_path / "cut.pcap", tmp_path / "out.pcapng"
    source.write_bytes(POSTS.read_bytes()[:-100])
    done = xccos("export", source, "-o", out)
    assert done.code == 3
    assert len(frames_of(out)) == len(frames_of(source)) == 158
    done = xccos("export", tmp_path / "none.pcap", "-o", tmp_path / "none.pcapng")
    assert (done.code, (tmp_path / "none.pcapng").exists()) == (3, False)


def test_an_input_is_never_written_over(tmp_path: Path) -> None:
    source = tmp_path / "in.pcap"
    source.write_bytes(POSTS.read_bytes())
    assert xccos("export", source, "-o", source).code == 2
    assert source.read_bytes() == POSTS.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-o", "x.foo"), "no format has the suffix .foo"),
        (("-o", "x.csv", "--frames", "4"), "--frames: for captures, not for csv"),
        (("-o", "x.csv", "--with-keys", "--flow", "posting"), "--flow, --with-keys: for captures"),
        (("-o", "x.pcap", "--table", "flows"), "a capture is no table"),
        (("-o", "x.pcap", "--with-keys"), "a pcap has no room for keys"),
        (("-o", "x.pcapng", "--with-keys", "--decrypted"), "what is plain needs no keys"),
        (("-o", "x.pcapng", "--frames", "x"), "'x' is not a frame"),
        (("-o", "x.pcapng", "--session", "9"), "there is no session 9"),
        (("-o", "x.pcapng", "--room", "nowhere"), "nothing matches: no capture was written"),
        (("-o", "x.pcapng", POSTS), "give one FILE"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = xccos("export", FAULT, *arguments)
    assert done.code == 2
    assert words in done.err
    assert list(tmp_path.iterdir()) == []


def test_nothing_binary_goes_to_a_terminal() -> None:
    for form in ("pcapng", "parquet"):
        assert xccos("export", FAULT, "--format", form, terminal=True).code == 2


def test_a_slice_can_go_through_a_pipe(tmp_path: Path) -> None:
    done = xccos("export", POSTS, "--session", "1", "--format", "pcapng", "-o", "-")
    path = tmp_path / "out.pcapng"
    path.write_bytes(done.raw)
    with open_capture(path) as trace:
        assert len(trace) == 57
    assert done.err == "xccos: 57 of 114 messages in 80 frames\n"


def test_link_types_that_pcap_cannot_hold_together_lead_to_pcapng(tmp_path: Path) -> None:
    from dissectors.capture.writer import write_pcapng

    source, out = tmp_path / "in.pcapng", tmp_path / "out.pcap"
    first, second = frames_of(capture(tmp_path / "one.pcap", message(), message()))
    data = second.data[14:]
    other = second._replace(link=101, data=data, wire_length=len(data))
    source.write_bytes(write_pcapng([first, other]))
    done = xccos("export", source, "-o", out)
    assert done.code == 2
    assert "frame 2 has link type 101, not 1: pcap cannot hold it; write .pcapng" in done.err
    assert not out.exists()


def test_wireshark_takes_a_slice_without_complaint_and_shows_its_comments(tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    done = xccos("export", HOPS, "--room", "Release", "-o", out)
    assert re.fullmatch(
        r"xccos: \d+ of 106 messages in \d+ frames\n"
        r"xccos: \d connections were written anew with the chosen messages alone\n",
        done.err,
    )
    assert tshark(out, "-Y", COMPLAINTS) == []
    with open_capture(out) as trace:
        count = len(trace)
    lines = tshark(out, "-Y", "sip", "-T", "fields", "-e", "sip.Call-ID", "-e", "frame.comment")
    assert sum(len(line.split("\t")[0].split(",")) for line in lines) == count
    assert sum("grpchat Release 3.1 (bob.keller) → SIP 200" in line for line in lines) == 2


def test_wireshark_takes_what_tls_said(tmp_path: Path) -> None:
    require_shared()
    out = tmp_path / "out.pcapng"
    done = xccos("export", TLS, "--session", "1", "--decrypted", "--no-comments", "-o", out)
    assert "1 connection was written anew" in done.err
    assert tshark(out, "-Y", COMPLAINTS) == []
    with open_capture(out) as trace:
        assert len(trace) == 54


def test_keys_stay_behind_unless_they_are_asked_for(tmp_path: Path) -> None:
    require_shared()
    out = tmp_path / "out.pcapng"
    done = xccos("export", TLS, "--session", "1", "-o", out)
    assert "1 TLS connection as captured, without keys (--with-keys adds them" in done.err
    with open_capture(out) as trace:
        assert len(trace) == 0
    done = xccos("export", TLS, "--session", "1", "--with-keys", "-o", out)
    assert "with its keys, all of 1 TLS connection can be read" in done.err
    with open_capture(out) as trace:
        assert len(trace) == 54
