"""One message changed: exactly that is told. What always differs, changed everywhere: nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.compare import compare as comparing
from analyzer.compare import side as sides
from analyzer.compare.values import Thresholds, mirrored
from tests.analyzer.compare.sides import between, compared, first, made, told
from tests.analyzer.diagnostics.edited import answered, changed, measured, resaid, without
from tests.paths import require_shared

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.analyzer.diagnostics.edited import Edit, Said

require_shared()
R2 = "r2-signin-full"
SIPE = "signin-tcp"


def every(change: Callable[[Said], Said]) -> Edit:
    return lambda messages: [change(one) for one in messages]


def swapped(old: bytes, new: bytes) -> Edit:
    return every(lambda one: replace(one, raw=measured(re.sub(old, new, one.raw))))


def request(start: str) -> Callable[[Said], bool]:
    return lambda one: one.raw.startswith(start.encode())


def test_another_user_in_another_company_with_other_rooms_is_the_same(tmp_path: Path) -> None:
    edits = [
        swapped(rb"hiro", b"user17"),
        swapped(rb"adatum\.example", b"fabrikam.invalid"),
        swapped(rb"gcchannel2", b"chansvc"),
        swapped(rb"\b[0-9a-f]{8}(-[0-9a-f]{4}-4[0-9a-f]{3}-)", rb"12345678\g<1>"),
        swapped(rb'(\sname=")[^"]+', rb"\g<1>Another room"),
    ]
    found = compared(tmp_path, R2, [], edits)
    assert found.b.user == "sip:user17@emea.fabrikam.invalid"
    assert found.divergences == ()


def test_ids_times_tokens_and_signatures_are_left_out(tmp_path: Path) -> None:
    edits = [
        swapped(rb"(?m)^(Call-ID: )", rb"\g<1>x"),
        swapped(rb"(;tag=)", rb"\g<1>7"),
        swapped(rb"(;epid=)", rb"\g<1>a"),
        swapped(rb'(response|crand|rspauth|srand|opaque)="', rb'\g<1>="99'),
        swapped(rb'envid="', b'envid="9'),
        swapped(rb"opaque=user:epid:", b"opaque=user:epid:Z"),
        swapped(rb"z9hG4bK", b"z9hG4bK77"),
        swapped(rb"Expires: 30804", b"Expires: 28011"),
        every(lambda one: one.later(86_400_000)),
        swapped(rb'(serverTime=")2010-03-27', rb"\g<1>2010-03-28"),
    ]
    assert compared(tmp_path, R2, [], edits).divergences == ()


def test_a_refusal_is_an_outcome_with_its_diagnosis(tmp_path: Path) -> None:
    header = 'ms-diagnostics: 20009;reason="Rejected session";source="gc01"'
    found = compared(
        tmp_path, R2, [], [answered("cmd:getinv", "480 Temporarily Unavailable", header)]
    )
    one = first(found)
    assert (one.kind, one.weight, one.subject) == ("outcome", "major", "getinv")
    assert one.b.text.startswith(
        "answered 480 Temporarily Unavailable (20009 Rejected session), and then rpl:getinv 200"
    )


def test_a_refused_command_without_a_reply_is_told_with_both_frames(tmp_path: Path) -> None:
    header = 'ms-diagnostics: 20011;reason="Rejected message (inbound queue is full)"'
    edits = [
        answered("cmd:getinv", "503 Service Unavailable", header),
        without(lambda one: one.first == "rpl:getinv" or "rpl:getinv" in one.answers),
    ]
    one = first(compared(tmp_path, R2, [], edits))
    assert one.a.text.startswith("answered rpl:getinv 200 SUCCESS_OK after ")
    assert one.b.text.startswith(
        "answered 503 Service Unavailable (20011 Rejected message (inbound queue is full)) after "
    )
    assert len(one.a.frames) == len(one.b.frames) == 1


def test_the_code_of_a_reply_is_an_outcome(tmp_path: Path) -> None:
    found = compared(tmp_path, R2, [], [resaid("rpl:getinv", rb'code="200"', b'code="500"')])
    one = first(found)
    assert (one.kind, one.weight, one.subject) == ("outcome", "major", "getinv")
    assert "rpl:getinv 500 SUCCESS_OK" in one.b.text


def test_a_missing_command_is_one_sided_and_major_where_it_belongs_to_the_flow(
    tmp_path: Path,
) -> None:
    gone = without(
        lambda one: (
            one.first in {"cmd:getserverinfo", "rpl:getservinfo"}
            or bool({"cmd:getserverinfo", "rpl:getservinfo"} & set(one.answers))
        )
    )
    found = compared(tmp_path, R2, [], [gone])
    assert told(found) == [("major", "one-sided", "getserverinfo")]
    assert first(found).b.text == "has none (not there, though the capture has no gap)"


def test_a_header_is_told_once_with_how_many_messages_have_it(tmp_path: Path) -> None:
    found = compared(tmp_path, R2, [], [swapped(rb"OC/3\.5\.6907\.0", b"OC/3.5.6907.253")])
    (one,) = found.meaningful
    assert (one.kind, one.field, one.subject) == ("header", "User-Agent (client)", "REGISTER")
    assert one.count > 10


def test_lists_in_headers_compare_as_sets(tmp_path: Path) -> None:
    same = resaid("", rb"gruu-10, adhoclist", b"adhoclist, gruu-10")
    fewer = changed(request("REGISTER"), lambda one: one.sub(rb"Supported: ms-forking\r\n", b""))
    found = compared(tmp_path, R2, [changed(request("REGISTER"), lambda one: one)], [fewer])
    assert [(one.field, one.a.text, one.b.text) for one in found.meaningful] == [
        ("Supported (client)", "also ms-forking", "not that")
    ]
    reordered = changed(request("REGISTER"), lambda one: same([one])[0])
    assert compared(tmp_path, R2, [], [reordered]).divergences == ()


def test_a_limit_in_a_reply_is_a_body_field(tmp_path: Path) -> None:
    edit = resaid("rpl:getservinfo", rb'messageSizeLimit="\d+"', b'messageSizeLimit="4096"')
    (one,) = compared(tmp_path, R2, [], [edit]).meaningful
    assert (one.kind, one.field) == ("body", "data/sib@messageSizeLimit")
    assert (one.a.text, one.b.text) == ("512", "4096")


def test_an_attribute_that_a_command_lacks_is_minor(tmp_path: Path) -> None:
    edit = resaid("cmd:bjoin", rb"<data>", b'<data forced="true">')
    (one,) = compared(tmp_path, R2, [], [edit]).meaningful
    assert (one.kind, one.weight, one.field) == ("body", "minor", "data@forced")
    assert (one.a.text, one.b.text) == ("none", "true")


def later_from(item: str, milliseconds: float) -> Edit:
    """Delay a reply and all that follows it."""

    def edit(messages: list[Said]) -> list[Said]:
        at = next(k for k, one in enumerate(messages) if one.first == item)
        return [one.later(milliseconds) if k >= at else one for k, one in enumerate(messages)]

    return edit


@pytest.mark.parametrize(
    ("thresholds", "kinds"),
    [
        (Thresholds(), ["latency"]),
        (Thresholds(latency_ms=2000.0), []),
        (Thresholds(latency_factor=50.0), []),
    ],
)
def test_latencies_differ_by_a_factor_and_an_amount(
    tmp_path: Path, thresholds: Thresholds, kinds: list[str]
) -> None:
    found = compared(tmp_path, R2, [], [later_from("rpl:getinv", 1000)], thresholds)
    assert [one.kind for one in found.meaningful] == kinds


def test_an_order_is_told_where_one_was_over_before_the_other_began(tmp_path: Path) -> None:
    def last(messages: list[Said]) -> list[Said]:
        names = {"cmd:getserverinfo", "rpl:getservinfo"}
        moved = [one for one in messages if one.first in names or names & set(one.answers)]
        end = next(one.time for one in messages if one.first == "rpl:getinv") + 100_000_000
        start = moved[0].time
        return [
            replace(one, time=end + one.time - start) if one in moved else one for one in messages
        ]

    found = compared(tmp_path, R2, [], [last])
    orders = [one for one in found.meaningful if one.kind == "order"]
    assert orders
    assert all(one.weight == "major" for one in orders[:1])  # the step is out of order
    row = next(row for row in found.rows if row.moved)
    assert row.subject == "getserverinfo"


def test_requests_that_overlap_in_time_have_no_order(tmp_path: Path) -> None:
    def before(messages: list[Said]) -> list[Said]:
        """Let the SERVICE and the INVITE of a client that sends both at once change places."""
        service = next(one for one in messages if one.raw.startswith(b"SERVICE"))
        invite = next(one for one in messages if one.raw.startswith(b"INVITE"))
        return [
            replace(one, time=invite.time - 1000) if one is service else one for one in messages
        ]

    assert told(compared(tmp_path, SIPE, [], [before])) == []


def test_rooms_that_were_refused_are_told_by_number(tmp_path: Path) -> None:
    found = compared(tmp_path, "partial-join", [], [swapped(rb"<fib .*?</fib>|<fib [^>]*/>", b"")])
    assert ("major", "rooms", "bjoin") in told(found)


def test_only_the_first_exchanges_of_a_long_session_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sides, "MAX_EXCHANGES", 5)
    monkeypatch.setattr(comparing, "MAX_EXCHANGES", 5)
    monkeypatch.setattr(comparing, "MAX_DETAILED", 0)
    found = compared(tmp_path, SIPE, [], [])
    assert found.cut[:2] == (
        f"A has {found.a.exchanges} exchanges: only the first 5 were compared",
        f"B has {found.b.exchanges} exchanges: only the first 5 were compared",
    )
    assert found.cut[2].startswith("of exchanges of one kind only the first 0 were compared")
    assert len(found.rows) == 5


@pytest.mark.untraced
@given(
    dropped=st.sets(st.integers(0, 45), max_size=8),
    late=st.integers(0, 45),
    by=st.sampled_from([2.0, 900.0, 5000.0]),
)
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_comparing_is_symmetric(tmp_path: Path, dropped: set[int], late: int, by: float) -> None:
    def damage(messages: list[Said]) -> list[Said]:
        kept = [one for at, one in enumerate(messages) if at not in dropped]
        return [one.later(by) if at >= late else one for at, one in enumerate(kept)]

    damaged = made(tmp_path, SIPE, [damage], "b")
    whole = made(tmp_path, SIPE, [], "a")
    assert mirrored(between(damaged, whole)) == between(whole, damaged)


def test_a_transaction_of_which_only_a_provisional_answer_was_captured_is_compared(
    tmp_path: Path,
) -> None:
    gone = without(
        lambda one: (
            one.raw.startswith((b"INVITE", b"ACK"))
            or (one.method == "INVITE" and one.status == 200)
        )
    )
    found = compared(tmp_path, SIPE, [], [gone])
    parts = {sight.part for row in found.rows if row.b for sight in row.b.sights}
    assert "provisional" in parts
    assert mirrored(compared(tmp_path, SIPE, [gone], [])) == found
