"""A recording, derived, written and analysed again, says the same; and tshark finds no fault.

What a script does not have cannot be the same:

- hole-in-the-middle: a hole. The capture is whole, so that what was "not captured" behind the hole
  is now missing, and the findings about capture quality (GC9xx) are gone.
- Retransmissions, reordering, keep-alives, frames cut short and damaged ones: no finding of these
  captures rests on them.
- straddle: its last message is cut by the end of the capture, and no turn.
- tls: written as plain TCP.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from analyzer.replay.capture import CaptureOptions, write_script_capture
from analyzer.replay.derive.build import derive
from analyzer.trace import open_capture
from tests.analyzer.replay.capture.literal import literal_script
from tests.analyzer.replay.capture.meaning import meaning
from tests.analyzer.wireshark.tshark import tshark
from tests.paths import SAMPLES, SHARED, require_shared

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.replay.script import Script

require_shared()
PATHS = {
    path.name: path
    for folder in (SHARED / "captures", SHARED / "flows", SAMPLES)
    for path in sorted(folder.iterdir())
    if path.suffix in (".pcap", ".pcapng")
}
"""Samples are copies of the corpus; each is looked at once."""
HOLES = {"hole-in-the-middle.pcapng"}
CUT = {"straddle.pcap": 1}
"""Messages that are no turns."""
DAY = 86_400 * 10**9
START = 1_700_000_000_123_456_789

every_capture = pytest.mark.parametrize("name", [name for name in PATHS if name not in HOLES])


class Recorded(NamedTuple):
    """A recording, and the script of it."""

    script: Script
    meaning: dict[str, Any]
    messages: int


@cache
def _recorded(name: str) -> Recorded:
    with open_capture(PATHS[name]) as trace:
        return Recorded(derive(trace), meaning(trace), len(trace))


def _again(folder: Path, script: Script, options: CaptureOptions) -> tuple[dict[str, Any], int]:
    path = folder / "again"
    with path.open("wb") as out:
        write_script_capture(script, options, out)
    with open_capture(path) as trace:
        assert trace.quality.counters == {}
        assert (trace.quality.holes, trace.quality.problems, trace.quality.damaged) == (
            (),
            (),
            False,
        )
        return meaning(trace), len(trace)


@every_capture
def test_what_is_written_says_what_was_recorded(tmp_path: Path, name: str) -> None:
    recorded = _recorded(name)
    found, messages = _again(tmp_path, recorded.script, CaptureOptions())
    assert messages == recorded.messages - CUT.get(name, 0)
    assert found == recorded.meaning


@every_capture
def test_other_identifiers_times_and_links_change_no_meaning(tmp_path: Path, name: str) -> None:
    recorded = _recorded(name)
    options = CaptureOptions(
        fresh=True, seed=7, scale=1.2, start_ns=START, mss=536, vlan=42, format="pcap"
    )
    assert _again(tmp_path, recorded.script, options)[0] == recorded.meaning


def test_a_hole_is_not_written(tmp_path: Path) -> None:
    for name in HOLES:
        recorded = _recorded(name)
        found, messages = _again(tmp_path, recorded.script, CaptureOptions())
        assert messages == recorded.messages
        rules = {one[0] for one in recorded.meaning["findings"]}
        assert rules == {"GC901"}
        assert rules.isdisjoint(one[0] for one in found["findings"])
        assert found["dialogs"] == recorded.meaning["dialogs"]
        assert found["pairs"] == recorded.meaning["pairs"]


@pytest.mark.parametrize("name", ["r2-signin-full.pcap", "fe-two-hops.pcapng"])
def test_fresh_identifiers_share_nothing_with_the_recorded_ones(tmp_path: Path, name: str) -> None:
    script = _recorded(name).script
    path = tmp_path / "again.pcapng"
    with path.open("wb") as out:
        write_script_capture(script, CaptureOptions(fresh=True), out)
    with open_capture(path) as trace:
        text = b"".join(trace.raw(row) for row in range(len(trace))).decode()
    old = {slot.value for slot in script.slots if slot.kind in ("call-id", "branch", "envid")}
    assert old
    assert [value for value in old if value in text] == []


@pytest.mark.parametrize("name", ["twousers-post.pcap", "forked-lookup.pcap"])
def test_a_literal_script_is_written_as_it_was_recorded(tmp_path: Path, name: str) -> None:
    """What the writer does alone, without derivation: the same bytes at the same times."""
    with open_capture(PATHS[name]) as trace:
        path = tmp_path / "again.pcapng"
        with path.open("wb") as out:
            write_script_capture(literal_script(trace), CaptureOptions(), out)
        with open_capture(path) as again:
            assert list(again.rows.time) == list(trace.rows.time)
            rows = range(len(trace))
            assert [again.raw(row) for row in rows] == [trace.raw(row) for row in rows]
            assert meaning(again) == meaning(trace)


CHECKS = ("ip.check_checksum", "tcp.check_checksum", "udp.check_checksum")
FIELDS = (
    *("ip.checksum.status", "tcp.checksum.status", "udp.checksum.status"),
    *("_ws.malformed", "tcp.analysis.flags"),
)
GOOD, NOT_THERE = "1", ""


@pytest.mark.parametrize("options", [CaptureOptions(), CaptureOptions(mss=536, vlan=7, fresh=True)])
def test_tshark_finds_no_fault(tmp_path: Path, options: CaptureOptions) -> None:
    """One file of all captures, one after another: starting tshark costs more than they do."""
    path = tmp_path / "all.pcapng"
    # Connections that were open before the recording come first: of the others every SYN tells
    # tshark that it is a new one, whoever used its ports before.
    scripts = sorted((_recorded(name).script for name in PATHS), key=_opened)
    with path.open("wb") as out:
        for number, script in enumerate(scripts):
            write_script_capture(script, replace(options, start_ns=START + number * 3 * DAY), out)
    asked = [part for field in FIELDS for part in ("-e", field)]
    checked = [part for one in CHECKS for part in ("-o", f"{one}:TRUE")]
    told = tshark(path, *checked, "-T", "fields", "-E", "separator=|", *asked, plugin=False)
    found = {tuple(line.split("|")) for line in told.splitlines()}
    assert found == {
        (GOOD, GOOD, NOT_THERE, NOT_THERE, NOT_THERE),
        (GOOD, NOT_THERE, GOOD, NOT_THERE, NOT_THERE),
    }


def _opened(script: Script) -> bool:
    return all(one.opened_ms is not None for one in script.connections)
