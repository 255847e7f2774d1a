"""Files: each rule with a capture that shows it, and one that nearly does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dissectors.capture.writer import write_pcap
from dissectors.model import ACK, PSH, SYN
from tests.analyzer.diagnostics.edited import (
    Edit,
    Said,
    answered,
    changed,
    found,
    frames_of,
    messages_of,
    of_capture,
    path_of,
    resaid,
    silence,
    told,
    without,
    write,
)
from tests.support.packets import Tcp, frames

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.diagnostics.rule import Finding
    from dissectors.model import Frame

RULES = ("GC501", "GC502", "GC503", "GC504")
UPLOADED = "r2-post-full"
NOT_UPLOADED = "token-no-upload"
OK = rb'<resp code="200">SUCCESS_OK'
HTTPS = 443


@pytest.mark.parametrize("name", [UPLOADED, "lync2013-signin", "twousers-post"])
def test_a_healthy_capture_has_none_of_these_findings(name: str) -> None:
    assert told(path_of(name), RULES) == []


def test_an_upload_is_still_found_in_a_capture_written_anew(tmp_path: Path) -> None:
    assert told(write(tmp_path, path_of(UPLOADED), list), RULES) == []


def test_a_token_that_was_refused_is_told(tmp_path: Path) -> None:
    edit = resaid("rpl:getftok", OK, b'<resp code="500">INVALID_TOKEN')
    (one,) = found("GC501", tmp_path, NOT_UPLOADED, edit)
    assert one.severity == "error"
    assert "500 INVALID_TOKEN" in one.detail
    assert found("GC302", tmp_path, NOT_UPLOADED, edit) == []


def _quiet_end(messages: list[Said]) -> list[Said]:
    """Let ten seconds go by before the end."""
    return [*messages[:-2], *(one.later(10_000) for one in messages[-2:])]


def test_a_token_that_never_came_is_told_once(tmp_path: Path) -> None:
    edits = without(silence("getftok")), _quiet_end
    (one,) = found("GC501", tmp_path, NOT_UPLOADED, *edits)
    assert "unanswered" in one.detail
    assert found("GC301", tmp_path, NOT_UPLOADED, *edits) == []


def test_a_token_that_came_when_asked_again_is_fine(tmp_path: Path) -> None:
    def twice(messages: list[Said]) -> list[Said]:
        asked = [one for one in messages if one.first in {"cmd:getfutok", "rpl:getftok"}]
        refused = [
            one.sub(OK, b'<resp code="500">ERROR') if one.first == "rpl:getftok" else one
            for one in asked
        ]
        before = [
            one.later(-5).sub(rb'envid="61936\d+"', b'envid="5"').sub(rb"CSeq: \d+", b"CSeq: 80")
            for one in refused
        ]
        return [*messages, *before]

    assert found("GC501", tmp_path, NOT_UPLOADED, twice) == []


def test_a_token_that_sip_refused_is_told(tmp_path: Path) -> None:
    edits = answered("cmd:getfutok", "488 Not Acceptable Here"), without(silence("getftok"))
    (one,) = found("GC501", tmp_path, NOT_UPLOADED, *edits)
    assert "488" in one.detail


def test_a_link_without_an_upload_is_told(tmp_path: Path) -> None:
    (one,) = found("GC502", tmp_path, NOT_UPLOADED)
    assert one.severity == "warning"
    assert "without an upload" in one.detail
    assert {101, 105} <= set(one.frames)


def test_a_link_whose_upload_the_capture_would_not_show_is_not_told(tmp_path: Path) -> None:
    def cut(messages: list[Said]) -> list[Said]:
        return [one for one in messages if one.time <= _linked(messages)]

    assert found("GC502", tmp_path, NOT_UPLOADED, cut) == []


def _linked(messages: list[Said]) -> int:
    return next(one.time for one in messages if b"ma-filelink:" in one.raw and one.up)


def _without_https(place: Path, path: Path) -> Path:
    kept = [
        frame
        for frame in frames_of(path)
        if HTTPS not in {int.from_bytes(frame.data[at : at + 2], "big") for at in (34, 36)}
    ]
    target = place / "filtered.pcap"
    target.write_bytes(write_pcap(kept, link=1))
    return target


def test_the_same_capture_without_the_upload_is_told(tmp_path: Path) -> None:
    path = _without_https(tmp_path, path_of(UPLOADED))
    (one,) = of_capture("GC502", path)
    assert one.confidence == "likely"


def _token_earlier(minutes: float) -> Edit:
    """Let all that was said until the token came have been so much earlier."""

    def edit(messages: list[Said]) -> list[Said]:
        token = next(one.time for one in messages if one.first == "rpl:getftok")
        shift = -minutes * 60_000
        return [one.later(shift) if one.time <= token else one for one in messages]

    return edit


def test_a_token_that_was_used_after_its_time_is_told(tmp_path: Path) -> None:
    findings = found("GC503", tmp_path, UPLOADED, _token_earlier(31))
    assert [one.severity for one in findings] == ["warning"]
    assert "31 minutes" in findings[0].detail


def test_a_token_that_was_used_late_but_in_time_is_fine(tmp_path: Path) -> None:
    assert found("GC503", tmp_path, UPLOADED, _token_earlier(29)) == []


def test_a_token_for_another_room_is_told(tmp_path: Path) -> None:
    edit = changed(
        lambda one: one.first == "cmd:getfutok",
        lambda one: one.sub(rb'channelUri="[^"]*"', b'channelUri="ma-chan://a.example/1"'),
    )
    (one,) = found("GC503", tmp_path, NOT_UPLOADED, edit)
    assert "ma-chan://a.example/1" in one.detail


@pytest.mark.parametrize(("scheme", "count"), [(b"http", 1), (b"https", 0)])
def test_an_address_that_is_not_encrypted_is_told(
    scheme: bytes, count: int, tmp_path: Path
) -> None:
    edit = resaid("rpl:getftok", rb'serveruri="https:', b'serveruri="' + scheme + b":")
    findings = found("GC504", tmp_path, NOT_UPLOADED, edit)
    assert [one.severity for one in findings] == ["warning"] * count


def test_another_host_than_that_of_the_token_is_told(tmp_path: Path) -> None:
    def renamed(one: Said) -> Said:
        return one.sub(rb'serveruri="https://[^./]*', b'serveruri="https://files99')

    path = write(tmp_path, path_of(UPLOADED), changed(silence("getftok"), renamed))
    (one,) = of_capture("GC504", path)
    assert "files99" in one.detail
    assert one.confidence == "possible"
    assert of_capture("GC502", path) == []


SOAP = (
    b"POST /MGCWebService/MGCWebService.asmx HTTP/1.1\r\nHost: gchat03.emea.adatum.example\r\n"
    b'SOAPAction: "http://www.microsoft.com/AppendChunk"\r\nContent-Length: 0\r\n\r\n'
)


def _http(path: Path, answer: bytes) -> list[Frame]:
    """Return the frames of an upload by HTTP right after the token."""
    said, _ = messages_of(path)
    token = next(one.time for one in said if one.first == "rpl:getftok")
    client, server = "192.168.2.27:50555", "192.168.1.18:80"
    length = len(SOAP)
    packets = [
        Tcp(client, server, 100, SYN),
        Tcp(server, client, 900, SYN | ACK),
        Tcp(client, server, 101, ACK | PSH, SOAP),
        Tcp(server, client, 901, ACK | PSH, answer),
        Tcp(client, server, 101 + length, ACK),
    ]
    return [
        frame._replace(time_ns=token + (at + 1) * 1_000_000)
        for at, frame in enumerate(frames(packets))
    ]


FAULT = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
DONE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(("answer", "count"), [(FAULT, 1), (DONE, 0)])
def test_an_upload_that_the_web_service_refused_is_told(
    answer: bytes, count: int, tmp_path: Path
) -> None:
    path = path_of(NOT_UPLOADED)
    plain = resaid("rpl:getftok", rb'serveruri="https:', b'serveruri="http:')
    findings = [
        one.detail for one in of_capture_written(tmp_path, path, plain, _http(path, answer))
    ]
    assert len(findings) == count
    assert all("AppendChunk answered HTTP 500" in detail for detail in findings)
    assert all("the link is posted" in detail for detail in findings)


def of_capture_written(place: Path, path: Path, edit: Edit, more: list[Frame]) -> list[Finding]:
    """Return what GC502 finds in a capture written with some frames more."""
    return of_capture("GC502", write(place, path, edit, more))
