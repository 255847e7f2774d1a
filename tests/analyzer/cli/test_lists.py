"""The four lists: formats, fields, filters, widths, and what hostile captures may not do."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from analyzer.cli.table import text_width
from analyzer.trace import open_capture
from analyzer.views.commands import command_record
from analyzer.views.messages import FIELDS, FULL_FIELDS, message_record
from tests.analyzer.captures import ESCAPE, capture, message
from tests.analyzer.cli.running import xccos
from tests.analyzer.export.writers import BUILT
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TWIN = [pytest.param(True, id="twin")] if BUILT else []
SAMPLE = SAMPLES / "twousers-post.pcap"
OTHER = SAMPLES / "fault-503.pcap"
LISTS = ("messages", "dialogs", "commands", "sessions")


def test_messages_as_json_lines_are_the_records_in_capture_order() -> None:
    result = xccos("messages", SAMPLE, "--format", "jsonl")
    with open_capture(SAMPLE) as trace:
        records = [message_record(trace, row) for row in range(len(trace))]
    assert [json.loads(line) for line in result.lines] == records


def test_commands_as_json_lines_are_the_records() -> None:
    result = xccos("commands", SAMPLE, "--format", "jsonl")
    with open_capture(SAMPLE) as trace:
        records = [command_record(trace, pair) for pair in trace.analysis().pairs]
    assert [json.loads(line) for line in result.lines] == records


@pytest.mark.parametrize("command", LISTS)
def test_the_formats_agree(command: str) -> None:
    lines = [json.loads(line) for line in xccos(command, SAMPLE, "--format", "jsonl").lines]
    assert json.loads(xccos(command, SAMPLE, "--format", "json").out) == lines
    raw = xccos(command, SAMPLE, "--format", "csv").raw.decode()
    rows = list(csv.DictReader(io.StringIO(raw, newline="")))
    assert [row["index"] for row in rows] == [str(line["index"]) for line in lines]
    table = xccos(command, SAMPLE).lines
    assert [row.split()[0] for row in table[1:]] == [str(line["index"]) for line in lines]


@pytest.mark.parametrize("command", LISTS)
def test_fields_choose_keys_columns_and_their_order(command: str) -> None:
    fields = ("call_id", "index") if command != "sessions" else ("user", "index")
    asked = ",".join(fields)
    lines = xccos(command, SAMPLE, "--format", "jsonl", "--fields", asked).lines
    assert {tuple(json.loads(line)) for line in lines} == {fields}
    assert xccos(command, SAMPLE, "--format", "csv", "--fields", asked).lines[0] == asked
    assert xccos(command, SAMPLE, "--fields", asked).lines[0].split() == list(fields)


@pytest.mark.parametrize("command", LISTS)
def test_several_files_add_a_file_field_and_one_file_does_not(command: str) -> None:
    lines = xccos(command, SAMPLE, OTHER, "--format", "jsonl").lines
    files = [json.loads(line)["file"] for line in lines]
    assert list(dict.fromkeys(files)) == [str(SAMPLE), str(OTHER)]
    assert xccos(command, SAMPLE, OTHER, "--format", "csv").lines[0].startswith("file,")
    assert xccos(command, SAMPLE, OTHER).lines[0].startswith("file ")
    assert "file" not in json.loads(xccos(command, SAMPLE, "--format", "jsonl").lines[0])


def test_a_filter_restricts_every_format() -> None:
    asked = ("messages", SAMPLE, "--command", "cmd:join", "--format")
    lines = [json.loads(line) for line in xccos(*asked, "jsonl").lines]
    assert [one["xccos"][0]["id"] for one in lines] == ["cmd:join"] * 2
    assert len(xccos(*asked, "csv").lines) == 3
    assert len(xccos(*asked, "table").lines) == 3


def test_filters_are_repeatable() -> None:
    once = xccos("messages", SAMPLE, "--method", "BYE", "--format", "jsonl").lines
    twice = xccos("messages", SAMPLE, "--method", "BYE", "--method", "ACK", "--format", "jsonl")
    assert len(twice.lines) > len(once) > 0


def test_the_limit_counts_over_all_files() -> None:
    lines = xccos("messages", SAMPLE, OTHER, "--limit", "3", "--format", "jsonl").lines
    assert len(lines) == 3
    assert json.loads(xccos("messages", SAMPLE, "--limit", "0", "--format", "json").out) == []


@pytest.mark.parametrize("command", LISTS)
def test_nothing_found_is_an_empty_list_and_a_remark(command: str) -> None:
    asked = (command, SAMPLE, "--user", "nobody")
    result = xccos(*asked, "--format", "json")
    assert (result.code, json.loads(result.out)) == (0, [])
    assert result.err.startswith("xccos: no ")
    assert len(xccos(*asked, "--format", "csv").lines) == 1
    assert xccos(*asked).out == ""


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 140])
@pytest.mark.parametrize("command", LISTS)
def test_a_table_fits_the_width(
    command: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = xccos(command, SAMPLE, "--color", "never", terminal=True).lines
    assert len(lines) > 1
    assert max(map(text_width, lines)) <= max(columns, 78)  # what must not be left out needs 78


def test_elsewhere_a_table_is_100_columns_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    lines = xccos("dialogs", SAMPLE).lines
    assert 90 <= max(map(text_width, lines)) <= 100


def test_colour_is_for_terminals_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    assert "\x1b[" not in xccos("commands", SAMPLE).out
    assert "\x1b[" in xccos("commands", SAMPLE, terminal=True).out
    assert "\x1b[" in xccos("commands", SAMPLE, "--color", "always").out
    assert "\x1b[" in xccos("--color", "always", "commands", SAMPLE).out
    assert "\x1b[" not in xccos("commands", SAMPLE, "--color", "never", terminal=True).out
    assert "\x1b[" not in xccos("--color", "never", "commands", SAMPLE, terminal=True).out


def test_colour_is_never_the_only_sign() -> None:
    plain = xccos("commands", OTHER, "--color", "never").out
    coloured = xccos("commands", OTHER, "--color", "always").out
    assert "rejected" in plain
    assert coloured.replace("\x1b[0m", "").count("rejected") == plain.count("rejected")


@pytest.mark.parametrize("command", ["messages", "dialogs", "commands", "sessions", "triage"])
@pytest.mark.parametrize("terminal", [True, False])
def test_control_characters_never_reach_the_output(
    command: str, terminal: bool, tmp_path: Path
) -> None:
    path = capture(
        tmp_path / "hostile.pcap",
        message(Call_ID=ESCAPE, To=f"<sip:{ESCAPE}@example.com>", User_Agent=ESCAPE),
        message(f"REGISTER sip:{ESCAPE} SIP/2.0", CSeq=f"1 {ESCAPE}", From=f'"{ESCAPE}" <sip:a@b>'),
        message(f"SIP/2.0 500 {ESCAPE}", Call_ID=ESCAPE),
    )
    formats = ["table"] if command == "triage" else ["table", "csv", "jsonl"]
    for format_ in formats:
        result = xccos(command, path, "--format", format_, "--color", "never", terminal=terminal)
        assert result.code == 0
        assert b"\x1b" not in result.raw
        assert b"\x07" not in result.raw
    assert xccos("messages", path).out.count("\n") == 4


def test_a_terminal_without_unicode_gets_ascii() -> None:
    result = xccos("dialogs", SAMPLE, encoding="ascii")
    assert result.raw.isascii()
    assert b"~" in result.raw


def test_an_unreadable_file_is_one_line_and_the_next_is_read(tmp_path: Path) -> None:
    text = tmp_path / "no.pcap"
    text.write_text("this is no capture")
    result = xccos("messages", tmp_path / "absent.pcap", text, SAMPLE, "--format", "jsonl")
    assert result.code == 3
    assert len(result.lines) == 114
    said = result.err.splitlines()
    assert len(said) == 2
    assert said[0].startswith(f"xccos: {tmp_path / 'absent.pcap'}: ")
    assert said[1].startswith(f"xccos: {text}: ")


def test_a_cut_file_shows_what_there_is_and_exits_with_3(tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(SAMPLE.read_bytes()[:30_000])
    result = xccos("messages", cut, "--format", "jsonl")
    assert result.code == 3
    assert 10 < len(result.lines) < 114
    assert len(result.err.splitlines()) == 1
    assert result.err.startswith(f"xccos: {cut}: ")


def test_a_fault_of_the_program_is_one_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> object:
        raise RuntimeError("\x1b[31mbroken")

    monkeypatch.setattr("analyzer.trace.open_capture", broken)
    monkeypatch.delenv("XCCOS_DEBUG", raising=False)
    result = xccos("messages", SAMPLE)
    assert result.code == 3
    assert "please report it (RuntimeError: \\x1b[31mbroken)" in result.err
    assert "Traceback" not in result.err
    monkeypatch.setenv("XCCOS_DEBUG", "1")
    with pytest.raises(RuntimeError):
        xccos("messages", SAMPLE)


def test_tables_of_chosen_fields_flatten_what_is_nested() -> None:
    lines = xccos("messages", SAMPLE, "--fields", "index,xccos,cseq,status").lines
    row = next(line for line in lines if "cmd:join" in line)
    assert row.split()[1:] == ["cmd:join", "4", "INFO"]


def test_a_file_that_cannot_be_read_back_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for error, words in (
        (OSError(5, "Input/output error"), "Input/output error"),
        (MemoryError(), "not enough memory"),
    ):

        def broken(*_: object, error: Exception = error, **__: object) -> object:
            raise error

        monkeypatch.setattr("analyzer.trace.open_capture", broken)
        result = xccos("messages", SAMPLE)
        assert (result.code, result.err) == (3, f"xccos: {SAMPLE}: {words}\n")


@pytest.fixture(params=[pytest.param(False, id="reference"), *TWIN])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.export.messages.compiled", lambda: request.param)


@pytest.mark.usefixtures("_way")
def test_both_ways_write_the_same_files() -> None:
    runs: list[tuple[str, ...]] = [(), ("--limit", "7"), ("--limit", "0"), ("--full",)]
    runs.append(("--method", "BYE"))
    for options in runs:
        lines = xccos("messages", SAMPLE, OTHER, "--format", "jsonl", *options).lines
        expected = list(_expected(full="--full" in options))
        if "--method" in options:
            expected = [one for one in expected if one["method"] == "BYE"]
        if "--limit" in options:
            expected = expected[: int(options[1])]
        assert [json.loads(line) for line in lines] == expected
        text = xccos("messages", SAMPLE, OTHER, "--format", "json", *options).out
        assert json.loads(text) == expected
        assert text == "[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n"


def _expected(*, full: bool) -> Iterator[dict[str, object]]:
    fields = (*FIELDS, *FULL_FIELDS) if full else tuple(FIELDS)
    for path in (SAMPLE, OTHER):
        with open_capture(path) as trace:
            for row in range(len(trace)):
                yield {"file": str(path), **message_record(trace, row, fields)}


@pytest.mark.usefixtures("_way")
def test_full_adds_the_message_behind_the_fields_asked_for() -> None:
    asked = ("messages", SAMPLE, "--format", "jsonl", "--fields")
    assert {tuple(json.loads(line)) for line in xccos(*asked, "headers,body").lines} == {
        ("headers", "body")
    }
    lines = xccos(*asked, "body,index", "--full").lines
    assert {tuple(json.loads(line)) for line in lines} == {
        ("body", "index", "start_line", "headers", "body_base64")
    }
    assert json.loads(lines[0])["start_line"].endswith("SIP/2.0")


@pytest.mark.parametrize("format_", ["csv", "table"])
def test_full_is_for_json(format_: str, tmp_path: Path) -> None:
    asked = ("messages", SAMPLE, "--format", format_)
    result = xccos(*asked, "--full")
    assert (result.code, result.out) == (2, "")
    assert result.err.endswith("--full is for --format json and jsonl\n")
    result = xccos(*asked, "--fields", "index,headers")
    assert result.code == 2
    assert "--fields: headers is for --format json and jsonl" in result.err
    result = xccos("messages", SAMPLE, "--full", "-o", tmp_path / "out.csv")
    assert result.code == 2
    assert list(tmp_path.iterdir()) == []
    assert xccos("messages", SAMPLE, "--full", "-o", tmp_path / "out.json").code == 0


def test_the_other_lists_have_no_full_form() -> None:
    assert xccos("commands", SAMPLE, "--full", "--format", "json").code == 2
    assert "unknown field" in xccos("dialogs", SAMPLE, "--fields", "headers").err
