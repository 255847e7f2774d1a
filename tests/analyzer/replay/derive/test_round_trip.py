"""A template filled with the recorded values is the recorded message, credentials aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.replay.fill import fill_message
from analyzer.replay.script_json import read_script, write_script
from analyzer.replay.template import escape, fill, read_slots
from analyzer.trace import open_capture
from dissectors.model import Malformed
from dissectors.sip.parse import parse_message
from dissectors.xccos.xml import parse
from tests.analyzer.replay.derive.recordings import ALL, raws_of, script_of
from tests.paths import SAMPLES, require_shared

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.replay.script import Script, Turn
    from dissectors.sip.messages import SipMessage

HIDDEN = ("secret", "token")


def same_body(said: bytes, recorded: bytes) -> bool:
    """Compare bodies: as bytes, or as what XML has in them (a line end may be written anew)."""
    if said == recorded:
        return True
    first, second = parse(said), parse(recorded)
    if isinstance(first, Malformed) or isinstance(second, Malformed):
        return False
    return first.root == second.root


def fits(text: str, recorded: str, script: Script) -> bool:
    """Say whether a recorded text is what a template says, whatever its secrets are."""
    slots = {one.name: one for one in script.slots}

    def known(name: str) -> str:
        hidden = slots[name].kind in HIDDEN
        return f"${{{name}}}" if hidden else escape(slots[name].value)

    return read_slots(fill(text, known), recorded) is not None


def is_recorded(turn: Turn, message: SipMessage, script: Script) -> bool:
    values = {one.name: one.value for one in script.slots}
    hidden = {one.name for one in script.slots if one.kind in HIDDEN}
    if not fits(turn.message.start, message.start_line.decode(), script):
        return False
    headers = [(one.name, one.value) for one in message.headers]
    if [name for name, _ in headers] != [name for name, _ in turn.message.headers]:
        return False
    for (name, text), (_, value) in zip(turn.message.headers, headers, strict=True):
        if name != "Content-Length" and not fits(text, value, script):
            return False
    if hidden.intersection(turn.message.slots()) and "${token" in turn.message.body:
        return fits(turn.message.body, message.body.decode(), script)
    said = parse_message(fill_message(turn.message, lambda name: values[name]))
    return not isinstance(said, Malformed) and same_body(said.body, message.body)


@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_template_filled_with_recorded_values_is_the_recorded_message(path: Path) -> None:
    require_shared()
    script, raws = script_of(path), raws_of(path)
    assert script.turns
    for turn in script.turns:
        messages = [parse_message(raw) for raw in raws[turn.frame or 0]]
        whole = [
            one
            for one in messages
            if not isinstance(one, Malformed) and one.content_length == len(one.body)
        ]
        assert any(is_recorded(turn, one, script) for one in whole) or not whole, (path, turn.id)


def test_no_message_of_a_whole_capture_is_left_out() -> None:
    for path in sorted(SAMPLES.glob("*.pcap*")):
        with open_capture(path) as trace:
            assert len(script_of(path).turns) == len(trace)


def test_the_same_capture_gives_the_same_script() -> None:
    for name in ("r2-post-full.pcap", "callid-collision.pcap"):
        first = script_of(SAMPLES / name)
        script_of.cache_clear()
        assert script_of(SAMPLES / name) == first


def test_a_script_survives_being_written_and_read() -> None:
    for path in sorted(SAMPLES.glob("*.pcap*")):
        assert read_script(write_script(script_of(path)), path.name) == script_of(path)
