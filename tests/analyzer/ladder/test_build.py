"""Ladders of all captures: what must hold of each, and what the truth about them says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.diagnostics.table import diagnose as all_findings
from analyzer.flows.runs import flows_of as all_flows_of
from analyzer.ladder import build, selection
from analyzer.ladder.selection import Choice
from analyzer.ladder.values import Arrow, Note
from analyzer.meaning import outline
from analyzer.times import parse_typed_time
from analyzer.trace import open_capture
from tests.analyzer.flows.cuts import edited
from tests.analyzer.ladder.drawn import (
    HOPS,
    MODEL,
    POST,
    RECORDED,
    TWO,
    checked,
    drawn,
    ends,
    everything,
    frame,
    group_of,
    labels,
    opened,
    session_rows,
)
from tests.analyzer.truths import FLOWS, name_of, named, truth_of
from tests.paths import SAMPLES, SHARED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analyzer.flows.values import FlowRun
    from analyzer.trace import Trace

LARGEST = 400_000
"""Bytes of a capture of others that is drawn here."""
OTHERS = sorted(
    path
    for folder in ("sip_encap", "sip_malformed", "sip_tcp", "sip_tcp_dev", "sip_udp", "xccos_dev")
    for path in (SHARED / "corpus" / "captures" / folder).glob("*.pcap*")
    if path.suffix in {".pcap", ".pcapng"} and path.stat().st_size < LARGEST
    if folder != "sip_tcp_dev" or path.stem in {"ipv6", "lost", "reordered", "midstream"}
)
"""Without those that hold the same call in other packets."""
OWN = [*FLOWS, *sorted(SAMPLES.glob("*.pcap*"))]


@pytest.mark.untraced
@pytest.mark.parametrize("path", [*OWN, *OTHERS], ids=name_of)
def test_every_message_of_a_capture_is_in_exactly_one_arrow(path: Path) -> None:
    with open_capture(path, index=False) as trace:
        found = drawn(trace)
        assert checked(trace, found) == everything(trace)
        if path in FLOWS:
            each = drawn(trace, hops=True, fold_answers=True)
            assert checked(trace, each) == everything(trace)


@settings(max_examples=12, deadline=None)
@given(path=st.sampled_from(FLOWS), lost=st.sets(st.integers(1, 200), max_size=40))
def test_of_a_capture_with_gaps_every_message_that_is_left_is_drawn(
    path: Path, lost: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with edited(tmp_path_factory.mktemp("gaps"), path, lambda one: one.number not in lost) as trace:
        assert checked(trace, drawn(trace)) == everything(trace)
        assert checked(trace, drawn(trace, hops=True)) == everything(trace)


@pytest.mark.parametrize("name", ["forked-lookup", "stale-duplicate-dialog"])
def test_the_ladder_of_a_session_has_all_of_its_messages_and_no_others(name: str) -> None:
    trace = opened(named(FLOWS, name))
    for index in range(len(outline(trace).sessions)):
        found = checked(trace, drawn(trace, Choice(sessions=(index,))))
        assert found == session_rows(trace, index)


def _expected(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = truth_of(path)["expects"]
    return found


def _complete() -> list[Path]:
    return [
        path
        for path in FLOWS
        if any(one["outcome"] == "complete" for one in _expected(path)["sign_ins"])
    ]


@pytest.mark.parametrize("path", _complete(), ids=name_of)
def test_the_evidence_of_each_step_lies_in_the_group_of_the_step(path: Path) -> None:
    ladder = drawn(path)
    for truth in _expected(path)["sign_ins"]:
        seen = [step for step, status in truth["steps"].items() if status != "not-applicable"]
        frames = truth["evidence_frames"]
        if len(frames) != len(seen):
            continue  # it names the evidence of what is remarkable alone
        for number, step in zip(frames, seen, strict=True):
            groups = [group_of(ladder, one) for one in ladder.arrows if number in one.frames]
            assert step in {one.step for one in groups if one and one.flow.startswith("sign-in")}


@pytest.mark.parametrize("path", FLOWS, ids=name_of)
def test_every_copy_of_the_truth_is_bracketed_with_its_post(path: Path) -> None:
    ladder = drawn(path, fold=False)
    found = {ends(ladder, one) for one in ladder.brackets if one.kind == "copy"}
    expected = {
        (copy["post_frame"], copy["copy_frame"])
        for post in _expected(path)["postings"]
        for copy in post["copies"]
        if copy["copy_frame"]
    }
    assert expected <= found


@pytest.mark.untraced
@pytest.mark.parametrize("path", OWN, ids=name_of)
def test_every_reply_is_bracketed_with_its_command(path: Path) -> None:
    trace = opened(path)
    ladder, analysis = drawn(trace, fold=False), outline(trace)
    at = {
        analysis.copy_of.get(row, row): number
        for number, event in enumerate(ladder.events)
        if isinstance(event, Arrow)
        for row in event.rows
    }
    expected = {
        (at[analysis.copy_of.get(pair.row, pair.row)], at[analysis.copy_of.get(one.row, one.row)])
        for pair in analysis.pairs
        if pair.row is not None
        for one in pair.replies
    }
    found = {(one.first, one.last) for one in ladder.brackets if one.kind == "reply"}
    assert found == {(first, last) for first, last in expected if first < last}


def test_a_reply_says_how_long_its_command_waited_on_the_connection_of_the_client() -> None:
    ladder = drawn(HOPS)
    reply = frame(ladder, 44)
    assert (reply.label, reply.latency_of) == ("INFO rpl:requri 200", "requri in frame 38")
    assert reply.latency_ms == pytest.approx(39.7, abs=0.05)
    (bracket,) = [one for one in ladder.brackets if ends(ladder, one) == (38, 44)]
    assert (bracket.kind, bracket.label) == ("reply", "requri 39.7 ms")


# Merged hops


def test_a_message_seen_on_two_hops_is_one_arrow_that_knows_of_both() -> None:
    ladder = drawn(HOPS)
    invite = frame(ladder, 28)
    assert invite.frames == (28, 30)
    (hop,) = invite.hops
    assert (hop.frame, hop.source.rpartition(":")[0]) == (30, "192.168.1.12")
    assert hop.target == "192.168.1.16:5061"
    assert any("--hops" in said for said in ladder.left_out)


def test_with_hops_each_sighting_is_an_arrow_of_its_own_and_none_is_left_out() -> None:
    ladder = drawn(HOPS, hops=True)
    assert frame(ladder, 28).frames == (28,)
    assert frame(ladder, 30).frames == (30,)
    assert not any(one.hops for one in ladder.arrows)
    assert ladder.left_out == ()


# What is hidden


def test_a_hidden_method_goes_with_its_answers_and_is_told() -> None:
    ladder = drawn(RECORDED, hide_methods=("subscribe",), fold=False)
    assert not any(one.method == "SUBSCRIBE" for one in ladder.arrows)
    assert len(ladder.arrows) == len(drawn(RECORDED, fold=False).arrows) - 8
    assert ladder.left_out == ("8 messages of SUBSCRIBE are hidden by --hide-method",)


def test_the_name_of_a_command_hides_it_with_reply_and_answers() -> None:
    ladder = drawn(RECORDED, hide_methods=("getinv",), fold=False)
    assert "INFO getinv" not in labels(ladder)
    assert "INFO rpl:getinv 200" not in labels(ladder)
    assert ladder.left_out == ("4 messages of GETINV are hidden by --hide-method",)


def test_a_hidden_command_takes_a_reply_of_another_name_along() -> None:
    assert "INFO rpl:getservinfo 200" in labels(drawn(MODEL))
    hidden = labels(drawn(MODEL, hide_methods=("getserverinfo",)))
    assert not [label for label in hidden if "getserv" in label]


def test_a_hidden_lane_goes_with_its_arrows_and_others_pass_where_it_was() -> None:
    ladder = drawn(RECORDED, hide_lanes=("front-end",))
    assert [one.kind for one in ladder.lanes] == ["client", "lookup", "channel"]
    assert all(one.via == () for one in ladder.arrows)
    assert "REGISTER" not in labels(ladder)
    (said,) = ladder.left_out
    assert said.startswith("Front End is hidden by --hide-lane, with ")


@pytest.mark.parametrize("name", ["Lookup Service", "lookup", "lookup-1", "ocschat@contoso.com"])
def test_a_lane_is_hidden_by_its_name_kind_key_or_uri(name: str) -> None:
    kinds = [one.kind for one in drawn(RECORDED, hide_lanes=(name,)).lanes]
    assert kinds == ["client", "front-end", "channel"]


def test_a_kind_of_lane_that_is_not_there_hides_nothing() -> None:
    ladder = drawn(RECORDED, hide_lanes=("dns",))
    assert ladder == drawn(RECORDED)


def test_a_lane_that_nobody_knows_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"no lane fe7; there are: user1, Front End"):
        drawn(RECORDED, hide_lanes=("fe7",))


# Findings


def test_a_finding_stands_behind_the_last_message_that_it_rests_on() -> None:
    ladder = drawn(SAMPLES / "fault-503.pcap")
    (at,) = [at for at, one in enumerate(ladder.events) if isinstance(one, Note)]
    note, before = ladder.events[at], ladder.events[at - 1]
    assert isinstance(note, Note)
    assert note.label == "GC409 Post answered 503 and lost"
    assert (note.kind, note.tone) == ("finding", "bad")
    assert before.frames == (59,)
    assert note.time == before.time


def test_findings_can_be_left_out() -> None:
    ladder = drawn(SAMPLES / "fault-503.pcap", findings=False)
    assert len(ladder.events) == len(ladder.arrows)


# Many messages


def test_of_too_many_messages_the_first_are_drawn_and_the_rest_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(build, "MAX_EVENTS", 20)
    trace = opened(TWO)
    ladder = drawn(trace, fold=False, findings=False)
    assert len(ladder.events) == 20
    assert ladder.left_out[0].startswith(f"{len(trace.rows) - 20} messages after these are left")
    whole = [one.frame for one in drawn(trace, Choice(frames=((1, 40),)), fold=False).arrows]
    assert [one.frame for one in ladder.arrows] == whole[:20]


def test_flows_and_findings_are_worked_out_for_the_sessions_that_are_drawn_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []

    def flows_of(trace: Trace, sessions: Sequence[int] | None = None) -> tuple[FlowRun, ...]:
        asked.append(sessions)
        return all_flows_of(trace, sessions)

    def diagnose(trace: Trace, *, sessions: Sequence[int] | None) -> object:
        asked.append(sessions)
        return all_findings(trace, sessions=sessions)

    monkeypatch.setattr(selection, "flows_of", flows_of)
    monkeypatch.setattr(build, "diagnose", diagnose)
    drawn(TWO, Choice(frames=((4, 8),)))
    assert asked == [[0], [0]]


# Headings


@pytest.mark.parametrize(
    ("path", "choice", "title"),
    [
        (MODEL, Choice(), "Session 1: hiro"),
        (TWO, Choice(), "2 sessions (user2, user1)"),
        (TWO, Choice(sessions=(1,)), "Session 2: user1"),
        (TWO, Choice(flows=("posting:1",)), "2 sessions (user2, user1): posting:1"),
        (TWO, Choice(users=("user2",), flows=("sign-in",)), "Session 1: user2: sign-in"),
        (RECORDED, Choice(rooms=("sales",)), "Session 1: user1: room sales"),
        (RECORDED, Choice(dialogs=("#0",)), "Session 1: user1: dialog #0"),
    ],
)
def test_the_title_says_whose_it_is_and_what_was_chosen(
    path: Path, choice: Choice, title: str
) -> None:
    assert drawn(path, choice).title == title


def test_the_subtitle_says_which_capture_when_and_how_long() -> None:
    ladder = drawn(MODEL)
    assert ladder.subtitle == "r2-signin-full.pcap, 2010-03-27 13:51:44.324 UTC, 2.852 s"
    assert ladder.began == ladder.events[0].time


def test_a_capture_without_sip_is_an_empty_ladder() -> None:
    path = SHARED / "corpus" / "captures" / "linktypes" / "loopback.pcap"
    ladder = drawn(path)
    assert (ladder.events, ladder.lanes, ladder.left_out) == ((), (), ())


# Whatever is chosen

SPANS = st.lists(
    st.tuples(st.integers(1, 190), st.integers(0, 60)).map(lambda one: (one[0], sum(one))),
    max_size=3,
).map(tuple)
CHOICES = st.builds(
    Choice,
    sessions=st.sampled_from(((), (0,))),
    dialogs=st.sampled_from(((), (), ("#0",), ("#5", "#6"))),
    flows=st.sampled_from(((), (), ("sign-in",), ("posting",), ("posting:1",))),
    rooms=st.sampled_from(((), (), ("e",), ("sales",))),
    from_time=st.sampled_from((None, parse_typed_time("06:08"), parse_typed_time("14:41:18"))),
    to_time=st.sampled_from((None, parse_typed_time("23:59"))),
    frames=SPANS,
)


@settings(max_examples=25, deadline=None)
@given(
    path=st.sampled_from((RECORDED, HOPS, POST)),
    choice=CHOICES,
    hops=st.booleans(),
    fold=st.booleans(),
    fold_answers=st.booleans(),
    hide_lanes=st.sampled_from(((), (), ("front-end",), ("client", "web"))),
    hide_methods=st.sampled_from(((), (), ("INFO",), ("join", "REGISTER"))),
)
def test_whatever_is_chosen_the_ladder_is_sound(path: Path, choice: Choice, **options: Any) -> None:  # noqa: ANN401  (fields by name)
    trace = opened(path)
    try:
        ladder = drawn(trace, choice, **options)
    except ValueError as error:
        assert str(error).startswith("there is no")  # noqa: PT017  (most choices are there)
        return
    checked(trace, ladder)
    options |= {"fold": False, "fold_answers": False}
    unfolded = drawn(trace, choice, **options)
    assert {row for one in ladder.arrows for row in one.rows} == {
        row for one in unfolded.arrows for row in one.rows
    }
    assert {number for one in ladder.arrows for number in one.frames} == {
        number for one in unfolded.arrows for number in one.frames
    }
