"""``xccos replay`` as processes: the engine itself, over sockets, ended by signals."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.analyzer.cli.running import xccos
from tests.paths import ROOT, SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CASE = SAMPLES / "signin-tcp.pcap"
REPLAY = (sys.executable, "-m", "analyzer.cli.main", "replay")
ANN = "user1@contoso.com:correct horse"


@contextmanager
def running(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*REPLAY, *map(str, arguments)], cwd=ROOT, text=True, env=os.environ,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def address_of(server: subprocess.Popen[str]) -> str:
    assert server.stderr is not None
    for line in server.stderr:
        if match := re.fullmatch(r"xccos: listening on (\S+)\n", line):
            return match[1]
    pytest.fail("the server never listened")


def test_a_server_ended_by_a_signal_is_judged_by_what_it_saw(tmp_path: Path) -> None:
    told, certificate = tmp_path / "told.json", tmp_path / "server.pem"
    options = ("--tls", "--write-cert", certificate, "--ntlm", "--user", ANN, "--json", told)
    with running("server", CASE, "--listen", "127.0.0.1:0", *options) as server:
        address = address_of(server)
        result = xccos(
            "replay", "client", CASE, "--target", address, "--tls", "--ca", certificate, "--user",
            ANN, "--diff", CASE,
        )  # fmt: skip
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
    assert (result.code, result.lines[1]) == (0, "✓ client: all 26 turns held; 1 client")
    assert "was not challenged" in result.out  # in the recording
    assert "horse" not in result.out + result.err
    record = json.loads(told.read_text())
    assert (record["held"], record["ends"][0]["played"]) == (True, 1)
    assert "horse" not in told.read_text()


def test_a_wrong_password_is_told_for_what_it_is(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    options = ("--digest", "--user", ANN, "--json", told)
    with running("server", CASE, "--listen", "127.0.0.1:0", *options) as server:
        target = ("--target", address_of(server), "--timeout", "1s")
        result = xccos("replay", "client", CASE, *target, "--user", "user1@contoso.com:wrong")
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 1
    assert result.code == 1
    assert "REGISTER" in result.out
    assert json.loads(told.read_text())["held"] is False


def test_an_interrupted_client_says_what_it_has_and_exits_with_130(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        target = f"127.0.0.1:{silent.getsockname()[1]}"
        with running("client", CASE, "--target", target) as client:
            connection, _ = silent.accept()
            with connection:
                assert connection.recv(8) == b"REGISTER"
                client.send_signal(signal.SIGINT)
                out, err = client.communicate(timeout=60)
    assert client.returncode == 130
    assert "ended early" in out
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--speed", "recorded"),
        ("--ntlm", "--user", ANN),
        ("--fault", "503 cmd=join nth=1 retry-after=2"),
        ("--user", "zoe@fabrikam.com"),
    ],
)
def test_both_ends_of_a_sign_in_hold_in_memory(arguments: tuple[str, ...]) -> None:
    result = xccos("replay", "self", CASE, *arguments)
    held = [line for line in result.lines if "turns held" in line]
    assert (result.code, [line[:2] for line in held]) == (0, ["✓ ", "✓ "])


def test_a_play_in_memory_as_recorded_takes_its_time_and_no_waiting() -> None:
    took = xccos("replay", "self", CASE, "--speed", "recorded").lines[0]
    assert float(re.findall(r"\((\S+) s\)", took)[0]) > 1
    twice = xccos("replay", "self", CASE, "--speed", "2").lines[0]
    assert float(re.findall(r"\((\S+) s\)", twice)[0]) < float(re.findall(r"\((\S+) s\)", took)[0])
