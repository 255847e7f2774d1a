"""The command that says the same as a filter, run as it is shown."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from analyzer.cli.main import main
from analyzer.filters.command_line import command_line
from analyzer.filters.offers import MAX_LENGTH, MOST, offers_of
from analyzer.filters.parse import parse_filter
from analyzer.filters.words import WORDS
from analyzer.times import SECOND
from analyzer.zones import parse_zone
from tests.analyzer.captures import capture, message
from tests.analyzer.filters.looking import Looking
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

FILE = SAMPLES / "r2-post-full.pcap"


@pytest.fixture(scope="module")
def looking() -> Looking:
    return Looking(FILE)


def _command(text: str, zone: str = "UTC", *files: str) -> str | None:
    begins = 1_276_431_500 * SECOND  # 2010-06-13, as the capture
    terms = parse_filter(text).terms
    return command_line(terms, files or (str(FILE),), parse_zone(zone), begins)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("user:hiro", "UTC"),
        ("method:INFO status:200", "UTC"),
        ("status:4xx,>=500", "UTC"),
        ("command:cmd:join,grpchat", "UTC"),
        ('room:"a" after:14:18:22', "Europe/Berlin"),
        ("before:12:18:21", "UTC"),
        ("after:2010-06-13T12:18:22Z", "+05:30"),
        ("call-id:3*", "UTC"),
    ],
)
def test_the_command_lists_the_same_messages(looking: Looking, text: str, zone: str) -> None:
    shown = _command(text, zone)
    assert shown is not None
    program, *arguments = shlex.split(shown)
    assert (program, arguments[0]) == ("xccos", "messages")
    done = CliRunner().invoke(main, [*arguments, "--format", "json", "--fields", "index"])
    assert done.exit_code == 0, done.output
    rows = [one["index"] for one in json.loads(done.stdout)]
    assert rows == [*parse_filter(text).rows(looking, parse_zone(zone))]


def test_what_only_the_ladder_takes_is_its_command() -> None:
    shown = _command("session:2 frame:200-,8-13 dialog:#3")
    assert shown is not None
    words = shlex.split(shown)
    assert words[1] == "ladder"
    assert words[3:] == ["--session", "2", "--frames", "200-,8-13", "--dialog", "#3"]


def test_the_command_for_the_ladder_draws_as_many_messages(looking: Looking) -> None:
    text = "session:2 frame:200-260"
    shown = _command(text)
    assert shown is not None
    done = CliRunner().invoke(main, [*shlex.split(shown)[1:], "--format", "txt", "--no-fold"])
    assert done.exit_code == 0, done.output
    drawn = re.findall(r"^\s*(\d+)\s+\d\d:\d\d", done.stdout, re.MULTILINE)
    # Of a message that was seen on several hops the ladder draws one arrow.
    scene, frames = looking.scene, looking.trace.rows.frame
    wanted = {scene.origin(row) for row in parse_filter(text).rows(looking)}
    assert {scene.origin(frames.index(int(one))) for one in drawn} == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "-user:hiro",
        "from:hiro",
        "user:hiro session:1",
        "after:07:20 after:08:20",
        "is:error",
    ],
)
def test_what_no_command_says_has_none(text: str) -> None:
    assert _command(text) is None


def test_hostile_values_stay_one_argument() -> None:
    shown = _command('''room:"$(reboot); rm -rf '~'" user:"-x"''', "UTC", "a b.pcap", "-c.pcap")
    assert shown is not None
    assert shlex.split(shown) == [
        *("xccos", "messages", "a b.pcap", "./-c.pcap", "--join"),
        *("--room", "$(reboot); rm -rf '~'", "--user=-x"),
    ]


def test_offers_are_values_of_the_capture_that_let_something_through(looking: Looking) -> None:
    offers = offers_of(looking)
    assert offers.keys() == {word.name for word in WORDS}
    assert ("join", "6") in offers["command"]
    for word in ("user", "from", "to", "method", "status", "command", "room", "session", "host"):
        assert offers[word], word
        assert len(offers[word]) <= MOST
        for value, _ in offers[word]:
            assert parse_filter(f'{word}:"{value}"').rows(looking, UTC), (word, value)


def test_what_cannot_be_read_is_not_offered(tmp_path: Path) -> None:
    hostile = [
        message(From=f"<sip:{name}@example.com>;tag=1")
        for name in ("a\x1b[2J", "b\u202e", "c" * 500, "dora", *(f"u{n}" for n in range(300)))
    ]
    offers = offers_of(Looking(capture(tmp_path / "hostile.pcap", *hostile)))["from"]
    assert len(offers) == MOST
    assert all(value.isprintable() and len(value) <= MAX_LENGTH for value, _ in offers)
    assert "dora@example.com" in [value for value, _ in offers]
