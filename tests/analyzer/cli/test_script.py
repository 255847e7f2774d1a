"""``xccos script``: from a capture to a case, and from a case to the same one for other people."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.replay.script_json import read_script, write_script
from analyzer.replay.versions import CONVERTERS
from tests.analyzer.cli.running import Result, xccos
from tests.analyzer.replay.by_hand import case, with_slot, with_turn
from tests.paths import SAMPLES, SHARED, require_shared

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.replay.script import Script

SIGN_IN = SAMPLES / "signin-tcp.pcap"
TWO = SAMPLES / "twousers-post.pcap"


def script_in(result: Result) -> Script:
    assert result.code == 0, result.err
    return read_script(result.raw)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "case.json"
    path.write_text(write_script(case()), encoding="utf-8")
    return path


# From a capture


def test_a_capture_becomes_a_script_on_stdout_or_in_a_file(tmp_path: Path) -> None:
    shown, out = xccos("script", SIGN_IN), tmp_path / "case.json"
    assert (shown.code, shown.err) == (0, "")
    assert xccos("script", SIGN_IN, "-o", out).out == ""
    assert out.read_bytes() == shown.raw
    script = script_in(shown)
    assert len(script.turns) == 55
    assert [party.kind for party in script.parties] == ["client", "server"]


def test_a_part_of_a_capture_can_be_chosen() -> None:
    whole, one = (script_in(xccos("script", TWO, *more)) for more in ((), ("--session", "2")))
    assert len(whole.clients) == 2
    assert len(one.clients) == 1
    assert 10 < len(one.turns) < len(whole.turns)
    bare = script_in(xccos("script", SIGN_IN, "--flow", "posting", "--bare"))
    assert 1 < len(bare.turns) < 20
    post = script_in(xccos("script", SIGN_IN, "--flow", "posting"))
    assert post.turns[0].message.method == "REGISTER"
    assert len(bare.turns) < len(post.turns) < len(whole.turns)


def test_what_is_not_there_cannot_be_chosen() -> None:
    result = xccos("script", SIGN_IN, "--session", "9")
    assert (result.code, result.out) == (2, "")
    assert result.err.splitlines()[-1].startswith("Error: ")


def test_the_report_says_what_was_found_and_what_stayed() -> None:
    result = xccos("script", SIGN_IN, "--report")
    script_in(result)
    assert "slots" in result.err.splitlines()[0]
    report = json.loads(xccos("script", SIGN_IN, "--report", "json").err)
    assert isinstance(report, dict)
    assert report


def test_a_damaged_capture_gives_what_could_be_derived(tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(SIGN_IN.read_bytes()[:12_000])
    result = xccos("script", cut)
    assert result.code == 3
    assert 1 <= len(read_script(result.raw).turns) < 55
    assert result.err.startswith(f"xccos: {cut}: ")


@pytest.mark.parametrize("data", [b"", b"no capture", b"\xd4\xc3\xb2\xa1" + bytes(20)])
def test_what_has_no_message_gives_no_script(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(data)
    result = xccos("script", path, "-o", tmp_path / "case.json")
    assert result.code == 3
    assert len(result.err.splitlines()) == 1
    assert not (tmp_path / "case.json").exists()


def test_what_a_script_has_not_of_its_capture_is_said_once() -> None:
    require_shared()
    hole = SHARED / "flows" / "hole-in-the-middle.pcapng"
    told = xccos("script", hole)
    script_in(told)
    (line,) = told.err.splitlines()
    assert line.startswith(f"xccos: {hole}: the capture has 2 holes: ")
    assert xccos("script", hole, "--report").err.count("the capture has 2 holes") == 1
    assert json.loads(xccos("script", hole, "--report", "json").err)["losses"]


def test_a_script_with_errors_is_not_played(tmp_path: Path) -> None:
    script = case()
    turns = tuple(replace(turn, after=("t999",)) for turn in script.turns)
    path = tmp_path / "bad.json"
    path.write_text(write_script(replace(script, turns=turns)), encoding="utf-8")
    for command in (("replay", "self"), ("shrink", "--until", "GC204")):
        result = xccos(*command, path)
        assert (result.code, result.out) == (3, "")
        lines = result.err.splitlines()
        assert lines[0].startswith(f"xccos: {path}: turn t1: ")
        assert len(lines) <= 6


# From a script


def test_a_script_that_is_not_edited_stays_as_it_is(file: Path) -> None:
    assert xccos("script", file).raw == file.read_bytes()


def test_an_older_script_is_written_as_a_new_one(tmp_path: Path) -> None:
    document: dict[str, Any] = json.loads(write_script(case()))
    document["version"] = min(CONVERTERS)
    for turn in document["turns"]:
        turn["at"] = turn.pop("at_ms") / 1000
        turn["needs"] = turn.pop("after", [])
    path = tmp_path / "old.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert script_in(xccos("script", path)) == case()


def test_values_are_set_by_their_names(file: Path) -> None:
    settings = ("--set", "user=bob@fabrikam.com", "--set", "text=a=b <c>")
    values = {slot.name: slot.value for slot in script_in(xccos("script", file, *settings)).slots}
    assert values["client1.user"] == "bob@fabrikam.com"
    assert values["domain1"] == "fabrikam.com"
    assert values["text1"] == "a=b <c>"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--set", "rom=1"), "Error: --set: there is nothing called 'rom'; there are: client1, "),
        (("--set", "room"), "Error: Invalid value for '--set': 'room' is not NAME=VALUE"),
        (("--session", "1"), "Error: --session and the like choose of a capture; this is a script"),
        (("--seed", "1"), "Error: --seed is for --anonymise"),
        (("--check", "-o", "x.json"), "Error: --check writes no script: leave -o out"),
    ],
)
def test_what_cannot_be_done_is_said(file: Path, options: tuple[str, ...], line: str) -> None:
    result = xccos("script", file, *options)
    assert (result.code, result.out) == (2, "")
    assert result.err.splitlines()[-1].startswith(line)


def test_users_of_a_list_take_the_clients_places(file: Path, tmp_path: Path) -> None:
    users = tmp_path / "users.csv"
    users.write_text("user,password,text1\ncarol@contoso.com,hunter2,hello\nd@e.f,hunter3,\n")
    result = xccos("script", file, "--users", users)
    values = {slot.name: slot.value for slot in script_in(result).slots}
    assert (values["client1.user"], values["text1"]) == ("carol@contoso.com", "hello")
    assert "hunter" not in result.out
    users.write_text("user,password\n")
    assert xccos("script", file, "--users", users).code == 2


def test_pseudonyms_are_told_by_kind_and_nothing_is_left() -> None:
    result = xccos("script", SIGN_IN, "--anonymise", "--seed", "5")
    script_in(result)
    assert result.err.startswith("xccos: replaced ")
    assert result.err.endswith("none of the old values is left\n")
    assert "contoso" not in result.out
    assert xccos("script", SIGN_IN, "--anonymise", "--seed", "5").raw == result.raw
    assert xccos("script", SIGN_IN, "--anonymise").raw != result.raw


def test_a_value_that_cannot_be_replaced_keeps_the_script_back(tmp_path: Path) -> None:
    script = with_turn(case(), "t7", id="ann.archer")
    path = tmp_path / "case.json"
    path.write_text(write_script(script), encoding="utf-8")
    result = xccos("script", path, "--anonymise")
    assert (result.code, result.out) == (1, "")
    assert "turns[6].id: still has the user 'ann.archer'" in result.err


def test_an_input_is_never_overwritten(file: Path) -> None:
    before = file.read_bytes()
    assert xccos("script", file, "--set", "text=x", "-o", file).code == 2
    assert file.read_bytes() == before


# Check


def test_a_good_script_is_said_to_be_one(file: Path) -> None:
    result = xccos("script", file, "--check")
    assert (result.code, result.out) == (0, "")
    assert result.err == f"xccos: {file}: 8 turns, 14 slots: 0 errors, 0 warnings\n"


def test_a_warning_is_shown_and_an_error_fails(file: Path) -> None:
    file.write_text(write_script(with_slot(case(), "tag1", turn="t4")), encoding="utf-8")
    assert xccos("script", file, "--check").code == 0
    file.write_text(write_script(with_turn(case(), "t7", after=("t9",))), encoding="utf-8")
    result = xccos("script", file, "--check")
    assert result.code == 1
    assert result.out == "error: turn t7: names the turn t9, which is not there\n"
    assert result.err.endswith(": 1 error, 0 warnings\n")


def test_a_capture_can_be_checked_for_what_it_would_give() -> None:
    result = xccos("script", SIGN_IN, "--check")
    assert (result.code, result.out) == (0, "")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            '{"format": "xccos-script", "version": 9}',
            "version: is 9, and this program reads up to 1",
        ),
        ('  {"format": 1}', "no script: "),
        ("{", "line 1, column 2: no JSON: "),
        ('{"a\x1b[2J\u202e": ', "line 1, column "),
    ],
)
def test_a_file_that_is_no_script_is_refused_in_one_line(
    tmp_path: Path, text: str, line: str
) -> None:
    path = tmp_path / "case.json"
    path.write_text(text, encoding="utf-8")
    result = xccos("script", path, "--check")
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith(f"xccos: {path}: {line}")
    assert result.err.rstrip("\n").isprintable()
