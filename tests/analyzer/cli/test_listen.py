"""``xccos listen``: agents send over real sockets of this machine."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.cli.listen import parse_place
from analyzer.sources.hep import packet
from tests.analyzer.cli.running import xccos
from tests.paths import ROOT, SAMPLES
from tests.support.exported import flow_key
from tests.support.reading import by_direction, capture_bytes, messages_in
from tests.support.replaying import XCCOS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 30.0
SENT = messages_in(capture_bytes(SAMPLES / "signin-tcp.pcap"))


@contextmanager
def listening(*options: str | Path) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    """Start the command on a free port; give its process, the port, and what it said."""
    command = [*XCCOS, "listen", "--hep", "127.0.0.1:0", *map(str, options)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            port = int(said.partition("127.0.0.1:")[2].split()[0])
            yield process, port, said
        finally:
            process.kill()


def packets() -> list[bytes]:
    return [
        packet(one.raw[at : at + 900], flow_key(one.src, one.dst), "tcp", one.time_ns)
        for one in SENT
        for at in range(0, len(one.raw), 900)
    ]


def wait_for(path: Path, count: int) -> None:
    """Wait until a file has so many messages."""
    deadline = time.monotonic() + PATIENCE
    while not path.is_file() or len(messages_in(path.read_bytes())) < count:
        assert time.monotonic() < deadline, "the messages did not come"
        time.sleep(0.05)


@pytest.mark.parametrize("tcp", [False, True])
def test_what_agents_send_is_shown_kept_and_told(tcp: bool, tmp_path: Path) -> None:
    kept = tmp_path / "kept.pcapng"
    options = ["--format", "jsonl", *(["--tcp"] if tcp else [])]
    with listening("-w", kept, *options) as (process, port, said):
        kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
        with socket.socket(socket.AF_INET, kind) as agent:
            agent.connect(("127.0.0.1", port))
            for data in packets():
                agent.sendall(data)
            agent.sendall(b"junk, or more")
            wait_for(kept, len(SENT))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    how = "UDP and TCP" if tcp else "UDP"
    assert said == f"xccos: listening for HEP on 127.0.0.1:{port} ({how}); kept in {kept}\n"
    assert process.returncode == 0
    assert f"1 of {len(packets()) + 1} packets were passed over: 1 × no HEP" in err
    events: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    assert {"session", "end"} <= {event["event"] for event in events}
    (session,) = events[-1]["triage"]["sessions"]
    assert session["user"] == "sip:user1@contoso.com"
    assert by_direction(messages_in(kept.read_bytes())) == by_direction(SENT)
    assert xccos("triage", kept).code == 0


def test_it_ends_with_its_time_and_tells_that_nothing_came() -> None:
    with listening("--for", "500ms") as (process, _, said):
        out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "deleted at the end: -w FILE keeps it" in said
    assert "0 SIP messages" in out


def test_whoever_opens_it_to_others_is_told() -> None:
    result = xccos("listen", "--hep", "0.0.0.0:0", "--for", "200ms")
    assert result.code == 0
    assert "whoever reaches this address can send" in result.err


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        result = xccos("listen", "--hep", str(port))
    assert result.code == 3
    assert result.err == f"xccos: cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("9061", ("127.0.0.1", 9061)),
        ("10.0.0.5:9060", ("10.0.0.5", 9060)),
        ("10.0.0.5", ("10.0.0.5", 9060)),
        ("[::1]:7", ("::1", 7)),
        ("[::1]", ("::1", 9060)),
        ("localhost:9", ("localhost", 9)),
    ],
)
def test_places(text: str, place: tuple[str, int]) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize("text", ["", ":9060", "a:b", "1.2.3.4:70000", "1.2.3.4:²"])
def test_no_places(text: str) -> None:
    with pytest.raises(ValueError, match="is no place to listen"):
        parse_place(text)


def test_without_a_place_it_does_not_listen() -> None:
    assert xccos("listen").code == 2
