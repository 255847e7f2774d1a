"""Rules files: what they say, and what is said of them where they are wrong."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from analyzer.checks.load import load_rules, rules_of
from analyzer.checks.spec import (
    CaptureSubject,
    CommandSubject,
    FindingSubject,
    FlowSubject,
    PostSubject,
    RetrySubject,
)
from tests.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.checks.spec import Check

STARTER = ROOT / "docs/examples/rules.toml"
PAGE = ROOT / "docs/check.md"
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def _one(text: str) -> Check:
    (check,) = rules_of(f'[[check]]\nname = "x"\n{text}'.encode(), "rules.toml").checks
    return check


def _schema() -> Draft202012Validator:
    schema = json.loads((ROOT / "docs/schema/rules.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_starter_has_every_kind_of_check() -> None:
    subjects = {type(check.subject) for check in load_rules(STARTER).checks}
    assert subjects == {
        *(FlowSubject, CommandSubject, PostSubject, RetrySubject),
        *(FindingSubject, CaptureSubject),
    }


def test_the_page_has_an_example_of_every_kind() -> None:
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize("text", [*EXAMPLES, STARTER.read_text(encoding="utf-8")])
def test_examples_can_be_read_and_keep_to_the_schema(text: str) -> None:
    assert rules_of(text.encode(), "rules.toml").checks
    _schema().validate(tomllib.loads(text))


def test_a_flow_has_an_outcome_and_a_time() -> None:
    check = _one('flow = "sign-in"\noutcome = ["complete", "incomplete"]\nwithin = "1.5 min"')
    assert check.subject == FlowSubject("sign-in", ("complete", "incomplete"))
    assert (check.within_ms, check.at_least, check.strict) == (90_000.0, 0, False)


def test_a_step_may_be_a_number_or_text() -> None:
    assert _one('flow = "sign-in"\nstep = 9').subject == FlowSubject("sign-in", steps=("9",))
    two = _one('flow = "sign-in"\nstep = ["9", 10]\nstatus = "ok"').subject
    assert two == FlowSubject("sign-in", steps=("9", "10"), statuses=("ok",))


def test_names_of_commands_lose_prefix_and_case() -> None:
    subject = _one('command = ["cmd:Join", "bjoin"]\ncode = ["2xx", 404]').subject
    assert subject == CommandSubject(("join", "bjoin"), codes=((200, 299), (404, 404)))


def test_rules_and_severities_are_told_apart() -> None:
    subject = _one('no = ["Error", "gc204", "GC10"]\nconfidence = "likely"').subject
    assert isinstance(subject, FindingSubject)
    assert subject.severity == "error"
    assert subject.rules[:2] == ("GC204", "GC101")
    assert not subject.allowed
    assert _one('only = ["note", "warning"]').subject == FindingSubject((), "warning", allowed=True)
    assert _one('no = ["warning", "note"]').subject == FindingSubject((), "note")


def test_required_is_at_least_one() -> None:
    assert _one('posts = "delivered"\nrequired = true').at_least == 1
    assert _one('posts = "delivered"\nrequired = true\nat_least = 3').at_least == 3


def test_what_stands_at_the_top_is_for_all() -> None:
    text = """
    strict = true
    users = "ann"
    thresholds = { slow_ms = 5000 }
    [[check]]
    name = "a"
    command = "*"
    [[check]]
    name = "b"
    command = "*"
    users = ["bob", "carl"]
    [[check]]
    name = "c"
    capture = "no holes"
    """
    rules = rules_of(text.encode(), "rules.toml")
    assert [check.users for check in rules.checks] == [("ann",), ("bob", "carl"), ()]
    assert all(check.strict for check in rules.checks)
    assert rules.thresholds.slow_ms == 5000


def test_flows_of_ones_own_lie_beside_the_rules(tmp_path: Path) -> None:
    (tmp_path / "leaving.toml").write_text(
        'name = "leaving"\nbegins = "first step"\n[[step]]\nid = "1"\ncommand = "part"\n'
    )
    rules = tmp_path / "rules.toml"
    rules.write_text(
        'flow_files = "leaving.toml"\n[[check]]\nname = "x"\nflow = "leaving"\nstep = 1\n'
    )
    loaded = load_rules(rules)
    assert [flow.name for flow in loaded.flows] == ["leaving"]
    assert loaded.checks[0].subject == FlowSubject("leaving", steps=("1",))


WRONG = {
    'flow = "sign-in"\nwithn = "5 s"': "withn: unknown key; did you mean 'within'?",
    'flow = "signin"': "flow: 'signin' is not known; did you mean 'sign-in'?",
    'flow = "sign-in"\nwithin = "5"': "within: '5' is no duration such as 250 ms, 5 s or 2 min",
    'flow = "sign-in"\nwithin = 5': "within: must be text",
    'flow = "sign-in"\noutcome = "completed"': (
        "outcome: 'completed' is not known; did you mean 'complete'?"
    ),
    'flow = "sign-in"\nstep = 11': ("step: '11' is not known; did you mean '1'?"),
    'flow = "sign-in"\nstatus = "ok"': "status: is of a step: it needs step",
    'flow = "sign-in"\nstep = 1\noutcome = "complete"': (
        "outcome: is of the whole flow: leave it out, or step"
    ),
    'comand = "join"': (
        "needs one of flow, command, posts, retried, no, only, capture; what is 'comand'; "
        "did you mean 'command'?"
    ),
    'command = "join"\nflow = "sign-in"': "command: there is flow already; one is enough",
    "command = []": "command: must be text, or a list of texts that has at least one",
    'command = [""]': "command: must be text, or a list of texts that has at least one",
    "command = true": "command: must be text, or a list of texts that has at least one",
    'command = "join"\nanswer = ["sip", "reply"]': "answer: must be one of them",
    'command = "join"\ncode = "good"': (
        "code: 'good' is not a status such as 200, 4xx, 400-499 or >=400"
    ),
    'command = "join"\npercentile = 95': "percentile: needs within",
    'command = "join"\nwithin = "1 s"\npercentile = 0': (
        "percentile: must be more than 0 and at most 100"
    ),
    'command = "join"\nwithin = "1 s"\npercentile = "95"': "percentile: must be a number",
    'command = "join"\nat_least = true': "at_least: must be a whole number",
    'command = "join"\nat_most = -1': "at_most: must not be less than 0",
    'command = "join"\nat_most = 1\nat_least = 2': "at_most: is less than at_least",
    'command = "join"\nstrict = 1': "strict: must be true or false",
    'posts = "delivred"': "posts: 'delivred' is not known; did you mean 'delivered'?",
    'no = "GC999"': "no: unknown rule GC999; near it: ",
    'no = "eror"': "no: 'eror' is neither a rule nor a severity; did you mean 'error'?",
    'no = "error"\nwithin = "1 s"': "within: unknown key; there are: name, strict, no, only, ",
    'capture = "no hole"': "capture: 'no hole' is not known; did you mean 'no holes'?",
    'capture = "no holes"\nusers = "ann"': ("users: unknown key; there are: name, strict, capture"),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_fault_names_file_table_and_key_and_offers_what_is_near(text: str) -> None:
    with pytest.raises(ValueError, match=r"^rules\.toml: check\[1\]") as error:
        _one(text)
    told = str(error.value)
    assert told.startswith('rules.toml: check[1] "x": ' + WRONG[text])
    assert "\n" not in told


BROKEN = {
    "": "rules.toml: check: there is none; a check begins with [[check]]",
    "check = 3": "rules.toml: check: must be a list of tables ([[check]])",
    "check = [3]": "rules.toml: check[1]: must be a table ([[check]])",
    "[[check]]\nflow = 1": "rules.toml: check[1]: name: is missing: say in words what has to hold",
    "[[check]": "rules.toml: Expected ']]'",
    '[[chek]]\nname = "a"': "rules.toml: chek: unknown key; did you mean 'check'?",
    "thresholds = { slow = 1 }": "rules.toml: thresholds: unknown threshold slow; there are: ",
    "flow_files = 'none.toml'": "rules.toml: flow_files: ",
    "name = '\\x00\x00'": "rules.toml: ",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_is_told_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"^rules\.toml: ") as error:
        rules_of(text.encode(), "rules.toml")
    assert str(error.value).startswith(BROKEN[text])
    assert "\n" not in str(error.value)


def test_names_are_there_once() -> None:
    text = '[[check]]\nname = "a"\ncommand = "*"\n' * 2
    with pytest.raises(ValueError, match=r"check\[2\]: name: 'a' is there twice"):
        rules_of(text.encode(), "rules.toml")


def test_very_many_checks_are_refused() -> None:
    text = "".join(f'[[check]]\nname = "{k}"\ncommand = "*"\n' for k in range(1001))
    with pytest.raises(ValueError, match=r"^rules\.toml: check: more than 1000$"):
        rules_of(text.encode(), "rules.toml")


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"rules\.toml: 'utf-8' codec"):
        load_rules(path)
    path.write_bytes(b"#" * (1 << 21))
    with pytest.raises(ValueError, match="longer than 1048576 bytes"):
        load_rules(path)


def _wrong_for_the_schema() -> list[dict[str, Any]]:
    return [
        {"check": []},
        {"check": [{"name": "a"}]},
        {"check": [{"name": "a", "flow": "sign-in", "command": "join"}]},
        {"check": [{"name": "a", "flow": "sign-in", "withn": "5 s"}]},
        {"check": [{"name": "a", "flow": "sign-in", "within": "5"}]},
        {"check": [{"name": "a", "capture": "no hole"}]},
    ]


@pytest.mark.parametrize("rules", _wrong_for_the_schema())
def test_the_schema_refuses_what_is_wrong(rules: dict[str, Any]) -> None:
    assert not _schema().is_valid(rules)
