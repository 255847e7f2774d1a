"""``xccos replay``: what it reads, plays, writes and returns; the plays are small and made here."""

from __future__ import annotations

import json
import re
import socket
from contextlib import closing
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator
from junitparser import JUnitXml

from analyzer.cli import replay_client, replay_self, replay_server
from analyzer.cli.replay import WAYS
from analyzer.replay.actions import Close, Open, Send
from analyzer.replay.results import Difference, Outcome, Verdict
from analyzer.replay.script import SERVER, Connection, Dialog, Party, Script, Slot, Turn
from analyzer.replay.script_json import write_script
from analyzer.replay.template import Template
from analyzer.trace import open_capture
from tests.analyzer.cli.running import xccos
from tests.paths import ROOT, SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from analyzer.replay.actions import Action, Address, Ended, Play
    from analyzer.replay.options import PlayOptions

ASKED = (
    b"REGISTER sip:contoso.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\n"
    b"From: <sip:ann@contoso.com>;tag=1\r\nTo: <sip:ann@contoso.com>\r\nCall-ID: a\r\n"
    b"CSeq: 1 REGISTER\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)
ANSWERED = (
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\n"
    b"From: <sip:ann@contoso.com>;tag=1\r\nTo: <sip:ann@contoso.com>;tag=2\r\nCall-ID: a\r\n"
    b"CSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"
)
GOOD = Verdict("t2", "client1", "ann@contoso.com", "200 OK to REGISTER", "held", at=0.5)
BAD = GOOD._replace(status="differs", differences=(Difference("status", "200", "503"),))


@dataclass
class Fake:
    """An end that asks once, or that answers."""

    client: bool
    verdict: Verdict = GOOD
    silent: bool = False
    options: PlayOptions | None = None
    heard: bytes = b""
    finished: bool = False
    complete: bool = True
    due: float | None = None
    played: int = field(default=0)

    def start(self, now: float) -> list[Action]:  # noqa: ARG002
        return [Open(1)] if self.client else []

    def opened(
        self,
        connection: int,
        local: Address,  # noqa: ARG002
        remote: Address,  # noqa: ARG002
        *,
        secure: bool,  # noqa: ARG002
        now: float,  # noqa: ARG002
    ) -> list[Action]:
        self.played = 1
        return [Send(connection, ASKED, "t1")] if self.client else []

    def receive(self, connection: int, data: bytes, now: float) -> list[Action]:  # noqa: ARG002
        self.heard += data
        if not self.heard.endswith(b"\r\n\r\n"):
            return []
        if self.client:
            self.finished = True
            return [Close(connection)]
        return [] if self.silent else [Send(connection, ANSWERED, "t2")]

    def ended(self, connection: int, how: Ended, now: float) -> list[Action]:  # noqa: ARG002
        self.finished = self.client or (self.options is not None and self.options.once)
        self.complete = self.complete and (self.played > 0)
        return [] if how in ("refused", "timeout") else [Close(connection)]

    def wake(self, now: float) -> list[Action]:  # noqa: ARG002
        return []

    def abort(self, now: float, reason: str) -> list[Action]:  # noqa: ARG002
        self.finished, self.complete = True, False
        return []

    def outcome(self) -> Outcome:
        verdicts = (self.verdict,) if self.heard else ()
        return Outcome(verdicts, complete=self.complete, played=self.played)


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> dict[str, Fake]:
    """Put small plays where the engine is; a test may change them before it runs a command."""
    made = {"client": Fake(client=True), "server": Fake(client=False)}

    def maker(end: str) -> Callable[..., Play]:
        def make(script: Script, options: PlayOptions, *_: object) -> Play:
            made[end].options = options
            return made[end]

        return make

    for module in (replay_self, replay_client, replay_server):
        for end in made:
            if hasattr(module, f"{end}_play"):
                monkeypatch.setattr(module, f"{end}_play", maker(end))
    return made


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """Return a script file: one request with its answer."""
    lines = ASKED.decode().split("\r\n")
    headers = [line.partition(": ")[::2] for line in lines[1:-2]]
    headers[-1] = ("Content-Length", "${content_length}")
    request = Template(lines[0], tuple((name, value) for name, value in headers))
    response = Template(
        "SIP/2.0 200 OK", tuple(h for h in request.headers if h[0] != "Max-Forwards")
    )
    script = Script(
        "One question",
        (Party("client1", "client", "client1.user"), Party(SERVER, "server")),
        (Connection("c1", "client1", SERVER, "10.0.0.1:50000", "10.0.0.5:5060"),),
        (Dialog("d1", "client1", "other", "d1.call-id"),),
        (Slot("client1.user", "user", "ann@contoso.com"), Slot("d1.call-id", "call-id", "a")),
        (
            Turn("t1", "client1", SERVER, "c1", "d1", request),
            Turn("t2", SERVER, "client1", "c1", "d1", response, 5.0, answers="t1", cause="t1",
                 after=("t1",)),
        ),
        started="2026-11-22T07:20:06Z",
    )  # fmt: skip
    path = tmp_path / "case.json"
    path.write_text(write_script(script), encoding="utf-8")
    return path


def test_help_of_each_way_has_an_example() -> None:
    assert "xccos replay self case.json" in xccos("replay", "--help").out
    for way in WAYS:
        result = xccos("replay", way, "--help")
        assert result.code == 0
        assert f"xccos replay {way} case.json" in result.out


def test_a_play_in_memory_that_holds_exits_with_0(case: Path, ends: dict[str, Fake]) -> None:
    result = xccos("replay", "self", case, "--seed", "1")
    assert (result.code, result.err) == (0, "")
    assert result.lines == [
        f"{case}: One question (0.000 s)",
        "✓ client: the turn held; 1 client",
        "✓ server: the turn held; 1 client",
    ]


def test_a_turn_that_differs_exits_with_1(case: Path, ends: dict[str, Fake]) -> None:
    ends["client"].verdict = BAD
    result = xccos("replay", "self", case, "--seed", "1")
    assert result.code == 1
    assert "      status: expected 200, found 503" in result.lines


def test_the_seed_that_was_not_given_is_told_when_something_did_not_hold(
    case: Path, ends: dict[str, Fake]
) -> None:
    ends["client"].verdict = BAD
    result = xccos("replay", "self", case)
    (remark,) = [line for line in result.lines if "--seed" in line]
    assert remark.split()[1] == str(ends["client"].options and ends["client"].options.seed)


def test_json_keeps_to_its_schema_and_goes_to_stdout_alone(
    case: Path, ends: dict[str, Fake]
) -> None:
    record = json.loads(xccos("replay", "self", case, "--json", "-").out)
    schema = json.loads((ROOT / "docs/schema/replay.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(record)
    assert (record["held"], record["departures"]) == (True, None)
    assert [end["role"] for end in record["ends"]] == ["client", "server"]


def test_junit_and_capture_are_written_beside_the_text(
    case: Path, ends: dict[str, Fake], tmp_path: Path
) -> None:
    wire, junit = tmp_path / "wire.pcapng", tmp_path / "junit.xml"
    result = xccos("replay", "self", case, "-o", wire, "--junit", junit)
    assert result.code == 0
    assert [suite.name for suite in JUnitXml.fromfile(str(junit))] == [
        f"{case} client", f"{case} server",
    ]  # fmt: skip
    with open_capture(wire) as trace:
        assert [trace.raw(row) for row in range(2)] == [ASKED, ANSWERED]


def test_what_left_the_original_is_shown(case: Path, ends: dict[str, Fake], tmp_path: Path) -> None:
    original = SAMPLES / "signin-tcp.pcap"
    told = tmp_path / "told.json"
    result = xccos("replay", "self", case, "--diff", original, "--json", told)
    assert result.code == 0
    assert "First divergence" in result.out
    (departure,) = json.loads(told.read_text())["departures"]
    assert (departure["a"]["file"], departure["b"]["file"]) == (str(original), "play")


def test_quiet_leaves_only_the_exit_code(case: Path, ends: dict[str, Fake]) -> None:
    ends["server"].verdict = BAD
    result = xccos("replay", "self", case, "-q")
    assert (result.code, result.out, result.err) == (1, "", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--json", "x", "--junit", "x"),
        ("-o", "/nowhere/at/all.pcapng"),
        ("--fault", "explode"),
        ("--speed", "slow"),
        ("--ntlm",),
        ("--user", "ann"),
        ("--set", "nothing.of.the.kind=1"),
    ],
)
def test_a_wrong_command_line_exits_with_2_before_anything_is_played(
    case: Path, ends: dict[str, Fake], arguments: tuple[str, ...]
) -> None:
    result = xccos("replay", "self", case, *arguments)
    assert (result.code, result.out) == (2, "")
    assert "Error: " in result.err
    assert "Traceback" not in result.err
    assert ends["client"].heard == b""


@pytest.mark.parametrize("content", ["{}", '{"format": "xccos-script"', " {\x00", '{"format": 1}'])
def test_a_script_that_cannot_be_read_exits_with_3_and_one_line(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content)
    result = xccos("replay", "self", path)
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith(f"xccos: {path}: ")
    assert result.err.count("\n") == 1


def test_a_file_that_is_not_there_exits_with_3(tmp_path: Path) -> None:
    result = xccos("replay", "pcap", tmp_path / "none.json", "-o", tmp_path / "out.pcap")
    assert result.code == 3
    assert "No such file" in result.err


# As a capture


def test_a_script_becomes_a_capture(case: Path, tmp_path: Path) -> None:
    out = tmp_path / "again.pcapng"
    result = xccos(
        "replay", "pcap", case, "-o", out, "--time", "start=2027-01-01T00:00:00Z", "--time",
        "scale=2", "--address", "10.0.0.5=10.9.9.9", "--vlan", "7", "--mac",
        "10.9.9.9=02:00:00:00:00:05",
    )  # fmt: skip
    assert result.code == 0
    assert re.match(r"xccos: \d+ frames, 2 messages, 1 connection\n", result.err)
    with open_capture(out) as trace:
        assert len(trace.rows) == 2
        assert trace.rows.time[1] - trace.rows.time[0] >= 10_000_000
    assert b"\x81\x00\x00\x07" in out.read_bytes()


def test_a_script_whose_times_no_capture_can_say_exits_with_3(case: Path, tmp_path: Path) -> None:
    late = tmp_path / "late.json"
    late.write_text(re.sub(r'("started": )"[^"]*"', r'\1"2120-01-01T00:00:00Z"', case.read_text()))
    result = xccos("replay", "pcap", late, "-o", tmp_path / "late.pcap")
    assert result.code == 3
    assert result.err.startswith(f"xccos: {late}: t1: the times of a pcap file lie between 1970 ")
    assert result.err.count("\n") == 1
    assert not (tmp_path / "late.pcap").exists()
    assert xccos("replay", "pcap", late, "-o", tmp_path / "late.pcapng").code == 0


def test_a_capture_on_stdout_is_nothing_but_a_capture(case: Path) -> None:
    result = xccos("replay", "pcap", case, "-o", "-")
    assert result.code == 0
    assert result.raw[:4] == b"\x0a\x0d\x0d\x0a"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--time", "scale=1", "--time", "scale=2"),
        ("--time", "faster"),
        ("--address", "x"),
        ("--address", "10.0.0.5=nowhere"),
        ("--mac", "10.7.7.7=02:00:00:00:00:05"),
        ("--vlan", "5000"),
    ],
)
def test_options_that_make_no_capture_exit_with_2(
    case: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    out = tmp_path / "again.pcapng"
    assert xccos("replay", "pcap", case, "-o", out, *arguments).code == 2
    assert not out.exists()


# Live, over loopback


@pytest.fixture
def server() -> Iterator[str]:
    """Give the address of a server that answers once on each connection."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = Thread(target=_answer, args=(listening,), daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(60)
    assert not thread.is_alive()


def _answer(listening: socket.socket) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            heard = b""
            while not heard.endswith(b"\r\n\r\n") and (piece := connection.recv(4096)):
                heard += piece
            connection.sendall(ANSWERED)
            while connection.recv(4096):
                pass


def test_a_client_plays_against_a_server(
    case: Path, ends: dict[str, Fake], server: str, tmp_path: Path
) -> None:
    wire = tmp_path / "wire.pcap"
    result = xccos(
        "replay", "client", case, "--target", server, "-o", wire, "--set", "d1.call-id=b"
    )
    assert (result.code, ends["client"].heard) == (0, ANSWERED)
    assert result.lines[1] == "✓ client: the turn held; 1 client"
    assert ends["client"].options is not None
    assert ends["client"].options.values == {"d1.call-id": "b"}
    with open_capture(wire) as trace:
        assert [trace.raw(row) for row in range(2)] == [ASKED, ANSWERED]


def test_a_client_whose_server_is_not_there_says_so_and_exits_with_1(
    case: Path, ends: dict[str, Fake]
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
    result = xccos("replay", "client", case, "--target", f"127.0.0.1:{port}")
    assert result.code == 1
    assert "connection refused" in result.out


def test_many_clients_are_played_at_once(
    case: Path, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = tmp_path / "users.csv"
    users.write_text("user,password\nann@contoso.com,a\nben@contoso.com,b\n")
    seen: list[PlayOptions] = []

    def make(script: Script, options: PlayOptions, *_: object) -> Play:
        seen.append(options)
        return Fake(client=True)

    monkeypatch.setattr("analyzer.cli.replay_load.client_play", make)
    result = xccos(
        "replay", "client", case, "--target", server, "--clients", "5", "--rate", "50/s",
        "--users", users, "--seed", "7",
    )  # fmt: skip
    assert result.code == 0
    assert result.lines[1] == "✓ client: all 5 turns held; 5 clients"
    assert [one.users[0].user[:3] for one in seen] == ["ann", "ben", "ann", "ben", "ann"]
    assert [one.seed for one in seen] == [7, 8, 9, 10, 11]
    assert "10 messages" in result.out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--target", "8.8.8.8"), "--i-own-this-target"),
        (("--target", "127.0.0.1:x"), "is no port"),
        (("--target", "name.invalid"), "name.invalid: "),
        (("--target", "127.0.0.1", "--clients", "2000"), "--no-limits"),
        (("--target", "127.0.0.1", "--rate", "60/s"), "--no-limits"),
        (("--target", "127.0.0.1", "--insecure"), "for --tls"),
        (("--target", "127.0.0.1", "--login", "C\\ann"), "--login"),
        ((), "Missing option '--target'"),
    ],
)
def test_nobody_is_called_by_a_wrong_command_line(
    case: Path, ends: dict[str, Fake], arguments: tuple[str, ...], reason: str
) -> None:
    result = xccos("replay", "client", case, *arguments)
    assert (result.code, result.out) == (2, "")
    assert reason in result.err
    assert ends["client"].options is None


def _ask(port: int, answers: list[bytes]) -> None:
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(ASKED)
        answers.append(connection.recv(4096))


def test_a_server_says_when_it_is_ready_and_ends_after_its_clients(
    case: Path, ends: dict[str, Fake], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers: list[bytes] = []
    threads: list[Thread] = []

    def ready(text: str) -> None:
        match = re.fullmatch(r"xccos: listening on 127\.0\.0\.1:(\d+)", text)
        assert match
        threads.append(Thread(target=_ask, args=(int(match[1]), answers)))
        threads[0].start()

    monkeypatch.setattr(replay_server, "talk", ready)
    junit = tmp_path / "junit.xml"
    result = xccos(
        "replay", "server", case, "--listen", "127.0.0.1:0", "--once", "--junit", junit,
        "--default", "404",
    )  # fmt: skip
    threads[0].join(60)
    assert (result.code, answers) == (0, [ANSWERED])
    assert ends["server"].options is not None
    assert ends["server"].options.default_status == 404
    assert [suite.name for suite in JUnitXml.fromfile(str(junit))] == [f"{case} server"]


def test_a_server_nobody_came_to_has_shown_nothing(case: Path, ends: dict[str, Fake]) -> None:
    result = xccos("replay", "server", case, "--listen", "127.0.0.1:0", "--for", "50ms")
    assert result.code == 1
    assert result.err.startswith("xccos: listening on 127.0.0.1:")


def test_a_server_with_tls_writes_its_certificate_and_no_key(
    case: Path, ends: dict[str, Fake], tmp_path: Path
) -> None:
    pem = tmp_path / "server.pem"
    result = xccos(
        "replay", "server", case, "--listen", "[::1]:0", "--tls", "--write-cert", pem, "--for",
        "50ms",
    )  # fmt: skip
    assert "xccos: certificate SHA-256 " in result.err
    assert "BEGIN CERTIFICATE" in pem.read_text()
    assert "KEY" not in pem.read_text()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--listen", "0.0.0.0:0"), "--listen-anywhere"),
        (("--listen", "fe.contoso.com:5060"), "give an address of this machine"),
        (("--listen", "127.0.0.1:0", "--cert", str(SAMPLES / "README.md")), "for --tls"),
        (("--listen", "127.0.0.1:0", "--ntlm"), "--ntlm: say who may sign in"),
        (("--listen", "127.0.0.1:0", "--default", "183"), "a final status such as 404"),
        (
            ("--listen", "127.0.0.1:0", "--tls", "--cert", str(SAMPLES / "README.md")),
            "no certificate in PEM",
        ),
    ],
)
def test_a_server_does_not_listen_on_a_wrong_command_line(
    case: Path, ends: dict[str, Fake], arguments: tuple[str, ...], reason: str
) -> None:
    result = xccos("replay", "server", case, *arguments)
    assert (result.code, result.out) == (2, "")
    assert reason in result.err
    assert "listening" not in result.err


def test_a_port_that_is_taken_is_one_line(case: Path, ends: dict[str, Fake], server: str) -> None:
    result = xccos("replay", "server", case, "--listen", server)
    assert result.code == 2
    assert f"cannot listen on {server}: address already in use" in result.err
