"""DNS questions for a pool: read as they are, and nothing that bytes hold raises."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.dns import NXDOMAIN, NameQuery, Target, may_concern, read_query
from dissectors.model import Datagram

KEY = bytes(12)


def _datagram(payload: bytes) -> Datagram:
    return Datagram(7, 1_000, 6, KEY, payload, 0, 0)


def _name(text: str) -> bytes:
    return b"".join(bytes((len(part),)) + part.encode() for part in text.split(".")) + b"\0"


def _message(
    name: str, kind: int, *, flags: int = 0x0100, answers: tuple[bytes, ...] = ()
) -> bytes:
    head = struct.pack(">6H", 0x460A, flags, 1, len(answers), 0, 0)
    return head + _name(name) + struct.pack(">2H", kind, 1) + b"".join(answers)


def _srv(host: str, port: int) -> bytes:
    data = struct.pack(">3H", 0, 0, port) + _name(host)
    # The name of the record points to that of the question (RFC 1035 4.1.4).
    return struct.pack(">3HIH", 0xC00C, 33, 1, 600, len(data)) + data


def test_a_question_for_the_pool_is_read() -> None:
    payload = _message("_SipInternalTLS._tcp.contoso.com", 33)
    assert read_query(_datagram(payload)) == NameQuery(
        7, 1_000, KEY, 0x460A, "_sipinternaltls._tcp.contoso.com", "SRV", False, 0, ()
    )


def test_an_answer_brings_the_hosts_in_its_order() -> None:
    records = (_srv("fe2.contoso.com", 5061), _srv("fe1.contoso.com", 5060))
    found = read_query(
        _datagram(_message("_sip._tcp.contoso.com", 33, flags=0x8180, answers=records))
    )
    assert found is not None
    assert found.answered
    assert found.targets == (Target("fe2.contoso.com", 5061), Target("fe1.contoso.com", 5060))


def test_an_answer_says_that_there_is_no_such_name() -> None:
    found = read_query(_datagram(_message("_sipinternal._tcp.a.example", 33, flags=0x8183)))
    assert found is not None
    assert (found.answered, found.rcode) == (True, NXDOMAIN)


@pytest.mark.parametrize(
    ("name", "kind", "read"),
    [
        ("sip.contoso.com", 1, True),
        ("lyncdiscoverinternal.contoso.com", 28, True),
        ("gossip.contoso.com", 1, False),
        ("www.sip.example", 1, False),
        ("_ldap._tcp.sip.example", 33, False),
        ("sip.contoso.com", 16, False),  # TXT
    ],
)
def test_only_names_of_pools_matter(name: str, kind: int, read: bool) -> None:
    payload = _message(name, kind)
    assert may_concern(payload)
    assert (read_query(_datagram(payload)) is not None) == read


def test_names_of_others_are_not_even_parsed() -> None:
    assert not may_concern(_message("www.contoso.com", 1))


_ANSWER = _message("_sip._tcp.a.example", 33, flags=0x8180, answers=(_srv("fe.a.example", 5061),))


@given(st.integers(0, len(_ANSWER) - 1), st.binary(min_size=0, max_size=6))
def test_damage_never_raises_and_answers_stay_bounded(at: int, other: bytes) -> None:
    payload = _ANSWER[:at] + other + _ANSWER[at + len(other) :]
    found = read_query(_datagram(payload))
    assert found is None or (found.frame == 7 and len(found.name) < 256)


@given(st.binary(max_size=80))
def test_arbitrary_bytes_never_raise(payload: bytes) -> None:
    found = read_query(_datagram(payload))
    assert found is None or found.kind in {"A", "AAAA", "SRV"}


def test_a_name_that_points_to_itself_ends() -> None:
    payload = struct.pack(">6H", 1, 0, 1, 0, 0, 0) + b"\xc0\x0c" + struct.pack(">2H", 33, 1)
    assert read_query(_datagram(payload)) is None
