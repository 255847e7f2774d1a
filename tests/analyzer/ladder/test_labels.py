"""What stands on an arrow: label, the whole in words, tone and marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.ladder.labels import heat_of
from analyzer.ladder.values import SLOW_MS, VERY_SLOW_MS, Arrow
from tests.analyzer.captures import capture, message
from tests.analyzer.diagnostics.rewritten import Script
from tests.analyzer.ladder.drawn import (
    HOPS,
    MODEL,
    POST,
    RECORDED,
    TWO,
    drawn,
    frame,
    labels,
    redirected,
)
from tests.analyzer.truths import CAPTURES, FLOWS, named
from tests.paths import SAMPLES, SHARED

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.ladder.values import Ladder


def first(ladder: Ladder, label: str) -> Arrow:
    """Return the first arrow whose label begins so."""
    return next(one for one in ladder.arrows if one.label.startswith(label))


@pytest.mark.parametrize(
    ("latency", "heat"),
    [
        (None, "quick"),
        (SLOW_MS - 0.01, "quick"),
        (SLOW_MS, "slow"),
        (VERY_SLOW_MS - 0.01, "slow"),
        (VERY_SLOW_MS, "very-slow"),
    ],
)
def test_half_a_second_is_slow_and_two_are_very_slow(latency: float | None, heat: str) -> None:
    assert heat_of(latency) == heat


# Labels


@pytest.mark.parametrize(
    ("path", "number", "label"),
    [
        (RECORDED, 4, "REGISTER"),
        (RECORDED, 6, "200 OK"),
        (RECORDED, 15, "100 Trying"),
        (RECORDED, 46, "INFO join Sales EMEA"),
        (RECORDED, 49, "INFO rpl:join 200 Sales EMEA"),
        (RECORDED, 60, "INFO grpchat Sales EMEA"),
        (MODEL, 18, "SUBSCRIBE roaming-contacts"),
        (MODEL, 22, "BENOTIFY roaming-contacts"),
        (MODEL, 26, "SUBSCRIBE provisioning-v2 (once)"),
        (MODEL, 64, "INFO getpref ×11"),
        (MODEL, 71, "INFO rpl:getpref 200 ×11"),
        (MODEL, 75, "INFO bjoin (5 rooms)"),
        (TWO, 104, "INFO ntc:join Sales EMEA"),
        (SAMPLES / "keepalive.pcap", 57, "UPDATE (session refresh)"),
        (named(FLOWS, "late-start"), 44, "INFO grpchat Ops Bridge"),
        (named(FLOWS, "hole-in-the-middle"), 71, "INFO grpchat a8e6fc9e…"),
    ],
)
def test_a_label_says_what_a_message_is_about(path: Path, number: int, label: str) -> None:
    assert frame(drawn(path, fold=False), number).label == label


def test_items_of_several_kinds_are_named_and_counted() -> None:
    found = labels(drawn(SAMPLES / "batch-mixed.pcap"))
    assert "INFO rpl:bccontext 200, grpchat ×3 Sales EMEA" in found
    assert "INFO rpl:getinv 200, rpl:chansrch 200" in found


def test_the_end_of_a_registration_and_of_a_subscription_is_told() -> None:
    found = labels(drawn(RECORDED))[-4:-1]
    assert found == [
        "SUBSCRIBE roaming-self (end)",
        "SUBSCRIBE roaming-contacts (end)",
        "REGISTER (sign-off)",
    ]


def test_an_invite_within_a_dialog_is_a_re_invite(tmp_path: Path) -> None:
    path = capture(
        tmp_path / "one.pcap",
        message("INVITE sip:ann@example.com SIP/2.0", CSeq="1 INVITE"),
        message("INVITE sip:ann@example.com SIP/2.0", CSeq="2 INVITE", To="<sip:ann@x>;tag=2"),
    )
    assert labels(drawn(path)) == ["INVITE", "re-INVITE"]


def test_a_last_notify_says_that_the_subscription_ended(tmp_path: Path) -> None:
    state = "terminated;reason=timeout"
    start = "NOTIFY sip:ann@example.com SIP/2.0"
    notify = message(start, CSeq="9 NOTIFY", Event="presence", Subscription_State=state)
    path = capture(tmp_path / "one.pcap", notify)
    assert labels(drawn(path)) == ["NOTIFY presence (end)"]


# The whole in words


def test_the_text_names_method_target_cseq_call_id_and_length() -> None:
    text = frame(drawn(RECORDED), 4).text
    assert text.startswith("REGISTER, Request-URI sip:contoso.com, CSeq 1 REGISTER, Call-ID E489")
    assert text.endswith(" bytes")
    assert frame(drawn(RECORDED), 6).text.startswith("200 OK to REGISTER, CSeq 1 REGISTER, ")


def test_the_text_says_what_a_reply_brought() -> None:
    ladder = drawn(RECORDED)
    assert "SUCCESS_OK" in frame(ladder, 33).text
    assert "it brought sip:ocschannel01@contoso.com" in frame(ladder, 23).text
    assert "room ma-chan://contoso.com/be1f1c53" in frame(ladder, 46).text


def test_the_text_of_an_error_says_why() -> None:
    text = frame(drawn(SAMPLES / "fault-503.pcap"), 59).text
    assert text.startswith("503 Service Unavailable to INFO, ms-diagnostics 1018 Parsing failure")


def test_the_text_says_how_a_register_is_authenticated_and_what_is_offered() -> None:
    ladder = drawn(MODEL)
    assert "offers NTLM, Kerberos" in frame(ladder, 11).text
    assert "signed by NTLM" in frame(ladder, 12).text
    assert "signed by" not in frame(ladder, 10).text


def test_the_text_of_bye_and_of_a_refusal_says_the_reason(tmp_path: Path) -> None:
    path = capture(
        tmp_path / "one.pcap",
        message(
            "BYE sip:ann@example.com SIP/2.0", CSeq="2 BYE", Reason='SIP;cause=480;text="gone"'
        ),
        message("SIP/2.0 503 Busy", CSeq="3 INFO", Retry_After="5", Warning='399 fe "full"'),
    )
    bye, busy = drawn(path).arrows
    assert 'Reason: SIP;cause=480;text="gone"' in bye.text
    assert 'Warning: 399 fe "full", Retry-After: 5' in busy.text


# Tones and marks


def tone_of(path: Path, number: int) -> tuple[str, tuple[str, ...]]:
    found = frame(drawn(path, fold=False), number)
    return found.tone, found.marks


@pytest.mark.parametrize(
    ("path", "number", "tone", "marks"),
    [
        (RECORDED, 6, "good", ()),
        (RECORDED, 4, "plain", ()),
        (RECORDED, 33, "good", ()),
        (MODEL, 11, "plain", ()),
        (named(FLOWS, "forked-lookup"), 42, "plain", ()),
        (SAMPLES / "fault-503.pcap", 57, "bad", ("lost",)),
        (SAMPLES / "fault-503.pcap", 59, "bad", ()),
        (SAMPLES / "fault-no-reply.pcap", 54, "bad", ("never acknowledged",)),
        (named(FLOWS, "retry-503-succeeds"), 80, "doubtful", ("retry",)),
        (named(FLOWS, "lookup-404"), 38, "bad", ()),
        (named(FLOWS, "partial-join"), 80, "doubtful", ("1 room refused",)),
    ],
)
def test_what_went_wrong_is_told_by_tone_and_words(
    path: Path, number: int, tone: str, marks: tuple[str, ...]
) -> None:
    assert tone_of(path, number) == (tone, marks)


def test_the_487_of_a_stale_dialog_is_bad_and_that_of_a_cancel_is_not() -> None:
    assert tone_of(SAMPLES / "reconnect.pcap", 179)[0] == "bad"
    assert tone_of(named(FLOWS, "forked-lookup"), 46)[0] == "plain"


def test_a_redirect_is_doubtful_and_says_where_to(tmp_path: Path) -> None:
    with redirected().opened(tmp_path) as trace:
        found = first(drawn(trace), "301 ")
    assert found.tone == "doubtful"
    assert found.label.endswith(" to sip:pool1.emea.adatum.example:5060")


def test_a_command_without_a_reply_is_marked_though_sip_accepted_it() -> None:
    command = first(drawn(SAMPLES / "fault-no-reply.pcap"), "INFO bccontext")
    assert (command.tone, command.marks) == ("bad", ("never answered",))


def test_a_reply_with_an_error_has_the_code_and_its_tone(tmp_path: Path) -> None:
    script = Script(RECORDED)
    script.change(script.at("INFO", "rpl:getinv"), 'code="200"', 'code="408"')
    with script.opened(tmp_path) as trace:
        found = first(drawn(trace), "INFO rpl:getinv")
    assert (found.label, found.code, found.tone) == ("INFO rpl:getinv 408", "408", "bad")
    assert first(drawn(RECORDED), "INFO rpl:getinv").code == "200"


def test_what_the_capture_cut_or_quoted_is_marked() -> None:
    path = SHARED / "corpus" / "captures" / "sip_udp" / "ipfixprobe_sip.pcap"
    marks = {mark for one in drawn(path).arrows for mark in one.marks}
    assert "never answered" in marks
    quoted = SHARED / "corpus" / "captures" / "sip_tcp_dev" / "clean.pcap"
    assert "retransmission" in {mark for one in drawn(quoted).arrows for mark in one.marks}


def test_a_request_that_leaves_with_its_connection_is_no_silence() -> None:
    assert tone_of(RECORDED, 73) == ("plain", ())
    ending = drawn(RECORDED).arrows[-2]
    assert (ending.label, ending.marks) == ("REGISTER (sign-off)", ())


def test_a_request_is_not_unanswered_where_another_hop_has_the_answer(tmp_path: Path) -> None:
    script = Script(HOPS)
    outer = script.final_of(script.at("INFO sip:", "cmd:getinv"))
    script.drop(outer)
    with script.opened(tmp_path) as trace:
        found = first(drawn(trace), "INFO getinv")
    assert found.marks == ()


def test_the_frames_of_a_slow_answer_say_what_it_waited_for() -> None:
    ladder = drawn(named(FLOWS, "slow-signin"))
    slow = [one for one in ladder.arrows if one.heat != "quick"]
    assert slow
    assert all(one.latency_of for one in slow)
    assert all(one.latency_ms is not None and one.latency_ms >= SLOW_MS for one in slow)


def test_a_label_of_a_capture_with_an_upload_says_how_it_went() -> None:
    (upload,) = [one for one in drawn(POST).arrows if one.kind == "connection"]
    assert (upload.label, upload.tone) == ("upload (HTTPS)", "good")
    assert "HTTPS" in upload.text


def test_every_label_of_the_corpus_is_short_enough_to_read() -> None:
    longest = max(len(label) for path in CAPTURES for label in _labels(path))
    assert longest < 120


def _labels(path: Path) -> list[str]:
    return [] if path.stem == "tls" else labels(drawn(path))


def test_what_is_in_no_session_is_read_from_its_headers(tmp_path: Path) -> None:
    path = capture(
        tmp_path / "one.pcap",
        message("SIP/2.0 302 Moved", CSeq="1 INVITE"),
        message("SUBSCRIBE sip:a@b SIP/2.0", CSeq="2 SUBSCRIBE", Event="dialog", Expires="0"),
    )
    assert labels(drawn(path)) == ["302 Moved", "SUBSCRIBE dialog (once)"]
