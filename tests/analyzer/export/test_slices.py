"""Slices: the frames of what was chosen, and the same analysis when they are read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.diagnostics.table import diagnose
from analyzer.export.choice import Choice, choose
from analyzer.export.keys import secrets_of
from analyzer.export.slice_file import SliceFile
from analyzer.export.slices import Slice, SliceOptions
from analyzer.flows.runs import flows_of
from analyzer.query import Query
from analyzer.times import parse_typed_time
from analyzer.trace import open_capture
from dissectors.capture.writer import PcapngStream, write_pcap, write_pcapng
from tests.analyzer.captures import capture, message
from tests.analyzer.export.slicing import (
    cut,
    frames_of,
    gist,
    rows_alone,
    same_when_read,
)
from tests.paths import SAMPLES, SHARED, require_shared
from tests.support.text_logs import write_trace

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.model import Session
    from analyzer.trace import Trace
    from dissectors.model import Frame

FINDINGS = [
    *(("fault-503", "GC409"), ("fault-no-reply", "GC301"), ("fault-no-reply", "GC408")),
    *(("reconnect", "GC203"), ("reconnect", "GC407")),
]
MODELLED = [
    *(("clock-skew.pcap", "GC603"), ("fanout-missing.pcapng", "GC404")),
    *(("hole-in-the-middle.pcapng", "GC901"), ("late-start.pcapng", "GC903")),
    *(("missing-reply.pcapng", "GC301"), ("overload-503-burst.pcap", "GC204")),
    *(("partial-join.pcap", "GC303"), ("retry-503-succeeds.pcap", "GC201")),
    *(("session-expired.pcapng", "GC202"), ("slow-signin.pcap", "GC601")),
    *(("stale-duplicate-dialog.pcap", "GC407"), ("token-no-upload.pcap", "GC502")),
]
SOURCES = [
    *((SAMPLES / f"{name}.pcap", rule) for name, rule in FINDINGS),
    *((SHARED / "flows" / name, rule) for name, rule in MODELLED),
]


def bare(frames: list[Frame]) -> list[Frame]:
    """Return frames without what depends on the file."""
    return [one._replace(number=0, offset=0) for one in frames]


def session_gist(session: Session) -> tuple[object, ...]:
    steps = tuple((step.id, step.status) for step in session.steps)
    rooms = tuple((room.uri, room.posts, room.received) for room in session.rooms)
    return session.user, steps, rooms, len(session.pairs), session.started, session.ended


def number_of(trace: Trace, rule: str) -> str:
    return str([one.rule for one in diagnose(trace)].index(rule) + 1)


def test_everything_is_every_frame(tmp_path: Path) -> None:
    for name in ("fe-two-hops.pcapng", "r2-signin-full.pcap"):
        with open_capture(SAMPLES / name) as trace:
            cut(trace, tmp_path / "out.pcapng", None, told=True)
        assert bare(frames_of(tmp_path / "out.pcapng")) == bare(frames_of(SAMPLES / name))


def test_a_session_alone_on_its_connection_is_taken_as_it_was_captured(tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    with open_capture(SAMPLES / "twousers-post.pcap") as trace:
        made = cut(trace, out, Choice(sessions=(2,)))
        assert (made.whole, made.anew) == (1, 0)
        wanted = trace.analysis().sessions[1]
        rows = [row for row in range(len(trace)) if trace.rows.stream[row] >> 1 == 1]
        same_when_read(trace, rows, out)
        original = set(bare(frames_of(SAMPLES / "twousers-post.pcap")))
        with open_capture(out) as again:
            assert [session_gist(one) for one in again.analysis().sessions] == [
                session_gist(wanted)
            ]
    assert original.issuperset(bare(frames_of(out)))


def test_a_session_brings_its_questions_to_dns(tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    with open_capture(SAMPLES / "r2-signin-full.pcap") as trace:
        cut(trace, out, Choice(sessions=(1,)))
        with open_capture(out) as again:
            assert len(again.quality.queries) == len(trace.quality.queries) > 0


def test_a_session_brings_its_upload(tmp_path: Path) -> None:
    require_shared()
    out = tmp_path / "out.pcapng"
    with open_capture(SHARED / "flows/r2-post-full.pcap") as trace:
        uploads = [len(flows_of(trace, [index])) > 1 for index in (0, 1)]
        assert uploads == [False, True]
        for number, expected in ((1, 0), (2, 1)):
            cut(trace, out, Choice(sessions=(number,)))
            with open_capture(out) as again:
                assert len(again.quality.others) == expected


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("source", "rule"), SOURCES, ids=[f"{one.stem}-{rule}" for one, rule in SOURCES]
)
def test_a_finding_is_found_again_in_its_slice(source: Path, rule: str, tmp_path: Path) -> None:
    require_shared()
    out = tmp_path / "out.pcapng"
    with open_capture(source) as trace:
        known = diagnose(trace)
        wanted = known[[one.rule for one in known].index(rule)]
        cut(trace, out, Choice(findings=(number_of(trace, rule),)))
        with open_capture(out) as again:
            found = list(map(gist, diagnose(again)))
    assert gist(wanted) in found
    assert set(found) <= set(map(gist, known))


def test_a_dialog_is_named_by_call_id_or_number(tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    with open_capture(SAMPLES / "fe-two-hops.pcapng") as trace:
        dialog = next(one for one in trace.analysis().dialogs if one.role == "channel")
        rows = sorted({*dialog.rows, *dialog.copies})
        connections = {trace.rows.stream[row] >> 1 for row in rows}
        for name in (dialog.call_id, f"{dialog.call_id[:8]}*", str(dialog.index)):
            made = cut(trace, out, Choice(dialogs=(name,)))
            same_when_read(trace, rows, out)
            assert (made.whole, made.anew) == (0, len(connections))
        with open_capture(out) as again:
            found = again.analysis().dialogs[0]
            assert (found.state, found.ended_by, len(found.copies)) == (
                dialog.state,
                dialog.ended_by,
                len(dialog.copies),
            )


def test_pairs_of_a_room_keep_their_answers(tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    room = Query(rooms=("Sales",))
    with open_capture(SAMPLES / "signin-tcp.pcap") as trace:
        chosen = choose(trace, Choice(query=room), list)
        cut(trace, out, chosen)
        mine = set(chosen.rows)
        wanted = [
            (pair.command, pair.outcome, pair.sip_latency_ms)
            for pair in trace.analysis().pairs
            if pair.row in mine
        ]
        with open_capture(out) as again:
            pairs = again.analysis().pairs
            assert [(one.command, one.outcome, one.sip_latency_ms) for one in pairs] == wanted
    assert {"join", "bccontext", "grpchat"} <= {name for name, _, _ in wanted}


def test_a_post_is_a_run_of_a_flow_by_number(tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    with open_capture(SAMPLES / "twousers-post.pcap") as trace:
        cut(trace, out, Choice(flows=("posting:1",)))
        run = next(run for run in flows_of(trace) if run.flow == "posting")
        with open_capture(out) as again:
            found = [one for one in flows_of(again) if one.flow == "posting"]
            assert [(one.user, one.outcome, one.started) for one in found] == [
                (run.user, run.outcome, run.started)
            ]


def test_frames_and_times_are_strict(tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    with open_capture(SAMPLES / "signin-tcp.pcap") as trace:
        rows = [row for row in range(len(trace)) if 10 <= trace.rows.frame[row] <= 20]
        chosen = choose(trace, Choice(frames=((10, 20), (500, 600))), list)
        assert set(rows) <= set(chosen.rows)
        assert all(any(10 <= one <= 20 for one in trace.frames(row)) for row in chosen.rows)
        cut(trace, out, chosen)
        same_when_read(trace, chosen.rows, out)
        moment = parse_typed_time("2020-01-01")
        assert choose(trace, Choice(query=Query(to_time=moment)), list).rows == ()


def test_several_kinds_mean_all_of_them() -> None:
    with open_capture(SAMPLES / "twousers-post.pcap") as trace:
        both = choose(trace, Choice(sessions=(1,), query=Query(rooms=("Sales",))), list)
        alone = choose(trace, Choice(sessions=(1,)), list)
    assert both.rows
    assert set(both.rows) < set(alone.rows)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (Choice(sessions=(9,)), "there is no session 9: the capture has 2"),
        (Choice(dialogs=("nobody",)), "there is no dialog nobody"),
        (Choice(dialogs=("#99",)), "there is no dialog #99: there are 12, from #0"),
        (Choice(findings=("GC409",)), "there is no finding GC409 here; there are: none"),
        (Choice(findings=("1",)), "there is no finding 1: there are 0"),
        (Choice(flows=("nix",)), "there is no flow 'nix' here; there are: posting, sign-in"),
        (Choice(flows=("posting:9",)), "'posting:9': of posting there are 1 to"),
        (Choice(sessions=(1,), query=Query(users=("nobody",))), "session 1 is not of that user"),
    ],
)
def test_what_is_not_there_is_said(choice: Choice, words: str) -> None:
    with open_capture(SAMPLES / "twousers-post.pcap") as trace:
        with pytest.raises(ValueError, match=r"there|user") as error:
            choose(trace, choice, list)
        assert str(error.value).startswith(words)


def test_whole_connections_are_taken_as_they_are_when_asked(tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    with open_capture(SAMPLES / "fe-two-hops.pcapng") as trace:
        made = cut(trace, out, rows_alone([3]), options=SliceOptions(whole_connections=True))
        rows = range(len(trace))
        stream = trace.rows.stream
        same_when_read(trace, [row for row in rows if stream[row] >> 1 == stream[3] >> 1], out)
    assert (made.whole, made.anew) == (1, 0)


def test_datagrams_are_taken_whole(tmp_path: Path) -> None:
    source, out = tmp_path / "in.pcap", tmp_path / "out.pcapng"
    capture(source, *(message(Call_ID=name) for name in "abc"), nanoseconds=True)
    with open_capture(source) as trace:
        cut(trace, out, rows_alone([0, 2]))
    assert bare(frames_of(out)) == bare([frames_of(source)[0], frames_of(source)[2]])


def test_link_types_and_resolutions_are_kept_in_pcapng_and_refused_in_pcap(tmp_path: Path) -> None:
    source, out = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    packets = frames_of(capture(tmp_path / "one.pcap", message(Call_ID="a"), message(Call_ID="b")))
    second = packets[1]._replace(link=101, data=packets[1].data[14:], digits=9)
    second = second._replace(wire_length=len(second.data), time_ns=second.time_ns + 1)
    source.write_bytes(write_pcapng([packets[0], second]))
    with open_capture(source) as trace:
        made = cut(trace, out, rows_alone([0, 1]))
        with pytest.raises(ValueError, match="frame 2 has link type 101, not 1"):
            b"".join(SliceFile(made).pcap())
        made = Slice(trace, rows_alone([1]), SliceOptions())
        made.plan()
        assert b"".join(SliceFile(made).pcap()) == write_pcap([second], link=101, nanoseconds=True)
    assert bare(frames_of(out)) == bare([packets[0], second])


def test_a_time_before_1970_is_kept_in_pcapng(tmp_path: Path) -> None:
    early = frames_of(capture(tmp_path / "one.pcap", message()))[0]._replace(time_ns=-5_000_000)
    stream = PcapngStream()
    out = tmp_path / "out.pcapng"
    out.write_bytes(stream.header() + stream.frame(early) + stream.frame(early))
    assert bare(frames_of(out)) == bare([early, early])


TLS = SHARED / "captures/tls.pcap"


def test_tls_is_taken_as_captured_and_keys_only_when_asked(tmp_path: Path) -> None:
    require_shared()
    out = tmp_path / "out.pcapng"
    keys = TLS.with_suffix(".keylog")
    with open_capture(TLS, keylog=keys) as trace:
        made = cut(trace, out, Choice(sessions=(1,)))
        assert (made.whole, made.tls, len(made.randoms)) == (1, 1, 1)
        assert b"CLIENT_" not in out.read_bytes()
        kept = secrets_of(made.randoms, capture=TLS, given=keys, embedded=())
        assert secrets_of([bytes(32)], capture=TLS, given=keys, embedded=()) == b""
        cut(trace, out, Choice(sessions=(1,)), secrets=kept)
        same_when_read(trace, range(len(trace)), out)
    random = next(iter(made.randoms)).hex().encode()
    assert kept.count(random) == len(kept.splitlines()) > 0


def test_what_tls_said_can_be_written_as_plain_tcp(tmp_path: Path) -> None:
    require_shared()
    out = tmp_path / "out.pcapng"
    with open_capture(TLS) as trace:
        for chosen in (rows_alone(range(0, len(trace), 2)), None):
            made = cut(trace, out, chosen, options=SliceOptions(decrypted=True))
            rows = range(len(trace)) if chosen is None else chosen.rows
            assert (made.whole, made.anew) == (0, 1)
            assert same_when_read(trace, rows, out, "transport") == []
        with open_capture(out) as again:
            assert [one.transport for one in again.connections] == ["tcp"]


def test_messages_of_a_trace_that_names_its_server_are_exported(tmp_path: Path) -> None:
    log, out = tmp_path / "fe.txt", tmp_path / "out.pcapng"
    with open_capture(SHARED / "captures/tls.pcap") as trace:
        log.write_bytes(write_trace(trace, "cls"))
    with open_capture(log) as trace:
        assert {one.transport for one in trace.connections} == {"tls"}
        assert "fe01:5061" in {one.responder for one in trace.connections}
        infos = choose(trace, Choice(query=Query(methods=("INFO",))), lambda: diagnose(trace))
        for chosen in (None, infos):
            cut(trace, out, chosen)
            rows = range(len(trace)) if chosen is None else chosen.rows
            with open_capture(out) as again:
                found = [again.raw(row) for row in range(len(again))]
            assert found == [trace.raw(row) for row in rows]
