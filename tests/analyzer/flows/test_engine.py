"""The engine: what is said of a step that was not seen, which order is wrong, how a flow ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.flows.engine import judge
from analyzer.flows.seen import SHOWN_ROWS, evidence
from analyzer.flows.spec import Command, Flow, Need, Request, Step
from analyzer.flows.stretch import Stretch
from tests.analyzer.flows.sign_in_stories import SignIn
from tests.analyzer.stories import cmd, envelope, rpl

if TYPE_CHECKING:
    from analyzer.flows.engine import Judgement
    from analyzer.flows.values import FlowRun


def _step(name: str, phase: int, *needs: Need, optional: bool = False) -> Step:
    match = (Command(name),)
    return Step(name, name, "client", "channel", match, phase, optional=optional, needs=needs)


def _flow(*steps: Step) -> Flow:
    return Flow("test", "Test", "session", steps, "a test")


def _talk() -> SignIn:
    talk = SignIn()
    talk.registers()
    talk.invites()
    return talk


def _judged(talk: SignIn, *steps: Step) -> Judgement:
    return judge(_flow(*steps), Stretch(talk.view()), "r2", lambda *_: None)


def _statuses(talk: SignIn, *steps: Step) -> list[str]:
    return [one.status for one in _judged(talk, *steps).steps]


def _run(talk: SignIn, *steps: Step) -> FlowRun:
    return _judged(talk, *steps).run(talk.view(), "r2")


ABC = (_step("a", 1), _step("b", 2), _step("c", 3))


def test_steps_in_order_are_done() -> None:
    talk = _talk()
    talk.commands("a", "b", "c")
    assert _statuses(talk, *ABC) == ["ok", "ok", "ok"]
    assert _judged(talk, *ABC).outcome() == "complete"


def test_of_two_that_changed_places_the_later_one_is_out_of_order() -> None:
    talk = _talk()
    talk.commands("b", "a", "c")
    assert _statuses(talk, *ABC) == ["ok", "out-of-order", "ok"]


def test_one_that_came_much_too_late_is_the_only_one_out_of_order() -> None:
    talk = _talk()
    talk.commands("b", "c", "a")
    assert _statuses(talk, *ABC) == ["out-of-order", "ok", "ok"]
    assert _judged(talk, *ABC).outcome() == "complete"


def test_steps_of_one_phase_come_in_any_order() -> None:
    talk = _talk()
    talk.commands("c", "b", "a")
    assert _statuses(talk, *(_step(name, 1) for name in "abc")) == ["ok", "ok", "ok"]


@pytest.mark.parametrize(("firm", "status"), [(True, "out-of-order"), (False, "ok")])
def test_what_needs_an_answer_cannot_begin_before_it(firm: bool, status: str) -> None:
    talk = _talk()
    call = talk.channel_call
    for seq, name in ((50, "a"), (51, "b")):
        body = envelope(str(seq), cmd(name))
        said = talk.wire.asks("INFO", "ann", "channel", call=call, cseq=seq, to_tag="s", body=body)
        talk.wire.answered(said, 200)
    for seq, name in ((50, "a"), (51, "b")):
        body = envelope(f"9{seq}", rpl(name, (str(seq), "1")))
        talk.wire.told(
            "INFO", "channel", "ann", call=call, cseq=seq, from_tag="s", to_tag="a", body=body
        )
    need = Need("a", "its answer", firm=firm)
    assert _statuses(talk, _step("a", 1), _step("b", 2, need)) == ["ok", status]


def test_order_is_not_judged_where_something_may_be_lost() -> None:
    talk = _talk()
    talk.commands("b")
    talk.story.hole(talk.wire)
    talk.commands("a", "c")
    assert _statuses(talk, *ABC) == ["ok", "ok", "ok"]


def test_a_step_that_never_came_is_missing_or_optional() -> None:
    talk = _talk()
    talk.commands("a", "c")
    assert _statuses(talk, *ABC) == ["ok", "missing", "ok"]
    optional = (_step("a", 1), _step("b", 2, optional=True), _step("c", 3))
    assert _statuses(talk, *optional) == ["ok", "not-applicable", "ok"]
    assert _judged(talk, *ABC).outcome() == "incomplete"


def test_a_hole_between_its_neighbours_hides_a_step() -> None:
    talk = _talk()
    talk.commands("a")
    talk.story.hole(talk.wire)
    talk.commands("c")
    judged = _judged(talk, *ABC)
    assert [one.status for one in judged.steps] == ["ok", "not-captured", "ok"]
    assert "frames are missing" in judged.steps[1].seen.detail
    assert judged.outcome() == "not-captured"


def test_a_hole_elsewhere_hides_nothing() -> None:
    talk = _talk()
    talk.commands("a", "c", "d")
    talk.story.hole(talk.wire)
    talk.commands("e")
    assert _statuses(talk, *ABC, _step("d", 4), _step("e", 5))[1] == "missing"


def test_a_capture_that_ends_with_the_session_hides_what_would_follow() -> None:
    talk = _talk()
    talk.commands("a")
    assert _statuses(talk, *ABC) == ["ok", "missing", "missing"]
    talk.story.quiet_after_ms = 100
    assert _statuses(talk, *ABC) == ["ok", "not-captured", "not-captured"]


def test_steps_before_the_first_one_of_a_late_capture_are_not_captured() -> None:
    talk = SignIn(syn_seen=False)
    talk.channel_call = "c"
    talk.commands("b", "d")
    steps = (*ABC, _step("d", 4))
    assert _statuses(talk, *steps) == ["not-captured", "ok", "missing", "ok"]


def test_what_a_failed_step_stopped_is_missing_and_says_so() -> None:
    talk = _talk()
    talk.commands("a", status=503)
    talk.story.quiet_after_ms = 100
    run = _run(talk, *ABC)
    assert [step.status for step in run.steps] == ["failed", "missing", "missing"]
    assert run.steps[2].detail == "not reached after step a"
    assert run.outcome == "failed"


def test_a_failed_step_that_stopped_nothing_leaves_a_flow_incomplete() -> None:
    talk = _talk()
    talk.commands("a", status=503)
    talk.commands("b", "c")
    assert _judged(talk, *ABC).outcome() == "incomplete"


def test_a_failed_step_after_which_the_client_goes_on_leaves_a_flow_incomplete() -> None:
    talk = _talk()
    talk.commands("a", "b")
    talk.commands("c", status=503)
    assert _judged(talk, *ABC).outcome() == "failed"
    talk.commands("join")
    assert _judged(talk, *ABC).outcome() == "incomplete"


def test_the_first_match_decides_and_the_others_add_their_frames() -> None:
    talk = _talk()
    talk.commands("a")
    said = talk.wire.asks("BYE", "ann", "channel", call=talk.channel_call, cseq=80, to_tag="s")
    talk.wire.answered(said, 500, "Reason")
    both = Step("a", "a", "client", "channel", (Command("a"), Request("BYE", "channel")), 1)
    (step,) = _run(talk, both).steps
    (alone,) = _run(talk, _step("a", 1)).steps
    assert step.status == "ok"
    assert len(step.frames) == len(alone.frames) + 2


def test_a_run_lasts_from_its_first_to_its_last_message() -> None:
    talk = _talk()
    talk.commands("a")
    talk.story.wait(2000)
    talk.commands("b", "c")
    run = _run(talk, *ABC)
    assert run.started == run.steps[0].time
    assert 2000 < run.duration_ms < 2100


def test_the_sentence_of_a_step_can_be_told_by_who_knows_more() -> None:
    talk = _talk()
    talk.commands("a")
    judged = _judged(talk, *ABC)
    run = judged.run(talk.view(), "r2", lambda one: f"told of {one.step.id}")
    assert [step.detail for step in run.steps][:2] == ["told of a", judged.steps[1].seen.detail]


def test_a_part_of_a_session_has_what_lies_in_its_rows() -> None:
    talk = _talk()
    talk.commands("a", "b", "a")
    whole = Stretch(talk.view())
    last = whole.named("a")[-1].row
    part = whole.within(range(last))
    assert [one.name for one in part.commands()] == ["a", "b"]
    assert len(part.named("a")) == 1
    assert len(whole.requests("INFO", "channel")) > len(part.requests("INFO", "channel")) > 0


def test_evidence_is_bounded() -> None:
    assert evidence(range(1000)) == tuple(range(SHOWN_ROWS))
    assert evidence([3, 1, 3], [2]) == (1, 2, 3)


@pytest.mark.untraced
def test_very_many_commands_of_one_kind_are_judged_in_time() -> None:
    talk = _talk()
    talk.commands(*["getpref"] * 1500, status=503)
    (step,) = _run(talk, _step("getpref", 1)).steps
    assert step.status == "failed"
    assert "(1500 attempts)" in step.detail
