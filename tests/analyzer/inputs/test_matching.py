"""The same message at several places: the very pairs that are known from how they were made."""

from __future__ import annotations

import re
from array import array
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.inputs.identity import fingerprint
from analyzer.inputs.matching import connections, match
from analyzer.trace import open_capture
from analyzer.window import Window
from dissectors.notes import MISSING_HEADER, TRUNCATED
from tests.analyzer.inputs.vantage import (
    HOUR,
    MS,
    SECOND,
    Place,
    common,
    repeated,
    rewritten,
    rows_of,
    seen,
    sent_again,
)
from tests.paths import require_shared

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.rows import Stream
    from analyzer.trace import Trace
    from tests.analyzer.inputs.vantage import Seen

SHARED = require_shared()
CAPTURES = (
    *(f"captures/{name}.pcap" for name in ("batch", "callid-collision", "reconnect", "straddle")),
    *(f"flows/{name}.pcapng" for name in ("fe-two-hops", "fanout-missing", "hole-in-the-middle")),
    "flows/clock-skew.pcap",
    "flows/forked-lookup.pcap",
)
AGAIN = (500 * MS, 1500 * MS, 3500 * MS)
"""Timer E of RFC 3261 section 17.1.2.1: T1, then twice as long each time."""

every_capture = pytest.mark.parametrize("name", CAPTURES)


@cache
def capture(name: str) -> Trace:
    return open_capture(SHARED / name, index=False)


def windows(*places: Seen) -> list[Window]:
    return [place.window for place in places]


def matched(*places: Seen) -> set[tuple[tuple[int, int], ...]]:
    return rows_of(match(windows(*places)))


@every_capture
def test_everything_is_seen_at_both_places(name: str) -> None:
    near, far = seen(capture(name)), seen(capture(name), Place(transit_ns=MS, offset_ns=-3 * HOUR))
    assert len(common(near, far)) == len(capture(name))
    assert matched(near, far) == common(near, far)


@every_capture
@pytest.mark.parametrize("loss", [0.1, 0.6])
def test_what_one_place_lost_is_matched_with_nothing(name: str, loss: float) -> None:
    near = seen(capture(name), Place(loss=loss, seed=1))
    far = seen(
        capture(name), Place(2 * MS, MS, loss=loss, seed=2, offset_ns=HOUR, drift_ppb=200_000)
    )
    assert matched(near, far) == common(near, far)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(CAPTURES),
    st.integers(-48 * HOUR, 48 * HOUR),
    st.integers(-200_000, 200_000),
    st.floats(0, 0.9),
    st.sampled_from([3, 6, 9]),
    st.integers(0, 99),
)
def test_neither_clock_nor_loss_makes_a_wrong_match(
    name: str, offset: int, drift: int, loss: float, digits: int, seed: int
) -> None:
    near = seen(capture(name), Place(loss=loss / 2, seed=seed))
    place = Place(
        *(2 * MS, 3 * MS),
        offset_ns=offset,
        drift_ppb=drift,
        loss=loss,
        digits=digits,
        seed=seed + 1,
    )
    far = seen(capture(name), place)
    assert matched(near, far) == common(near, far)


def test_one_capture_began_later_than_the_other_ended() -> None:
    trace = capture("captures/reconnect.pcap")
    near, far = seen(trace, Place(keep=lambda _, row: row < 60)), seen(trace, Place(keep=_from_60))
    assert matched(near, far) == set()


def _from_60(_: Stream, row: int) -> bool:
    return row >= 60


@every_capture
def test_addresses_may_differ(name: str) -> None:
    trace = capture(name)
    hosts = sorted({one.src.rpartition(":")[0] for one in trace.streams})
    nat = {host: f"203.0.113.{number}" for number, host in enumerate(hosts)}
    near, far = seen(trace), seen(trace, Place(2 * MS, MS, loss=0.2, nat=nat, offset_ns=-HOUR))
    assert matched(near, far) == common(near, far)


@every_capture
def test_bodies_may_be_masked_and_lines_end_otherwise(name: str) -> None:
    trace = capture(name)

    def logged(raw: bytes) -> bytes:
        head, _, body = raw.partition(b"\r\n\r\n")
        head = re.sub(rb"(?i)^content-length: *\d+", b"CONTENT-LENGTH: 3", head, flags=re.MULTILINE)
        return head.replace(b"\r\n", b"\n") + b"\n\n" + (b"***" if body else b"")

    near = seen(trace, Place(loss=0.1, seed=3))
    far = seen(rewritten(trace, logged), Place(2 * MS, MS, digits=3, loss=0.1, offset_ns=2 * HOUR))
    assert matched(near, far) == common(near, far)


def test_heads_may_differ_too() -> None:
    """A gateway wrote its own address into every message."""
    trace = capture("captures/reconnect.pcap")
    far = seen(
        rewritten(trace, lambda raw: raw.replace(b"127.0.0.1", b"198.51.100.77")),
        Place(2 * MS, MS, loss=0.1, offset_ns=HOUR),
    )
    assert matched(seen(trace), far) == common(seen(trace), far)


def test_hop_copies_are_no_sightings_of_one_message() -> None:
    trace = capture("flows/fe-two-hops.pcapng")
    near = seen(trace, Place(keep=_to_client))
    far = seen(trace, Place(keep=lambda stream, row: not _to_client(stream, row)))
    assert len(near.origin) + len(far.origin) == len(trace)
    assert matched(near, far) == set()


def _to_client(stream: Stream, _: int) -> bool:
    return "192.168.2.22:49180" in (stream.src, stream.dst)


@pytest.mark.parametrize("connection", [0, 1])
def test_two_clients_that_share_every_identifier_are_told_apart(connection: int) -> None:
    trace = capture("captures/callid-collision.pcap")
    one = seen(trace, Place(keep=lambda stream, _: stream.connection == connection))
    both = seen(trace, Place(200_000, offset_ns=HOUR, loss=0.1))
    assert matched(one, both) == common(one, both)
    other = seen(trace, Place(keep=lambda stream, _: stream.connection != connection))
    assert matched(one, other) == set()


@pytest.mark.parametrize("name", ["captures/batch.pcap", "flows/clock-skew.pcap"])
@pytest.mark.parametrize("loss", [0.0, 0.2, 0.5])
def test_retransmissions_are_matched_one_by_one(name: str, loss: float) -> None:
    trace = sent_again(capture(name), AGAIN, every=4)
    near = seen(trace, Place(loss=loss, seed=5))
    far = seen(trace, Place(3 * MS, MS, loss=loss, seed=6, offset_ns=5 * HOUR, drift_ppb=100_000))
    assert matched(near, far) == common(near, far)


def test_everything_was_sent_twice_and_still_finds_its_like() -> None:
    trace = sent_again(capture("captures/batch.pcap"), (500 * MS,))
    near, far = seen(trace), seen(trace, Place(3 * MS, MS, offset_ns=-5 * HOUR))
    assert matched(near, far) == common(near, far)


def test_over_udp_two_sendings_of_a_message_are_not_one() -> None:
    trace = capture("captures/batch.pcap")
    streams = [one._replace(transport="udp") for one in trace.streams]
    datagrams = Window(trace.rows, streams, trace.read)
    late = sent_again(datagrams, (500 * MS,), every=20)
    first = {row for row in range(len(late)) if late.rows.time[row] in trace.rows.time}
    near = seen(late, Place(keep=lambda _, row: row in first))
    again = [row for row in range(len(late)) if row not in first]
    missed = {late.raw(row) for row in again}
    far = seen(late, Place(MS, keep=lambda _, row: row not in first or late.raw(row) not in missed))
    assert len(far.origin) == len(near.origin)
    assert matched(near, far) == common(near, far)
    assert len(common(near, far)) == len(near.origin) - len(again)


def test_three_places_make_one_group_of_each_message() -> None:
    trace = capture("captures/reconnect.pcap")
    places = [
        seen(trace, Place(k * MS, k * MS // 2, loss=0.3, seed=k, offset_ns=k * HOUR))
        for k in range(3)
    ]
    assert matched(*places) == common(*places)
    found = match(windows(*places))
    assert [one.sightings[0] for one in found] == sorted(one.sightings[0] for one in found)
    whole = next(one for one in found if len(one.sightings) == 3)
    assert whole.row(2) == whole.sightings[2].row
    assert whole.row(3) is None


def test_one_input_has_nothing_to_match() -> None:
    trace = capture("captures/batch.pcap")
    assert match([trace]) == []
    assert match([]) == []
    empty = seen(trace, Place(keep=lambda *_: False)).window
    assert match([trace, empty]) == []


# Connections


def test_connections_are_linked_by_their_messages() -> None:
    trace = capture("captures/reconnect.pcap")
    far = seen(trace, Place(2 * MS, loss=0.3, nat={"127.0.0.1": "10.9.9.9"}))
    inputs = windows(seen(trace), far)
    links = connections(match(inputs), inputs)
    assert sorted((link.first, link.second) for link in links) == [
        ((0, number), (1, number)) for number in range(3)
    ]
    assert not any(link.turned for link in links)
    assert sum(link.messages for link in links) == len(far.origin)


def test_a_connection_whose_opener_was_mistaken_is_turned() -> None:
    trace = capture("captures/batch.pcap")
    near, far = seen(trace).window, seen(trace).window
    turned = Window(far.rows, [far.streams[1], far.streams[0]], far.read)
    for row, stream in enumerate(turned.rows.stream):
        turned.rows.stream[row] = stream ^ 1
    (link,) = connections(match([near, turned]), [near, turned])
    assert link.turned
    assert link.messages == len(trace)


# Fingerprints

REQUEST = (
    b"INFO sip:a@example.com SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.1:5060\r\n"
    b'Authorization: NTLM qop="auth", response="00"\r\nContent-Length: 6\r\n\r\n<a/>\r\n'
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\r\n", b"\n"),
        (b"Content-Length: 6", b"CONTENT-LENGTH: 5"),
        (b"Content-Length: 6\r\n", b""),
        (b"Content-Length", b"l"),
        (b'"auth", ', b'"auth",\r\n '),
        (
            b":5060",
            b":5060;received=192.0.2.1;rport=4711;ms-received-port=4711;ms-received-cid=1F00",
        ),
    ],
)
def test_what_a_log_or_a_receiver_changes_is_no_difference(old: bytes, new: bytes) -> None:
    assert fingerprint(REQUEST.replace(old, new)) == fingerprint(REQUEST)


@pytest.mark.parametrize(
    ("old", "new"), [(b"10.0.0.1", b"10.0.0.2"), (b'"00"', b'"01"'), (b"INFO", b"BYE")]
)
def test_another_head_is_a_difference(old: bytes, new: bytes) -> None:
    other = fingerprint(REQUEST.replace(old, new))
    assert other.head != fingerprint(REQUEST).head
    assert other.body == fingerprint(REQUEST).body


@given(st.binary(max_size=200))
def test_any_bytes_have_a_fingerprint(raw: bytes) -> None:
    assert fingerprint(raw) == fingerprint(raw)
    assert len(fingerprint(raw).head) == 16


def test_a_message_repeated_without_end_on_ever_new_connections_is_no_burden() -> None:
    trace = capture("captures/batch.pcap")
    flood = sent_again(trace, [k * SECOND for k in range(1, 3000)], every=len(trace))
    streams = list(flood.streams) * len(flood)
    flood.rows.stream[:] = array("I", (2 * row for row in range(len(flood))))
    near = seen(Window(flood.rows, streams, flood.read))
    far = seen(Window(flood.rows, streams, flood.read), Place(offset_ns=HOUR, loss=0.01))
    assert len(near.origin) > 3000
    assert len(matched(near, far) & common(near, far)) > 0.9 * len(far.origin)


def test_thousands_of_dialogs_with_the_same_bytes_are_told_apart() -> None:
    trace = repeated(capture("captures/batch.pcap"), 100, 20 * SECOND)
    near, far = seen(trace), seen(trace, Place(2 * MS, MS, loss=0.01, offset_ns=HOUR))
    assert matched(near, far) == common(near, far)


@pytest.mark.parametrize("frames", [12, 22])
def test_a_capture_that_ends_inside_a_message_has_seen_it(tmp_path: Path, frames: int) -> None:
    out = tmp_path / "short.pcap"
    data = (SHARED / "captures/twousers-post.pcap").read_bytes()
    end = 24
    for _ in range(frames):
        end += 16 + int.from_bytes(data[end + 8 : end + 12], "little")
    out.write_bytes(data[:end])
    whole = capture("captures/twousers-post.pcap")
    with open_capture(out, index=False) as short:
        assert any(notes & TRUNCATED for notes in short.rows.notes)
        for order in ([whole, short], [short, whole]):
            pairs = [one.sightings for one in match(order)]
            assert len(pairs) == len(short)
            for one, other in pairs:
                raw = order[0].raw(one.row), order[1].raw(other.row)
                assert max(raw, key=len).startswith(min(raw, key=len))


def test_a_capture_of_the_beginnings_of_packets_has_seen_their_messages(tmp_path: Path) -> None:
    out, snap = tmp_path / "cut.pcap", 400
    data = (SHARED / "captures/twousers-post.pcap").read_bytes()
    made, at = bytearray(data[:24]), 24
    while at < len(data):
        size = int.from_bytes(data[at + 8 : at + 12], "little")
        made += data[at : at + 8] + min(size, snap).to_bytes(4, "little")
        made += data[at + 12 : at + 16 + min(size, snap)]
        at += 16 + size
    out.write_bytes(made)
    whole = capture("captures/twousers-post.pcap")
    with open_capture(out, index=False) as cut:
        assert sum(notes & MISSING_HEADER > 0 for notes in cut.rows.notes) > 10
        found = match([whole, cut])
        assert len(found) == len(cut)
        for one, other in (one.sightings for one in found):
            assert whole.raw(one.row).startswith(cut.raw(other.row)[:300])
