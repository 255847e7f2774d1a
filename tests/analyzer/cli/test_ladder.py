"""``xccos ladder``: formats, files, choices and what is said when something is wrong."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from analyzer import extras
from analyzer.zones import LocalZone
from tests.analyzer.cli.running import xccos
from tests.analyzer.ladder.drawn import HOPS, MODEL, POST, RECORDED, TWO, redirected
from tests.analyzer.truths import CAPTURES, FLOWS, named
from tests.paths import SAMPLES, SHARED

if TYPE_CHECKING:
    from pathlib import Path

SALES = ("--room", "Sales EMEA")


def one_line(text: str) -> str:
    """Return the only line that was said; click's usage before it does not count."""
    lines = [line for line in text.splitlines() if line and not line.startswith(("Usage", "Try"))]
    assert len(lines) == 1, text
    return lines[0]


# Text


def test_without_anything_it_is_text_that_fits_a_page() -> None:
    result = xccos("ladder", RECORDED)
    assert (result.code, result.err) == (0, "")
    assert result.lines[0] == "Session 1: user1"
    assert max(map(len, result.lines)) <= 100
    assert any("INFO join Sales EMEA" in line for line in result.lines)


def test_text_is_as_wide_as_was_asked() -> None:
    narrow, wide = (xccos("ladder", RECORDED, "--width", width) for width in ("70", "160"))
    assert max(map(len, narrow.lines)) <= 70
    assert 100 < max(map(len, wide.lines)) <= 160


def test_text_in_ascii_has_no_other_characters() -> None:
    result = xccos("ladder", MODEL, "--ascii")
    assert result.raw.isascii()
    assert "getpref x11" in result.out


def test_a_terminal_that_takes_ascii_alone_gets_no_more() -> None:
    assert xccos("ladder", MODEL, terminal=True, encoding="ascii").raw.isascii()


def test_colour_is_for_terminals_and_for_who_asks() -> None:
    assert "\x1b[" not in xccos("ladder", RECORDED).out
    assert "\x1b[" in xccos("ladder", RECORDED, "--color", "always").out


# Times


def test_times_are_absolute_relative_or_deltas() -> None:
    def times(mode: str) -> list[str]:
        result = xccos("ladder", RECORDED, "--time", mode, "--dialog", "#0")
        return [line.split()[1] for line in result.lines if re.match(r" {1,5}\d+  ", line)]

    assert times("absolute")[:2] == ["06:08:21.640728", "06:08:21.642214"]
    assert times("relative") == ["+0.000000", "+0.001486", "+1.636887"]
    assert times("delta") == ["+0.000000", "+0.001486", "+1.635401"]


@pytest.mark.parametrize(
    ("zone", "clock", "named_as"),
    [
        ("UTC", "13:51:44.324758", "UTC"),
        ("z", "13:51:44.324758", "UTC"),
        ("Europe/Berlin", "14:51:44.324758", "UTC+01:00"),
        ("+05:30", "19:21:44.324758", "UTC+05:30"),
        ("-0800", "05:51:44.324758", "UTC-08:00"),
        ("+2", "15:51:44.324758", "UTC+02:00"),
        ("local", "16:51:44.324758", "UTC+03:00"),
    ],
)
def test_times_are_shown_in_any_zone_which_is_named(
    zone: str, clock: str, named_as: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    # Summer time there began a day later: what counts is the time of the capture, not today's.
    monkeypatch.setenv("TZ", "<+03>-3<+04>,M3.5.0,M10.5.0/3")
    time.tzset()
    result = xccos("ladder", MODEL, "--zone", zone)
    monkeypatch.undo()
    time.tzset()
    assert result.code == 0
    assert f"time ({named_as})" in result.out
    assert any(clock in line for line in result.lines)


@pytest.mark.parametrize(
    ("zone", "reason"),
    [
        ("Moon/Base", "'Moon/Base' is not a time zone: UTC, local, +02:00 or a name such as"),
        ("", "'' is not a time zone"),
        ("../etc/passwd", "is not a time zone"),
        ("+25:00", "the zone must be within 24 hours of UTC"),
        ("+02:75", "'+02:75' is no offset from UTC; one is written as +02:00"),
        ("+x", "'+x' is no offset from UTC"),
    ],
)
def test_a_zone_that_there_is_not_is_refused_in_one_line(zone: str, reason: str) -> None:
    result = xccos("ladder", RECORDED, "--zone", zone)
    assert result.code == 2
    assert reason in one_line(result.err)


def test_without_a_database_of_zones_a_line_says_what_names_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import zoneinfo

    def absent(name: str) -> object:
        raise zoneinfo.ZoneInfoNotFoundError(f"No time zone found with key {name}")

    monkeypatch.setattr(zoneinfo, "ZoneInfo", absent)
    result = xccos("ladder", RECORDED, "--zone", "Europe/Berlin")
    assert result.code == 2
    assert "(names need tzdata)" in one_line(result.err)


def test_typed_times_are_in_the_zone_that_is_shown_unless_they_have_one() -> None:
    expected = xccos("ladder", RECORDED, "--from-time", "06:08:22Z", "--wireshark-filter").out
    assert "66" in expected
    for typed, zone in (
        ("08:08:22", "+02:00"),
        ("07:08:22", "Europe/Berlin"),
        ("2026-11-22 07:08:22", "Europe/Berlin"),
        ("06:08:22Z", "Europe/Berlin"),
        ("05:08:22-01:00", "+02:00"),
        ("06:08:22", "UTC"),
    ):
        options = ("--from-time", typed, "--zone", zone, "--wireshark-filter")
        assert xccos("ladder", RECORDED, *options).out == expected, (typed, zone)


# Choices


def frames_of(*options: str | Path) -> list[int]:
    """Return the frames that the rows of the text begin with."""
    result = xccos("ladder", *options, "--no-fold", "--no-findings")
    assert result.code == 0
    return [int(line.split()[0]) for line in result.lines if re.match(r" {1,5}\d+  \d\d:", line)]


def test_options_choose_and_together_they_narrow() -> None:
    room = frames_of(RECORDED, *SALES)
    assert set(room) >= {46, 49, 57, 60}
    assert frames_of(RECORDED, *SALES, "--frames", "1-50") == [one for one in room if one <= 50]
    first, second = (frames_of(TWO, "--session", one) for one in "12")
    assert frames_of(TWO, "--user", "user2") == first
    assert sorted(frames_of(TWO)) == sorted(first + second)
    assert frames_of(TWO, "--session", "1", "--session", "2") == frames_of(TWO)


def test_a_choice_that_nothing_meets_is_one_line_and_no_error() -> None:
    result = xccos("ladder", RECORDED, "--room", "cantina")
    assert result.code == 0
    assert one_line(result.err) == "xccos: no message matches"


def test_a_capture_without_sip_says_so() -> None:
    result = xccos("ladder", SHARED / "corpus" / "captures" / "linktypes" / "loopback.pcap")
    assert result.code == 0
    assert one_line(result.err) == "xccos: there is no SIP message in it"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--session", "9"), "there is no session 9: the capture has 1"),
        (("--session", "0"), "0 is not in the range x>=1"),
        (("--user", "carl"), "no session is of carl"),
        (("--dialog", "#77"), "there is no dialog #77: there are 6, from #0"),
        (("--flow", "lunch"), "there is no flow 'lunch' here; there are: posting, sign-in"),
        (("--flow", "posting:2"), "'posting:2': of posting there are 1 to 1"),
        (("--frames", "9-4"), "'9-4' ends before it begins"),
        (("--from-time", "noon"), "'noon' is not a time such as"),
        (("--alias", "fe1"), "'fe1' is no alias; one is written as 10.0.0.5=fe1"),
        (("--hide-lane", "fe7"), "there is no lane fe7; there are: user1, Front End, "),
        (("--format", "gif"), "'gif' is not one of"),
        (("--width", "12"), "12 is not in the range"),
        (("-o", "out.gif"), "-o out.gif: a ladder is written as one of .txt .svg .html .htm"),
        (("--wireshark-filter", "--format", "svg"), "leave out --format"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(options: tuple[str, ...], reason: str) -> None:
    result = xccos("ladder", RECORDED, *options)
    assert (result.code, result.out) == (2, "")
    assert reason in one_line(result.err)


def test_a_capture_that_is_not_there_is_one_line() -> None:
    result = xccos("ladder", "absent.pcap")
    assert result.code == 3
    assert "absent.pcap" in one_line(result.err)


def test_of_a_damaged_capture_what_could_be_read_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(RECORDED.read_bytes()[:9000])
    result = xccos("ladder", path, "-o", tmp_path / "out.svg")
    assert result.code == 3
    assert "cut.pcap" in one_line(result.err)
    assert b"REGISTER" in (tmp_path / "out.svg").read_bytes()


# How it is shown


def test_aliases_come_from_a_file_and_from_the_command_line_which_goes_before_it(
    tmp_path: Path,
) -> None:
    names = tmp_path / "hosts"
    names.write_text("192.168.1.12 fe1 fe1.local\n192.168.2.22 = a desk # upstairs\n")
    result = xccos("ladder", HOPS, "--aliases", names, "--alias", "192.168.2.22=Bob")
    assert [line.split()[0] for line in result.lines[4:6]] == ["Bob", "fe1"]
    names.write_text("192.168.1.12\n")
    result = xccos("ladder", HOPS, "--aliases", names)
    assert result.code == 2
    assert "line 1 is no alias: '192.168.1.12'" in one_line(result.err)


def test_a_file_of_aliases_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = xccos("ladder", HOPS, "--aliases", tmp_path / "none")
    assert result.code == 2
    assert "does not exist" in one_line(result.err)


def test_what_is_hidden_merged_or_folded_is_said_below() -> None:
    result = xccos("ladder", HOPS, "--hide-method", "SUBSCRIBE", "--hide-lane", "lookup")
    assert "8 messages of SUBSCRIBE are hidden by --hide-method" in result.out
    assert "Lookup service is hidden by --hide-lane, with " in result.out
    assert "further sightings on other hops are merged: --hops draws each hop" in result.out


def test_folding_can_be_done_without_and_answers_folded_too() -> None:
    assert "rpl:bjoin 200 ×3" in xccos("ladder", MODEL).out
    assert "rpl:bjoin 200 ×3" not in xccos("ladder", MODEL, "--no-fold").out
    answered = xccos("ladder", MODEL, "--fold-answers", "--width", "160").out
    assert "200 OK after 49.4 ms (frame 17)" in answered
    assert "─ 200 OK" not in answered


def test_every_hop_is_drawn_when_asked() -> None:
    assert 30 in frames_of(HOPS, "--hops")
    assert 30 not in frames_of(HOPS)


def test_findings_can_be_left_out() -> None:
    path = SAMPLES / "fault-503.pcap"
    assert "GC409" in xccos("ladder", path).out
    assert "GC409" not in xccos("ladder", path, "--no-findings").out


def test_tls_is_drawn_where_there_are_keys() -> None:
    result = xccos("ladder", named(CAPTURES, "tls"), "--session", "1")
    assert result.code == 0
    assert "INFO join Sales EMEA" in result.out


def test_a_redirect_of_a_director_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "redirected.pcap"
    path.write_bytes(redirected().pcap())
    result = xccos("ladder", path, "--width", "150")
    assert "Director" in result.out
    assert "301 Redirect to Home Server to sip:pool1" in result.out


# Files and formats


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("out.txt", b"Session 1: hiro"),
        ("out", b"Session 1: hiro"),
        ("out.svg", b"<?xml"),
        ("out.SVG", b"<?xml"),
        ("out.html", b"<!DOCTYPE html>"),
        ("out.htm", b"<!DOCTYPE html>"),
        ("out.png", b"\x89PNG"),
        ("out.pdf", b"%PDF"),
        ("out.mmd", b"sequenceDiagram"),
        ("out.puml", b"@startuml"),
    ],
)
def test_the_suffix_says_the_format(name: str, begins: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    result = xccos("ladder", MODEL, "--dialog", "#0", "-o", path)
    assert (result.code, result.out, result.err) == (0, "", "")
    assert path.read_bytes().lstrip().startswith(begins)
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_the_format_can_be_named_whatever_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "ladder.dat"
    assert xccos("ladder", MODEL, "--format", "svg", "-o", path).code == 0
    assert path.read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize("name", ["svg", "html", "pdf", "mmd", "puml", "txt"])
def test_formats_can_be_piped(name: str) -> None:
    result = xccos("ladder", MODEL, "--session", "1", "--format", name, "-o", "-")
    assert (result.code, result.err) == (0, "")
    assert len(result.raw) > 1000


@pytest.mark.parametrize("name", ["png", "pdf"])
def test_what_is_no_text_is_not_sent_to_a_terminal(name: str) -> None:
    result = xccos("ladder", MODEL, "--format", name, terminal=True)
    assert (result.code, result.raw) == (2, b"")
    assert f"{name} is no text: name a file with -o" in one_line(result.err)


def test_a_page_has_the_message_behind_each_arrow(tmp_path: Path) -> None:
    path = tmp_path / "out.html"
    assert xccos("ladder", POST, "-o", path).code == 0
    page = path.read_text(encoding="utf-8")
    assert "cmd:getfutok" in page
    assert "Max-Forwards" in page


def test_several_pages_are_several_files_and_it_is_said(tmp_path: Path) -> None:
    result = xccos("ladder", MODEL, "--page-size", "20", "-o", tmp_path / "out.svg")
    assert result.code == 0
    files = sorted(one.name for one in tmp_path.iterdir())
    assert files == ["out-2.svg", "out-3.svg", "out.svg"]
    said = one_line(result.err)
    assert said.startswith("xccos: 3 pages: ")
    assert "out.svg, " in said
    assert said.endswith("out-2.svg, ...")


def test_of_pages_that_are_no_text_the_first_goes_to_stdout_and_it_is_said() -> None:
    result = xccos("ladder", MODEL, "--page-size", "20", "--format", "svg")
    assert result.raw.count(b"</svg>") == 1
    assert one_line(result.err).startswith("xccos: only the first page was written")
    both = xccos("ladder", MODEL, "--page-size", "20", "--format", "puml")
    assert (both.raw.count(b"@enduml"), both.err) == (3, "")


@pytest.mark.parametrize(
    ("name", "module"), [("png", "resvg_py"), ("png", "ttf_opensans"), ("pdf", "reportlab")]
)
def test_a_library_that_is_missing_is_one_line_with_the_command(
    name: str, module: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, module, None)
    result = xccos("ladder", MODEL, "-o", tmp_path / f"out.{name}")
    assert result.code == 2
    assert f"{module} is not installed (pip install 'xccos-analyzer[images]')" in one_line(
        result.err
    )
    assert list(tmp_path.iterdir()) == []
    assert issubclass(extras.MissingExtra, ValueError)


def test_the_output_is_never_an_input(tmp_path: Path) -> None:
    capture, names = tmp_path / "capture.svg", tmp_path / "names.txt"
    capture.write_bytes(MODEL.read_bytes())
    names.write_text("10.0.0.1 = a\n")
    for path in (capture, names):
        before = path.read_bytes()
        result = xccos("ladder", capture, "--aliases", names, "-o", path)
        assert result.code == 2
        assert "is an input: it would be overwritten" in one_line(result.err)
        assert path.read_bytes() == before


def test_a_second_page_is_no_input_either(tmp_path: Path) -> None:
    capture = tmp_path / "out-2.svg"
    capture.write_bytes(MODEL.read_bytes())
    result = xccos("ladder", capture, "--page-size", "20", "-o", tmp_path / "out.svg")
    assert result.code == 2
    assert "is an input" in one_line(result.err)
    assert capture.read_bytes() == MODEL.read_bytes()


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    result = xccos("ladder", MODEL, "-o", tmp_path / "none" / "out.svg")
    assert result.code == 2
    assert "cannot write" in one_line(result.err)


# Wireshark


def test_the_filter_shows_all_frames_behind_what_is_drawn(tmp_path: Path) -> None:
    result = xccos("ladder", HOPS, "--dialog", "#0", "--wireshark-filter")
    assert (result.code, result.err) == (0, "")
    assert result.out == "frame.number in {4..6, 8, 10, 11}\n"
    path = tmp_path / "filter.txt"
    assert xccos("ladder", HOPS, "--dialog", "#0", "--wireshark-filter", "-o", path).code == 0
    assert path.read_text() == result.out


def test_the_filter_of_nothing_shows_nothing() -> None:
    result = xccos("ladder", HOPS, "--room", "cantina", "--wireshark-filter")
    assert result.out == "frame.number == 0\n"
    assert "no message" in one_line(result.err)


def test_a_forked_lookup_shows_each_instance() -> None:
    out = xccos("ladder", named(FLOWS, "forked-lookup"), "--width", "150").out
    assert "Lookup service 3" in out


def test_the_local_zone_stands_what_no_clock_can_show() -> None:
    zone = LocalZone()
    assert zone.utcoffset(None) is None
    assert zone.dst(None) is None
    assert zone.tzname(None) == "local"
    assert isinstance(zone.utcoffset(datetime.min.replace(tzinfo=zone)), timedelta)
