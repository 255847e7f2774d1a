"""DNS, HTTP and TLS beside a script: what the analysis rests on, and valid to tshark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.flows.uploads import server_name, talk_of
from analyzer.replay.capture.asides import (
    Question,
    dns_answer,
    dns_query,
    dns_question,
    http_message,
    tls_message,
)
from analyzer.replay.script import Aside
from dissectors.dns import Target, read_query
from dissectors.model import Datagram
from tests.analyzer.replay.capture.hand import SCRIPT, opened, with_asides, written
from tests.analyzer.wireshark.tshark import tshark

if TYPE_CHECKING:
    from pathlib import Path

    from dissectors.dns import NameQuery

SRV = "SRV _sipinternaltls._tcp.contoso.com"
HTTP = (
    "POST /PersistentChat/MGCWebService.asmx HTTP/1.1\nHost: gc01.contoso.com\n"
    'SOAPAction: "http://www.microsoft.com/AppendChunk"\nContent-Length: 99999'
)
FAULT = "HTTP/1.1 500 Internal Server Error\n\n<s:faultstring>quota</s:faultstring>"


def _aside(protocol: str, port: int, *exchanges: tuple[float, bool, str]) -> Aside:
    ends = ("10.0.0.1:49160", f"10.0.0.9:{port}")
    return Aside(protocol, 5.0, *ends, exchanges)  # type: ignore[arg-type]


def test_a_question_and_its_answer_are_read_back(tmp_path: Path) -> None:
    asked = _aside("dns", 53, (5.0, True, SRV), (9.0, False, "fe01.contoso.com:5061 fe02:5061"))
    denied = _aside("dns", 53, (6.0, True, SRV), (8.0, False, "NXDOMAIN"))
    with opened(tmp_path, with_asides(asked, denied)) as trace:
        found = {(one.answered, one.rcode, one.targets) for one in trace.quality.queries}
        assert found == {
            (False, 0, ()),
            (True, 0, (Target("fe01.contoso.com", 5061), Target("fe02", 5061))),
            (True, 3, ()),
        }
        assert {one.name for one in trace.quality.queries} == {"_sipinternaltls._tcp.contoso.com"}
        ids = [one.id for one in trace.quality.queries]
        assert len(set(ids)) == 2, "an answer has the id of its question"


def test_an_upload_by_https_shows_the_servers_name(tmp_path: Path) -> None:
    aside = _aside("tls", 443, (5.0, True, "gc01.contoso.com"), (6.0, False, ""))
    with opened(tmp_path, with_asides(aside)) as trace:
        (one,) = trace.quality.others
        assert (one.opener, one.service) == ("10.0.0.1:49160", "TLS")
        assert talk_of(one).host == "gc01.contoso.com"
        assert talk_of(one).fault is None
        assert len(trace) == 4


def test_a_tls_alert_is_a_fault(tmp_path: Path) -> None:
    aside = _aside("tls", 443, (5.0, True, "gc01.contoso.com"), (6.0, False, "alert 40"))
    with opened(tmp_path, with_asides(aside)) as trace:
        assert talk_of(trace.quality.others[0]).fault == "TLS alert 40"


def test_an_upload_by_http_shows_operation_and_fault(tmp_path: Path) -> None:
    aside = _aside("http", 80, (5.0, True, HTTP), (6.0, False, FAULT))
    with opened(tmp_path, with_asides(aside)) as trace:
        talk = talk_of(trace.quality.others[0])
        assert (talk.host, talk.operations) == ("gc01.contoso.com", ("AppendChunk",))
        assert talk.fault is not None
        assert talk.fault.startswith("AppendChunk answered HTTP 500 (quota)")


def test_slots_stand_in_asides_too(tmp_path: Path) -> None:
    aside = _aside("http", 80, (5.0, True, "GET /?user=${client1.user} HTTP/1.1"))
    with opened(tmp_path, with_asides(aside)) as trace:
        assert b"GET /?user=ann@contoso.com HTTP/1.1" in trace.quality.others[0].sent


def test_an_aside_moves_with_its_host(tmp_path: Path) -> None:
    aside = _aside("tls", 443, (5.0, True, "gc01.contoso.com"))
    moved = {"client1": "192.0.2.7", "10.0.0.9": "192.0.2.9"}
    with opened(tmp_path, with_asides(aside), addresses=moved) as trace:
        (one,) = trace.quality.others
        assert (one.opener, one.responder) == ("192.0.2.7:49160", "192.0.2.9:443")


def test_http_says_the_true_length_of_what_is_left_of_a_body() -> None:
    assert http_message(HTTP).endswith(b'AppendChunk"\r\nContent-Length: 0\r\n\r\n')
    said = http_message("HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\nwhy")
    assert said == b"HTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\nwhy"


def test_tshark_finds_no_fault_with_asides(tmp_path: Path) -> None:
    asides = (
        _aside("dns", 53, (5.0, True, SRV), (9.0, False, "fe01.contoso.com:5061")),
        _aside("dns", 53, (6.0, True, "A sip.contoso.com"), (8.0, False, "10.0.0.2")),
        _aside("dns", 53, (6.0, True, "AAAA sip.contoso.com"), (8.0, False, "2001:db8::1")),
        _aside("dns", 53, (6.0, True, SRV), (8.0, False, "rcode 2")),
        _aside("tls", 443, (5.0, True, "gc01.contoso.com"), (6.0, False, "")),
        _aside("tls", 444, (5.0, True, ""), (6.0, False, "alert 40")),
        _aside("http", 80, (5.0, True, HTTP), (6.0, False, FAULT)),
    )
    path = tmp_path / "again.pcapng"
    path.write_bytes(written(with_asides(*asides))[0])
    shown = (
        *("tls.handshake.extensions_server_name", "http.response.code", "dns.srv.target"),
        *("dns.a", "dns.aaaa", "tls.alert_message.desc", "dns.flags.rcode"),
    )
    told = tshark(
        path, "-T", "fields", "-E", "separator=|", "-e", "_ws.malformed", "-e", "_ws.expert",
        *(part for name in shown for part in ("-e", name)),
        "-Y", "_ws.malformed || dns.flags.response == 1 || tls || http", plugin=False,
    )  # fmt: skip
    lines = [line.split("|") for line in told.splitlines()]
    assert [line for line in lines if line[0]] == []
    found = {name: {line[at] for line in lines} - {""} for at, name in enumerate(shown, 2)}
    assert found == {
        "tls.handshake.extensions_server_name": {"gc01.contoso.com"},
        "http.response.code": {"500"},
        "dns.srv.target": {"fe01.contoso.com"},
        "dns.a": {"10.0.0.2"},
        "dns.aaaa": {"2001:db8::1"},
        "tls.alert_message.desc": {"40"},
        "dns.flags.rcode": {"0", "2"},
    }


def _read(payload: bytes) -> NameQuery | None:
    key = bytes(10) + (53).to_bytes(2, "big")
    return read_query(Datagram(1, 0, 9, key, payload, 0, 0))


@given(st.text(max_size=300), st.text(max_size=300), st.integers(0, 65_535))
def test_any_words_make_a_message(asked: str, answered: str, number: int) -> None:
    question = dns_question(asked)
    assert isinstance(question, Question)
    assert dns_query(question, number)[:2] == number.to_bytes(2, "big")
    assert dns_answer(question, answered, number)[:2] == number.to_bytes(2, "big")
    assert http_message(asked).count(b"\r\n\r\n") >= 1
    hello = tls_message(asked, opener=True, seed="x")
    assert len(hello) == 5 + int.from_bytes(hello[3:5], "big")


@pytest.mark.parametrize("name", ["gc01", "a" * 63 + ".contoso.com", "gc01.contoso.com"])
def test_the_name_in_a_hello_is_the_one_that_was_given(name: str) -> None:
    assert server_name(tls_message(name, opener=True, seed="x")) == name


def test_a_name_that_dns_cannot_say_is_cut() -> None:
    found = _read(dns_query(dns_question("SRV _sip." + "a" * 70 + "..contoso.com."), 1))
    assert found is not None
    assert found.name == "_sip." + "a" * 63 + ".contoso.com"


def test_asides_alone_make_no_turn(tmp_path: Path) -> None:
    with opened(tmp_path, SCRIPT) as trace:
        assert trace.quality.others == ()
