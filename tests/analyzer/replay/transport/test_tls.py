"""TLS of plays: who is trusted, what fails and why, and that ends are as over plain TCP."""

from __future__ import annotations

import asyncio
import ssl
import stat
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from analyzer.replay.actions import Action, Address, Close, Open, Send
from analyzer.replay.transport.client import run_client
from analyzer.replay.transport.errors import TransportError
from analyzer.replay.transport.identity import Identity, make_identity, read_identity
from analyzer.replay.transport.run import Run
from analyzer.replay.transport.tls import (
    TlsSession,
    TlsSettings,
    client_context,
    server_context,
)
from analyzer.replay.wire import WireLog
from tests.analyzer.replay.fakes import Acting, Caller, Echo
from tests.analyzer.replay.transport.loopback import run, serving

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime.now(UTC)
ANYBODY = TlsSettings(insecure=True)


@cache
def _identity() -> Identity:
    return make_identity(["ocs.example.com"], now=NOW)


@pytest.fixture
def trusted(tmp_path: Path) -> Path:
    path = tmp_path / "server.pem"
    _identity().write_certificate(path)
    return path


def _server() -> TlsSettings:
    return TlsSettings(_identity())


def test_a_certificate_that_was_handed_over_is_trusted(trusted: Path) -> None:
    async def scene() -> None:
        server, client = Echo(), Caller(rounds=3)
        async with serving(server, tls=_server()) as there:
            outcome = await run_client(client, there.address, tls=TlsSettings(ca=trusted))
        assert outcome.held
        assert (client.secure, server.secure) == (True, True)
        assert server.heard() == 3 * client.message
        assert server.ends() == [(1, "fin")]

    run(scene())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ocs.example.com", None),
        ("localhost", None),
        ("elsewhere.example.com", "Hostname mismatch"),
    ],
)
def test_the_server_must_be_who_it_is_called(trusted: Path, name: str, reason: str | None) -> None:
    async def scene() -> None:
        client = Caller()
        tls = TlsSettings(ca=trusted, server_name=name)
        async with serving(Echo(), tls=_server()) as there:
            outcome = await run_client(client, there.address, tls=tls)
        assert client.ends() == ([(1, "tls")] if reason else [])
        assert all(reason is not None and reason in note for note in outcome.notes)
        assert outcome.held == (reason is None)

    run(scene())


def test_a_stranger_is_not_trusted_and_both_sides_say_why() -> None:
    async def scene() -> None:
        server, client = Echo(), Caller()
        async with serving(server, tls=_server()) as there:
            outcome = await run_client(client, there.address, tls=TlsSettings())
        assert client.ends() == [(1, "tls")]
        assert outcome.notes == (
            f"TLS with {there.address}: certificate verify failed: self-signed certificate",
        )
        assert [event for event in server.told if event[0] != "abort"] == [("start",)]
        assert len(there.notes) == 1
        assert "unknown ca" in there.notes[0]

    run(scene())


def test_who_speaks_plainly_to_a_tls_server_is_never_a_connection_of_the_play() -> None:
    async def scene() -> None:
        server, client = Echo(), Caller()
        async with serving(server, tls=_server()) as there:
            outcome = await run_client(client, there.address)
        assert len(client.ends()) == 1
        assert not outcome.held
        assert [event for event in server.told if event[0] != "abort"] == [("start",)]
        assert "TLS with 127.0.0.1:" in there.notes[0]

    run(scene())


def test_a_server_that_speaks_plainly_fails_the_handshake() -> None:
    async def scene() -> None:
        client = Caller()
        async with serving(Echo()) as there:
            outcome = await run_client(client, there.address, tls=ANYBODY)
        assert client.ends() == [(1, "tls")]
        assert len(outcome.notes) == 1

    run(scene())


def test_a_peer_that_hangs_up_during_the_handshake_is_said_so() -> None:
    async def scene() -> None:
        client = Caller()
        server = Acting(when=lambda _play, event: [Close(1)] if event[0] == "opened" else [])
        async with serving(server) as there:
            outcome = await run_client(client, there.address, tls=ANYBODY)
        assert client.ends() == [(1, "tls")]
        assert "during the handshake" in outcome.notes[0]

    run(scene())


def test_a_handshake_that_does_not_go_on_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.replay.transport.connection.HANDSHAKE_SECONDS", 0.1)

    async def scene() -> None:
        server = Echo()
        async with serving(server, tls=_server()) as there:
            reader, writer = await asyncio.open_connection(*there.address)
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
        assert "no TLS handshake within 0.1 s" in there.notes[0]

    run(scene())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_half_ends_our_direction_only(
    monkeypatch: pytest.MonkeyPatch, version: ssl.TLSVersion
) -> None:
    context = client_context(ANYBODY)
    context.maximum_version = version
    monkeypatch.setattr("analyzer.replay.transport.client.client_context", lambda _: context)

    def when(_play: Acting, event: tuple[object, ...]) -> list[Action]:
        if event == ("ended", 1, "fin"):
            return [Send(1, b"after your end"), Send(1, b"." * 100_000), Close(1)]
        return []

    def call(play: Acting, event: tuple[object, ...]) -> list[Action]:
        play.finished = event[0] == "ended"
        if event == ("opened", 1):
            return [Send(1, b"all"), Close(1, "half"), Send(1, b"never")]
        return [Open(1)] if event == ("start",) else []

    async def scene() -> None:
        client, server = Acting(when=call), Acting(when=when)
        async with serving(server, tls=_server()) as there:
            await run_client(client, there.address, tls=ANYBODY)
        assert server.heard() == b"all"
        assert client.heard() == b"after your end" + b"." * 100_000
        assert client.ends() == [(1, "fin")]

    run(scene())


def test_rst_is_a_reset_under_tls_too() -> None:
    async def scene() -> None:
        server = Acting(
            when=lambda _play, event: [Close(1, "rst")] if event[0] == "receive" else []
        )
        client = Caller()
        async with serving(server, tls=_server()) as there:
            await run_client(client, there.address, tls=ANYBODY)
        assert client.ends() == [(1, "rst")]

    run(scene())


def test_a_message_of_many_records_arrives_whole_and_the_log_has_the_plaintext() -> None:
    async def scene() -> None:
        log = WireLog(lambda: 0)
        client = Caller(message=bytes(range(256)) * 8192)
        async with serving(Echo(), tls=_server()) as there:
            outcome = await run_client(client, there.address, tls=ANYBODY, run=Run(wire=log))
        assert outcome.held
        assert log.events[0].secure
        said = b"".join(event.data for event in log.events if event.outgoing)
        heard = b"".join(event.data for event in log.events if not event.outgoing)
        assert said == heard == client.message

    run(scene())


def test_rubbish_inside_a_session_breaks_it_with_a_note() -> None:
    async def scene() -> None:
        server = Echo()
        async with serving(server, tls=_server()) as there:
            context = client_context(ANYBODY)
            session = TlsSession(context, server_side=False, server_name="x")
            reader, writer = await asyncio.open_connection(*there.address)
            session.feed(b"")
            while not session.ready:
                writer.write(session.take())
                session.feed(await reader.read(65536))
            session.encrypt(b"INFO")
            writer.write(session.take())
            while session.feed(await reader.read(65536)) != b"INFO":
                pass
            writer.write(b"no record of TLS at all")
            await reader.read()
            writer.close()
            await writer.wait_closed()
        assert server.ends() == [(1, "rst")]
        assert "TLS with" in there.notes[0]

    run(scene())


def test_old_versions_are_spoken_only_when_asked_for() -> None:
    assert client_context(ANYBODY).minimum_version == ssl.TLSVersion.TLSv1_2
    old = server_context(TlsSettings(_identity(), minimum="1.0"))
    assert old.minimum_version == ssl.TLSVersion.TLSv1

    def shake_hands(server: ssl.SSLContext) -> bool:
        context = client_context(TlsSettings(insecure=True, minimum="1.0"))
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        ends = (
            TlsSession(context, server_side=False, server_name="x"),
            TlsSession(server, server_side=True),
        )
        for _ in range(4):
            for end, other in (ends, ends[::-1]):
                end.feed(other.take())
        return ends[0].ready and ends[1].ready

    assert shake_hands(old)
    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        shake_hands(server_context(_server()))


def test_the_key_log_has_the_secrets_and_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys.log"

    async def scene() -> None:
        async with serving(Echo(), tls=_server()) as there:
            tls = TlsSettings(insecure=True, keylog=path)
            await run_client(Caller(), there.address, tls=tls)

    run(scene())
    assert "CLIENT_TRAFFIC_SECRET_0 " in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# Identities


def test_a_made_identity_is_for_this_host_and_the_names_that_were_given() -> None:
    certificate = x509.load_pem_x509_certificate(_identity().chain)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "ocs.example.com"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    assert certificate.not_valid_before_utc < NOW < certificate.not_valid_after_utc


def test_a_fingerprint_is_written_as_people_compare_it() -> None:
    certificate = x509.load_pem_x509_certificate(_identity().chain)
    pairs = _identity().fingerprint.split(":")
    assert [len(pair) for pair in pairs] == [2] * 32
    assert bytes.fromhex("".join(pairs)) == certificate.fingerprint(hashes.SHA256())


def test_the_key_is_never_where_a_certificate_is_written(trusted: Path) -> None:
    assert b"PRIVATE" not in trusted.read_bytes()
    assert "PRIVATE" not in repr(_identity())


def test_an_identity_is_read_from_one_file_or_from_two(tmp_path: Path) -> None:
    chain, key, both = (tmp_path / name for name in ("chain.pem", "key.pem", "both.pem"))
    chain.write_bytes(_identity().chain)
    key.write_bytes(_identity().key)
    both.write_bytes(_identity().key + _identity().chain)
    for identity in (read_identity(chain, key), read_identity(both)):
        assert identity.fingerprint == _identity().fingerprint
        server_context(TlsSettings(identity))


def _encrypted_key() -> bytes:
    key = serialization.load_pem_private_key(_identity().key, None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )


def test_what_is_no_identity_is_one_line(tmp_path: Path) -> None:
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    with pytest.raises(TransportError, match=r"cannot read .*: No such file"):
        read_identity(chain)
    chain.write_bytes(b"\xff rubbish")
    with pytest.raises(TransportError, match=r"no certificate in PEM"):
        read_identity(chain)
    chain.write_bytes(_identity().chain)
    with pytest.raises(TransportError, match=r"the certificate or its key: "):
        server_context(TlsSettings(read_identity(chain)))
    key.write_bytes(make_identity(now=NOW).key)
    with pytest.raises(TransportError, match=r"key values mismatch"):
        server_context(TlsSettings(read_identity(chain, key)))
    key.write_bytes(_encrypted_key())
    with pytest.raises(TransportError, match=r"the key is encrypted"):
        server_context(TlsSettings(read_identity(chain, key)))
    chain.write_bytes(b"-----BEGIN CERTIFICATE-----\n" * 50_000)
    with pytest.raises(TransportError, match=r"too large for a certificate"):
        read_identity(chain)


def test_settings_that_cannot_be_used_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(TransportError, match=r"a TLS server needs a certificate"):
        server_context(TlsSettings())
    with pytest.raises(TransportError, match=r"cannot read .*: No such file"):
        client_context(TlsSettings(ca=tmp_path / "absent.pem"))
    (tmp_path / "no.pem").write_bytes(b"rubbish")
    with pytest.raises(TransportError, match=r"no\.pem: no certificate in PEM"):
        client_context(TlsSettings(ca=tmp_path / "no.pem"))
    with pytest.raises(TransportError, match=r"cannot write .*absent"):
        client_context(TlsSettings(keylog=tmp_path / "absent" / "keys"))
    with pytest.raises(TransportError, match=r"cannot write .*absent"):
        _identity().write_certificate(tmp_path / "absent" / "x.pem")
    with pytest.raises(TransportError, match=r"no host name: 'jörg'"):
        make_identity(["jörg"], now=NOW)
    with pytest.raises(TransportError, match=r"no name of a server: '\.x'"):
        run(run_client(Caller(), Address("127.0.0.1", 1), tls=TlsSettings(server_name=".x")))
