"""``xccos path``: the waits of a sign-in as a table, bars with words beside the colour."""

from __future__ import annotations

import json

from tests.analyzer.cli.running import xccos
from tests.paths import SAMPLES, require_shared

HEALTHY = SAMPLES / "twousers-post.pcap"


def test_the_largest_wait_is_marked_by_bar_and_word() -> None:
    lines = xccos("path", require_shared() / "flows/slow-signin.pcap").lines
    assert lines[0] == "Session 1: sip:hiro@emea.adatum.example"
    assert lines[1] == "Sign-in complete: 10.82 s from 09:48:47.376"
    (largest,) = [line for line in lines if line.endswith(" largest")]
    assert largest.split()[:3] == ["40-44", "lookup", "requri:"]
    assert "87%  " + "█" * 17 + " largest" in largest
    assert lines[-1].startswith("  Waited for: lookup 9.49 s (88%), ")


def test_bars_are_plain_characters_where_the_terminal_has_no_others() -> None:
    path = require_shared() / "flows/slow-signin.pcap"
    out = xccos("path", path, terminal=True, encoding="ascii").out
    assert "#" * 17 in out
    assert out.isascii()


def test_json_has_every_wait_with_its_share() -> None:
    (record,) = json.loads(xccos("path", HEALTHY, "--user", "user1", "--format", "json").out)
    assert list(record) == [
        *("session", "user", "outcome", "started", "duration_ms", "whole", "waits"),
    ]
    wait = record["waits"][0]
    assert list(wait) == [
        *("party", "what", "from_frame", "to_frame", "started", "ms", "share", "largest"),
    ]
    assert (wait["party"], wait["what"]) == ("front end", "REGISTER: 200 OK")
    assert abs(sum(one["share"] for one in record["waits"]) - 1) < 1e-9
    assert record["whole"] is True


def test_a_path_that_begins_late_says_so() -> None:
    out = xccos("path", require_shared() / "flows/late-start.pcapng").out
    assert "what was waited for before that is not captured" in out


def test_a_session_that_is_not_there_is_said() -> None:
    result = xccos("path", HEALTHY, "--session", "7")
    assert (result.code, result.out, result.err) == (0, "", "xccos: no sign-in matches\n")
