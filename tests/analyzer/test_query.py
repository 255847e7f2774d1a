"""What each filter means on each list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.query import Query, Selection, parse_status, room_test, user_test
from analyzer.times import parse_typed_time
from analyzer.trace import open_capture
from analyzer.views.messages import message_record
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.trace import Trace

ROOM = "ma-chan://contoso.com/be1f1c53-1f5c-4a9c-9c0e-5c8b1f3d2a11"
FIELDS = ("index", "time", "method", "status", "call_id", "from_uri", "to_uri", "xccos")


@pytest.fixture(scope="module")
def trace() -> Iterator[Trace]:
    with open_capture(SAMPLES / "twousers-post.pcap") as found:
        yield found


@pytest.fixture(scope="module")
def refused() -> Iterator[Trace]:
    with open_capture(SAMPLES / "fault-503.pcap") as found:
        yield found


def _records(trace: Trace, query: Query) -> list[dict[str, object]]:
    return [message_record(trace, row, FIELDS) for row in Selection(trace, query).messages()]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("200", 200, 200),
        ("4xx", 400, 499),
        ("4XX", 400, 499),
        ("400-499", 400, 499),
        (">=400", 400, 10**9),
        (">399", 400, 10**9),
        ("<=299", 0, 299),
        ("<300", 0, 299),
    ],
)
def test_a_status_is_a_number_a_class_a_range_or_a_bound(text: str, low: int, high: int) -> None:
    assert parse_status(text) == (low, high)


@pytest.mark.parametrize("text", ["", "9", "0xx", "xx", "500-400", "=>400", "4xx-5xx", "-200"])
def test_what_is_no_status_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a status|ends before"):
        parse_status(text)


@pytest.mark.parametrize(
    "wanted", ["sip:ann@example.com", "ANN@example.com", "ann", "an*", "*@example.com", "sips:Ann"]
)
def test_a_user_is_known_by_uri_address_name_or_pattern(wanted: str) -> None:
    matches = user_test((wanted,))
    assert matches("sip:Ann@Example.com;opaque=user:epid:x;gruu")
    assert not matches("sip:bob@elsewhere.example")
    assert not matches(None)


@pytest.mark.parametrize("wanted", ["an", "ann@example", "example.com", "[a]nn"])
def test_a_part_of_a_user_is_not_that_user(wanted: str) -> None:
    assert not user_test((wanted,))("sip:ann@example.com")


def test_a_room_is_known_by_a_part_of_its_uri_or_name() -> None:
    assert room_test(("OPS",))(("ma-chan://a/1", "Ops bridge"))
    assert room_test(("nothing", "a/1"))(("ma-chan://a/1", None))
    assert not room_test(("ops",))(("ma-chan://a/1", None))


def test_an_empty_query_selects_everything_without_looking(trace: Trace) -> None:
    assert not Query()
    assert Selection(trace, Query()).messages() == range(len(trace))
    assert len(Selection(trace, Query()).dialogs()) == len(trace.analysis().dialogs)


def test_messages_of_a_user_are_from_or_to_them(trace: Trace) -> None:
    found = _records(trace, Query(users=("user1",)))
    assert 0 < len(found) < len(trace)
    assert all("sip:user1@contoso.com" in (one["from_uri"], one["to_uri"]) for one in found)


def test_several_values_mean_any_of_them_and_several_filters_all(trace: Trace) -> None:
    invites = _records(trace, Query(methods=("invite",)))
    both = _records(trace, Query(methods=("INVITE", "BYE")))
    assert {one["method"] for one in both} == {"INVITE", "BYE"}
    assert len(both) > len(invites) > 0
    answers = _records(trace, Query(methods=("INVITE",), statuses=((200, 200),)))
    assert {(one["method"], one["status"]) for one in answers} == {("INVITE", 200)}


def test_a_status_is_met_by_answers_only(trace: Trace) -> None:
    found = _records(trace, Query(statuses=((0, 10**9),)))
    assert found
    assert all(one["status"] is not None for one in found)


def test_a_call_id_is_matched_whole_or_by_its_beginning(trace: Trace) -> None:
    whole = str(message_record(trace, 60, ("call_id",))["call_id"])
    found = _records(trace, Query(call_ids=(whole,)))
    assert {one["call_id"] for one in found} == {whole}
    for beginning in (whole[:12] + "*", whole[:12] + "…"):
        assert _records(trace, Query(call_ids=(beginning,))) == found
    assert _records(trace, Query(call_ids=(whole[:12], whole.swapcase()))) == []


@pytest.mark.parametrize(
    ("command", "ids"),
    [
        ("join", {"cmd:join", "rpl:join", "ntc:join"}),
        ("CMD:Join", {"cmd:join"}),
        ("grpchat", {"grpchat"}),
        ("ntc", {"ntc:join", "ntc:part"}),
    ],
)
def test_messages_of_a_command_carry_it(trace: Trace, command: str, ids: set[str]) -> None:
    found = _records(trace, Query(commands=(command,)))
    carried = {item["id"] for one in found for item in one["xccos"]}  # type: ignore[attr-defined]
    assert carried == ids


def test_messages_of_a_room_speak_of_it_by_uri_or_name(trace: Trace) -> None:
    by_uri = _records(trace, Query(rooms=(ROOM,)))
    ids = {item["id"] for one in by_uri for item in one["xccos"]}  # type: ignore[attr-defined]
    assert ids >= {"cmd:join", "rpl:join", "ntc:join", "grpchat", "cmd:part"}
    by_name = _records(trace, Query(rooms=("sales emea",)))
    assert {one["index"] for one in by_name} <= {one["index"] for one in by_uri}
    assert by_name


def test_messages_of_a_time_lie_within_it(trace: Trace) -> None:
    every = _records(trace, Query())
    begin = parse_typed_time("06:08:27")
    late = _records(trace, Query(from_time=begin))
    early = _records(trace, Query(to_time=parse_typed_time("06:08:26")))
    assert all(str(one["time"]) >= "2026-11-22T06:08:27" for one in late)
    assert len(late) + len(early) == len(every)
    assert early
    second = _records(trace, Query(from_time=begin, to_time=begin))
    assert {str(one["time"])[:19] for one in second} == {"2026-11-22T06:08:27"}


def test_commands_are_found_by_user_room_name_and_status(trace: Trace, refused: Trace) -> None:
    of_user = Selection(trace, Query(users=("user2",))).pairs()
    assert {pair.user for pair in of_user} == {"sip:user2@contoso.com"}
    of_room = Selection(trace, Query(rooms=("be1f1c53",))).pairs()
    assert {pair.command for pair in of_room} == {"join", "bccontext", "grpchat", "part"}
    parts = Selection(trace, Query(commands=("part",))).pairs()
    assert {pair.command for pair in parts} == {"part"}
    bad = Selection(refused, Query(statuses=((500, 599),))).pairs()
    assert [(pair.command, pair.sip_status) for pair in bad] == [("grpchat", 503)]


def test_commands_are_found_by_time_method_and_call_id(trace: Trace) -> None:
    every = Selection(trace, Query()).pairs()
    late = Selection(trace, Query(from_time=parse_typed_time("06:08:27"))).pairs()
    assert 0 < len(late) < len(every)
    assert Selection(trace, Query(methods=("INFO",))).pairs() == every
    assert Selection(trace, Query(methods=("INVITE",))).pairs() == []
    call_id = every[0].call_id
    assert {pair.call_id for pair in Selection(trace, Query(call_ids=(call_id,))).pairs()} == {
        call_id
    }


def test_dialogs_are_found_by_what_one_message_of_them_meets(trace: Trace, refused: Trace) -> None:
    channels = Selection(trace, Query(commands=("join",))).dialogs()
    assert {dialog.role for dialog in channels} == {"channel"}
    assert len(channels) == 2
    assert Selection(refused, Query(statuses=((503, 503),))).dialogs()
    # An INVITE was answered and an INFO was answered 503, but no INVITE was answered 503.
    assert Selection(refused, Query(methods=("INVITE",), statuses=((503, 503),))).dialogs() == []


def test_sessions_are_found_by_user_and_by_what_they_did(trace: Trace) -> None:
    found = Selection(trace, Query(users=("user1",))).sessions()
    assert [session.user for session in found] == ["sip:user1@contoso.com"]
    assert len(Selection(trace, Query(rooms=("sales",), commands=("join",))).sessions()) == 2
    assert Selection(trace, Query(statuses=((600, 699),))).sessions() == []
    assert Selection(trace, Query(call_ids=("nothing",))).sessions() == []
    assert Selection(trace, Query(to_time=parse_typed_time("2020-01-01"))).sessions() == []
