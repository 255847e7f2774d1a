"""Whatever a capture contains: a script that can be written down and filled, or one line."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.replay.check import check_script
from analyzer.replay.derive.build import derive, report_lines, slot_report
from analyzer.replay.fill import fill_message
from analyzer.replay.script_json import read_script, write_script
from analyzer.trace import open_capture
from tests.analyzer.captures import ESCAPE, capture, chat, message
from tests.paths import SAMPLES
from tests.support.mutants import mutants

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.replay.script import Script

BODIES = ("well-formed", "Content-Type")
"""Of messages whose body was damaged in the recording already."""


def derived(path: Path) -> Script | None:
    with open_capture(path, index=False) as trace:
        try:
            script = derive(trace)
        except ValueError:
            return None
    values = {one.name: one.value for one in script.slots}
    for turn in script.turns:
        fill_message(turn.message, values.__getitem__)
    report_lines(slot_report(script))
    assert read_script(write_script(script), "case.json") == script
    return script


def errors(script: Script) -> list[str]:
    found = [one for one in check_script(script) if one.severity == "error"]
    return [str(one) for one in found if not any(word in one.text for word in BODIES)]


def test_damaged_captures_give_scripts_without_errors(tmp_path: Path) -> None:
    names = ("r2-signin-full.pcap", "twousers-post.pcap", "fe-two-hops.pcapng")
    samples = {name: (SAMPLES / name).read_bytes() for name in names}
    path, scripts = tmp_path / "damaged.pcap", 0
    for mutant in islice(mutants(samples, 11), 25):
        path.write_bytes(mutant.data)
        script = derived(path)
        if script is not None:
            scripts += 1
            assert errors(script) == [], mutant.name
    assert scripts > 10


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_messages_in_any_order_some_of_them_missing_never_raise(
    data: st.DataObject, tmp_path: Path
) -> None:
    with open_capture(SAMPLES / "fault-503.pcap") as trace:
        raws = [trace.raw(row) for row in range(len(trace))]
    chosen = data.draw(st.lists(st.sampled_from(raws), max_size=30))
    script = derived(capture(tmp_path / "shuffled.pcap", *chosen))
    assert script is None or errors(script) == []


def test_control_characters_and_slots_in_a_capture_are_only_text(tmp_path: Path) -> None:
    path = capture(
        tmp_path / "odd.pcap",
        message(Subject=f"${{client1.user}} $${{x}} {ESCAPE}", Call_ID="a${b}c@x"),
        chat("${text1} &lt;${t1.envid}&gt; $"),
        message(body="\0\1\2 no text", Content_Type="image/jpeg", CSeq="3 OPTIONS"),
        message(body="<xccos><cmd", Content_Type="text/plain", CSeq="4 OPTIONS"),
        message(From="<>", To="", CSeq="5 OPTIONS", Call_ID="none"),
    )
    script = derived(path)
    assert script is not None
    values = {one.name: one.value for one in script.slots}
    first = fill_message(script.turns[0].message, values.__getitem__).decode()
    assert "Subject: ${client1.user} $${x}" in first
    assert "\x1b" not in first
    assert (
        "<chat>${text1} &lt;${t1.envid}&gt; $</chat>"
        in fill_message(script.turns[1].message, values.__getitem__).decode()
    )
    assert script.turns[2].message.binary == b"\0\1\2 no text"


def test_a_message_of_very_many_values_is_derived_in_reasonable_time(tmp_path: Path) -> None:
    rooms = "".join(
        f'<chanib uri="ma-chan://example.com/{n:08x}" chatId="{n}"/>' for n in range(700)
    )
    body = (
        '<xccos xmlns="urn:parlano:xml:ns:xccos" envid="7">'
        f'<rpl id="rpl:chansrch">{rooms}</rpl></xccos>'
    )
    path = capture(tmp_path / "many.pcap", message("INFO sip:a@b SIP/2.0", body, CSeq="1 INFO"))
    script = derived(path)
    assert script is not None
    assert len([one for one in script.slots if one.kind == "room"]) == 700
    assert len(script.turns[0].expect) <= 65
