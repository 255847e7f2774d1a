"""The SIPp scenarios in SIPp itself: against each other, and against our own client and server."""

from __future__ import annotations

import re
import socket
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from analyzer.ladder.selection import Choice
from analyzer.replay.derive.build import derive
from analyzer.replay.script_json import write_script
from analyzer.replay.sipp.files import write_sipp
from analyzer.replay.sipp.scenario import Scenario
from analyzer.replay.sipp.syntax import literal
from analyzer.replay.sipp.uac import TIMEOUT
from analyzer.trace import open_capture
from tests.paths import SAMPLES
from tests.support.replaying import Server, play_clients
from tests.support.sipp import Sipp, run_uac, uas

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.replay.script import Script

DIALOGS = [
    ("signin-tcp", "lookup1"),
    ("signin-tcp", "channel1"),
    ("r2-signin-full", "lookup1"),
    ("r2-signin-full", "channel1"),
    ("twousers-post", "lookup2"),
    ("twousers-post", "channel1"),
    ("twousers-post", "channel2"),
]
CHANNELS = [("signin-tcp", "#5"), ("r2-signin-full", "#6"), ("twousers-post", "#10")]
IN_SIPP = "\n".join(("SIP/2.0 200 OK", "[last_Via:]"))


@cache
def script_of(name: str, dialog: str | None = None) -> Script:
    with open_capture(SAMPLES / f"{name}.pcap") as trace:
        return derive(trace, Choice(dialogs=(dialog,)) if dialog else Choice())


@pytest.mark.parametrize(("name", "dialog"), DIALOGS)
def test_the_client_s_part_and_the_server_s_part_play_each_other(
    name: str, dialog: str, tmp_path: Path
) -> None:
    files = write_sipp(script_of(name), dialog)
    with uas(tmp_path, files) as server:
        client = run_uac(tmp_path, files, server.address)
        assert client.code == 0, client
        served = server.result()
        assert served.code == 0, served
    assert client.messages.count("message received") == served.messages.count("message sent")


def test_many_calls_on_one_connection_are_kept_apart(tmp_path: Path) -> None:
    files = write_sipp(script_of("twousers-post"), "channel1")
    with uas(tmp_path, files, calls=60) as server:
        client = run_uac(tmp_path, files, server.address, "-r", "60", calls=60)
        assert client.code == 0, client
        assert server.result().code == 0
    assert len(set(re.findall(r"^Call-ID: (\S+)", client.messages, re.MULTILINE))) == 2 * 60


def test_each_row_of_the_csv_file_is_a_user(tmp_path: Path) -> None:
    files = write_sipp(script_of("signin-tcp"), "channel1")
    assert "user1@contoso.com;contoso.com;" in files.csv
    files = replace(
        files,
        csv=files.csv + files.csv.splitlines()[-1].replace("user1@contoso.com", "zoë@fabrikam.com"),
    )
    with uas(tmp_path, files, calls=2) as server:
        client = run_uac(tmp_path, files, server.address, calls=2)
        assert client.code == 0, client
        served = server.result()
    assert served.code == 0, served
    for user in ("user1@contoso.com", "zoë@fabrikam.com"):
        # Said by the client once, told by the server in the echo of the post.
        assert client.messages.count(f'author="sip:{user}"') == 2


def test_a_reply_to_another_command_is_not_taken_for_ours(tmp_path: Path) -> None:
    files = write_sipp(script_of("signin-tcp"), "lookup1")
    wrong, count = re.subn(r'(<commandid [^>]*envid=)"[^"]*"', r'\1"4711"', files.uas)
    assert count == 1
    files = replace(files, uas=wrong, uac=files.uac.replace(TIMEOUT, "300"))
    with uas(tmp_path, files) as server:
        client = run_uac(tmp_path, files, server.address)
        assert client.code == 1, client
        assert "timeout" in client.errors


def test_an_answer_that_the_recording_has_not_fails_the_call(tmp_path: Path) -> None:
    files = write_sipp(script_of("signin-tcp"), "channel1")
    begin = files.uas.index(IN_SIPP, files.uas.index("cmd:join"))
    refused = (
        files.uas[:begin]
        + IN_SIPP.replace("200 OK", "503 Busy")
        + files.uas[begin + len(IN_SIPP) :]
    )
    with uas(tmp_path, replace(files, uas=refused)) as server:
        client = run_uac(tmp_path, files, server.address)
        assert client.code == 1, client
        assert "SIP/2.0 503 Busy" in client.errors


def test_sipp_sends_what_the_recording_has(tmp_path: Path) -> None:
    body = " [field0] <a>]]></a>\r\n\ttab \r\n\r\nbare\nline\rend \\x41 \\[ \x01 ünï ☃ \r\n\r\n"
    scenario = Scenario("one message", ())
    head = "INFO sip:a@b SIP/2.0\nCall-ID: [call_id]\nX: " + literal("[len] \\x42 \r\n-->")
    scenario.send(f"{head}\nContent-Length: [len]\n\n{literal(body, lines=True)}")
    scenario.end()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        with Sipp(tmp_path, "one", scenario.text(), (address,)) as client:
            heard, _ = listener.accept()
            with heard:
                heard.settimeout(10)
                said = b"".join(iter(lambda: heard.recv(65536), b""))
            assert client.result().code == 0
    start, _, found = said.partition(b"\r\n\r\n")
    assert found == body.encode()
    assert b"X: [len] \\x42 \r\n-->\r\nContent-Length:" in start
    assert int(start.rpartition(b":")[2]) == len(found)


@pytest.mark.parametrize(("name", "dialog"), CHANNELS)
def test_sipp_s_client_satisfies_our_server(name: str, dialog: str, tmp_path: Path) -> None:
    script = script_of(name, dialog)
    case = tmp_path / "case.json"
    case.write_text(write_script(script))
    with Server(case, tmp_path) as served:
        client = run_uac(tmp_path, write_sipp(script), served.address)
        assert client.code == 0, client
        assert served.result()["held"], served.explain()


@pytest.mark.parametrize(("name", "dialog"), CHANNELS)
def test_our_client_satisfies_sipp_s_server(name: str, dialog: str, tmp_path: Path) -> None:
    script = script_of(name, dialog)
    case = tmp_path / "case.json"
    case.write_text(write_script(script))
    with uas(tmp_path, write_sipp(script)) as server:
        found = play_clients(case, tmp_path, server.address)
        assert found["held"], found["said"]
        assert server.result().code == 0
