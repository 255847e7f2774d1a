"""Every kind of TLS that signalling was ever seen in, with every kind of key that opens it.

The plain text is the truth: each connection must give it byte for byte, however its records were
cut into segments and in whatever order those were captured.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from analyzer.sources.rsa_keys import read_rsa_key
from analyzer.sources.tls_keys import GivenKeys
from analyzer.trace import open_capture
from tests.support import tls_writer as w
from tests.support.packets import pcap
from tests.support.tls_captures import joined, split, told
from tests.support.tls_certificates import NAME, certificate, der, pem, rsa_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from analyzer.quality import Quality
    from tests.support.packets import Tcp
    from tests.support.tls_captures import Write

Said = tuple[list[bytes], list[bytes]]
"""Messages of the client, and of the server."""


def message(number: int, body: bytes = b"") -> bytes:
    head = (
        "INFO sip:ann@example.com SIP/2.0\r\nVia: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\r\n"
        "From: <sip:bob@example.com>;tag=1\r\nTo: <sip:ann@example.com>;tag=2\r\n"
        f"Call-ID: one\r\nCSeq: {number} INFO\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def answer(number: int) -> bytes:
    return b"SIP/2.0 200 OK\r\n" + message(number).partition(b"\r\n")[2]


@dataclass
class Case:
    """A connection, what was said on it, and whether the server's RSA key opens it."""

    name: str
    session: w.Session | w.Session13
    said: Said
    rsa: bool = False


def session(**settings: object) -> w.Session:
    public = rsa_key(0).public_key()
    return w.Session(key=public, certificate=der(), **settings)  # type: ignore[arg-type]


class Cases(list[Case]):
    """Connections, one after the other."""

    def add(self, name: str, one: w.Session | w.Session13, *, rsa: bool = False) -> None:
        """Let a connection whose hands are shaken talk, and remember it."""
        case = Case(name, one, ([], []), rsa)
        self.append(case)
        self.talk(case)

    @staticmethod
    def talk(case: Case, *, ends: bool = True) -> None:
        """Say a little more."""
        first = len(case.said[1]) + 1
        for number in range(first, first + 2):
            case.said[0].append(message(number, b"x" * 90 * number))
            case.said[1].append(answer(number))
            case.session.client(case.said[0][-1]).server(case.said[1][-1])
        if ends:
            case.session.end()


def suites() -> Cases:
    """Versions, suites and extensions, in full handshakes."""
    cases = Cases()
    old = (w.RSA_RC4_MD5, w.RSA_RC4_SHA, w.RSA_3DES_SHA, w.RSA_AES128_SHA, w.RSA_AES256_SHA)
    new = (w.RSA_AES128_SHA256, w.RSA_AES128_GCM, w.RSA_AES256_GCM)
    for version in (w.TLS10, w.TLS11, w.TLS12):
        for suite in (*old, *(new if version == w.TLS12 else ())):
            for ems, etm in ((False, False), (True, False), (False, bool(suite.mac))):
                one = session(version=version, suite=suite, ems=ems, etm=etm, seed=len(cases))
                if suite.cipher != "rc4" or not etm:  # RFC 7366: blocks only
                    cases.add(f"{version:x} {suite.number:04x} {ems} {etm}", one.shake(), rsa=True)
    for suite in (w.DHE_AES128_GCM, w.ECDHE_AES256_SHA, w.ECDHE_AES256_GCM, w.ECDHE_CHACHA):
        cases.add(f"{suite.number:04x}", session(suite=suite, seed=len(cases)).shake())
    for suite in (w.TLS13_AES128, w.TLS13_AES256, w.TLS13_CHACHA):
        cases.add(f"{suite.number:04x}", w.Session13(suite, seed=len(cases)).shake())
    return cases


def handshakes() -> Cases:
    """What handshakes can be, in full and in short."""
    cases = Cases()
    cases.add("split", session(fragment=90, ems=True, seed=1).shake(), rsa=True)
    cases.add("hello of SSL 2", session(version=w.TLS10, old_hello=True, seed=2).shake(), rsa=True)
    for number, (version, ems) in enumerate([(w.TLS10, False), (w.TLS12, True)]):
        one = session(version=version, ems=ems, seed=3 + number).shake(client_certificate=der(1))
        cases.add(f"client certificate {version:x}", one, rsa=True)
    resumed: list[tuple[dict[str, object], bool]] = [
        ({"suite": w.RSA_AES128_SHA}, True), ({"suite": w.RSA_AES128_SHA, "ems": True}, True),
        ({"suite": w.RSA_AES128_GCM, "ticket": b"t" * 160}, True),
        ({"suite": w.ECDHE_AES256_GCM, "ticket": b"u" * 160}, False),
    ]  # fmt: skip
    for number, (settings, rsa) in enumerate(resumed):
        first = session(seed=20 + number, **settings).shake()
        cases.add("resumed", first, rsa=rsa)
        cases.add("resumes", session(seed=30 + number).resume(first), rsa=rsa)
    return cases


def changes() -> Cases:
    """What can happen after a handshake, and instead of one."""
    cases = Cases()
    renegotiated: list[tuple[dict[str, object], bool]] = [
        ({"version": w.TLS10, "suite": w.RSA_RC4_MD5}, True),
        ({"version": w.TLS12, "suite": w.RSA_AES128_GCM, "ems": True}, True),
        ({"version": w.TLS12, "suite": w.ECDHE_AES256_GCM}, False),
    ]
    for number, (settings, rsa) in enumerate(renegotiated):
        case = Case("renegotiation", session(seed=10 + number, **settings).shake(), ([], []), rsa)
        cases.append(case)
        cases.talk(case, ends=False)
        assert isinstance(case.session, w.Session)
        case.session.record(False, w.HANDSHAKE, bytes(4)).shake(client_certificate=der(1))
        cases.talk(case)
    cases.add("psk", w.Session13(psk=True, seed=40).shake())
    cases.add("padded", w.Session13(padding=33, seed=41).shake())
    early = [message(101), message(102)]
    cases.add("early", w.Session13(psk=True, early=tuple(early), seed=42).shake())
    cases[-1].said[0][:0] = early
    case = Case("keys updated", w.Session13(w.TLS13_AES256, seed=43).shake(), ([], []))
    cases.append(case)
    for number in range(3):
        cases.talk(case, ends=number == 2)
        if number < 2:
            assert isinstance(case.session, w.Session13)
            case.session.update(from_client=number == 0).ticket().update(from_client=False)
    one = session(version=w.TLS10, seed=50).shake()
    cases.append(Case("single bytes first", one, ([message(1)], [answer(1)]), rsa=True))
    one.client(b"").client(message(1)[:1]).client(message(1)[1:])
    one.server(b"").server(answer(1)[:1]).server(answer(1)[1:])
    return cases


def _late(packets: list[Tcp], every: int, by: int) -> list[Tcp]:
    """Let one packet of ``every`` be captured ``by`` packets later."""
    moved = list(packets)
    for at in range(4, len(moved) - by - 3, every):
        moved.insert(at + by, moved.pop(at))
    return moved


def _one_side_late(packets: list[Tcp]) -> list[Tcp]:
    """Let the answers be captured before the questions: two taps with two clocks."""
    server = [one for one in packets[2:-3] if one.src.endswith(":5061")]
    client = [one for one in packets[2:-3] if not one.src.endswith(":5061")]
    return [*packets[:2], *server, *client, *packets[-3:]]


CUTS: dict[str, Callable[[list[Write], str], list[Tcp]]] = {
    "records over many segments": lambda writes, client: told(split(writes, 50), client=client),
    "many records in a segment": lambda writes, client: told(joined(writes), client=client),
    "twice and swapped": lambda writes, client: [
        one
        for packet in _late(told(split(writes, 90), client=client), 2, 1)
        for one in (packet,) * 2
    ],
    "late by nine": lambda writes, client: _late(told(split(writes, 90), client=client), 12, 9),
}


def address(number: int) -> str:
    return f"10.0.{number // 200}.{number % 200 + 1}:50000"


def capture(path: Path, cases: list[Case], cut: Callable[[list[Write], str], list[Tcp]]) -> None:
    packets: list[Tcp] = []
    for number, case in enumerate(cases):
        packets += cut(case.session.writes, address(number))
    path.write_bytes(pcap(packets))


def key_log(path: Path, cases: list[Case]) -> Path:
    path.write_text("".join(f"{line}\n" for case in cases for line in case.session.log))
    return path


def heard(path: Path, keys: GivenKeys) -> tuple[dict[str, Said], Quality]:
    """Return what was said on each connection, by its client."""
    found: dict[str, Said] = {}
    with open_capture(path, keylog=keys) as trace:
        for row, stream in enumerate(trace.rows.stream):
            src, dst = trace.streams[stream].src, trace.streams[stream].dst
            side = 0 if src.endswith(":50000") else 1
            found.setdefault(dst if side else src, ([], []))[side].append(trace.raw(row))
        assert list(trace.rows.frame) == sorted(trace.rows.frame)
        return found, trace.quality


def _rsa(tmp_path: Path) -> GivenKeys:
    (tmp_path / "key.pem").write_bytes(pem())
    return GivenKeys(rsa=(read_rsa_key(tmp_path / "key.pem"),))


@pytest.mark.parametrize("keys", ["key log", "RSA key"])
@pytest.mark.parametrize("cut", list(CUTS)[1:])
def test_every_version_and_suite_is_read_to_the_byte(tmp_path: Path, cut: str, keys: str) -> None:
    cases = suites()
    capture(tmp_path / "call.pcap", cases, CUTS[cut])
    by_log = keys == "key log"
    given = GivenKeys((key_log(tmp_path / "keys", cases),)) if by_log else _rsa(tmp_path)
    found, quality = heard(tmp_path / "call.pcap", given)
    readable = {address(at): case.said for at, case in enumerate(cases) if by_log or case.rsa}
    assert found == readable
    assert (quality.holes, quality.counters["decrypted tls connections"]) == ((), len(readable))
    assert bool(quality.notes) == (not by_log)


@pytest.mark.parametrize("keys", ["key log", "RSA key"])
@pytest.mark.parametrize("cut", list(CUTS)[:2])
def test_every_kind_of_handshake_is_read_to_the_byte(tmp_path: Path, cut: str, keys: str) -> None:
    cases = Cases([*handshakes(), *changes()])
    capture(tmp_path / "call.pcap", cases, CUTS[cut])
    by_log = keys == "key log"
    given = GivenKeys((key_log(tmp_path / "keys", cases),)) if by_log else _rsa(tmp_path)
    found, quality = heard(tmp_path / "call.pcap", given)
    wanted = {address(at): case.said for at, case in enumerate(cases) if by_log or case.rsa}
    for at, case in enumerate(cases):
        assert found.get(address(at)) == wanted.get(address(at)), case.name
    assert quality.holes == ()


def test_answers_captured_before_their_questions_are_read_too(tmp_path: Path) -> None:
    cases = suites()
    capture(
        tmp_path / "call.pcap", cases, lambda writes, at: _one_side_late(told(writes, client=at))
    )
    found, quality = heard(tmp_path / "call.pcap", GivenKeys((key_log(tmp_path / "keys", cases),)))
    assert found == {address(at): case.said for at, case in enumerate(cases)}
    assert quality.notes == ()


def test_each_connection_is_opened_by_the_key_that_fits(tmp_path: Path) -> None:
    """Two key logs and two RSA keys, together with a log that belongs to nothing."""
    cases = Cases()
    other = w.Session(key=rsa_key(1).public_key(), certificate=der(1), seed=1)
    cases.add("log 1", session(suite=w.ECDHE_AES256_GCM, seed=2).shake())
    cases.add("log 2", w.Session13(seed=3).shake())
    cases.add("key 1", session(seed=4).shake())
    cases.add("key 2", other.shake())
    capture(tmp_path / "call.pcap", cases, CUTS["many records in a segment"])
    logs = tuple(key_log(tmp_path / f"keys{at}", [cases[at]]) for at in (0, 1))
    keys = []
    for number in (0, 1):
        (tmp_path / f"{number}.pem").write_bytes(pem(number))
        keys.append(read_rsa_key(tmp_path / f"{number}.pem"))
    found, quality = heard(tmp_path / "call.pcap", GivenKeys(logs, tuple(keys)))
    assert found == {address(at): case.said for at, case in enumerate(cases)}
    assert [one.status for one in quality.tls] == ["decrypted"] * 4


def test_frames_are_those_of_the_segments_that_completed_the_records(tmp_path: Path) -> None:
    cases = Cases()
    cases.add("one", session(seed=5).shake(), rsa=True)
    packets = told(split(cases[0].session.writes, 40), client=address(0))
    (tmp_path / "call.pcap").write_bytes(pcap(packets))
    with open_capture(tmp_path / "call.pcap", keylog=_rsa(tmp_path)) as trace:
        found = list(trace.rows.frame)
    place, places = 0, []
    for _, data in cases[0].session.writes:
        place += -(-len(data) // 40)
        if data[0] == w.APPLICATION_DATA:
            places.append(place + 2)  # behind the SYNs
    assert found == places


# OpenSSL, which is no part of this project


class Shaken:
    """A session between two ends of OpenSSL, in memory."""

    def __init__(self, client: ssl.SSLContext, server: ssl.SSLContext, **settings: object) -> None:
        self.writes: list[Write] = []
        self.said: Said = ([], [])
        self._in = (ssl.MemoryBIO(), ssl.MemoryBIO())
        self._out = (ssl.MemoryBIO(), ssl.MemoryBIO())
        self.ends = [
            client.wrap_bio(self._in[0], self._out[0], **settings),  # type: ignore[arg-type]
            server.wrap_bio(self._in[1], self._out[1], server_side=True),
        ]
        waiting = {0, 1}
        while waiting:
            for side in sorted(waiting):
                with suppress(ssl.SSLWantReadError):
                    self.ends[side].do_handshake()
                    waiting.discard(side)
                self._pass(side)
        for number in (1, 2, 3):
            for side, data in ((0, message(number, b"y" * 5000)), (1, answer(number))):
                self.ends[side].write(data)
                self.said[side].append(data)
                self._pass(side)
                with suppress(ssl.SSLWantReadError):
                    while self.ends[1 - side].read(1 << 16):  # tickets, too
                        pass

    def _pass(self, side: int) -> None:
        if data := self._out[side].read():
            self.writes.append((side == 0, data))
            self._in[1 - side].write(data)


def contexts(tmp_path: Path, version: str, ciphers: str | None) -> list[ssl.SSLContext]:
    """Return a client and a server that speak this version alone and show their certificates."""
    (tmp_path / "own.pem").write_bytes(pem() + certificate(0, NAME).public_bytes(Encoding.PEM))
    found = [ssl.SSLContext(role) for role in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER)]
    for context in found:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers(f"{ciphers or 'ALL'}:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
        context.load_cert_chain(tmp_path / "own.pem")
    found[0].keylog_filename = str(tmp_path / "keys")
    found[1].verify_mode = ssl.CERT_OPTIONAL
    found[1].load_verify_locations(cadata=certificate(0, NAME).public_bytes(Encoding.PEM).decode())
    return found


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("keys", ["key log", "RSA key"])
def test_sessions_of_openssl_are_read_to_the_byte(tmp_path: Path, keys: str) -> None:
    """With certificates of both sides, and each session resumed once."""
    kinds = [
        ("TLSv1", "AES128-SHA"), ("TLSv1_1", "AES256-SHA"), ("TLSv1_2", "AES128-SHA256"),
        ("TLSv1_2", "AES256-GCM-SHA384"), ("TLSv1_2", "CAMELLIA128-SHA"), ("TLSv1_2", "AES128-CCM"),
        ("TLSv1_2", "ECDHE-RSA-AES256-GCM-SHA384"), ("TLSv1_2", "ECDHE-RSA-CHACHA20-POLY1305"),
        ("TLSv1_3", None),
    ]  # fmt: skip
    packets: list[Tcp] = []
    wanted: dict[str, Said | None] = {}
    for version, ciphers in kinds:
        client, server = contexts(tmp_path, version, ciphers)
        first = Shaken(client, server, server_hostname="ocs.contoso.com")
        again = Shaken(client, server, session=first.ends[0].session)
        assert again.ends[0].session_reused
        for one in (first, again):
            number = len(wanted)
            packets += told(split(one.writes, 1400), client=address(number))
            by_rsa = ciphers is not None and "DHE" not in ciphers
            wanted[address(number)] = one.said if keys == "key log" or by_rsa else None
    (tmp_path / "call.pcap").write_bytes(pcap(packets))
    given = GivenKeys((tmp_path / "keys",)) if keys == "key log" else _rsa(tmp_path)
    found, quality = heard(tmp_path / "call.pcap", given)
    assert found == {at: said for at, said in wanted.items() if said is not None}
    assert {one.name for one in quality.tls} == {"ocs.contoso.com", None}
