"""Posts and their copies: each rule with a capture that shows it, and one that nearly does."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from analyzer.diagnostics.thresholds import Thresholds
from dissectors.capture.writer import write_pcap
from tests.analyzer.diagnostics.edited import (
    Edit,
    Said,
    answered,
    changed,
    found,
    frames_of,
    of_capture,
    path_of,
    resaid,
    told,
    without,
)

if TYPE_CHECKING:
    from pathlib import Path

RULES = tuple(f"GC40{number}" for number in range(1, 10))
CSEQ = rb"CSeq: \d+"
ONE_POST = "lync2013-signin"
TWO_HOPS = "fe-two-hops"
BUSY = 'Ms-diagnostics: 20000;source="gc";reason="Chat service busy";component="GroupChat"'


def _is_post(one: Said) -> bool:
    return one.first == "grpchat" and one.up


def _is_copy(one: Said) -> bool:
    return one.first == "grpchat" and not one.up


def _refused(status: str, *headers: str) -> tuple[Edit, Edit]:
    return answered("grpchat", status, *headers), without(_is_copy)


@pytest.mark.parametrize(
    "name", [ONE_POST, "r2-post-full", TWO_HOPS, "twousers-post", "batch-mixed", "coalesce"]
)
def test_a_healthy_capture_has_none_of_these_findings(name: str) -> None:
    assert told(path_of(name), RULES) == []


def test_a_refused_post_is_told_with_frame_status_and_diagnostics(tmp_path: Path) -> None:
    why = 'ms-diagnostics: 20007;source="gc";reason="Chat service error"'
    edits = _refused("500 Server Internal Error", why)
    (one,) = found("GC401", tmp_path, ONE_POST, *edits)
    assert one.severity == "error"
    assert "500 Server Internal Error (20007 Chat service error" in one.detail
    assert len(one.frames) == 2


def test_a_post_that_was_answered_503_is_not_told_as_refused(tmp_path: Path) -> None:
    edits = _refused("503 Service Unavailable", BUSY)
    assert found("GC401", tmp_path, ONE_POST, *edits) == []


@pytest.mark.parametrize("lacking", ["ts", "author"])
def test_a_post_without_what_it_needs_is_malformed(lacking: str, tmp_path: Path) -> None:
    edits = _refused("503 Service Unavailable", BUSY)
    edit = changed(_is_post, lambda one: one.sub(rb' %b="[^"]*"' % lacking.encode(), b""))
    (one,) = found("GC402", tmp_path, ONE_POST, *edits, edit)
    assert one.severity == "error"
    assert f"it has no {lacking}" in one.detail
    assert "20000" in one.detail
    assert found("GC409", tmp_path, ONE_POST, *edits, edit) == []


def test_a_post_of_broken_xml_that_was_answered_503_is_malformed(tmp_path: Path) -> None:
    edits = _refused("503 Service Unavailable", BUSY)
    edit = changed(_is_post, lambda one: one.sub(rb"</chat>", b"</chut>"))
    (one,) = found("GC402", tmp_path, ONE_POST, *edits, edit)
    assert "cannot be read" in one.detail
    assert found("GC309", tmp_path, ONE_POST, *edits, edit) == []


def test_a_whole_post_that_was_answered_503_is_lost_and_not_malformed(tmp_path: Path) -> None:
    edits = _refused("503 Service Unavailable", BUSY)
    assert found("GC402", tmp_path, ONE_POST, *edits) == []
    (one,) = found("GC409", tmp_path, ONE_POST, *edits)
    assert one.severity == "error"
    assert "not repeated" in one.detail


def test_a_lost_post_of_a_real_client_is_told(tmp_path: Path) -> None:
    (one,) = found("GC409", tmp_path, "fault-503")
    assert "into *Sales EMEA* in frame 57 was answered 503" in one.detail
    assert one.frames == (57, 59)


def test_a_room_is_told_by_its_uri_where_another_of_the_user_has_its_name(tmp_path: Path) -> None:
    refused = _refused("503 Service Unavailable", BUSY)
    (one,) = found("GC409", tmp_path, ONE_POST, *refused)
    assert re.search(r"into \*[^*]+\* in frame", one.detail)
    namesakes = changed(lambda one: b" name=" in one.raw and one.first == "rpl:bjoin", _namesakes)
    (one,) = found("GC409", tmp_path, ONE_POST, namesakes, *refused)
    assert re.search(r"into ma-chan://\S+ in frame", one.detail)


def _namesakes(one: Said) -> Said:
    return one.sub(rb' name="[^"]*"', b' name="Sales"')


@pytest.mark.parametrize("envid", ["the same", "a new one"])
def test_a_post_that_was_repeated_and_accepted_is_not_lost(envid: str, tmp_path: Path) -> None:
    def repeat(messages: list[Said]) -> list[Said]:
        (post,) = [one for one in messages if _is_post(one)]
        (busy,) = [one for one in messages if "grpchat" in one.answers and not one.up]
        fine = busy.later(5000).sub(rb"503 Service Unavailable", b"200 OK")
        later = post.later(5000) if envid == "the same" else post.later(5000).sub(
            rb'envid="\d+"', b'envid="4711"'
        )  # fmt: skip
        return [*messages, later.sub(CSEQ, b"CSeq: 90"), fine.sub(CSEQ, b"CSeq: 90")]

    edits = (*_refused("503 Service Unavailable", BUSY), repeat)
    for rule in ("GC401", "GC402", "GC408", "GC409"):
        assert found(rule, tmp_path, ONE_POST, *edits) == []


def _bytes_of_post(messages: list[Said]) -> int:
    (post,) = [one for one in messages if _is_post(one)]
    text = post.raw.partition(b"<chat>")[2].partition(b"</chat>")[0]
    return len(html.unescape(text.decode()).encode())


def _limited(beyond: int) -> Edit:
    """Let messageSizeLimit be so many bytes less than the post has."""

    def edit(messages: list[Said]) -> list[Said]:
        size = b'messageSizeLimit="%d"' % (_bytes_of_post(messages) - beyond)
        limit = changed(
            lambda one: b"messageSizeLimit=" in one.raw,
            lambda one: one.sub(rb'messageSizeLimit="\d+"', size),
        )
        return limit(messages)

    return edit


def test_a_post_longer_than_the_limit_is_told(tmp_path: Path) -> None:
    (one,) = found("GC403", tmp_path, ONE_POST, _limited(1))
    assert one.severity == "warning"
    assert "messageSizeLimit" in one.detail


def test_a_post_of_just_the_limit_is_fine(tmp_path: Path) -> None:
    assert found("GC403", tmp_path, ONE_POST, _limited(0)) == []


def test_a_long_post_that_was_refused_is_an_error_and_not_called_lost(tmp_path: Path) -> None:
    edits = (*_refused("503 Service Unavailable", BUSY), _limited(1))
    (one,) = found("GC403", tmp_path, ONE_POST, *edits)
    assert one.severity == "error"
    assert found("GC409", tmp_path, ONE_POST, *edits) == []


def test_a_member_that_never_got_the_copy_is_named(tmp_path: Path) -> None:
    (one,) = found("GC404", tmp_path, "fanout-missing")
    assert one.severity == "error"
    assert "sip:bob.keller@emea.adatum.example" in one.detail
    assert "never got the copy" in one.detail
    assert 453 in one.frames


def test_a_member_that_had_left_gets_no_copy_and_that_is_no_finding(tmp_path: Path) -> None:
    def left(messages: list[Said]) -> list[Said]:
        """Drop what bob.keller got and said before the post, his BYE excepted."""
        (one,) = [one for one in messages if one.time == _time_of(messages, b"bob.keller")]
        return [
            other for other in messages if b"bob.keller" not in other.raw or other.time <= one.time
        ]

    assert found("GC404", tmp_path, "fanout-missing", left) == []


def _time_of(messages: list[Said], user: bytes) -> int:
    """Return when the last 200 to REGISTER of a user was sent: before it joined any room."""
    return max(
        one.time
        for one in messages
        if one.method == "REGISTER" and one.status == 200 and user in one.raw
    )


def _late_copies(milliseconds: float) -> Edit:
    return changed(
        lambda one: _is_copy(one) or ("grpchat" in one.answers and one.up),
        lambda one: one.later(milliseconds),
    )


def test_a_copy_that_took_seconds_is_late(tmp_path: Path) -> None:
    findings = found("GC405", tmp_path, ONE_POST, _late_copies(2500))
    assert [one.severity for one in findings] == ["warning"]
    assert "came late" in findings[0].detail


def test_a_copy_within_the_threshold_is_not_late(tmp_path: Path) -> None:
    assert found("GC405", tmp_path, ONE_POST, _late_copies(1500)) == []
    sharper = Thresholds(slow_copy_ms=1000)
    assert len(found("GC405", tmp_path, ONE_POST, _late_copies(1500), thresholds=sharper)) == 1


def _echo_room(messages: list[Said]) -> list[bytes]:
    rooms = [one.raw.partition(b'chanUri="')[2].partition(b'"')[0] for one in messages]
    return list(dict.fromkeys(room for room in rooms if room))


def _posts_after_quiet(messages: list[Said]) -> list[Said]:
    """Let the capture go on for ten seconds after the posts."""
    last = max(one.time for one in messages if one.first == "grpchat")
    return [
        one.later(10_000) if one.method == "BYE" and one.time > last else one for one in messages
    ]


def _no_echo_of(keep: int) -> Edit:
    """Leave the echoes of the first ``keep`` rooms, and drop all others."""

    def edit(messages: list[Said]) -> list[Said]:
        chats = [one for one in messages if one.first == "grpchat"]
        kept = _echo_room(chats)[:keep]
        author = b"bob.keller"
        posts = {one.raw for one in chats if b"From: <sip:" + author in one.raw}
        return [
            one
            for one in messages
            if one.first != "grpchat" or one.raw in posts or any(room in one.raw for room in kept)
        ]

    return edit


def test_an_author_without_echo_where_others_had_one_is_told(tmp_path: Path) -> None:
    edits = _no_echo_of(1), _posts_after_quiet
    (one,) = found("GC406", tmp_path, TWO_HOPS, *edits)
    assert one.severity == "warning"
    assert "never got the echo" in one.detail


def test_a_service_that_echoes_nothing_is_no_finding(tmp_path: Path) -> None:
    assert found("GC406", tmp_path, TWO_HOPS, _no_echo_of(0), _posts_after_quiet) == []


def test_messages_that_come_through_two_dialogs_are_duplicates(tmp_path: Path) -> None:
    (one,) = found("GC407", tmp_path, "stale-duplicate-dialog")
    assert one.severity == "warning"
    assert "twice" in one.detail
    assert {195, 201, 207} & set(one.frames)


def test_duplicates_of_a_real_client_that_was_killed_are_told(tmp_path: Path) -> None:
    (one,) = found("GC407", tmp_path, "reconnect")
    assert "sip:user1@contoso.com" in one.detail


def _elsewhere(messages: list[Said]) -> list[Said]:
    """Let the first connections be those of another computer, which is well."""
    old = min(messages, key=lambda one: one.time)
    epid = old.raw.partition(b"epid=")[2][:10]

    def move(one: Said) -> Said:
        raw = re.sub(rb"SIP/2.0 487 [^\r]*", b"SIP/2.0 200 OK", one.raw)
        if not {one.src, one.dst} & {old.src}:
            return replace(one, raw=raw)
        raw = raw.replace(epid, b"0123456789")
        return replace(one, raw=raw, src=_moved(one.src, old.src), dst=_moved(one.dst, old.src))

    return [move(one) for one in messages]


def _moved(address: str, old: str) -> str:
    return "192.168.2.99:" + old.partition(":")[2] if address == old else address


def test_a_user_at_two_computers_gets_two_copies_rightly(tmp_path: Path) -> None:
    assert found("GC407", tmp_path, "stale-duplicate-dialog", _elsewhere) == []


def test_a_post_that_was_never_acknowledged_is_told(tmp_path: Path) -> None:
    (one,) = found("GC408", tmp_path, "fault-no-reply")
    assert one.severity == "error"
    assert "never acknowledged" in one.detail
    assert 54 in one.frames


def test_a_post_that_was_accepted_on_a_further_hop_is_less_sure(tmp_path: Path) -> None:
    lost = range(458, 463)  # the answer on its way to the author, and what came after it
    kept = [one for one in frames_of(path_of("fanout-missing")) if one.number not in lost]
    path = tmp_path / "lost.pcap"
    path.write_bytes(write_pcap(kept, link=1))
    (one,) = of_capture("GC408", path)
    assert (one.severity, one.confidence) == ("warning", "possible")
    assert "further hop" in one.detail


def test_a_post_whose_answer_the_capture_cannot_show_is_not_told(tmp_path: Path) -> None:
    def cut(messages: list[Said]) -> list[Said]:
        at = next(at for at, one in enumerate(messages) if _is_post(one))
        return messages[: at + 1]

    assert found("GC408", tmp_path, ONE_POST, cut) == []


def test_a_reply_is_not_taken_for_a_post(tmp_path: Path) -> None:
    edit = resaid("rpl:bjoin", rb"SUCCESS_OK", b"grpchat")
    assert found("GC401", tmp_path, ONE_POST, edit) == []
