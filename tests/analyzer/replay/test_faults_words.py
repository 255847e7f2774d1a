"""Rules from their words: what they mean, and errors that name the word."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.faults import Rule, parse_rule, read_rules
from analyzer.replay.faults.files import MAX_FILE
from analyzer.replay.faults.kinds import KINDS
from analyzer.replay.faults.rules import (
    Answer,
    Corrupt,
    Cut,
    Delay,
    Drop,
    Duplicate,
    Fault,
    Items,
    Merge,
    Oversized,
    Range,
    Reorder,
    Selection,
    Split,
    Stall,
    WrongCommandId,
)
from analyzer.replay.faults.selecting import SELECTING

BUSY = ("ms-diagnostics", '20000;source="${host}";reason="Chat service busy";component="GroupChat"')


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("drop", Drop()),
        ("delay by=3s", Delay(3.0)),
        ("delay by=250ms", Delay(0.25)),
        ("delay by=2m", Delay(120.0)),
        ("duplicate", Duplicate()),
        ("duplicate times=3 by=1.5", Duplicate(3, 1.5)),
        ("reorder", Reorder()),
        ("merge within=200ms", Merge(0.2)),
        ("corrupt part=header bytes=4", Corrupt("header", 4)),
        ("cut", Cut()),
        ("cut how=rst inside", Cut("rst", "inside")),
        ("cut how=half before", Cut("half", "before")),
        ("split pieces=9 gap=10ms", Split(9, gap=0.01)),
        ("split at=700,10,10", Split(at=(10, 700))),
        ("split at=body", Split(head=True)),
        ("stall for=5s", Stall(5.0)),
        ("wrong-commandid", WrongCommandId()),
        ("wrong-commandid envid=7", WrongCommandId("7")),
        ("oversized body=2M", Oversized(2 << 20)),
        ("oversized body=64KiB", Oversized(64 << 10)),
        ("481", Answer(481, "Call/Transaction Does Not Exist")),
        ("answer status=499", Answer(499, "Bad Request")),
        ('500 reason="Out of order"', Answer(500, "Out of order")),
        ("503", Answer(503, "Service Unavailable", (BUSY,))),
        (
            "503 retry-after=2 header='ms-diagnostics: 1018'",
            Answer(503, "Service Unavailable", (("Retry-After", "2"), ("ms-diagnostics", "1018"))),
        ),
    ],
)
def test_a_fault_is_read_with_its_own_words(text: str, fault: Fault) -> None:
    assert parse_rule(text).fault == fault


@pytest.mark.parametrize(
    ("words", "selection"),
    [
        ("", Selection("said")),
        ("rpl=getpref", Selection(None, items=Items("rpl", "getpref"))),
        ("cmd=cmd:JOIN", Selection(None, items=Items("cmd", "join"))),
        ("cmd=join heard", Selection("heard", items=Items("cmd", "join"))),
        ("cmd=jo* status=200", Selection("said", None, Range(200, 200), Items("cmd", "jo*"))),
        ("grpchat", Selection("said", items=Items("grpchat", "*"))),
        ("method=bye status=5xx", Selection("said", method="BYE", status=Range(500, 599))),
        ("to=<sip:Ann@contoso.com> user=b*", Selection("said", to="ann@contoso.com", user="b*")),
        ("direction=both nth=2-4,9-", Selection(None, numbers=(Range(2, 4), Range(9, None)))),
        ("every=3rd p=10% per=user", Selection("said", every=3, probability=0.1, scope="user")),
    ],
)  # fmt: skip
def test_the_other_words_say_which_messages(words: str, selection: Selection) -> None:
    assert parse_rule(f"drop {words}").select == selection


def test_an_answer_is_for_what_is_heard_unless_the_rule_says_otherwise() -> None:
    assert parse_rule("503 cmd=join nth=1").select.direction == "heard"
    assert parse_rule("503 said").select.direction == "said"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "it is empty, known: a status, answer, drop"),
        ("dorp", "there is no such fault, did you mean drop?"),
        ("drop cdm=join", "'cdm' is no word of it, did you mean cmd?"),
        ("drop by=3s", "'by' is no word of it"),
        ("delay", "by= is needed, such as by=3s"),
        ("delay by=soon", "by= wants a time such as 3s or 250ms, not 'soon'"),
        ("delay by=9999h", "by=9999h is more than a day"),
        ("drop nth", "nth wants a value: nth=…"),
        ("drop nth=last", "nth=last: which one is the last is known only when all is over"),
        ("drop nth=0", "nth= wants numbers such as 1, 2-4 or 3-, not '0'"),
        ("drop nth=4-2", "nth=4-2 ends before it begins"),
        ("drop nth=1 nth=2", "nth stands there twice"),
        ("drop p=2", "p= wants a probability such as 0.1 or 10%, not '2'"),
        ("drop p=nan", "p= wants a probability"),
        ("drop status=99", "status= wants a status such as 503, 5xx or 400-499, not '99'"),
        ("drop cmd=join rpl=join", "cmd= or rpl=: one of them"),
        ("drop said heard", "said or heard: one of them"),
        ("drop method=IN<FO", "method= wants a method such as INFO, not 'IN<FO'"),
        ("cut how=gently", "how= is one of fin, rst or half, not 'gently'"),
        ("cut before after", "before or after: one of them"),
        ("split pieces=1", "pieces=1 is not between 2 and 4096"),
        ("split pieces=2 at=4", "at= or pieces=: one of them"),
        ("oversized body=1G", "body= wants a size such as 64k or 2M, not '1G'"),
        ("oversized body=200M", "body=200M is not between 1 and 64M"),
        ("merge within=0s", "within= is more than 0 and at most 60s"),
        ("answer cmd=join", "status= is needed, such as status=503"),
        ("503 header=Retry", "header= wants \"Name: value\", not 'Retry'"),
        ("503 header='CSeq: 1 INFO'", "header=CSeq: it follows from the request"),
        ("503 header='A B: c'", "cannot write the header 'A B: c'"),
        ("503 reason='a\r\nVia: x'", "cannot write the header"),
        ("drop cmd='join", "a quotation does not end"),
    ],
)
def test_an_error_names_the_word_in_one_line(text: str, named: str) -> None:
    with pytest.raises(ValueError, match="fault ") as error:
        parse_rule(text)
    assert named in str(error.value)
    assert "\n" not in str(error.value)


@given(
    st.sampled_from([*KINDS, "503", "x"]),
    st.lists(st.tuples(st.sampled_from([*SELECTING, "by", "at", "header"]), st.text(max_size=12))),
)
def test_any_words_give_a_rule_or_one_line(kind: str, words: list[tuple[str, str]]) -> None:
    told, text = "", " ".join([kind, *(f"{name}={value}" for name, value in words)])
    try:
        told = parse_rule(text).text
    except ValueError as error:
        told = str(error)
    assert len(told.splitlines()) == 1


RULES = ("503 cmd=join nth=1 retry-after=2", "drop rpl=getpref", "cut how=rst inside cmd=part")


def alike(rules: tuple[Rule, ...]) -> list[tuple[Fault, Selection]]:
    return [(rule.fault, rule.select) for rule in rules]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rules.json", json.dumps(RULES)),
        (
            "rules.JSON",
            json.dumps(
                {
                    "faults": [
                        {"fault": 503, "cmd": "join", "nth": 1, "retry-after": 2},
                        RULES[1],
                        {"fault": "cut", "how": "rst", "inside": True, "cmd": "part"},
                    ]
                }
            ),
        ),
        ("rules.toml", f"faults = {json.dumps(RULES)}"),
        (
            "rules.toml",
            '[[faults]]\nfault = "503"\ncmd = "join"\nnth = 1\nretry-after = 2\n'
            '[[faults]]\nfault = "drop"\nrpl = "getpref"\n'
            '[[faults]]\nfault = "cut"\nhow = "rst"\ninside = true\nbefore = false\ncmd = "part"\n',
        ),
    ],
)
def test_a_file_says_the_same_as_lines_or_tables(name: str, text: str) -> None:
    assert alike(read_rules(text, name)) == alike(tuple(map(parse_rule, RULES)))


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("r.json", "[", "r.json: "),
        ("r.toml", "faults = [", "r.toml: "),
        ("r.json", "[" * 100_000, "r.json: nested too deep"),
        ("r.json", "3", "r.json: a list of faults is wanted"),
        ("r.json", '{"fault": []}', "r.json: unknown key 'fault', known: faults"),
        ("r.json", '["drop", 3]', "r.json: 2. fault: a line or a table is wanted"),
        ("r.json", '["drop", "dorp"]', "r.json: 2. fault 'dorp': there is no such fault"),
        ("r.json", '[{"cmd": "join"}]', 'r.json: 1. which one? fault = "drop"'),
        ("r.json", '[{"fault": "drop", "cmd": {}}]', "r.json: 1. 'cmd' wants a word or a number"),
        ("r.json", " " * (MAX_FILE + 1), "r.json: more than 256 KiB"),
    ],
)
def test_an_error_in_a_file_names_the_file_and_the_rule(name: str, text: str, named: str) -> None:
    with pytest.raises(ValueError, match=r"^r\.") as error:
        read_rules(text, name)
    assert str(error.value).startswith(named)
    assert "\n" not in str(error.value)
