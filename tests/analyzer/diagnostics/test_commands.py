"""Commands and rooms: each rule with a capture that shows it, and one that nearly does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.analyzer.diagnostics.edited import (
    Edit,
    Said,
    answered,
    changed,
    found,
    path_of,
    resaid,
    silence,
    told,
    without,
    write,
)

if TYPE_CHECKING:
    from pathlib import Path

CSEQ = rb"CSeq: \d+"
HEALTHY = "r2-signin-full"
RULES = ("GC301", "GC302", "GC303", "GC304", "GC305", "GC306", "GC307", "GC308", "GC309", "GC310")


@pytest.mark.parametrize("name", [HEALTHY, "r2-post-full", "lync2013-signin", "batch-mixed"])
def test_a_healthy_capture_has_none_of_these_findings(name: str) -> None:
    assert told(path_of(name), RULES) == []


def test_a_capture_written_anew_is_still_healthy(tmp_path: Path) -> None:
    assert told(write(tmp_path, path_of(HEALTHY), list), RULES) == []


def test_a_command_without_reply_is_told_with_its_frame(tmp_path: Path) -> None:
    (one,) = found("GC301", tmp_path, "missing-reply")
    assert one.severity == "error"
    assert one.confidence == "certain"
    assert "bjoin" in one.detail
    assert "never got a reply" in one.detail
    assert 77 in one.frames


def test_the_commands_of_one_info_without_reply_are_one_finding(tmp_path: Path) -> None:
    (one,) = found("GC301", tmp_path, HEALTHY, without(silence("getpref")))
    assert "11 commands getpref" in one.detail


def test_a_command_that_got_its_reply_when_asked_again_is_no_error(tmp_path: Path) -> None:
    def asked_again(messages: list[Said]) -> list[Said]:
        again = [
            one.later(10_000).sub(rb'envid="7148896\d\d"', b'envid="99"').sub(CSEQ, b"CSeq: 77")
            for one in messages
            if one.first in {"cmd:getinv", "rpl:getinv"}
        ]
        kept = [one for one in messages if one.first != "rpl:getinv" and one.method != "BYE"]
        return [*kept, *again]

    (one,) = found("GC301", tmp_path, HEALTHY, asked_again)
    assert one.severity == "warning"
    assert "asked again" in one.detail


def test_a_command_whose_reply_the_capture_would_not_show_is_not_told(tmp_path: Path) -> None:
    def cut(messages: list[Said]) -> list[Said]:
        at = next(at for at, one in enumerate(messages) if one.first == "rpl:bjoin")
        return messages[:at]

    assert found("GC301", tmp_path, HEALTHY, cut) == []


def test_a_command_that_a_client_sent_just_before_it_left_is_not_told(tmp_path: Path) -> None:
    assert found("GC301", tmp_path, HEALTHY, without(silence("getinv")), _left_at_once) == []


def _left_at_once(messages: list[Said]) -> list[Said]:
    """End the dialog 20 ms after getinv."""
    sent = next(one.time for one in messages if one.first == "cmd:getinv")
    (*_, bye) = [one for one in messages if one.method == "BYE" and one.status is None]
    shift = (sent - bye.time) / 1e6 + 20
    call = bye.raw.partition(b"Call-ID: ")[2].partition(b"\r")[0]
    return [
        one.later(shift) if one.method == "BYE" and call in one.raw else one for one in messages
    ]


def test_a_reply_with_another_code_is_a_refusal(tmp_path: Path) -> None:
    edit = resaid("rpl:getinv", rb'<resp code="200">SUCCESS_OK', b'<resp code="500">SERVER_ERROR')
    (one,) = found("GC302", tmp_path, HEALTHY, edit)
    assert one.severity == "error"
    assert "500 SERVER_ERROR" in one.detail


def test_a_command_refused_by_sip_for_a_reason_of_its_own_is_a_refusal(tmp_path: Path) -> None:
    edits = answered("cmd:getinv", "488 Not Acceptable Here"), without(silence("getinv"))
    (one,) = found("GC302", tmp_path, HEALTHY, *edits)
    assert "488" in one.detail


@pytest.mark.parametrize("status", ["503 Service Unavailable", "481 Call Leg Does Not Exist"])
def test_load_and_expired_sessions_are_no_refusals(status: str, tmp_path: Path) -> None:
    edits = answered("cmd:getinv", status), without(silence("getinv"))
    assert found("GC302", tmp_path, HEALTHY, *edits) == []


def test_a_partial_join_names_room_and_reason(tmp_path: Path) -> None:
    (one,) = found("GC303", tmp_path, "partial-join")
    assert one.severity == "warning"
    assert "OPERATION_FAILED" in one.detail
    assert "1 of 5 rooms" in one.detail
    assert {76, 80} & set(one.frames)


ROOM = rb'ma-chan://emea.adatum.example/e7935e89-[^"]*'


def _unlisted(one: Said) -> Said:
    """Take a room out of the reply; the message about it stays as long as it was."""
    return one.sub(ROOM, b"ma-chan://emea.adatum.example/gone")


def test_a_room_that_no_reply_names_is_told(tmp_path: Path) -> None:
    (one,) = found("GC303", tmp_path, HEALTHY, changed(_names_room, _unlisted))
    assert "neither joined nor refused" in one.detail
    assert "e7935e89-a7c3-4727-b5a4-021447dfd1d1" in one.detail


def _names_room(one: Said) -> bool:
    return one.first == "rpl:bjoin" and b"e7935e89" in one.raw


def test_a_room_that_no_reply_names_is_not_told_where_replies_may_be_lost(tmp_path: Path) -> None:
    def cut(messages: list[Said]) -> list[Said]:
        at = max(at for at, one in enumerate(messages) if one.first == "rpl:bjoin")
        return messages[: at + 1]

    assert found("GC303", tmp_path, HEALTHY, changed(_names_room, _unlisted), cut) == []


def test_a_join_that_a_filter_refused_is_told(tmp_path: Path) -> None:
    edits = answered("cmd:bjoin", "440 Max-Breadth Exceeded"), without(silence("bjoin"))
    (one,) = found("GC304", tmp_path, HEALTHY, *edits)
    assert one.severity == "error"
    assert "440" in one.detail


def test_a_join_that_was_answered_503_is_not_refused(tmp_path: Path) -> None:
    edits = answered("cmd:bjoin", "503 Service Unavailable"), without(silence("bjoin"))
    assert found("GC304", tmp_path, HEALTHY, *edits) == []


def _limit(rooms: int) -> Edit:
    limit = b'searchLimit="%d"' % rooms
    return changed(lambda one: b"searchLimit=" in one.raw, lambda one: one.sub(LIMIT, limit))


LIMIT = rb'searchLimit="\d+"'


def test_a_search_that_found_as_many_rooms_as_the_limit_is_truncated(tmp_path: Path) -> None:
    count = _rooms_found(tmp_path)
    (one,) = found("GC305", tmp_path, "r2-post-full", _limit(count))
    assert one.severity == "note"
    assert f"searchLimit {count}" in one.detail


def test_a_search_below_the_limit_is_not_truncated(tmp_path: Path) -> None:
    assert found("GC305", tmp_path, "r2-post-full", _limit(_rooms_found(tmp_path) + 1)) == []


def _rooms_found(tmp_path: Path) -> int:
    counts: list[int] = []

    def look(messages: list[Said]) -> list[Said]:
        counts.extend(one.raw.count(b"<chanib") for one in messages if one.first == "rpl:chansrch")
        return messages

    assert found("GC305", tmp_path, "r2-post-full", look) == []
    return counts[0]


def test_a_reply_of_another_name_is_told(tmp_path: Path) -> None:
    edit = resaid("rpl:getinv", rb'id="rpl:getinv"', b'id="rpl:part"')
    (one,) = found("GC306", tmp_path, HEALTHY, edit)
    assert one.severity == "note"
    assert "rpl:part" in one.detail


def test_the_known_alias_of_a_reply_is_right(tmp_path: Path) -> None:
    edit = changed(
        lambda one: one.first.startswith("rpl:getserv"),
        lambda one: one.sub(rb'id="rpl:\w+"', b'id="rpl:getservinfo"'),
    )
    assert found("GC306", tmp_path, HEALTHY, edit) == []


def _twice(name: str) -> Edit:
    def edit(messages: list[Said]) -> list[Said]:
        (reply,) = [one for one in messages if one.first == f"rpl:{name}"]
        again = reply.later(5).sub(CSEQ, b"CSeq: 990")
        return [*messages, again]

    return edit


def test_a_command_answered_twice_is_told(tmp_path: Path) -> None:
    (one,) = found("GC307", tmp_path, HEALTHY, _twice("getinv"))
    assert one.severity == "warning"
    assert "2 times" in one.detail


def test_history_in_several_infos_is_not_a_second_answer(tmp_path: Path) -> None:
    assert found("GC307", tmp_path, HEALTHY, list) == []


def test_copies_on_several_hops_are_not_a_second_answer(tmp_path: Path) -> None:
    assert found("GC307", tmp_path, "fe-two-hops") == []


def test_content_for_a_client_that_has_the_version_is_churn(tmp_path: Path) -> None:
    newest = resaid("cmd:getpref", rb'(GroupChannels" seqid=)"\d+"', rb'\1"38"')
    (one,) = found("GC308", tmp_path, HEALTHY, newest)
    assert one.severity == "note"
    assert "kedzie.GroupChannels" in one.detail


def _stored(version: int) -> Edit:
    """Store preferences after all else; the last version seen is 38."""

    def edit(messages: list[Said]) -> list[Said]:
        (asked,) = [one for one in messages if one.first == "cmd:getinv"]
        pref = b'<pref label="kedzie.GroupChannels" seqid="%d" content="AA=="/>' % version
        body = b'<cmd id="cmd:setpref" seqid="1"><data>%b</data></cmd>' % pref
        raw = asked.sub(rb"<cmd .*</cmd>", body).sub(rb'envid="\d+"', b'envid="55"')
        return [*messages, raw.sub(CSEQ, b"CSeq: 55").later(100)]

    return edit


def test_storing_under_an_old_version_is_churn(tmp_path: Path) -> None:
    (one,) = found("GC308", tmp_path, HEALTHY, _stored(37))
    assert "as version 37" in one.detail


def test_storing_under_a_newer_version_is_none(tmp_path: Path) -> None:
    assert found("GC308", tmp_path, HEALTHY, _stored(39)) == []


def test_xccos_that_is_no_xml_is_told(tmp_path: Path) -> None:
    edit = resaid("rpl:getinv", rb"</rpl>", b"</rlp>")
    (one,) = found("GC309", tmp_path, HEALTHY, edit)
    assert one.severity == "warning"


def test_xccos_with_an_unknown_element_can_be_read(tmp_path: Path) -> None:
    edit = resaid("rpl:getinv", rb"</rpl>", b"<novelty/></rpl>")
    assert found("GC309", tmp_path, HEALTHY, edit) == []


def test_a_masked_body_is_told(tmp_path: Path) -> None:
    edit = changed(silence("getinv"), lambda one: one.body(b"****MESSAGE BODY DELETED****"))
    (one,) = found("GC310", tmp_path, HEALTHY, edit)
    assert one.severity == "note"
    assert "masked" in one.detail


def test_an_info_with_another_body_is_not_masked(tmp_path: Path) -> None:
    edit = changed(silence("getinv"), lambda one: one.body(b"<csta><question/></csta>"))
    assert found("GC310", tmp_path, HEALTHY, edit) == []


def test_a_capture_whose_bodies_are_all_masked_is_told_once(tmp_path: Path) -> None:
    masked = b"****MESSAGE BODY DELETED****"
    edit = changed(lambda one: bool(one.items), lambda one: one.body(masked))
    (one,) = found("GC310", tmp_path, HEALTHY, edit)
    assert one.severity == "note"
    assert found("GC301", tmp_path, HEALTHY, edit) == []
