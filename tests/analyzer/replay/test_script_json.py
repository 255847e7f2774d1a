"""Script files: what is written is read again, and what is no script is said in one line."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from analyzer.replay import script_json
from analyzer.replay.derive.build import derive
from analyzer.replay.script import (
    VERSION,
    Aside,
    Connection,
    Dialog,
    Expectation,
    Party,
    Script,
    Slot,
    Turn,
)
from analyzer.replay.script_json import ScriptError, read_script, write_script
from analyzer.replay.script_reading import (
    ENDINGS,
    MAX_BODY,
    PARTY_KINDS,
    PROTOCOLS,
    SLOT_KINDS,
    TRANSPORTS,
)
from analyzer.replay.template import Template
from analyzer.trace import open_capture
from tests.analyzer.replay.by_hand import case, with_message
from tests.paths import ROOT, SAMPLES

CASE = write_script(case())
TYPES: dict[str, type] = {
    "parties": Party,
    "connections": Connection,
    "dialogs": Dialog,
    "slots": Slot,
    "turns": Turn,
}

text = st.text(st.characters(codec="utf-8"), max_size=12)
body = st.text(st.sampled_from('<a b="1"></a>&\r\n\u2028\x85é{}${x}\\'), max_size=150)
names = st.none() | text
times = st.floats(-1e12, 1e12, allow_nan=False)
messages = st.builds(
    Template, text, st.lists(st.tuples(text, text), max_size=4).map(tuple), body
) | st.builds(Template, text, st.just(()), st.just(""), st.binary(max_size=200))
turns = st.builds(
    Turn,
    id=text,
    speaker=text,
    listener=text,
    connection=text,
    dialog=text,
    message=messages,
    at_ms=times,
    frame=st.none() | st.integers(0, 1 << 40),
    answers=names,
    cause=names,
    after=st.lists(text, max_size=40).map(tuple),
    expect=st.lists(st.builds(Expectation, text, text), max_size=2).map(tuple),
    optional=st.booleans(),
    live=st.booleans(),
    copy_of=names,
)
connections = st.builds(
    Connection, text, text, text, text, text, st.sampled_from(TRANSPORTS), st.booleans(),
    st.none() | times, st.none() | times, names, st.sampled_from(ENDINGS),
)  # fmt: skip
asides = st.builds(
    Aside, st.sampled_from(PROTOCOLS), times, text, text,
    st.lists(st.tuples(times, st.booleans(), text), max_size=2).map(tuple),
)  # fmt: skip
scripts = st.builds(
    Script,
    title=text,
    parties=st.lists(st.builds(Party, text, st.sampled_from(PARTY_KINDS), names), max_size=2).map(
        tuple
    ),
    connections=st.lists(connections, max_size=2).map(tuple),
    dialogs=st.lists(st.builds(Dialog, text, text, text, text), max_size=2).map(tuple),
    slots=st.lists(
        st.builds(Slot, text, st.sampled_from(SLOT_KINDS), text, names, names, text, names),
        max_size=3,
    ).map(tuple),
    turns=st.lists(turns, max_size=3).map(tuple),
    started=text,
    asides=st.lists(asides, max_size=2).map(tuple),
    origin=st.dictionaries(text, text, max_size=2),
)


def refused(data: str | bytes) -> str:
    """Return the reason for which it is no script, without the name of the file."""
    with pytest.raises(ScriptError) as caught:
        read_script(data, "case.json")
    line = str(caught.value)
    assert line.startswith("case.json: ")
    assert line.isprintable()
    return line.removeprefix("case.json: ")


def changed(*path: str | int, value: object) -> str:
    """Return the case with another value somewhere."""
    document = json.loads(CASE)
    at = document
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return json.dumps(document)


# What is written is read again


@given(scripts)
def test_reading_what_was_written_gives_the_same_script(script: Script) -> None:
    written = write_script(script)
    assert read_script(written) == script
    assert read_script(written.encode()) == script
    assert write_script(read_script(written)) == written


def test_a_file_is_lines_of_small_things_and_blocks_of_turns() -> None:
    lines = CASE.splitlines()
    assert CASE.endswith("}\n")
    assert '    {"id": "server", "kind": "server"}' in lines
    assert '      "connection": "c1", "dialog": "channel1", "at_ms": 12.5,' in lines
    assert '          "CSeq: 2 INFO",' in lines
    assert '        {"path": "status", "equals": "200"}' in lines
    assert sum('"name": "room1"' in line for line in lines) == 1


def test_another_text_is_another_line_and_nothing_else() -> None:
    one = case()
    slots = tuple(
        replace(slot, value="Other words") if slot.name == "text1" else slot for slot in one.slots
    )
    before, after = CASE.splitlines(), write_script(replace(one, slots=slots)).splitlines()
    differing = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert len(differing) == 1
    assert "Other words" in differing[0][1]


def test_what_is_as_it_is_by_default_is_not_written() -> None:
    document = json.loads(CASE)
    assert set(document["turns"][0]) == {
        "id", "speaker", "listener", "connection", "dialog", "at_ms", "frame", "message",
    }  # fmt: skip
    assert "asides" not in document


def test_line_ends_of_a_body_are_kept_one_by_one() -> None:
    sdp = "v=0\r\no=- 0 0 IN IP4 10.0.0.1\ns=session\rt=0 0\r\n"
    script = with_message(case(), "t7", lambda message: replace(message, body=sdp))
    pieces = json.loads(write_script(script))["turns"][6]["message"]["body"]
    assert pieces == ["v=0\r\n", "o=- 0 0 IN IP4 10.0.0.1\n", "s=session\rt=0 0\r\n"]
    assert read_script(write_script(script)) == script


def test_a_long_document_is_broken_before_its_elements() -> None:
    pieces = json.loads(CASE)["turns"][2]["message"]["body"]
    assert pieces[1:3] == ['<cmd id="cmd:join" seqid="1">', "<data>"]
    assert "".join(pieces) == case().turns[2].message.body


def test_a_body_may_be_broken_anywhere_by_who_edits_it() -> None:
    wanted = case()
    document = json.loads(CASE)
    whole = "".join(document["turns"][6]["message"]["body"])
    document["turns"][6]["message"]["body"] = whole
    assert read_script(json.dumps(document)) == wanted
    document["turns"][6]["message"]["body"] = list(whole)
    assert read_script(json.dumps(document)) == wanted


def test_a_header_may_be_typed_without_the_blank() -> None:
    script = read_script(CASE.replace('"CSeq: 2 INFO"', '"CSeq:2 INFO"'))
    assert script == case()


def test_a_name_that_is_none_is_in_a_pair() -> None:
    odd = (("a:b", "c"), ("", "no name"), ("Empty", ""))
    script = with_message(case(), "t1", lambda message: replace(message, headers=odd))
    headers = json.loads(write_script(script))["turns"][0]["message"]["headers"]
    assert headers == [["a:b", "c"], ["", "no name"], "Empty: "]
    assert read_script(write_script(script)) == script


def test_a_file_may_begin_with_a_byte_order_mark() -> None:
    assert read_script(b"\xef\xbb\xbf" + CASE.encode()) == case()
    assert read_script("\ufeff" + CASE) == case()


def test_what_reorders_a_line_is_seen_in_the_file() -> None:
    written = write_script(replace(case(), title="a\u202eb\x85\x1b[2J"))
    assert r'"a\u202eb\u0085\u001b[2J"' in written
    assert read_script(written).title == "a\u202eb\x85\x1b[2J"


# What is no script


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xd4\xc3\xb2\xa1", "byte 0 is not UTF-8"),
        ("", "line 1, column 1: no JSON: Expecting value"),
        ('{"format": "xccos-script",}', "line 1, column 27: no JSON"),
        ("[]", 'no script: it does not say "format": "xccos-script"'),
        ('{"format": "har"}', 'no script: it does not say "format": "xccos-script"'),
        ("[" * 100_000, "nested too deep for a script"),
        ('{"a": 1, "b": 2, "a": 3}', "no JSON: the key 'a' is there twice in one object"),
        ('{"a": NaN}', "no JSON: NaN is no number"),
        ('{"a": 1' + "0" * 5000 + "}", "no JSON: "),
    ],
)
def test_what_is_no_json_or_no_script_is_refused(data: str | bytes, reason: str) -> None:
    assert refused(data).startswith(reason)


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("title",), 5, "title: must be a text, not a number"),
        (("parties",), None, "parties: must be a list, not null"),
        (("parties", 0), [], "parties[0]: must be an object, not a list"),
        (("parties", 0, "kind"), "clint",
         "parties[0].kind: 'clint' is none of client, server, host"),
        (("connections", 0, "transport"), "sctp",
         "connections[0].transport: 'sctp' is none of tcp, tls, udp"),
        (("connections", 0, "live"), 1, "connections[0].live: must be true or false, not a number"),
        (("slots", 4, "kind"), "sip", "slots[4].kind: 'sip' is none of call-id, tag, "),
        (("slots", 4, "value"), "\ud800",
         "slots[4].value: has half of a surrogate pair, which is no character"),
        (("turns", 3, "at_ms"), "1", "turns[3].at_ms: must be a number, not a text"),
        (("turns", 3, "at_ms"), True, "turns[3].at_ms: must be a number, not true or false"),
        (("turns", 3, "at_ms"), 10**400, "turns[3].at_ms: must be within 1000000000000 millis"),
        (("turns", 3, "frame"), -1, "turns[3].frame: must be from 0 to "),
        (("turns", 3, "frame"), 1.5, "turns[3].frame: must be a whole number, not a number"),
        (("turns", 3, "after"), "t1", "turns[3].after: must be a list, not a text"),
        (("turns", 3, "after"), ["t1", 2], "turns[3].after[1]: must be a text, not a number"),
        (("turns", 3, "afte"), [], "turns[3]: unknown key 'afte'; did you mean 'after'?"),
        (("turns", 3, "message"), 1, "turns[3].message: must be an object, not a number"),
        (("turns", 3, "message", "headers", 2), "To <sip:a@b>",
         "turns[3].message.headers[2]: is no header, which is written as 'Name: value'"),
        (("turns", 3, "message", "headers", 2), ["To"],
         "turns[3].message.headers[2]: must be a text, not a list"),
        (("turns", 3, "message", "headers"), ["A: b"] * 2001,
         "turns[3].message.headers: has 2001 items; 2000 at most are read"),
        (("turns", 3, "message", "headers"), ["A: " + "b" * 300_000],
         "turns[3].message.headers: are longer than 262144 characters"),
        (("turns", 3, "message", "body"), "é" * (MAX_BODY // 2 + 1),
         f"turns[3].message.body: is longer than {MAX_BODY} bytes"),
        (("turns", 3, "message", "body"), ["a" * MAX_BODY] * 3,
         f"turns[3].message.body: is longer than {MAX_BODY} bytes"),
        (("turns", 3, "message", "binary"), "not base64",
         "turns[3].message.binary: is no base64"),
        (("turns", 2, "message", "binary"), "AAAA",
         "turns[2].message.binary: there is a body already; a message has one of them"),
        (("turns", 2, "expect", 1, "path"), None,
         "turns[2].expect[1].path: must be a text, not null"),
        (("origin",), {"a": 1}, "origin.a: must be a text, not a number"),
        (("asides",), [{"protocol": "ftp"}], "asides[0].protocol: 'ftp' is none of dns, http, tls"),
        (("turns",), [{}] * 100_001, "turns: has 100001 items; 100000 at most are read"),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_its_place(
    path: tuple[str | int, ...], value: object, line: str
) -> None:
    assert refused(changed(*path, value=value)).startswith(line)


def test_what_must_be_there_is_named() -> None:
    document = json.loads(CASE)
    del document["turns"][1]["listener"]
    assert refused(json.dumps(document)) == "turns[1].listener: is missing"
    del document["turns"]
    assert refused(json.dumps(document)) == "turns: is missing"


def test_a_file_is_bounded_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_json, "MAX_FILE", 1000)
    assert refused(CASE) == "longer than 1000 bytes"
    monkeypatch.setattr(script_json, "MAX_FILE", 1 << 20)
    monkeypatch.setattr(script_json, "MAX_BRACKETS", 50)
    assert refused(CASE) == "no JSON: more than 50 lists and objects"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(st.data())
def test_a_document_with_any_value_anywhere_is_read_or_refused_in_one_line(
    data: st.DataObject,
) -> None:
    document = json.loads(CASE)
    at, key = document, "title"
    while isinstance(at, dict | list) and at:
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if not isinstance(at[key], dict | list) or data.draw(st.integers(0, 4)) == 0:
            break
        at = at[key]
    at[key] = data.draw(values)
    text_of = json.dumps(document)
    try:
        read_script(text_of, "case.json")
    except ScriptError as error:
        assert str(error).isprintable()  # noqa: PT017  (either will do)


@given(st.integers(0, len(CASE) - 1), st.binary(max_size=3), st.integers(0, 40))
@example(0, b"", 1)
@example(20, b"\xff", 0)
def test_a_file_with_any_bytes_changed_is_read_or_refused(at: int, put: bytes, cut: int) -> None:
    data = CASE.encode()
    mutated = data[:at] + put + data[at + cut :]
    try:
        read_script(mutated, "case.json")
    except ScriptError as error:
        assert "\n" not in str(error)  # noqa: PT017  (either will do)


# The schema


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    path = ROOT / "docs/schema/script.schema.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


@given(scripts)
def test_what_is_written_keeps_to_the_schema(schema: Draft202012Validator, script: Script) -> None:
    schema.validate(json.loads(write_script(script)))


@pytest.mark.parametrize("name", ["signin-tcp.pcap", "fe-two-hops.pcapng", "r2-post-full.pcap"])
def test_a_derived_case_keeps_to_the_schema_and_is_read_again(
    schema: Draft202012Validator, name: str
) -> None:
    with open_capture(SAMPLES / name) as trace:
        script = derive(trace)
    written = write_script(script)
    assert read_script(written) == script
    schema.validate(json.loads(written))
    assert len(written) < 3000 * len(script.turns)


def test_the_schema_has_the_keys_that_are_read(schema: Draft202012Validator) -> None:
    document = schema.schema
    assert isinstance(document, dict)
    items = {name: document["properties"][name]["items"] for name in TYPES}
    for name, kind in TYPES.items():
        assert set(items[name]["properties"]) == {field.name for field in fields(kind)}, name
        required = {field.name for field in fields(kind) if field.default is MISSING}
        assert set(items[name]["required"]) == required, name
    assert items["slots"]["properties"]["kind"]["enum"] == list(SLOT_KINDS)
    assert document["properties"]["version"]["const"] == VERSION


def test_the_schema_and_the_reader_refuse_the_same(schema: Draft202012Validator) -> None:
    for key, value in [("afte", []), ("after", "t1"), ("at_ms", "1"), ("frame", -1)]:
        document = json.loads(changed("turns", 3, key, value=value))
        assert not schema.is_valid(document)
