"""Records, hellos and their order: however they are cut, and whatever else comes instead."""

from __future__ import annotations

from random import Random  # noqa: TID251  (seeded)
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import tls_order
from analyzer.tls_handshake import MAX_FLIGHT, Handshake
from analyzer.tls_order import Order
from analyzer.tls_records import LARGEST, Record, RecordReader
from analyzer.tls_suites import is_ephemeral, suite_name, version_name
from dissectors.model import Chunk
from tests.support import tls_writer as w
from tests.support.tls_certificates import der, rsa_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.tls_captures import Write


def session(**settings: object) -> w.Session:
    key = rsa_key(0).public_key()
    return w.Session(key=key, certificate=der(), **settings)  # type: ignore[arg-type]


TALK = session(ems=True, ticket=b"t" * 99).shake().client(b"one").server(b"two").end().writes
DATA = b"".join(data for side, data in TALK if not side)


def chunks(pieces: Iterable[bytes]) -> Iterator[Chunk]:
    for frame, data in enumerate(pieces, 1):
        yield Chunk(0, data, frame, frame * 10, 6, 0)


def read(pieces: Iterable[bytes]) -> list[Record]:
    reader = RecordReader()
    return [record for chunk in chunks(pieces) for record in reader.feed(chunk)]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[a:b] for a, b in zip([0, *ends], ends, strict=False)]


@given(st.lists(st.integers(0, 10_000), max_size=30))
def test_records_do_not_depend_on_how_their_bytes_were_cut(places: list[int]) -> None:
    pieces = cut(DATA, places)
    found = read(pieces)
    assert [record.data for record in found] == [data for side, data in TALK if not side]
    arrived = 0
    ends = [arrived := arrived + len(piece) for piece in pieces]
    done = 0
    for record in found:
        done += len(record.data)
        frame = next(at for at, end in enumerate(ends, 1) if end >= done)
        assert (record.frame, record.time_ns) == (frame, frame * 10)


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255), st.lists(st.integers(0, 10_000)))
def test_damaged_records_end_the_reading_and_nothing_else(
    at: int, flip: int, places: list[int]
) -> None:
    damaged = DATA[:at] + bytes((DATA[at] ^ flip,)) + DATA[at + 1 :]
    found = read(cut(damaged, places))
    assert damaged.startswith(b"".join(record.data for record in found))
    assert all(0 < len(record.data) <= 5 + LARGEST for record in found)
    assert [one.data for one in found] == [one.data for one in read([damaged])]


def test_a_frame_captured_early_counts_from_the_one_before_it() -> None:
    reader = RecordReader()
    assert reader.feed(Chunk(0, DATA[:10], 9, 90, 6, 0)) == []
    found = reader.feed(Chunk(0, DATA[10:], 4, 40, 6, 0))
    assert {(record.frame, record.time_ns) for record in found} == {(9, 90)}


@given(st.integers(0, len(DATA)), st.integers(1, 400), st.lists(st.integers(0, 10_000)))
def test_behind_a_hole_whole_records_are_found_again(at: int, size: int, places: list[int]) -> None:
    rest = DATA[at + size :]
    reader = RecordReader()
    before = reader.feed(Chunk(0, DATA[:at], 1, 1, 6, 0)) if at else []
    reader.gap()
    after = [one for chunk in chunks(cut(rest, places)) for one in reader.feed(chunk)]
    starts, place = {}, 0
    for side, data in TALK:
        if not side:
            starts[place] = data
            place += len(data)
    whole = [data for start, data in starts.items() if start >= at + size]
    found = [one.data for one in after]
    assert [one.data for one in before] == [data for start, data in starts.items()
                                            if start + len(data) <= at]  # fmt: skip
    assert found[len(found) - len(whole) :] == whole


def heard(writes: Iterable[Write]) -> Handshake:
    handshake = Handshake()
    for side, data in writes:
        for record in read([data]):
            handshake.take(0 if side else 1, record.kind, record.data[5:])
    return handshake


def test_a_handshake_tells_who_could_read_the_connection() -> None:
    found = heard(TALK)
    log = session(ems=True, ticket=b"t" * 99).shake().log
    assert (found.client, found.name, found.certificate) == (0, "ocs.contoso.com", der())
    assert found.random is not None
    assert found.random.hex() == log[0].split()[1]
    assert (found.version, found.suite) == (w.TLS12, w.RSA_AES128_SHA.number)
    assert (found.done, found.client_key, found.changed) == (True, True, [True, True])
    assert not found.resumed


@pytest.mark.parametrize("ticket", [b"", b"t" * 160])
@pytest.mark.parametrize("ems", [False, True])
def test_a_resumed_session_is_told_from_a_full_one(ticket: bytes, ems: bool) -> None:
    first = session(ticket=ticket, ems=ems).shake()
    again = heard(session(seed=2).resume(first).writes)
    assert (again.may_resume, again.resumed) == (True, True)
    assert (heard(first.writes).may_resume, heard(first.writes).resumed) == (False, False)


def test_a_hello_of_tls_1_3_is_understood() -> None:
    found = heard(w.Session13(psk=True, early=(b"x",)).shake().writes)
    assert (found.is_tls13, found.suite, found.early) == (True, 0x1301, True)
    assert found.name == "chat.contoso.com"


def test_a_hello_of_ssl_2_gives_its_random() -> None:
    one = session(version=w.TLS10, old_hello=True).shake()
    reader, found = RecordReader(), Handshake()
    [record] = reader.feed(Chunk(0, one.writes[0][1], 1, 1, 6, 0))
    assert record.kind == 0
    found.take_old_hello(0, record.data)
    assert found.random is not None
    assert found.random.hex() == one.log[0].split()[1]


@pytest.mark.parametrize("shown", [60, 120, 512])
def test_the_first_bytes_of_a_hello_may_do(shown: int) -> None:
    found = Handshake()
    for side, data in TALK[:2]:
        found.peek(0 if side else 1, data[:shown])
    assert found.random is not None
    assert found.suite == (w.RSA_AES128_SHA.number if shown > 80 else None)


@given(st.integers(0, 10_000), st.integers(1, 255), st.booleans())
def test_damaged_handshakes_are_read_without_a_fault(at: int, flip: int, peek: bool) -> None:
    for side, data in TALK[:4]:
        place = at % len(data)
        damaged = data[:place] + bytes((data[place] ^ flip,)) + data[place + 1 :]
        found = Handshake()
        if peek:
            found.peek(0 if side else 1, damaged)
        else:
            found.take(0 if side else 1, 22, damaged[5:])
        assert found.random is None or len(found.random) == 32
        assert found.name is None or found.name.isprintable()


def test_a_flight_without_end_is_not_kept() -> None:
    found = Handshake()
    found.take(0, 22, b"\1" + (MAX_FLIGHT + 1).to_bytes(3, "big") + bytes(99))
    assert not found.within(0)
    found.take(0, 22, TALK[0][1][5:])
    assert found.random is None


# order


def ordered(records: list[tuple[int, Record]]) -> list[tuple[int, bytes]]:
    order = Order(Handshake())
    given_ = [said for side, record in records for said in order.take(side, record)]
    return [(side, record.data) for side, record in [*given_, *order.close()]]


TALKS: dict[str, w.Session | w.Session13] = {
    "in full": session(ems=True).shake().client(b"one").server(b"two").end(),
    "with a certificate": session().shake(client_certificate=der()).client(b"one").end(),
    "in pieces": session(fragment=50, ticket=b"t" * 99).shake().server(b"two").end(),
    "resumed": session(seed=2).resume(session(ticket=b"t" * 99).shake()).client(b"one").end(),
    "hello of SSL 2": session(version=w.TLS10, old_hello=True).shake().client(b"one").end(),
    "TLS 1.3": w.Session13().shake().client(b"one").server(b"two").end(),
    "early data": w.Session13(psk=True, early=(b"0",)).shake().client(b"one").end(),
}


def sides(writes: list[Write]) -> tuple[list[tuple[int, Record]], list[tuple[int, Record]]]:
    found: tuple[list[tuple[int, Record]], ...] = ([], [])
    for frame, (from_client, data) in enumerate(writes):
        side = 0 if from_client else 1
        kind = 0 if data[0] & 0x80 else data[0]
        found[side].append((side, Record(kind, data, frame, frame, 6)))
    return found[0], found[1]


@pytest.mark.parametrize("name", [name for name in TALKS if name != "early data"])
@pytest.mark.parametrize("seed", range(6))
def test_however_the_sides_were_captured_the_talk_is_told_in_order(name: str, seed: int) -> None:
    writes = TALKS[name].writes
    client, server = sides(writes)
    chance, mixed = Random(seed), []
    if seed < 2:
        mixed = [*server, *client] if seed else [*client, *server]
    else:
        left = [list(client), list(server)]
        while left[0] or left[1]:
            side = chance.choice([at for at in (0, 1) if left[at]])
            mixed.append(left[side].pop(0))
    found = ordered(mixed)
    assert sorted(data for _, data in found) == sorted(data for _, data in writes)
    for side in (0, 1):
        assert [data for at, data in found if at == side] == [
            record.data for _, record in (client, server)[side]
        ]
    # Whoever decrypts has seen the client's key before the server changes to it.
    places = {data: at for at, (_, data) in enumerate(found)}
    talk = [(0 if side else 1, data) for side, data in writes if data[0] & 0x80 or data[0] == 22]
    plain = talk[:3] if name == "in full" else talk[:2]
    assert [places[data] for _, data in plain] == sorted(places[data] for _, data in plain)


def test_a_talk_in_order_is_left_in_order() -> None:
    for name, talk in TALKS.items():
        records = [*sides(talk.writes)[0], *sides(talk.writes)[1]]
        records.sort(key=lambda one: one[1].frame)
        assert [data for _, data in ordered(records)] == [data for _, data in talk.writes], name


def test_what_waits_too_long_is_given_as_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_order, "MAX_HELD", 500)
    _, server = sides(TALK)
    order = Order(Handshake())
    found = [said for side, record in server for said in order.take(side, record)]
    assert found == server


# suites


def test_names_of_suites_are_those_of_the_registry() -> None:
    assert suite_name(0x002F) == "TLS_RSA_WITH_AES_128_CBC_SHA"
    assert suite_name(0xC030) == "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
    assert suite_name(0x1302) == "TLS_AES_256_GCM_SHA384"
    assert suite_name(0x5A5A) == "cipher suite 0x5A5A"
    assert [is_ephemeral(one) for one in (0x002F, 0xC030, 0x1302, 0x5A5A)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert [version_name(one) for one in (0x0301, 0x0304, 0x0302, 0x7F1C)] == [
        "TLS 1.0", "TLS 1.3", "TLS 1.1", "TLS 1.3",
    ]  # fmt: skip
