"""UCCAPI logs: packets of a client's connections, as Communicator and Lync write them."""

from __future__ import annotations

from random import Random  # noqa: TID251  (seeded: a run can be repeated)
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.capture.text.raw_sip import MAX_RECORD
from dissectors.capture.text.uccapi import MAX_THREADS, UccapiReader
from dissectors.capture.text.values import Annotation, TextMessage
from dissectors.model import Malformed
from tests.support.text_logs import Seen, Uccapi, encoded, read_trace, records, written

if TYPE_CHECKING:
    from dissectors.capture.text.values import Record

LOCAL, PEER = "192.168.103.35:20323", "192.168.100.100:5061"
BODY = '<xccos ver="1"><grpchat id="grpchat"><chat>Grüße</chat></grpchat></xccos>'
PREFIX = "04/16/2013|03:17:30.168 1F68:C14 INFO :: "
SENDING = f"Sending Packet - {PEER} (From Local Address: {LOCAL})"
RECEIVED = f"Data Received -{PEER} (To Local Address: {LOCAL})"
TIME_NS = 1_366_082_250_168_000_000


def sip(number: int, body: str = BODY, kind: str = "text/plain", *, end: str = "\r\n") -> bytes:
    """Return a message; ``end`` is the line end in its body."""
    data = body.replace("\n", end).encode()
    head = (
        "INFO sip:ann@contoso.com SIP/2.0\r\nVia: SIP/2.0/TLS 192.168.103.35:20323\r\n"
        "From: <sip:bob@contoso.com>;tag=1\r\nTo: <sip:ann@contoso.com>;tag=2\r\n"
        f"Call-ID: one\r\nCSeq: {number} INFO\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def seen(number: int, raw: bytes | None = None, *, outgoing: bool = True) -> Seen:
    """Return a message as a client saw it."""
    data = sip(number) if raw is None else raw
    return Seen(TIME_NS + number * 10**9, outgoing, LOCAL, PEER, "tls", data)


def read(*lines: str) -> list[Record | Malformed]:
    return records(UccapiReader(), lines)


def messages(found: list[Record | Malformed]) -> list[TextMessage]:
    return [one for one in found if isinstance(one, TextMessage)]


def malformed(found: list[Record | Malformed]) -> list[str]:
    return [one.reason for one in found if isinstance(one, Malformed)]


def packet(raw: bytes, marker: str = SENDING, prefix: str = PREFIX) -> list[str]:
    """Return a packet as it is logged, SIP behind a prefix of its own."""
    first, *rest = raw.decode().replace("\r\n", "\n").removesuffix("\n").split("\n")
    size = f"{len(raw)} bytes"
    return [
        f"{prefix}{marker} {size}:",
        prefix + first,
        *rest,
        f"{prefix}End of {marker} {size}",
    ]


def test_a_packet_that_was_sent_is_a_message_with_both_ends() -> None:
    assert read(*packet(sip(1))) == [
        TextMessage(TIME_NS, 3, False, 1, True, LOCAL, PEER, "tls", sip(1))
    ]


def test_data_that_was_received_comes_from_the_peer() -> None:
    (message,) = messages(read(*packet(sip(1), RECEIVED)))
    assert (message.outgoing, message.local, message.peer) == (False, LOCAL, PEER)


@pytest.mark.parametrize(
    "prefix",
    [
        "04/16/2013|03:17:30.168 1F68:C14 INFO  :: ",
        "04/16/2013|03:17:30.168 1F68:C14 TRACE :: ",
        "04/16/2013|03:17:30.168 1f68:0c14 INFO ::",
        "16/04/2013|03:17:30,168 1F68:C14 INFO :: ",
    ],
)
def test_the_prefix_varies_with_version_and_country(prefix: str) -> None:
    (message,) = messages(read(*packet(sip(1), prefix=prefix)))
    assert (message.time_ns, message.data) == (TIME_NS, sip(1))


def test_text_may_follow_the_opening_line_without_a_prefix() -> None:
    opening, first, *rest = packet(sip(1))
    (message,) = messages(read(opening, first.removeprefix(PREFIX), *rest))
    assert message.data == sip(1)


def test_without_an_opening_line_the_text_before_the_end_line_is_taken() -> None:
    found = read(f"{PREFIX}CUccPlatform - 0x0A9E2C78", *packet(sip(1))[1:])
    assert [(one.data, one.outgoing, one.local) for one in messages(found)] == [
        (sip(1), True, LOCAL)
    ]
    assert malformed(found) == []


def test_an_end_line_alone_says_what_is_not_there() -> None:
    assert malformed(read(packet(sip(1))[-1])) == [
        f"the beginning of a packet of {len(sip(1))} bytes from {LOCAL} to {PEER} is not in the log"
    ]


def test_lines_of_other_threads_stand_between_those_of_a_packet() -> None:
    opening, first, *rest = packet(sip(1))
    other = "04/16/2013|03:17:30.169 1F68:D00 TRACE :: CUccTimer - 0x0A9E2C78"
    two = packet(sip(2), RECEIVED, "04/16/2013|03:17:30.170 1F68:D04 INFO :: ")
    found = messages(read(opening, other, *two[:1], first, *rest[:-1], other, *two[1:], rest[-1]))
    assert [(one.data, one.line) for one in found] == [(sip(2), 3), (sip(1), 1)]


@pytest.mark.parametrize(
    ("body", "end"),
    [
        *((body, "\n") for body in ("a\nb\nc", "\na", "\n\n\nb", "\n", "x")),
        *((body, "\r\n") for body in ("a\nb\nc", "a\nb\n", "\na", "a\n\n\nb\n\n", "\n", "x")),
    ],
)
def test_line_ends_of_a_body_are_those_that_were_counted(body: str, end: str) -> None:
    raw = sip(1, body, end=end)
    (message,) = messages(read(*packet(raw)))
    assert message.data == raw


def test_a_body_with_both_line_ends_has_its_length() -> None:
    raw = sip(1, "a\nb\nc", end="\r\n").replace(b"b\r\n", b"b\n").replace(b": 7", b": 6")
    (message,) = messages(read(*packet(raw)))
    assert len(message.data) == len(raw)
    assert message.missing == 0


def test_a_body_that_the_log_leaves_out_is_masked() -> None:
    head, _, body = sip(1).partition(b"\r\n\r\n")
    opening, *_, end = packet(sip(1))
    shown = [*(PREFIX + head.decode()).split("\r\n"), ""]
    (message,) = messages(read(opening, *shown, end))
    assert (message.masked, message.missing) == (True, len(body))
    assert message.data == head + b"\r\n\r\n"


def test_a_placeholder_is_not_a_body() -> None:
    head, _, body = sip(1).partition(b"\r\n\r\n")
    opening, *_, end = packet(sip(1))
    shown = [*(PREFIX + head.decode()).split("\r\n"), "", "****MESSAGE BODY DELETED****"]
    (message,) = messages(read(opening, *shown, end))
    assert (message.data, message.masked) == (head + b"\r\n\r\n", True)
    assert message.missing == len(body)


def test_several_messages_of_one_read_are_told_apart() -> None:
    raw = sip(1) + sip(2, "a\nb\n") + sip(3, "")
    found = messages(read(*packet(raw, RECEIVED)))
    assert [one.data for one in found] == [sip(1), sip(2, "a\nb\n"), sip(3, "")]
    assert all(one.whole for one in found)


def test_a_message_over_two_reads_is_two_parts() -> None:
    raw = sip(1)
    found = messages(read(*packet(raw[:100], RECEIVED), *packet(raw[100:], RECEIVED)))
    assert [(one.data, one.whole, one.missing) for one in found] == [
        (raw[:100], False, 0),
        (raw[100:], False, 0),
    ]


def test_a_head_without_its_body_is_a_part_when_the_packet_was_not_longer() -> None:
    head, _, body = sip(1).partition(b"\r\n\r\n")
    raw = head + b"\r\n\r\n"
    found = messages(read(*packet(raw), *packet(body)))
    assert [(one.data, one.whole, one.masked) for one in found] == [
        (raw, False, False),
        (body, False, False),
    ]


def test_where_the_rest_of_a_message_never_comes_it_is_said_to_be_missing() -> None:
    found = messages(read(*packet(sip(1)[:-20]), *packet(sip(2))))
    assert [(one.data, one.whole, one.missing) for one in found] == [
        (sip(1)[:-20], False, 0),
        (b"", False, 20),
        (sip(2), True, 0),
    ]


def test_keep_alives_are_no_messages() -> None:
    keep_alive = [f"{PREFIX}{SENDING} 4 bytes:", PREFIX, "", f"{PREFIX}End of {SENDING} 4 bytes"]
    assert read(*keep_alive) == []


def test_errors_that_name_a_result_or_a_message_are_kept() -> None:
    error = "04/16/2013|03:17:31.000 1F68:C14 ERROR :: "
    found = read(
        f"{error}SIP_MSG::OnResponse - failed 0x80EF01F4 Call-ID: one",
        f"{error}HRESULT API failed: 80ef = hr. no code",
        f"{PREFIX}OnResponse - 0x00000000",
    )
    assert [
        (one.severity, one.code, one.call_id, one.line)
        for one in found
        if isinstance(one, Annotation)
    ] == [("error", "0x80EF01F4", "one", 1)]
    assert len(found) == 1


def test_a_log_that_ends_inside_a_packet_gives_what_there_is() -> None:
    found = read(*packet(sip(1)), *packet(sip(2))[:6])
    first, second = messages(found)
    assert first.data == sip(1)
    assert second.data == b"\r\n".join(sip(2).split(b"\r\n")[:5])
    assert malformed(found) == [
        f"the log ends, or goes on, inside a packet of {len(sip(2))} bytes from {LOCAL} to {PEER}"
    ]


def test_a_length_nobody_sends_is_not_believed() -> None:
    opening, *rest = packet(sip(1))
    found = messages(read(opening.replace(f"{len(sip(1))} bytes", "999999999 bytes"), *rest[:-1]))
    assert [(one.data, one.missing) for one in found] == [(sip(1), 0)]


def log(count: int, seed: int = 0) -> tuple[list[Seen], list[str], list[range]]:
    """Return messages, their log, and the lines of each."""
    bodies = [BODY, "", "a\nb\n", "Hi\n\nthere"]
    wanted = [seen(n, sip(n, bodies[n % 4]), outgoing=n % 2 == 0) for n in range(count)]
    lines = written(wanted, "uccapi", seed)
    found, begin = [], 0
    for number, line in enumerate(lines):
        if line.endswith(" bytes:"):
            begin = number
        elif ":: End of " in line:
            found.append(range(begin, number + 1))
    return wanted, lines, found


@given(st.lists(st.integers(0, 400), max_size=30), st.sampled_from(["utf-8", "utf-16"]))
def test_any_segmentation_gives_the_same(sizes: list[int], encoding: str) -> None:
    wanted, lines, _ = log(4)
    found = read_trace(encoded(lines, encoding, "\r\n"), UccapiReader, sizes)
    assert [one.data for one in messages(found)] == [one.raw for one in wanted]


@given(st.data())
def test_reads_may_end_anywhere(data: st.DataObject) -> None:
    """What is logged of a connection is, together, what was on the wire."""
    raw = b"".join(sip(n, body) for n, body in enumerate([BODY, "", "a\nb\n", "Hi\n\nthere", BODY]))
    cuts = data.draw(st.sets(st.integers(1, len(raw) - 1), max_size=8))
    # The log is text: half a character would be written as something else.
    places = sorted(place for place in cuts if raw[place] & 0xC0 != 0x80)
    writer = Uccapi("uccapi", Random(1), masked=False)
    lines: list[str] = []
    for begin, end in zip([0, *places], [*places, len(raw)], strict=True):
        part = raw[begin:end]
        shown = part.decode().replace("\r\n", "\n").replace("\r", "").replace("\r", "")
        lines += writer.packet(seen(1, outgoing=False), shown, len(part))
    found = read(*lines)
    assert b"".join(one.data for one in messages(found)) == raw
    assert malformed(found) == []


@given(st.integers(0, 200), st.integers(0, 200))
def test_of_half_a_log_what_is_whole_is_read_and_each_cut_is_one_line(a: int, b: int) -> None:
    wanted, lines, places = log(6)
    begin, end = sorted((a % (len(lines) + 1), b % (len(lines) + 1)))
    found = read(*lines[begin:end])
    whole = [
        one.raw
        for one, place in zip(wanted, places, strict=True)
        if begin <= place.start and place.stop <= end
    ]
    assert [raw for raw in (one.data for one in messages(found)) if raw in whole] == whole
    assert len(malformed(found)) <= 2


@given(
    st.integers(0, 500),
    st.one_of(st.text(max_size=80), st.sampled_from([PREFIX, f"{PREFIX}{SENDING} 12 bytes:"])),
    st.integers(0, 80),
)
def test_a_damaged_line_spoils_no_other_message(row: int, text: str, place: int) -> None:
    wanted, lines, places = log(6, 3)
    row %= len(lines)
    lines[row] = lines[row][:place] + text
    found = [one.data for one in messages(read(*lines))]
    others = [one.raw for one, where in zip(wanted, places, strict=True) if row not in where]
    assert [raw for raw in found if raw in others] == others


def test_a_packet_that_is_longer_than_is_read_is_named() -> None:
    opening, first, *rest = packet(sip(1))
    line = "X: " + "x" * 60_000
    found = read(opening, first, *([line] * (MAX_RECORD // len(line) + 1)), *rest)
    assert malformed(found)[0].startswith("the text of a packet of ")
    assert malformed(found)[0].endswith(" is longer than is read")


def test_threads_without_end_are_forgotten_and_what_they_had_open_is_said() -> None:
    opening, first, *rest = packet(sip(1))
    others = [PREFIX.replace("1F68:C14", f"1:{n:X}") + "idle" for n in range(MAX_THREADS)]
    found = read(opening, first, *rest[:-1], *others)
    assert len(messages(found)) == 1


@pytest.mark.parametrize("date", ["99/99/2013", "02/31/2013", "01/01/0000", "01/01/1960"])
def test_a_line_of_a_day_that_cannot_be_is_no_line_of_the_client(date: str) -> None:
    lines = packet(sip(1), prefix=PREFIX.replace("04/16/2013", date))
    assert [one.data for one in messages(read(*packet(sip(2)), *lines))] == [sip(2)]
