"""Debug logs of SIPE, against what the real plug-in writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.trace import open_capture
from dissectors.capture.text.raw_sip import MAX_RECORD
from dissectors.capture.text.sipe import SipeReader
from tests.dissectors.capture.text.test_uccapi import BODY, malformed, messages, seen, sip
from tests.paths import require_shared
from tests.support.realclient import run_client
from tests.support.replaying import Server, script_file
from tests.support.text_logs import Seen, encoded, read_trace, records, written

if TYPE_CHECKING:
    from pathlib import Path

    from dissectors.capture.text.values import Record
    from dissectors.model import Malformed

# SIPE 1.25.0 under libpurple 2.14.12, a sign-in; lines before the marks as Pidgin writes them.
REAL_LOG = """\
(22:48:22) sipe: transport_connect - hostname: pool01.contoso.com port: 5060
(22:48:22) proxy: Connected to 127.0.0.1:5060.
(22:48:22) sipe: transport_get_socket_info: 127.0.0.1:53106(0x5563b3521a90)
(22:48:22) sipe: sip_transport_connected: 'pool01.contoso.com:5060'(0x5563b3521a90)
(22:48:22) sipe: SIP transactions count:1 after addition
(22:48:22) sipe:\x20
MESSAGE START >>>>>>>>>> SIP(0x5563b3521a90) - 2026-11-22T22:48:22.457683Z
REGISTER sip:contoso.com SIP/2.0
Via: SIP/2.0/tcp 127.0.0.1:53106;branch=z9hG4bKD9E809188E93688CF61B
From: <sip:user1@contoso.com>;tag=3856759528;epid=e6019fcb7892
To: <sip:user1@contoso.com>
Max-Forwards: 70
CSeq: 1 REGISTER
Call-ID: D90BgDCFAaCA34iAD3Am3387tD941b209Ex7F4Fx
Content-Length: 0


MESSAGE END >>>>>>>>>> SIP(0x5563b3521a90) - 2026-11-22T22:48:22.457683Z
(22:48:22) sipe: transport_input_common: new buffer length 4096
(22:48:22) sipe:\x20
MESSAGE START <<<<<<<<<< SIP(0x5563b3521a90) - 2026-11-22T22:48:22.459347Z
SIP/2.0 200 OK
Via: SIP/2.0/tcp 127.0.0.1:53106;branch=z9hG4bKD9E809188E93688CF61B
From: <sip:user1@contoso.com>;tag=3856759528;epid=e6019fcb7892
To: <sip:user1@contoso.com>;tag=9D7DA7246C
Call-ID: D90BgDCFAaCA34iAD3Am3387tD941b209Ex7F4Fx
CSeq: 1 REGISTER
Content-Length: 0


MESSAGE END <<<<<<<<<< SIP(0x5563b3521a90) - 2026-11-22T22:48:22.459347Z
(22:48:22) sipe: process_input_message: msg->response(200),msg->method(REGISTER)
(22:48:22) sipe:\x20
MESSAGE START >>>>>>>>>> SIP(0x5563b3521a90) - 2026-11-22T22:48:22.759323Z
INFO sip:127.0.0.1:5199;transport=tcp;ms-fe=gc01.contoso.com SIP/2.0
Via: SIP/2.0/tcp 127.0.0.1:53106
From: <sip:user1@contoso.com>;tag=3233928018;epid=e6019fcb7892
To: <sip:ocschannel01@contoso.com>;tag=46D15B03A4
CSeq: 6 INFO
Call-ID: AEECgB2A8a17FCi5920m4CD7t2A3Bb0488x0FEDx
Content-Type: text/plain
Content-Length: 46

<xccos ver="1" envid="1042886804"><a/></xccos>
MESSAGE END >>>>>>>>>> SIP(0x5563b3521a90) - 2026-11-22T22:48:22.759323Z
"""
LONG = [line.rstrip() for line in REAL_LOG.splitlines()[5:13]]
"""A message without its end."""
OLD_LOG = """\
(18:54:23) sipe:\x20

sending - Thu Mar  2 18:54:23 2017

######
REGISTER sip:contoso.com SIP/2.0
Via: SIP/2.0/tls 10.0.0.7:40000
Call-ID: one
CSeq: 1 REGISTER
Content-Length: 0


######

(18:54:23) sipe:\x20

received - Thu Mar  2 18:54:24 2017

######
SIP/2.0 200 OK
Via: SIP/2.0/tls 10.0.0.7:40000
Call-ID: one
CSeq: 1 REGISTER
Content-Length: 12

#######
"""


REAL, OLD = REAL_LOG.split("\n"), OLD_LOG.split("\n")


def read(*lines: str) -> list[Record | Malformed]:
    return records(SipeReader(), lines)


def mark(edge: str, way: str = ">>>>>>>>>>", kind: str = "SIP", time: str = "") -> str:
    return f"MESSAGE {edge} {way} {kind} - {time or '2012-03-02T18:54:23.372143Z'}"


def shown(raw: bytes) -> list[str]:
    """Return a message between its marks, as it was sent."""
    return [mark("START"), *raw.decode().replace("\r\n", "\n").split("\n"), mark("END")]


def test_a_real_log_gives_its_messages_with_their_ends() -> None:
    found = messages(read(*REAL))
    assert len(found) == 3
    assert {(one.local, one.peer, one.transport, one.utc, one.connection) for one in found} == {
        ("127.0.0.1:53106", "pool01.contoso.com:5060", "tcp", True, "0x5563b3521a90")
    }
    assert [one.outgoing for one in found] == [True, False, True]
    assert (found[0].time_ns, found[0].digits) == (1_795_387_702_457_683_000, 6)
    assert found[0].data == ("\r\n".join(REAL[7:15]) + "\r\n\r\n").encode()
    assert found[2].data.endswith(b"\r\n\r\n" + REAL[-3].encode())


@pytest.mark.untraced
def test_what_the_real_client_logs_is_what_was_on_the_wire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_shared()
    monkeypatch.setenv("PURPLE_UNSAFE_DEBUG", "1")  # as pidgin --unsafe-debug does
    wire = tmp_path / "wire.pcapng"
    with Server(script_file("signin-tcp", tmp_path), tmp_path, "-o", str(wire)) as served:
        run = run_client(served.address)
        served.result()
    assert run.code == 0, run.explain()
    found = read_trace(run.log.encode(), SipeReader)
    assert malformed(found) == []
    with open_capture(wire) as trace:
        rows = range(len(trace))
        sent = [trace.raw(row) for row in rows if trace.streams[trace.rows.stream[row]].from_opener]
        got = [trace.raw(row) for row in rows]
        peers = {trace.streams[trace.rows.stream[row]].src for row in rows}
    assert len(sent) > 10
    assert [one.data for one in messages(found) if one.outgoing] == sent
    # Having signed off, it does not read the last answers.
    received = [raw for raw in got if raw not in sent]
    mine = [one.data for one in messages(found) if not one.outgoing]
    assert mine == received[: len(mine)]
    assert len(mine) > 10
    assert all(raw.startswith(b"SIP/2.0 ") for raw in received[len(mine) :])
    assert {end for one in messages(found) for end in (one.local, one.peer)} == peers


def test_without_unsafe_debug_the_log_says_what_to_do() -> None:
    found = read(
        "(10:38:48) sipe: MESSAGE <<<<<<<<<< SIP(0x558879d972b0)",
        "(10:38:48) sipe: MESSAGE >>>>>>>>>> SIP(0x558879d972b0)",
    )
    assert malformed(found) == [
        "2 messages are named and not shown: the client has to be started with --unsafe-debug"
    ]


def test_times_of_the_first_versions_are_local() -> None:
    sent, received = messages(read(*OLD))
    assert (sent.time_ns, sent.digits, sent.utc) == (1_488_480_863_000_000_000, 0, False)
    assert (sent.outgoing, received.outgoing) == (True, False)
    assert sent.data.endswith(b"Content-Length: 0\r\n\r\n")
    # They wrote only the head of what they received.
    assert (received.missing, received.masked) == (12, False)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2017-03-02T18:54:23.372143Z", (1_488_480_863_372_143_000, 6, True)),
        ("2017-03-02T18:54:23Z", (1_488_480_863_000_000_000, 6, True)),
        ("2017-03-02T18:54:23.37", (1_488_480_863_370_000_000, 2, False)),
        ("Thu Mar  2 18:54:23 2017", (1_488_480_863_000_000_000, 0, False)),
        ("some time ago", (0, 0, False)),
    ],
)
def test_times_are_read_as_versions_wrote_them(time: str, expected: tuple[int, int, bool]) -> None:
    lines = [mark("START", time=time), *sip(1).decode().split("\r\n"), mark("END", time=time)]
    (message,) = messages(read(*lines))
    assert (message.time_ns, message.digits, message.utc) == expected


def test_http_is_passed_over() -> None:
    reader = SipeReader()
    begin, end = mark("START", kind="HTTP"), mark("END", kind="HTTP")
    assert records(reader, [begin, "GET / HTTP/1.1", "Host: a", "", end]) == []
    assert reader.skipped == 1


def test_keep_alives_are_no_messages() -> None:
    assert read(mark("START"), "", "", "", mark("END")) == []


def test_words_of_a_message_are_no_marks() -> None:
    raw = sip(1, "MESSAGE END >>>>>>>>>> SIP - 2012-03-02T18:54:23.000000Z\nMESSAGE START it")
    assert [one.data for one in messages(read(*shown(raw)))] == [raw]


@pytest.mark.parametrize("body", ["a\nb\n", "a\r\n\r\n", "\n", "a\n\n", "x", ""])
def test_line_ends_of_a_body_are_those_that_were_counted(body: str) -> None:
    raw = sip(1, body)
    (message,) = messages(read(*shown(raw)))
    assert message.data == raw


def test_older_versions_name_no_connection_and_via_tells_the_ends() -> None:
    invite = sip(2).replace(b"192.168.103.35:20323", b"10.0.0.9:5061")
    answer = [
        mark("START", "<<<<<<<<<<"),
        *invite.decode().split("\r\n"),
        mark("END", "<<<<<<<<<<"),
    ]
    found = messages(read(*shown(sip(1)), *answer))
    assert [(one.outgoing, one.local, one.peer) for one in found] == [
        (True, "192.168.103.35:20323", "10.0.0.9:5061"),
        (False, "192.168.103.35:20323", "10.0.0.9:5061"),
    ]


def test_where_nothing_tells_the_server_its_route_or_domain_stands_in() -> None:
    routed = sip(1).replace(b"Call-ID", b"Route: <sip:pool01.contoso.com:5061;lr>\r\nCall-ID")
    assert messages(read(*shown(routed)))[0].peer == "pool01.contoso.com:5061"
    register = sip(1).replace(b"INFO sip:ann@", b"REGISTER sip:")
    assert messages(read(*shown(register)))[0].peer == "contoso.com:0"


def test_a_log_cut_inside_messages_says_so_once_each() -> None:
    found = read(*shown(sip(1))[3:], *shown(sip(2)), *shown(sip(3))[:-2])
    whole, cut = messages(found)
    assert whole.data == sip(2)
    assert (cut.data, cut.missing) == (sip(3)[: -len(BODY.encode())], len(BODY.encode()))
    assert malformed(found) == [
        "the beginning of a message is not in the log",
        "a message is not in the log to its end",
    ]


def log(count: int) -> tuple[list[Seen], list[str], list[range]]:
    """Return messages, their log, and the lines of each."""
    bodies = [BODY, "", "a\nb\n", "Hi\n\nthere"]
    wanted = [seen(n, sip(n, bodies[n % 4]), outgoing=n % 2 == 0) for n in range(count)]
    lines = written(wanted, "sipe", 2)
    begins = [n for n, line in enumerate(lines) if line.startswith("MESSAGE START")]
    ends = [n for n, line in enumerate(lines) if line.startswith("MESSAGE END")]
    return wanted, lines, [range(a, b + 1) for a, b in zip(begins, ends, strict=True)]


@given(st.lists(st.integers(0, 400), max_size=30), st.sampled_from(["utf-8", "utf-16"]))
def test_any_segmentation_gives_the_same(sizes: list[int], encoding: str) -> None:
    wanted, lines, _ = log(4)
    found = read_trace(encoded(lines, encoding, "\n"), SipeReader, sizes)
    assert [one.data for one in messages(found)] == [one.raw for one in wanted]


@given(st.integers(0, 200), st.integers(0, 200))
def test_of_half_a_log_what_is_whole_is_read_and_each_cut_is_one_line(a: int, b: int) -> None:
    wanted, lines, places = log(6)
    begin, end = sorted((a % (len(lines) + 1), b % (len(lines) + 1)))
    found = read(*lines[begin:end])
    whole = [
        one.raw
        for one, place in zip(wanted, places, strict=True)
        if begin <= place.start and place.stop <= end
    ]
    assert [raw for raw in (one.data for one in messages(found)) if raw in whole] == whole
    assert len(malformed(found)) <= 2


@given(
    st.integers(0, 500),
    st.one_of(st.text(max_size=80), st.sampled_from([mark("START"), mark("END"), "######"])),
    st.integers(0, 80),
)
def test_a_damaged_line_spoils_no_other_message(row: int, damage: str, place: int) -> None:
    wanted, lines, places = log(6)
    row %= len(lines)
    lines[row] = lines[row][:place] + damage
    found = [one.data for one in messages(read(*lines))]
    others = [one.raw for one, where in zip(wanted, places, strict=True) if row not in where]
    assert [raw for raw in found if raw in others] == others


def test_a_message_that_is_longer_than_is_read_is_named() -> None:
    line = "X: " + "x" * 60_000
    lines = [
        *LONG,
        *([line] * (MAX_RECORD // len(line) + 1)),
        "",
        "",
        LONG[1].replace("START", "END"),
    ]
    found = records(SipeReader(), lines)
    assert malformed(found)[0] == "a message is longer than is read"


def test_an_empty_message_is_a_keep_alive() -> None:
    assert records(SipeReader(), [*LONG[:2], "", LONG[1].replace("START", "END")]) == []


def test_what_follows_a_line_of_the_old_versions_is_a_message_only_behind_a_fence() -> None:
    opening = "(18:54:23) sipe: sending - Sun Nov 22 18:54:23 2026"
    assert records(SipeReader(), [opening, "something else", "######", "more", "######"]) == []


@pytest.mark.parametrize(
    "time",
    ["Sun Nov 22 22:48:99x 2026", "Sun Foo 22 22:48:22 2026", "2026-02-31T22:48:22Z", "Sun Nov 22"],
)
def test_a_time_that_cannot_be_is_none(time: str) -> None:
    mark = LONG[1].rpartition(" - ")[0] + " - " + time
    end = mark.replace("START", "END")
    [message] = messages(records(SipeReader(), [mark, *LONG[2:], "", "", end]))
    assert message.time_ns < 10**9 * 86_400
