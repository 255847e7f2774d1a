"""Rules for SIP sessions: each with a capture that shows it, and a near miss that does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.diagnostics.table import diagnose
from analyzer.diagnostics.thresholds import Thresholds
from tests.analyzer.diagnostics.rewritten import Script, about, ids
from tests.analyzer.flows.cuts import edited, frames_of
from tests.analyzer.truths import CAPTURES, FLOWS, named, opened

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.diagnostics.rule import Finding


def flow(name: str = "r2-signin-full") -> Script:
    return Script(named(FLOWS, name))


def found_in(name: str, *rules: str) -> list[Finding]:
    """Return what rules find in a capture of the corpus as it is."""
    paths = FLOWS if any(path.stem == name for path in FLOWS) else CAPTURES
    trace, _ = opened(named(paths, name))
    return about(diagnose(trace), *rules)


def diagnosis(number: int) -> str:
    return f'ms-diagnostics: {number};reason="said so";source="fe.example.com"'


# GC201 and GC204


def test_a_503_that_was_repeated_with_success_is_a_note() -> None:
    (found,) = found_in("retry-503-succeeds", "GC201")
    assert found.severity == "note"
    assert "bjoin" in found.detail
    assert "20000 Chat service busy" in found.detail
    assert {76, 78, 80} <= set(found.frames)
    assert found_in("retry-503-succeeds", "GC204") == []


def test_many_503_before_the_success_are_a_warning() -> None:
    trace, _ = opened(named(FLOWS, "retry-503-succeeds"))
    (found,) = about(diagnose(trace, Thresholds(overload_burst=1)), "GC201")
    assert found.severity == "warning"


def test_a_burst_of_503_is_one_error() -> None:
    (found,) = found_in("overload-503-burst", "GC204")
    assert "6 times" in found.detail
    assert "burst" in found.detail
    assert "20011" in found.detail
    assert len(found.frames) == 12


def test_a_single_503_that_is_never_repeated_is_an_error(tmp_path: Path) -> None:
    script = flow()
    script.refuse(script.at("INFO", "cmd:getinv"), "503 Service Unavailable", diagnosis(20008))
    findings = script.found(tmp_path)
    (found,) = about(findings, "GC204")
    assert "getinv" in found.detail
    assert "burst" not in found.detail
    assert "GC111" not in ids(findings)


def test_a_healthy_sign_in_has_no_503() -> None:
    assert found_in("r2-signin-full", "GC201", "GC204") == []


# GC202


def test_a_bye_at_the_end_of_the_session_timer_means_expired() -> None:
    (found,) = found_in("session-expired", "GC202")
    assert "1800 s" in found.detail
    assert found.frames[-1] == 86
    assert found_in("session-expired", "GC205") == []


def test_a_bye_after_half_an_hour_of_silence_is_possibly_the_session_timer(tmp_path: Path) -> None:
    script = flow("session-expired")
    del script.messages[: script.at("INVITE sip:") + 3]
    (found,) = about(script.found(tmp_path), "GC202")
    assert found.confidence == "possible"
    assert "1800 s are usual" in found.detail


def test_a_bye_after_a_refresh_is_not_the_session_timer(tmp_path: Path) -> None:
    script = flow("session-expired")
    bye = script.at("BYE sip:")
    invite = script.at("INVITE sip:")
    ok = script.messages[script.final_of(invite)]
    rest = script.messages[bye:]
    script.cut(bye)
    update = script.again(
        script.at("INFO", "cmd:bjoin"),
        after_ms=1_000_000,
        CSeq="90 INFO",
    )
    script.change(update, "INFO", "UPDATE")
    body = script.messages[update].text.partition("\r\n\r\n")[2]
    script.change(update, body, "")
    script.respond(update, "200 OK", f"Session-Expires: {ok.header('Session-Expires')}")
    script.messages += rest
    findings = script.found(tmp_path)
    assert about(findings, "GC202") == []
    assert len(about(findings, "GC205")) == 1


def test_a_481_means_that_the_service_has_forgotten_the_session(tmp_path: Path) -> None:
    script = flow("session-expired")
    script.cut(script.at("BYE sip:"))
    again = script.again(
        script.at("INFO", "<grpchat"),
        after_ms=2_000_000,
        CSeq="99 INFO",
    )
    script.respond(again, "481 Call Leg/Transaction Does Not Exist", diagnosis(20006))
    (found,) = about(script.found(tmp_path), "GC202")
    assert "481" in found.detail
    assert "20006" in found.detail
    assert "1 post lost" in found.detail
    assert "1800 s" in found.detail


def test_a_481_to_a_bye_is_nothing(tmp_path: Path) -> None:
    script = flow()
    bye = script.at("BYE sip:")
    script.refuse(bye, "481 Call Leg/Transaction Does Not Exist", stop=False)
    assert ids(script.found(tmp_path)) == []


# GC203


@pytest.mark.parametrize("name", ["stale-duplicate-dialog", "reconnect"])
def test_a_client_that_answers_487_has_an_obsolete_dialog(name: str) -> None:
    (found,) = found_in(name, "GC203")
    assert "487" in found.detail
    assert "obsolete" in found.detail
    assert "newer one" in found.detail


def test_a_487_to_a_cancelled_invite_is_nothing() -> None:
    assert found_in("forked-lookup", "GC203", "GC206", "GC103") == []


# GC205


def test_a_bye_of_the_service_for_no_reason_is_told(tmp_path: Path) -> None:
    script = flow("session-expired")
    bye = script.at("BYE sip:")
    earlier = 1_000 * 1_000_000_000
    for at in (bye, script.final_of(bye)):
        one = script.messages[at]
        script.messages[at] = one.__class__(one.raw, one.time - earlier, one.src, one.dst)
    findings = script.found(tmp_path)
    assert ids(findings) == ["GC205"]
    assert "Session-Expires 1800 s" in about(findings, "GC205")[0].detail


def test_a_bye_of_the_client_is_nothing() -> None:
    assert found_in("signin-tcp", "GC205", "GC202") == []


# GC206


def test_a_subscribe_without_answer_is_told(tmp_path: Path) -> None:
    script = flow()
    asked = script.at("SUBSCRIBE sip:")
    script.drop(script.final_of(asked))
    findings = script.found(tmp_path)
    (found,) = about(findings, "GC206")
    assert "SUBSCRIBE" in found.detail
    assert len(found.frames) == 1


def test_a_request_that_is_the_last_of_a_capture_is_nothing(tmp_path: Path) -> None:
    script = flow()
    script.cut(script.at("SUBSCRIBE sip:") + 1)
    script.quiet_s = 1
    assert about(script.found(tmp_path), "GC206") == []


def test_a_command_without_sip_answer_is_told_by_its_own_rule(tmp_path: Path) -> None:
    script = flow()
    script.cut(script.at("INFO", "cmd:getserverinfo") + 1)
    assert ids(script.found(tmp_path)) == ["GC301"]


def test_a_client_that_never_answers_the_server_is_a_warning(tmp_path: Path) -> None:
    script = flow()
    script.drop(script.final_of(script.at("INFO", "rpl:getserv")))
    (found,) = about(script.found(tmp_path), "GC206")
    assert found.severity == "warning"
    assert "never answered INFO of the server" in found.detail


# GC207 and GC208


def invite(script: Script) -> int:
    return script.at("INVITE sip:", after=script.at("INVITE sip:"))


def test_a_certificate_that_is_not_trusted_is_told_with_its_server(tmp_path: Path) -> None:
    script = flow()
    script.refuse(
        invite(script),
        "504 Server time-out",
        'ms-diagnostics: 1010;reason="Certificate trust with another server could not be '
        'established";ErrorType="The peer certificate is not chained";tls-target="gc1.example.com"',
    )
    findings = script.found(tmp_path)
    assert ids(findings) == ["GC207"]
    detail = about(findings, "GC207")[0].detail
    assert "1010" in detail
    assert "tls-target=gc1.example.com" in detail


def test_a_timeout_without_certificate_is_no_matter_of_trust(tmp_path: Path) -> None:
    script = flow()
    script.refuse(invite(script), "504 Server time-out", diagnosis(1014))
    assert ids(script.found(tmp_path)) == ["GC103"]


@pytest.mark.parametrize("number", [1004, 1007, 5001])
def test_a_routing_failure_is_told_with_its_source(tmp_path: Path, number: int) -> None:
    script = flow()
    script.refuse(script.at("SUBSCRIBE sip:"), "504 Server time-out", diagnosis(number))
    findings = script.found(tmp_path)
    (found,) = about(findings, "GC208")
    assert str(number) in found.detail
    assert "source=fe.example.com" in found.detail
    assert "GC111" not in ids(findings)


def test_a_subscription_that_is_not_supported_is_no_routing_failure(tmp_path: Path) -> None:
    script = flow()
    script.refuse(script.at("SUBSCRIBE sip:"), "489 Bad Event", stop=False)
    assert about(script.found(tmp_path), "GC208") == []


# GC209


def before_sign_off() -> Script:
    script = flow()
    script.cut(script.at("BYE sip:", after=invite(script)))
    return script


def test_a_connection_that_is_closed_after_silence_is_told(tmp_path: Path) -> None:
    script = before_sign_off()
    script.quiet_s = 301
    script.closed_by = [script.messages[0].dst]
    (found,) = about(script.found(tmp_path), "GC209")
    assert "300 s" in found.detail
    assert "by the server" in found.detail
    assert found.confidence == "likely"


def test_a_connection_that_is_closed_in_time_is_nothing(tmp_path: Path) -> None:
    script = before_sign_off()
    script.quiet_s = 200
    script.closed_by = [script.messages[0].dst]
    assert about(script.found(tmp_path), "GC209") == []


def test_a_connection_that_stays_open_is_nothing(tmp_path: Path) -> None:
    script = before_sign_off()
    script.quiet_s = 900
    assert about(script.found(tmp_path), "GC209") == []


# GC210

NEGOTIATE = """NEGOTIATE sip:127.0.0.1:5060 SIP/2.0
Via: SIP/2.0/TCP 127.0.0.1:5060
From: <sip:127.0.0.1:5060>;tag=1
To: <sip:127.0.0.1:5060>
Call-ID: negotiate
CSeq: 1 NEGOTIATE
Max-Forwards: 0
Compression: LZ77-8K
Content-Length: 0

"""


@pytest.mark.parametrize(("status", "expected"), [("200 OK", 1), ("405 Method Not Allowed", 0)])
def test_compression_is_told_where_it_was_agreed(
    tmp_path: Path, status: str, expected: int
) -> None:
    script = flow()
    register = script.at("REGISTER sip:")
    script.cut(script.final_of(register) + 1)
    script.quiet_s = 1
    asked = script.add(NEGOTIATE, register)
    script.respond(asked, status, "Compression: LZ77-8K")
    assert about(script.found(tmp_path), "GC210") == []  # nothing came of it
    script.add("\x26\x01 no packet that could be unpacked", register)
    found = about(script.found(tmp_path), "GC210")
    assert len(found) == expected
    assert all("not all" in one.detail and one.severity == "warning" for one in found)


# What a capture does not have is no fault


@pytest.mark.parametrize("name", ["r2-signin-full", "lync2013-signin", "fe-two-hops"])
@pytest.mark.parametrize("share", [0.2, 0.4, 0.6, 0.8])
def test_a_capture_that_is_cut_says_nothing_of_sessions(
    tmp_path: Path, name: str, share: float
) -> None:
    path = named(FLOWS, name)
    count = len(frames_of(path))
    first = round(share * count)
    for keep in (
        lambda frame: frame.number > first,
        lambda frame: frame.number <= first,
        lambda frame: not first <= frame.number < first + 12,
    ):
        with edited(tmp_path, path, keep) as trace:
            found = [one for one in diagnose(trace) if one.severity != "note"]
        assert [one for one in found if one.rule[:3] in ("GC1", "GC2", "GC7")] == []


def test_a_refusal_that_was_seen_on_two_hops_is_told_once(tmp_path: Path) -> None:
    script = flow("fe-two-hops")
    first = script.at("INFO", "cmd:getinv")
    second = script.at("INFO", "cmd:getinv", after=first)
    for at in (first, second):
        script.refuse(at, "503 Service Unavailable", diagnosis(20011), stop=False)
    (found,) = about(script.found(tmp_path), "GC204")
    assert len(found.frames) == 2
