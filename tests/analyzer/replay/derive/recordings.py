"""Scripts of the captures that tests look at, each derived once."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from analyzer.replay.derive.build import derive
from analyzer.trace import open_capture
from tests.paths import SAMPLES, SHARED

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.replay.script import Script, Turn

ITEM = re.compile(r'<(?:cmd|rpl|ntc|grpchat) id="([^"]+)"')
FLOWS, CAPTURES = SHARED / "flows", SHARED / "captures"
ALL = sorted(
    [*SAMPLES.glob("*.pcap*"), *FLOWS.glob("*.pcap*"), *CAPTURES.glob("*.pcap")],
    key=lambda path: (path.parent.name, path.name),
)


@cache
def script_of(path: Path) -> Script:
    """Return the script of a capture."""
    with open_capture(path) as trace:
        return derive(trace)


@cache
def raws_of(path: Path) -> dict[int, list[bytes]]:
    """Return the messages of a capture by the frame that completes them."""
    found: dict[int, list[bytes]] = {}
    with open_capture(path) as trace:
        for row in range(len(trace)):
            found.setdefault(trace.rows.frame[row], []).append(trace.raw(row))
    return found


def sample(name: str) -> Script:
    """Return the script of a sample."""
    return script_of(SAMPLES / name)


def told(turn: Turn) -> str:
    """Return a turn in words: what it is, with the items of an XCCOS body."""
    message = turn.message
    if message.status is not None:
        return f"{message.status} {message.method}"
    items = ITEM.findall(message.body)
    return " ".join([message.method, *dict.fromkeys(items)])


def find(script: Script, words: str, client: str = "client1", number: int = 1) -> Turn:
    """Return the how-manieth live turn of a client's conversation that is told so."""
    found = [
        turn
        for turn in script.turns
        if turn.live and client in (turn.speaker, turn.listener) and told(turn) == words
    ]
    return found[number - 1]
