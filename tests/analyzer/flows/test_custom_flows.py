"""Flows of one's own: read from a file or an entry point, judged like the documented ones."""

from __future__ import annotations

import re
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from analyzer.flows.custom import FLOW_KEYS, STEP_KEYS, load_flow, load_flows, runs_of
from analyzer.flows.runs import flows_of
from analyzer.flows.spec import Command, Flow, Need, Post, Request, Step
from analyzer.trace import open_capture
from tests.analyzer.flows.sign_in_stories import SIPE, SignIn
from tests.analyzer.stories import envelope, post
from tests.analyzer.truths import PLAIN, named
from tests.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (ROOT / "docs" / "flows.md").read_text(encoding="utf-8")


def _example() -> str:
    found = re.search(r"```toml\n(name = .*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def _written(place: Path, text: str) -> Path:
    path = place / "flow.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _talk() -> SignIn:
    talk = SignIn(SIPE)
    talk.registers()
    talk.looks_up()
    talk.invites()
    return talk


def _leaves(talk: SignIn) -> None:
    call = talk.channel_call
    said = talk.wire.asks("BYE", "ann", "channel", call=call, cseq=80, to_tag="s")
    talk.wire.answered(said, 200)


def test_the_example_of_the_page_is_read(tmp_path: Path) -> None:
    flow = load_flow(_written(tmp_path, _example()))
    assert (flow.name, flow.begins) == ("leaving", "first step")
    assert [step.match for step in flow.steps] == [
        (Command("part"),),
        (Request("BYE", "channel"),),
        (Request("REGISTER"),),
    ]
    assert flow.steps[1].needs == (Need("1", "the room that was left"),)
    assert flow.steps[1].slow_ms == 1000.0
    assert flow.steps[2].optional


def test_the_example_of_the_page_runs(tmp_path: Path) -> None:
    flow = load_flow(_written(tmp_path, _example()))
    talk = _talk()
    talk.commands("join", "part")
    _leaves(talk)
    headers = {"Expires": "0"}
    said = talk.wire.asks("REGISTER", "ann", "ann", call="r", cseq=9, headers=headers)
    talk.wire.answered(said, 200, to_tag="x")
    (run,) = runs_of(flow, talk.view())
    assert [step.status for step in run.steps] == ["ok", "ok", "ok"]
    assert (run.flow, run.outcome, run.variant) == ("leaving", "complete", "sipe")
    assert len(run.steps[0].frames) == 2


def test_the_example_misses_what_did_not_happen(tmp_path: Path) -> None:
    flow = load_flow(_written(tmp_path, _example()))
    talk = _talk()
    talk.commands("join", "part")
    (run,) = runs_of(flow, talk.view())
    assert [step.status for step in run.steps] == ["ok", "missing", "not-applicable"]
    assert run.outcome == "incomplete"


def test_a_step_that_never_comes_first_gives_no_run(tmp_path: Path) -> None:
    flow = load_flow(_written(tmp_path, _example()))
    talk = _talk()
    talk.commands("join")
    assert list(runs_of(flow, talk.view())) == []


def test_there_is_a_run_for_each_time_that_the_first_step_is_seen() -> None:
    flow = Flow(
        "entering",
        "Entering a room",
        "first step",
        (
            Step("1", "join", "client", "channel", (Command("join"),), 1),
            Step("2", "history", "client", "channel", (Command("bccontext"),), 2),
        ),
        "a test",
    )
    talk = _talk()
    talk.commands("join", "bccontext", "join")
    first, second = runs_of(flow, talk.view())
    assert [step.status for step in first.steps] == ["ok", "ok"]
    assert [step.status for step in second.steps] == ["ok", "missing"]


def test_there_is_a_run_for_each_post() -> None:
    flow = Flow(
        "writing",
        "Writing",
        "post",
        (
            Step("1", "token", "client", "channel", (Command("getfutok"),), 1, optional=True),
            Step("2", "post", "client", "channel", (Post(),), 2),
        ),
        "a test",
    )
    talk = _talk()
    for number, status in enumerate((200, 503), 1):
        if number == 1:
            talk.commands("getfutok")
        talk.cseq += 1
        body = envelope(str(700 + number), post())
        call = talk.channel_call
        said = talk.wire.asks(
            "INFO", "ann", "channel", call=call, cseq=talk.cseq, to_tag="s", body=body
        )
        talk.wire.answered(said, status, "Reason")
    first, second = runs_of(flow, talk.view())
    assert [step.status for step in first.steps] == ["ok", "ok"]
    assert [step.status for step in second.steps] == ["not-applicable", "failed"]
    assert (first.outcome, second.outcome) == ("complete", "failed")


def test_there_is_one_run_for_a_session() -> None:
    step = Step("1", "any join", "client", "channel", (Command("join"),), 1, without=("sipe",))
    flow = Flow("rooms", "Rooms", "session", (step,), "a test")
    talk = _talk()
    talk.commands("join", "join")
    (run,) = runs_of(flow, talk.view())
    assert run.steps[0].status == "ok"


def test_runs_of_own_flows_stand_among_those_of_the_documented_ones(tmp_path: Path) -> None:
    text = 'name = "entering"\nbegins = "first step"\n[[step]]\ncommand = "join"\n'
    own = load_flows([_written(tmp_path, text)])
    with open_capture(named(PLAIN, "twousers-post")) as trace:
        plain = flows_of(trace)
        runs = flows_of(trace, more=own)
        assert flows_of(trace) is plain
    assert [run for run in runs if run.flow != "entering"] == list(plain)
    assert {run.outcome for run in runs if run.flow == "entering"} == {"complete"}
    assert [run.started for run in runs] == sorted(run.started for run in runs)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "name: missing"),
        ("name = 7", "name: must be text"),
        ('name = "x"', "step: a flow needs at least one step"),
        ('name = "x"\nbegin = "post"', "begin: unknown key"),
        ('name = "x"\nbegins = "noon"', "begins: 'noon' is none of session, post, first step"),
        ('name = "x"\nstep = [7]', "step[1]: must be a table"),
        ('name = "x"\n[[step]]\nid = "1"', "step[1]: needs exactly one of request, command, post"),
        ('name = "x"\n[[step]]\ncommand = "a"\npost = true', "step[1]: needs exactly one of"),
        ('name = "x"\n[[step]]\ncommand = "a"\nphase = true', "step[1]: phase: must be a number"),
        ('name = "x"\n[[step]]\ncommand = "a"\nrole = "channel"', "only a request has one"),
        ('name = "x"\n[[step]]\nrequest = "BYE"\nrole = "king"', "role: 'king' is none of"),
        ('name = "x"\n[[step]]\ncommand = "a"\nto = "moon"', "to: 'moon' is none of"),
        ('name = "x"\n[[step]]\ncommand = "a"\nslow_ms = 0', "slow_ms: must be more than 0"),
        ('name = "x"\n[[step]]\ncommand = "a"\nneeds = {2 = "b"}', "needs: no earlier step '2'"),
        ('name = "x"\n[[step]]\ncommand = "a"\nneeds = {1 = 2}', "needs: must be a table such as"),
        ('name = "x"\nbegins = "post"\n[[step]]\ncommand = "a"', "needs a step with post = true"),
        (
            'name = "x"\n[[step]]\nid = "a"\ncommand = "a"\n[[step]]\nid = "a"\npost = true',
            "step[2]: id: 'a' is there twice",
        ),
        ("name = ", "Invalid value"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(
    text: str, complaint: str, tmp_path: Path
) -> None:
    path = _written(tmp_path, text)
    with pytest.raises(ValueError, match=re.escape(complaint)) as raised:
        load_flow(path)
    assert str(raised.value).startswith(f"{path}: ")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flow.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="can't decode byte"):
        load_flow(path)


def test_two_flows_of_one_name_are_refused(tmp_path: Path) -> None:
    path = _written(tmp_path, 'name = "x"\n[[step]]\ncommand = "join"\n')
    with pytest.raises(ValueError, match="has a flow 'x' too"):
        load_flows([path, path])


class _Entry:
    name = "one"
    value = "somewhere:FLOW"

    def __init__(self, made: object) -> None:
        self._made = made

    def load(self) -> object:
        if isinstance(self._made, Exception):
            raise self._made
        return self._made


def _installed(monkeypatch: pytest.MonkeyPatch, made: object) -> None:
    monkeypatch.setattr(metadata, "entry_points", lambda **_: [_Entry(made)])


def test_flows_of_installed_packages_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    step = Step("1", "join", "client", "channel", (Command("join"),), 1)
    flow = Flow("entering", "Entering", "session", (step,), "a test")
    _installed(monkeypatch, flow)
    assert load_flows() == (flow,)


@pytest.mark.parametrize("made", [7, ImportError("no module"), AttributeError("no name")])
def test_an_entry_point_without_a_flow_is_told(
    made: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    _installed(monkeypatch, made)
    with pytest.raises(ValueError, match="entry point one: "):
        load_flows()


def test_the_page_names_every_key_and_word() -> None:
    for key in (*FLOW_KEYS, *STEP_KEYS):
        assert f"`{key}`" in PAGE or f"`[[{key}]]`" in PAGE
