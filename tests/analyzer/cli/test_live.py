"""``xccos live`` as people run it: a stand-in for dumpcap, pipes, files that grow, a terminal.

The stand-in writes a capture in pieces, obeys signals and says what dumpcap says. One test captures
for real on loopback, where this machine lets dumpcap do so.
"""

from __future__ import annotations

import gzip
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from contextlib import suppress
from itertools import islice
from pathlib import Path
from shutil import which
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.cli.live_options import parse_buffer, parse_ring
from analyzer.cli.live_table import COLUMNS, columns_for
from analyzer.cli.terminal import terminal_of
from analyzer.live.ring import Shape
from tests.analyzer.cli.running import xccos
from tests.paths import ROOT, SAMPLES, require_shared
from tests.support.growth import frames_of, in_pieces
from tests.support.replaying import XCCOS, Server, play_clients

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60.0
"""Seconds after which a run counts as stuck: many times what a busy machine takes."""
REFUSED = SAMPLES / "fault-503.pcap"
SILENT = SAMPLES / "fault-no-reply.pcap"

DUMPCAP = """#!{python} -I
import os, signal, sys, time
arguments = sys.argv[1:]
say = lambda text: (sys.stderr.write(text), sys.stderr.flush())
if "-D" in arguments:
    print("1. eth0\\t\\tOffice\\t0\\t192.0.2.2,fd00::2\\tnetwork\\t")
    print("2. lo\\t\\tLoopback\\t0\\t127.0.0.1,::1\\tloopback\\t")
    sys.exit()
say("Capturing on 'stub'\\n")
if "nonsense" in arguments:
    say('dumpcap: Invalid capture filter "nonsense" for interface \\'stub\\'.\\n\\n'
        "That is no valid capture filter (can't parse filter expression: syntax error).\\n")
    sys.exit(1)
if "locked" in arguments:
    say('dumpcap: You do not have permission to capture on device "locked".\\n'
        "(socket: Operation not permitted)\\nPlease check\\n")
    sys.exit(1)
ended = []
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: ended.append(1))
say("File: -\\n")
out = os.fdopen(1, "wb", 0)
data = open({capture!r}, "rb").read()
for at in range(0, len(data), 4000):
    out.write(data[at : at + 4000])
if "killed" in arguments:
    os.kill(os.getpid(), signal.SIGKILL)
while not ended:
    signal.sigtimedwait([], 0.05)
say("Packets received/dropped on interface 'stub': 83/5 (pcap:5/dumpcap:0/flushed:0) (94.3%)\\n")
"""


def environment(**more: str) -> dict[str, str]:
    hidden = ("COLUMNS", "NO_COLOR", "FORCE_COLOR")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


@pytest.fixture
def stub(tmp_path: Path) -> dict[str, str]:
    """Put the stand-in first on the path; return the environment that finds it."""
    program = tmp_path / "bin" / "dumpcap"
    program.parent.mkdir()
    program.write_text(DUMPCAP.format(python=sys.executable, capture=str(REFUSED)))
    program.chmod(0o755)
    return environment(PATH=f"{program.parent}:{os.environ['PATH']}")


def live(*arguments: str, env: dict[str, str], data: bytes | None = None) -> Any:  # noqa: ANN401
    return subprocess.run(
        [*XCCOS, "live", *arguments], cwd=ROOT, env=env, input=data, capture_output=True,
        check=False, timeout=PATIENCE,
    )  # fmt: skip


def events(out: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.decode().splitlines()]


def triage_of(path: Path) -> dict[str, Any]:
    found = json.loads(xccos("triage", path, "--format", "json", "--no-index").out)["captures"][0]
    assert isinstance(found, dict)
    return found


def without_place(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in ("file", "inputs")}


# dumpcap


def test_a_condition_ends_the_capture_with_1_and_a_triage(stub: dict[str, str]) -> None:
    done = live("-i", "stub", "-f", "tcp", "--until", "GC409", env=stub)
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == 1, err
    lines = out.splitlines()
    assert "session 1   sip:user1@contoso.com (127.0.0.1:39256 to 127.0.0.1:5060)" in lines[0]
    assert any("step 1 REGISTER: 1.45 ms, frames 4, 6" in line for line in lines)
    assert any("error GC409 Post answered 503 and lost: " in line for line in lines)
    assert "Session 1 of 1: sip:user1@contoso.com" in lines
    assert "capturing on stub; kept in " in err
    assert "--until GC409: GC409 Post answered 503 and lost" in err
    assert "5 packets were dropped" in err


def test_events_are_json_lines_and_the_last_is_the_triage(stub: dict[str, str]) -> None:
    done = live("-i", "stub", "--for", "1500ms", "--format", "jsonl", env=stub)
    found = events(done.stdout)
    assert done.returncode == 0, done.stderr
    assert [one["event"] for one in found[:2]] == ["session", "step"]
    end = found[-1]
    assert (end["event"], end["reason"], end["dropped"]) == ("end", "--for is over", 5)
    assert (end["frames"], end["messages"]) == (83, 57)
    expected = triage_of(REFUSED)
    assert end["triage"]["sessions"] == expected["sessions"]
    assert [one["rule"] for one in end["triage"]["findings"]] == [
        one["rule"] for one in expected["findings"]
    ]


def lines_until(stream: Any, text: str) -> list[str]:  # noqa: ANN401
    found = []
    for line in stream:
        found.append(line)
        if text in line:
            return found
    raise AssertionError(f"{text!r} never came: {found}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_gently_and_what_was_seen_is_told(
    stub: dict[str, str], number: signal.Signals
) -> None:
    with subprocess.Popen(
        [*XCCOS, "live", "-i", "stub"], cwd=ROOT, env=stub, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        lines_until(process.stdout, "step 1 ")
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert "Capture quality" in out
    assert "5 packets were dropped" in err  # dumpcap was asked to end, and said so


def test_what_dumpcap_refuses_is_one_line(stub: dict[str, str]) -> None:
    done = live("-i", "stub", "-f", "nonsense", env=stub)
    said = done.stderr.decode().splitlines()[-1]
    assert done.returncode == 2
    assert said == (
        "xccos: dumpcap: Invalid capture filter \"nonsense\" for interface 'stub'. "
        "(can't parse filter expression: syntax error)"
    )
    done = live("-i", "locked", env=stub)
    said = done.stderr.decode().splitlines()[-1]
    assert done.returncode == 3
    assert "You do not have permission" in said
    assert "dpkg-reconfigure wireshark-common" in said
    assert done.stdout == b""


def test_without_dumpcap_it_says_how_to_get_it() -> None:
    done = live("-i", "lo", env=environment(PATH="/nowhere"))
    assert done.returncode == 3
    assert b"dumpcap is not installed (" in done.stderr


def test_interfaces_are_listed_with_their_addresses(stub: dict[str, str]) -> None:
    lines = live("-D", env=stub).stdout.decode().splitlines()
    assert lines[1].split() == ["1", "eth0", "Office", "192.0.2.2,", "fd00::2"]
    assert lines[2].split() == ["2", "lo", "Loopback", "127.0.0.1,", "::1"]


def test_one_person_really_captures_on_loopback(tmp_path: Path) -> None:
    may = subprocess.run(
        [which("dumpcap") or "dumpcap", "-i", "lo", "-L"],
        capture_output=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    if may.returncode:
        # Not every machine lets us: then the refusal has to be the one line, with what to do.
        sys.stderr.write(f"NOT TESTED: dumpcap may not capture here: {may.stderr.decode()}\n")
        done = live("-i", "lo", "--for", "1s", env=environment())
        assert done.returncode == 3
        assert b"How to get it: " in done.stderr
        return
    case = tmp_path / "case.json"
    subprocess.run([*XCCOS, "script", str(REFUSED), "-o", str(case)], cwd=ROOT, check=True)
    with Server(case, tmp_path) as server:
        port = server.address.rpartition(":")[2]
        command = [*XCCOS, "live", "-i", "lo", "-f", f"tcp port {port}", "--fail-on", "GC409"]
        command += ["--for", "40s", "--format", "jsonl"]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            lines_until(process.stderr, "capturing on lo")
            played = play_clients(case, tmp_path, server.address)
            seen = lines_until(process.stdout, '"step":"10"')
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
    assert played["code"] == 0, played["said"]
    assert process.returncode == 1, err
    found = events("".join([*seen, out]).encode())
    assert {one["user"] for one in found if one["event"] == "session"} == {"sip:user1@contoso.com"}
    assert "GC409" in {one["rule"] for one in found[-1]["triage"]["findings"]}
    assert found[-1]["dropped"] == 0
    assert found[-1]["triage"]["quality"]["holes"] == []


def test_a_dumpcap_that_is_killed_is_one_line_and_3(stub: dict[str, str]) -> None:
    done = live("-i", "killed", "--format", "jsonl", env=stub)
    assert done.returncode == 3
    said = done.stderr.decode().splitlines()
    assert [one for one in said if "root is given up" not in one][1:] == [
        "xccos: live on killed: dumpcap was killed (signal 9): what came after that is not captured"
    ]
    end = events(done.stdout)[-1]
    assert end["reason"].startswith("dumpcap was killed")
    assert end["messages"] == 57


# pipes and files that grow


def test_standard_output_that_takes_no_more_is_one_line_and_2() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*XCCOS, "live", "-r", "-", "--format", "jsonl"], cwd=ROOT, env=environment(),
            input=REFUSED.read_bytes(), stdout=full, stderr=subprocess.PIPE, check=False,
            timeout=PATIENCE,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.decode().splitlines()[1:] == [
        "xccos: cannot write standard output: No space left on device"
    ]


def test_a_file_that_takes_no_more_is_one_line_and_2() -> None:
    done = live("-r", "-", "-w", "/dev/full", env=environment(), data=REFUSED.read_bytes())
    assert done.returncode == 2
    assert done.stderr.decode().splitlines()[1:] == [
        "xccos: standard input: cannot write /dev/full: No space left on device"
    ]


def test_compressed_data_is_said_to_be_told_at_the_end_and_then_is() -> None:
    data = gzip.compress(REFUSED.read_bytes())
    done = live("-r", "-", "--format", "jsonl", env=environment(), data=data)
    assert done.returncode == 0
    assert done.stderr.decode().splitlines()[1:] == [
        "xccos: standard input: only pcap and pcapng can be watched: it is told at the end"
    ]
    (end,) = events(done.stdout)
    assert (end["frames"], end["messages"]) == (83, 57)
    assert end["triage"]["sessions"] == triage_of(REFUSED)["sessions"]


def test_what_a_user_does_after_the_sign_in_is_told() -> None:
    data = (SAMPLES / "twousers-post.pcap").read_bytes()
    out = live("-r", "-", "--format", "text", env=environment(), data=data).stdout.decode()
    assert "session 2   joined Sales EMEA [frame 106]" in out
    assert "session 1   posted into Sales EMEA [frame 127]" in out
    assert "session 2   left Sales EMEA [frame 143]" in out


def test_a_pipe_gives_what_its_bytes_give_as_a_file(tmp_path: Path) -> None:
    kept = tmp_path / "kept.pcap"
    done = live("-r", "-", "-w", str(kept), "--format", "jsonl", "--fail-on", "error",
                env=environment(), data=SILENT.read_bytes())  # fmt: skip
    end = events(done.stdout)[-1]
    assert done.returncode == 1
    assert end["reason"] == "ended"
    assert without_place(end["triage"]) == without_place(triage_of(SILENT))
    assert kept.read_bytes() == SILENT.read_bytes()


def test_what_is_under_tls_is_dark_while_it_comes_and_read_at_the_end() -> None:
    captures = require_shared() / "captures"
    done = live("-r", "-", "--keylog", str(captures / "tls.keylog"), "--format", "jsonl",
                env=environment(), data=(captures / "tls.pcap").read_bytes())  # fmt: skip
    found = events(done.stdout)
    expected = triage_of(captures / "tls.pcap")
    assert [one["tls_dark"] for one in found if one["event"] == "quality"] == [1]
    assert found[-1]["messages"] == 0
    assert len(expected["sessions"]) == 1
    assert found[-1]["triage"]["sessions"] == expected["sessions"]


def test_a_ring_that_lost_its_beginning_is_told_from_memory(tmp_path: Path) -> None:
    data = (SAMPLES / "r2-post-full.pcap").read_bytes()
    assert len(data) > 3 * 65536
    done = live("-r", "-", "-w", str(tmp_path / "ring.pcap"), "--ring", "2x66k", "--format",
                "jsonl", env=environment(), data=data)  # fmt: skip
    end = events(done.stdout)[-1]
    expected = triage_of(SAMPLES / "r2-post-full.pcap")
    assert len(list(tmp_path.iterdir())) == 2
    assert b"the beginning is no longer on disk" in done.stderr
    assert end["triage"]["sessions"] == expected["sessions"]
    assert end["triage"]["findings"] == expected["findings"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"this is a diary\n" * 50, "this is not a capture file but plain text"),
        (SILENT.read_bytes()[:-3], "the file ends inside record 77"),
    ],
    ids=["no capture", "cut"],
)
def test_what_is_no_whole_capture_is_said_in_a_line(data: bytes, said: str) -> None:
    done = live("-r", "-", env=environment(), data=data)
    assert done.returncode == 3
    assert said in done.stderr.decode().splitlines()[-1]
    assert b"Traceback" not in done.stderr


def test_a_file_that_grows_is_followed(tmp_path: Path) -> None:
    growing = tmp_path / "growing.pcap"
    pieces = [piece for piece, _ in in_pieces(frames_of(REFUSED))]
    with growing.open("wb", 0) as stream, subprocess.Popen(
        [*XCCOS, "live", "-r", str(growing), "--follow"], cwd=ROOT,
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        stream.write(b"".join(pieces[:30]))
        lines_until(process.stdout, "step 5 ")
        stream.write(b"".join(pieces[30:]))
        lines_until(process.stdout, "step 10 ")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert "83 frames, 57 SIP messages" in out


def test_a_named_pipe_is_read_as_it_comes(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(
        [*XCCOS, "live", "-r", str(fifo)], cwd=ROOT, env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        with fifo.open("wb", 0) as stream:
            pieces = (piece for piece, _ in in_pieces(frames_of(REFUSED)))
            stream.write(b"".join(islice(pieces, 40)))
            lines_until(process.stdout, "step 5 ")  # while the pipe is open
            stream.write(b"".join(pieces))
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert "83 frames, 57 SIP messages" in out


# a terminal


def screen(master: int, until: str = "\0") -> Iterator[str]:
    """Yield what comes to a terminal until it is closed, or shows a text."""
    seen, deadline = "", monotonic() + PATIENCE
    while monotonic() < deadline:
        if not select.select([master], [], [], 0.1)[0]:
            continue
        data = b""
        with suppress(OSError):  # closed on the other side
            data = os.read(master, 1 << 16)
        if not data:
            return
        text = data.decode("utf-8", "replace")
        seen += text
        yield text
        if until in seen:
            return
    raise AssertionError(f"{until!r} never came: {seen[-2000:]}")


def on_terminal(*arguments: str, both: bool) -> tuple[subprocess.Popen[bytes], int]:
    """Start with standard error, or both outputs, on a terminal of its own."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*XCCOS, *arguments], cwd=ROOT, env=environment(TERM="xterm", COLUMNS="110", LINES="30"),
        stdin=subprocess.PIPE, stdout=slave if both else subprocess.PIPE, stderr=slave,
        start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    return process, master


def test_a_terminal_shows_a_table_with_findings_above_it_and_then_the_triage() -> None:
    process, master = on_terminal("live", "-r", "-", both=True)
    assert process.stdin is not None
    with process:
        process.stdin.write(REFUSED.read_bytes())
        process.stdin.flush()
        seen = "".join(screen(master, "quiet for"))
        process.send_signal(signal.SIGINT)
        seen += "".join(screen(master))
    os.close(master)
    assert process.returncode == 0
    for text in ("sign-in", "user1@contoso.com", "GC409", "83 frames", "Capture quality"):
        assert text in seen
    assert "\x1b[?1049h" not in seen  # no second screen: what was said stays
    assert seen.index("GC409") < seen.index("Capture quality")


@pytest.mark.parametrize(
    ("width", "gone"),
    [
        (140, ()),
        (80, ("rooms", "posts", "commands")),
        (40, ("client", "rooms", "posts", "commands", "quiet for")),
    ],
)
def test_counts_leave_a_narrow_table_before_anybody_is_cut(
    width: int, gone: tuple[str, ...]
) -> None:
    row = dict.fromkeys(COLUMNS, "1") | {
        "user": "user1@contoso.com", "client": "10.0.0.1:50000", "findings": "x GC409",
        "sign-in": "10/10",
    }  # fmt: skip
    assert columns_for(width, [row]) == [one for one in COLUMNS if one not in gone]


def test_a_table_on_standard_error_is_as_wide_as_that_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 64))
    with os.fdopen(slave, "w") as stream:
        assert terminal_of(stream).width == 64
    os.close(master)


def test_triage_of_a_pipe_shows_what_flows_by_and_writes_what_it_always_writes() -> None:
    process, master = on_terminal("triage", "-", both=False)
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write(REFUSED.read_bytes())
        process.stdin.flush()
        seen = "".join(screen(master, "quiet for"))
        process.stdin.close()
        out = process.stdout.read()
    os.close(master)
    assert "user1@contoso.com" in seen
    expected = subprocess.run(
        [*XCCOS, "triage", "-"], cwd=ROOT, env=environment(COLUMNS="110"), check=True,
        input=REFUSED.read_bytes(), capture_output=True,
    )  # fmt: skip
    assert out == expected.stdout
    assert expected.stderr == b""  # where nobody sits, nothing is drawn


def test_ctrl_c_ends_the_pipe_of_a_triage_and_not_the_triage() -> None:
    process, master = on_terminal("triage", "-", both=False)
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write(REFUSED.read_bytes()[:-5])  # in the middle of a record
        process.stdin.flush()
        list(screen(master, "quiet for"))
        process.send_signal(signal.SIGINT)
        out = process.stdout.read()
        process.stdin.close()
    os.close(master)
    assert process.returncode == 0
    assert b"82 frames, " in out
    assert b"Capture quality\n  Nothing seems to be missing." in out


# options


def test_a_ring_is_files_and_the_size_of_each() -> None:
    assert parse_ring("10x100M") == Shape(10, 100_000_000)
    assert parse_ring("3x64k") == Shape(3, 64_000)
    assert parse_ring("2 x 64 MiB") == Shape(2, 64_000_000)
    assert parse_buffer(("filesize:100000", "files:10")) == Shape(10, 100_000_000)
    assert parse_buffer(("files:3,filesize:500",)) == Shape(3, 500_000)
    for wrong in ("10", "x", "1x100M", "10x10", "100001x1M", "²x1M", "-2x1M"):
        with pytest.raises(ValueError, match="ring"):
            parse_ring(wrong)
    for part in (("files:3",), ("files:3", "duration:60"), ("filesize:100000",)):
        with pytest.raises(ValueError, match="-b takes filesize:KB and files:N"):
            parse_buffer(part)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give -i IFACE"),
        (("-i", "lo", "-r", "-"), "give -i IFACE"),
        (("-r", "-", "-f", "tcp"), "-f is for -i"),
        (("-r", "-", "-w", "-"), "standard output has what was found"),
        (("-i", "lo", "--follow"), "--follow is for -r FILE"),
        (("-i", "lo", "--ring", "2x1M", "-b", "files:2"), "--ring and -b say the same"),
        (("-i", "lo", "--until", "GC999"), "unknown rule GC999"),
        (("-i", "lo", "--for", "soon"), "is no time"),
        (("-r", str(REFUSED)), "is a file: `xccos triage` reads it"),
        (("-r", str(REFUSED), "--follow", "-w", "x"), "for what is captured, not for a file"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_begins(
    arguments: tuple[str, ...], said: str
) -> None:
    found = xccos("live", *arguments)
    assert found.code == 2
    assert said in found.err


def test_a_file_that_is_not_there_is_said_in_a_line() -> None:
    found = xccos("live", "-r", "nowhere.pcap", "--follow")
    assert (found.code, found.err) == (3, "xccos: there is no file nowhere.pcap\n")
