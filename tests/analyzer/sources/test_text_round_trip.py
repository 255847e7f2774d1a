"""Captures as text traces: the same messages come back, and the same story is told of them."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import cycle
from random import Random  # noqa: TID251  (seeded: the same log in every run)
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.trace import open_capture
from analyzer.views.triage import triage_record
from dissectors.capture.text.formats import text_reader_for
from dissectors.capture.text.values import Annotation, TextMessage
from dissectors.model import Malformed
from dissectors.xccos.reader import read_document
from tests.paths import SAMPLES, SHARED, require_shared
from tests.support.text_logs import (
    CLIENTS,
    FORMS,
    Seen,
    Uccapi,
    encoded,
    read_trace,
    seen,
    write_trace,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analyzer.trace import Trace
    from dissectors.capture.text.values import Record, TextReader

require_shared()
CAPTURES = sorted(
    [
        *SAMPLES.glob("*.pcap*"),
        *(one for one in SHARED.glob("captures/*.pcap") if not (SAMPLES / one.name).is_file()),
    ]
)
CAPTURES.remove(SHARED / "captures/tls.pcap")  # costs a run of tshark each time
ENCODINGS = ("utf-8", "utf-16", "cp1252")
every_form = pytest.mark.parametrize("form", FORMS)
MILLISECOND = 10**6


def read(data: bytes) -> list[Record | Malformed]:
    def make() -> TextReader:
        reader = text_reader_for(data)
        assert reader is not None
        return reader

    return read_trace(data, make)


@cache
def fits(capture: Path, encoding: str) -> bool:
    """Tell whether what was said can be written in an encoding."""
    with open_capture(capture) as trace:
        try:
            for row in range(len(trace)):
                trace.raw(row).decode().encode(encoding)
        except UnicodeError:
            return False
    return True


def expected(one: Seen, form: str, *, masked: bool) -> tuple[object, ...]:
    """Return what must come back: bytes, way, time as far as the format has it, what is hidden."""
    hidden = masked and one.is_hidden()
    fine = 1000 if form == "sipe" else MILLISECOND
    raw, missing = (one.head, len(one.body)) if hidden else (one.raw, 0)
    return raw, one.outgoing, one.time_ns // fine * fine, missing, hidden


def got(found: Sequence[Record | Malformed]) -> list[tuple[object, ...]]:
    return [
        (one.data, one.outgoing, one.time_ns, one.missing, one.masked)
        for one in found
        if isinstance(one, TextMessage) and one.whole
    ]


@pytest.mark.untraced
@every_form
def test_messages_come_back_from_every_capture(form: str) -> None:
    encodings = cycle(ENCODINGS)
    for number, capture in enumerate(CAPTURES):
        encoding = next(encodings)
        masked = number % 2 == 1 and form != "sipe"
        with open_capture(capture) as trace:
            wanted = seen(trace, form)
            if not fits(capture, encoding):
                encoding = "utf-8"
            newline = "\r\n" if number % 4 < 2 else "\n"
            data = write_trace(
                trace, form, seed=number, encoding=encoding, newline=newline, masked=masked
            )
        found = read(data)
        assert got(found) == [expected(one, form, masked=masked) for one in wanted], capture.name
        assert [one for one in found if isinstance(one, Malformed)] == [], capture.name
        assert wanted or not len(trace), capture.name


@pytest.mark.parametrize(
    ("form", "capture"),
    [
        ("uccapi", SHARED / "captures/tls.pcap"),
        ("s4", SAMPLES / "twousers-post.pcap"),
        ("sipe", SAMPLES / "twousers-post.pcap"),
    ],
)
def test_both_ends_come_back_where_the_format_names_them(form: str, capture: Path) -> None:
    with open_capture(capture) as trace:
        wanted = seen(trace, form)
        found = read(write_trace(trace, form))
    assert [
        (one.local, one.peer, one.transport) for one in found if isinstance(one, TextMessage)
    ] == [(one.local, one.peer, one.transport) for one in wanted]


@pytest.mark.parametrize("form", [form for form in FORMS if form != "sipe"])
def test_what_programs_remark_on_a_refusal_names_its_call(form: str) -> None:
    with open_capture(SAMPLES / "fault-503.pcap") as trace:
        refused = next(one for one in seen(trace, form) if one.raw.startswith(b"SIP/2.0 503"))
        remarks = [one for one in read(write_trace(trace, form)) if isinstance(one, Annotation)]
    assert [(one.severity, one.call_id) for one in remarks if one.severity == "error"] == [
        ("error", refused.field("call-id"))
    ]


def story(trace: Trace) -> dict[str, Any]:
    """Return what is told of a capture that does not depend on where and how it was taken."""
    record = triage_record(trace, "case")
    return {
        "messages": record["messages"],
        "sessions": [
            {
                **{key: one[key] for key in ("user", "epid", "user_agent", "server", "outcomes")},
                "signed in": one["signed_in"] is not None,
                "signed off": one["signed_off"] is not None,
                "steps": [(step["id"], step["title"], step["status"]) for step in one["steps"]],
                "rooms": [
                    (
                        room["uri"], room["name"], room["posts"], room["received"],
                        room["joined_frame"] is None, room["refused_frame"] is None,
                    )
                    for room in one["rooms"]
                ],
                "posts": len(one["posts"]),
                "dialogs": [(dialog["role"], dialog["call_id"]) for dialog in one["dialogs"]],
                "commands": len(one["commands"]),
            }
            for one in record["sessions"]
        ],
        "flows": [
            (
                *(one[key] for key in ("flow", "user", "variant", "outcome", "session", "room")),
                [(step["id"], step["title"], step["status"]) for step in one["steps"]],
            )
            for one in record["flows"]
        ],
        "findings": Counter(one["rule"] for one in record["findings"] if of_story(one["rule"])),
        "dialogs": [dialog.call_id for dialog in trace.analysis().dialogs],
        "pairs": [
            (pair.command, pair.outcome, len(pair.replies)) for pair in trace.analysis().pairs
        ],
    }  # fmt: skip


@cache
def story_of(capture: Path) -> dict[str, Any]:
    """Return the story of a capture, which does not depend on the form that it is written in."""
    with open_capture(capture) as trace:
        return story(trace)


def of_story(rule: str) -> bool:
    """Tell whether a finding is about what was said, not about packets or the trace (GC9xx)."""
    return not rule.startswith("GC9")


def alone(trace: Trace, form: str) -> bool:
    """Tell whether the machine that writes has seen all that the capture has."""
    return len(seen(trace, form)) == len(trace) > 0


@pytest.mark.untraced
@every_form
def test_the_same_story_is_told_of_a_text_trace(form: str, tmp_path: Path) -> None:
    told = 0
    for capture in CAPTURES:
        with open_capture(capture) as trace:
            if not alone(trace, form):
                continue
            log = tmp_path / f"{capture.stem}.txt"
            log.write_bytes(write_trace(trace, form))
        with open_capture(log) as text:
            assert story(text) == story_of(capture), capture.name
        told += 1
    assert told >= 10


def in_reads(messages: Sequence[Seen]) -> list[str]:
    """Return the log of a client whose writes and reads hold half a message, or one and a half."""
    writer = Uccapi("uccapi", Random(5), masked=False)
    held: dict[tuple[str, bool], bytes] = {}
    lines: list[str] = []
    for number, one in enumerate(messages):
        at = (one.local, one.outgoing)
        data = held.pop(at, b"") + one.raw
        more = any((later.local, later.outgoing) == at for later in messages[number + 1 :])
        cut = len(data) - len(one.raw) // 2 if more else len(data)
        while data[cut : cut + 1] and data[cut] & 0xC0 == 0x80:
            cut += 1  # the log is text
        writer.time_ns = one.time_ns
        shown = data[:cut].decode().replace("\r\n", "\n").replace("\r", "")
        lines += writer.packet(one, shown, cut)
        held[at] = data[cut:]
    return lines


def test_reads_of_a_client_are_put_together(tmp_path: Path) -> None:
    log = tmp_path / "client.uccapilog"
    with open_capture(SAMPLES / "batch-mixed.pcap") as trace:
        wanted = seen(trace, "uccapi")
        log.write_bytes(encoded(in_reads(wanted), "utf-8", "\r\n"))
    with open_capture(log) as text:
        found = Counter(text.raw(row) for row in range(len(text)))
        assert text.quality.problems == ()
    assert found == Counter(one.raw for one in wanted)


@pytest.mark.parametrize("form", [form for form in FORMS if form != "sipe"])
def test_of_a_masked_trace_the_flow_of_sip_is_left_and_the_mask_is_said(
    form: str, tmp_path: Path
) -> None:
    log = tmp_path / "masked.txt"
    with open_capture(SAMPLES / "signin-tcp.pcap") as trace:
        log.write_bytes(write_trace(trace, form, masked=True))
        dialogs = [dialog.call_id for dialog in trace.analysis().dialogs]
        hidden = sum(one.is_hidden() for one in seen(trace, form))
    with open_capture(log) as text:
        assert [dialog.call_id for dialog in text.analysis().dialogs] == dialogs
        assert any(
            note.startswith(f"{hidden} message bodies of this trace are masked")
            for note in text.quality.notes
        )


def test_clients_and_servers_write_of_the_same_messages() -> None:
    with open_capture(SAMPLES / "signin-tcp.pcap") as trace:
        ways = {form: [one.outgoing for one in seen(trace, form)] for form in FORMS}
        document = [read_document(one.body, "text/plain") for one in seen(trace, "sipe")]
    assert ways["sipe"] == [not outgoing for outgoing in ways["ocslogger"]]
    assert {form for form in FORMS if ways[form] == ways["sipe"]} == set(CLIENTS)
    assert any(one is not None for one in document)
