"""Rules for signing in: each with a capture that shows it, and a near miss that does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.diagnostics.table import diagnose
from analyzer.diagnostics.thresholds import Thresholds
from tests.analyzer.diagnostics.rewritten import Script, about, ids
from tests.analyzer.truths import FLOWS, named, opened

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.diagnostics.rule import Finding


def signin() -> Script:
    """Return a healthy sign-in of all ten steps, seen at the client."""
    return Script(named(FLOWS, "r2-signin-full"))


def lookup(script: Script) -> int:
    return script.at("INVITE sip:ocschat@")


def channel(script: Script) -> int:
    return script.at("INVITE sip:", after=script.at("INVITE sip:"))


def diagnosis(number: int, reason: str = "said so") -> str:
    return f'ms-diagnostics: {number};reason="{reason}";source="fe.example.com"'


def only(findings: list[Finding], rule: str) -> Finding:
    """Return the one finding of a rule, where nothing else is wrong."""
    assert ids(findings) == [rule], [(one.rule, one.detail) for one in findings]
    (found,) = about(findings, rule)
    return found


def test_a_capture_that_is_only_written_again_stays_healthy(tmp_path: Path) -> None:
    assert signin().found(tmp_path) == []


# GC101


@pytest.mark.parametrize(
    ("status", "number"),
    [("404 Not Found", 4005), ("404 Not Found", 1003), ("480 Temporarily Unavailable", None)],
)
def test_an_unknown_lookup_uri_is_told_once(
    tmp_path: Path, status: str, number: int | None
) -> None:
    script = signin()
    script.refuse(lookup(script), status, *([diagnosis(number)] if number else []))
    found = only(script.found(tmp_path), "GC101")
    assert found.severity == "error"
    assert status in found.detail
    assert "sip:ocschat@emea.adatum.example" in found.detail
    assert number is None or str(number) in found.detail
    assert len(found.frames) == 2
    assert found.confidence == "certain"


def test_a_lookup_that_is_found_at_the_second_attempt_is_a_warning(tmp_path: Path) -> None:
    script = signin()
    at = lookup(script)
    script.messages[at:at] = script.tried_before(at, "480 Temporarily Unavailable")
    (found,) = about(script.found(tmp_path), "GC101")
    assert found.severity == "warning"
    assert "later attempt was accepted" in found.detail


def test_a_lookup_that_is_found_is_nothing() -> None:
    trace, _ = opened(named(FLOWS, "forked-lookup"))
    assert about(diagnose(trace), "GC101", "GC103", "GC206") == []


# GC102


def without_uri(script: Script) -> int:
    reply = script.at("rpl:requri")
    start = script.messages[reply].text.index("<uib")
    end = script.messages[reply].text.index(">", start) + 1
    script.change(reply, script.messages[reply].text[start:end], "")
    return reply


def test_a_lookup_reply_without_uri_is_told(tmp_path: Path) -> None:
    script = signin()
    reply = without_uri(script)
    script.cut(script.final_of(reply) + 1)
    found = only(script.found(tmp_path), "GC102")
    assert "requri" in found.detail
    assert len(found.frames) == 2


def test_a_lookup_that_refuses_by_code_is_told_with_it(tmp_path: Path) -> None:
    script = signin()
    reply = without_uri(script)
    script.change(reply, '<resp code="200">SUCCESS_OK', '<resp code="500">SERVER_ERROR')
    script.cut(script.final_of(reply) + 1)
    found = only(script.found(tmp_path), "GC102")
    assert "500 SERVER_ERROR" in found.detail


def test_a_lookup_reply_with_a_uri_is_nothing(tmp_path: Path) -> None:
    script = signin()
    script.cut(channel(script))
    assert about(script.found(tmp_path), "GC102") == []


# GC103


@pytest.mark.parametrize(
    ("status", "number"),
    [
        ("480 Temporarily Unavailable", None),
        ("404 Not Found", 1003),
        ("503 Service Unavailable", 1007),
        ("504 Server time-out", 1014),
    ],
)
def test_a_channel_service_that_refuses_is_unreachable(
    tmp_path: Path, status: str, number: int | None
) -> None:
    script = signin()
    script.refuse(channel(script), status, *([diagnosis(number)] if number else []))
    found = only(script.found(tmp_path), "GC103")
    assert status in found.detail
    assert script.messages[channel(script)].header("To").strip("<>") in found.detail


def test_a_channel_service_that_never_answers_is_unreachable(tmp_path: Path) -> None:
    script = signin()
    script.cut(channel(script) + 1)
    found = only(script.found(tmp_path), "GC103")
    assert "never answered" in found.detail
    assert len(found.frames) == 1


def test_an_invite_at_the_end_of_the_capture_is_nothing(tmp_path: Path) -> None:
    script = signin()
    script.cut(channel(script) + 1)
    script.quiet_s = 1
    assert ids(script.found(tmp_path)) == []


# GC104


@pytest.mark.parametrize("number", [20003, 20010])
def test_a_user_who_is_not_provisioned_is_told(tmp_path: Path, number: int) -> None:
    script = signin()
    script.refuse(channel(script), "403 Forbidden", diagnosis(number))
    found = only(script.found(tmp_path), "GC104")
    assert str(number) in found.detail


def bye_after(script: Script, command: str) -> None:
    """Let the service end the dialog after a command was accepted."""
    info = script.final_of(script.at(command))
    told = script.at("INFO", "rpl:getserv")
    text = script.messages[told].text.partition("\r\n\r\n")[0]
    lines = text.replace("INFO", "BYE").split("\r\n")
    lines = [line for line in lines if not line.startswith("Content-")]
    raw = "\n".join([*lines, "Content-Length: 0", "", ""])
    script.cut(max(info, 0) + 1)
    bye = script.add(raw, script.at("INFO", "rpl:requri"))
    script.respond(bye, "200 OK")


def test_a_bye_right_after_the_first_command_means_not_allowed(tmp_path: Path) -> None:
    script = signin()
    bye_after(script, "cmd:getserverinfo")
    found = only(script.found(tmp_path), "GC104")
    assert "BYE" in found.detail
    assert "getserverinfo" in found.detail
    assert found.confidence == "likely"


def test_a_bye_after_an_answered_command_is_another_matter(tmp_path: Path) -> None:
    script = signin()
    bye_after(script, "cmd:bjoin")
    findings = script.found(tmp_path)
    assert about(findings, "GC104") == []
    assert len(about(findings, "GC205")) == 1


# GC105


def test_an_endpoint_limit_is_told(tmp_path: Path) -> None:
    script = signin()
    script.refuse(channel(script), "503 Service Unavailable", diagnosis(20009))
    assert "20009" in only(script.found(tmp_path), "GC105").detail


def test_another_refusal_of_a_session_is_no_endpoint_limit(tmp_path: Path) -> None:
    script = signin()
    script.refuse(channel(script), "503 Service Unavailable", diagnosis(20008))
    assert ids(script.found(tmp_path)) == ["GC204"]


# GC107


def rounds(script: Script, count: int) -> int:
    """Let the credentials be refused with a new challenge; return the last REGISTER."""
    answer = script.at("SIP/2.0 200", "REGISTER")
    request = answer - 1
    fresh = script.messages[script.at("SIP/2.0 401")]
    head = next(
        line for line in fresh.text.split("\r\n") if line.startswith("WWW-Authenticate: NTLM")
    )
    script.cut(request + 1)
    for k in range(count):
        script.respond(request, "401 Unauthorized", head, diagnosis(1000))
        request = script.again(request, after_ms=50, CSeq=f"{10 + k} REGISTER")
    return request


def test_refused_credentials_are_told_with_the_403(tmp_path: Path) -> None:
    script = signin()
    script.respond(rounds(script, 1), "403 Forbidden", diagnosis(4004))
    found = only(script.found(tmp_path), "GC107")
    assert "4004" in found.detail
    assert "403" in found.detail


def test_challenges_without_end_are_a_loop(tmp_path: Path) -> None:
    script = signin()
    script.respond(rounds(script, 3), "401 Unauthorized", 'WWW-Authenticate: NTLM realm="x"')
    found = only(script.found(tmp_path), "GC107")
    assert "5 rounds" in found.detail
    assert found.confidence == "certain"


def test_a_sign_in_after_several_rounds_is_a_warning(tmp_path: Path) -> None:
    script = signin()
    rest = script.messages[script.at("SIP/2.0 200", "REGISTER") + 1 :]
    script.respond(rounds(script, 2), "200 OK", "Expires: 7200")
    script.messages += [one for one in rest if one.time > script.messages[-1].time]
    found = about(script.found(tmp_path), "GC107")
    assert [one.severity for one in found] == ["warning"]
    assert about(script.found(tmp_path, Thresholds(auth_cycles=3)), "GC107") == []


def test_a_client_that_does_not_answer_the_challenge_is_likely_the_reason(tmp_path: Path) -> None:
    script = signin()
    script.cut(script.at("SIP/2.0 401") + 1)
    found = only(script.found(tmp_path), "GC107")
    assert "did not answer" in found.detail
    assert found.confidence == "likely"


def test_the_two_challenges_of_ntlm_are_normal() -> None:
    trace, _ = opened(named(FLOWS, "r2-signin-full"))
    assert about(diagnose(trace), "GC107") == []


# GC108


def test_a_lookup_in_another_domain_that_cannot_be_reached_is_a_federation_limit(
    tmp_path: Path,
) -> None:
    script = signin()
    at = lookup(script)
    script.refuse(at, "504 Server time-out", diagnosis(1009))
    script.change_all("ocschat@emea.adatum.example", "ocschat@partner.example")
    found = only(script.found(tmp_path), "GC108")
    assert "partner.example" in found.detail
    assert found.confidence == "certain"


def test_a_504_without_federation_is_a_routing_failure(tmp_path: Path) -> None:
    script = signin()
    script.refuse(lookup(script), "504 Server time-out", diagnosis(1014))
    assert ids(script.found(tmp_path)) == ["GC208"]


# GC109


def test_a_lookup_dialog_before_a_newer_pool_is_noted(tmp_path: Path) -> None:
    script = signin()
    script.change_all("Server: RTC/3.5", "Server: RTC/5.0")
    found = script.found(tmp_path)
    assert [one.rule for one in found] == ["GC109"]
    assert found[0].severity == "note"


def test_a_client_of_a_newer_pool_without_lookup_is_nothing() -> None:
    trace, _ = opened(named(FLOWS, "lync2013-signin"))
    assert about(diagnose(trace), "GC109") == []


# GC110


@pytest.mark.parametrize(
    ("status", "number"),
    [("403 Forbidden", 17002), ("404 Not Found", 4006), ("504 Server time-out", None)],
)
def test_a_register_that_is_refused_is_told_once(
    tmp_path: Path, status: str, number: int | None
) -> None:
    script = signin()
    register = script.at("REGISTER sip:")
    script.refuse(register, status, *([diagnosis(number)] if number else []))
    found = only(script.found(tmp_path), "GC110")
    assert status in found.detail
    assert number is None or str(number) in found.detail


def test_a_redirect_is_no_refusal(tmp_path: Path) -> None:
    script = signin()
    register = script.at("REGISTER sip:")
    script.refuse(register, "301 Moved", "Contact: <sip:10.0.0.8:5060;transport=tcp>")
    assert about(script.found(tmp_path), "GC110") == []


# GC111


def test_a_step_that_failed_for_no_other_reason_is_told(tmp_path: Path) -> None:
    script = signin()
    for at in [k for k, one in enumerate(script.messages) if "SERVICE sip:" in one.text]:
        script.refuse(at, "500 Server Internal Error", stop=False)
    found = only(script.found(tmp_path), "GC111")
    assert "step 3" in found.detail
    assert found.severity == "warning"
    assert found.frames


def test_a_sign_in_that_stops_at_a_refused_step_is_an_error(tmp_path: Path) -> None:
    script = signin()
    script.refuse(lookup(script), "488 Not Acceptable Here")
    found = only(script.found(tmp_path), "GC111")
    assert "step 4" in found.detail
    assert "488" in found.detail
    assert found.severity == "error"


@pytest.mark.parametrize("name", ["lookup-404", "missing-reply", "overload-503-burst"])
def test_a_step_that_another_rule_explains_is_not_told_again(name: str) -> None:
    trace, _ = opened(named(FLOWS, name))
    assert about(diagnose(trace), "GC111") == []


def test_a_capture_that_ends_during_the_sign_in_is_nothing(tmp_path: Path) -> None:
    script = signin()
    script.cut(channel(script))
    script.quiet_s = 1
    assert ids(script.found(tmp_path)) == []


def test_a_bye_right_after_the_invite_means_not_allowed_too(tmp_path: Path) -> None:
    script = Script(named(FLOWS, "lync2013-signin"))
    told = script.messages[script.at("INFO", "rpl:getserv")]
    lines = told.text.partition("\r\n\r\n")[0].replace("INFO", "BYE").split("\r\n")
    kept = [line for line in lines if not line.startswith("Content-")]
    ack = script.at("ACK sip:")
    script.cut(ack + 1)
    answer = script.final_of(script.at("INVITE sip:"))
    bye = script.add("\n".join([*kept, "Content-Length: 0", "", ""]), answer)
    script.respond(bye, "200 OK")
    assert "after the INVITE" in only(script.found(tmp_path), "GC104").detail


def test_an_invite_that_the_client_gave_up_is_unreachable(tmp_path: Path) -> None:
    script = signin()
    asked = channel(script)
    script.cut(asked + 1)
    cancel = script.again(asked, after_ms=20_000, CSeq="1 CANCEL")
    script.change(cancel, "INVITE sip", "CANCEL sip")
    script.respond(cancel, "200 OK")
    script.respond(asked, "487 Request Terminated")
    found = only(script.found(tmp_path), "GC103")
    assert "cancelled after 20" in found.detail


def test_each_registrar_may_have_its_own_rounds(tmp_path: Path) -> None:
    script = signin()
    last = rounds(script, 1)
    script.respond(last, "301 Moved", "Contact: <sip:10.0.0.8:5060;transport=tcp>")
    first = script.messages[0]
    home = Script(named(FLOWS, "r2-signin-full"))
    script.messages += [
        first.__class__(
            one.raw.replace(b"CSeq: ", b"CSeq: 2").replace(b"Call-ID: ", b"Call-ID: home"),
            one.time + 1_000_000_000, one.src, one.dst,
        )
        for one in home.messages
    ]  # fmt: skip
    assert about(script.found(tmp_path), "GC107") == []
