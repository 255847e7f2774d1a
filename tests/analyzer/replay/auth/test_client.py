"""What a client can and cannot answer, and how it says so."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
import spnego
from spnego.exceptions import NoCredentialError

from analyzer.replay.auth.digest import Hashed, digest_response
from analyzer.replay.auth.field import read_field
from tests.analyzer.replay.auth.signing_in import changed, client, request, response

if TYPE_CHECKING:
    from dissectors.sip.messages import SipMessage

NTLM = 'NTLM realm="SIP Communications Service", targetname="fe1.contoso.com", version=4'
KERBEROS = (
    'Kerberos realm="SIP Communications Service", targetname="sip/fe1.contoso.com", version=4'
)
TLS_DSK = 'TLS-DSK realm="r", targetname="t", version=4, sts-uri="https://fe1/certprov"'
DIGEST = 'Digest realm="r", nonce="n", qop="auth"'


def challenge(*offers: str) -> SipMessage:
    return response(request(1), 401, [("WWW-Authenticate", offer) for offer in offers])


def answered(one: list[tuple[str, str]] | None) -> str:
    assert one is not None
    return one[0][1]


class Ticket:
    """A Kerberos context that has a ticket."""

    def step(self) -> bytes:
        return b"ticket"

    def sign(self, text: bytes) -> bytes:
        return text[:4]

    def verify(self, text: bytes, signature: bytes) -> None:
        if signature != text[:4]:
            raise NoCredentialError


@pytest.mark.parametrize(
    ("offers", "password", "scheme"),
    [
        ((NTLM, DIGEST), "x", "NTLM"),
        ((DIGEST, NTLM), "x", "NTLM"),
        ((TLS_DSK, DIGEST), "x", "Digest"),
        (('Basic realm="r"', DIGEST), "x", "Digest"),
        ((KERBEROS, NTLM), "x", "NTLM"),
    ],
)
def test_the_best_scheme_that_is_possible_is_chosen(
    offers: tuple[str, ...], password: str | None, scheme: str
) -> None:
    one = client(password=password)
    assert answered(one.answer(request(2), challenge(*offers))).startswith(f"{scheme} ")


@pytest.mark.parametrize(
    ("offers", "password", "why"),
    [
        ((), "x", "The 401 offers no way to authenticate."),
        ((NTLM,), None, "offers NTLM, none of which can be used: no password was given."),
        ((TLS_DSK,), "x", "(TLS-DSK) are not done."),
        (('Basic realm="r"',), "x", "The server offers Basic, none of which can be used."),
        (('Digest realm="r", nonce="n", qop="auth-int"',), "x", "none of which can be used."),
        (('Digest realm="r", nonce="n", algorithm=SHA3',), "x", "none of which can be used."),
        (('NTLM gssapi-data="!!!"',), "x", "An NTLM challenge that is not Base64."),
        (('NTLM gssapi-data="AAAA"',), "x", "An NTLM challenge that cannot be read."),
        ((KERBEROS,), None, "Kerberos needs the Python package gssapi"),
        (('Kerberos targetname="fe1"',), None, "Kerberos: 'fe1' does not name a service."),
    ],
)
def test_a_client_says_why_it_cannot_go_on(
    offers: tuple[str, ...], password: str | None, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(**_: object) -> None:
        raise ImportError("GSSAPIProxy requires the Python gssapi library")

    monkeypatch.setattr(spnego, "client", absent)
    one = client(password=password)
    assert one.answer(request(2), challenge(*offers)) is None
    assert why in (one.problem or "")


def test_no_text_of_a_client_holds_the_password() -> None:
    one = client(password="correct horse")
    assert one.answer(request(2), challenge(TLS_DSK)) is None
    assert "horse" not in f"{one.problem}{one!r}{one}"


def test_without_a_ticket_the_next_scheme_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(**_: object) -> None:
        raise NoCredentialError

    monkeypatch.setattr(spnego, "client", none)
    assert answered(client().answer(request(2), challenge(KERBEROS, NTLM))).startswith("NTLM ")


def test_a_ticket_is_shown_at_once_and_signs_what_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def context(**kinds: object) -> Ticket:
        asked.update(kinds)
        return Ticket()

    monkeypatch.setattr(spnego, "client", context)
    one = client(password=None)
    said = read_field(answered(one.answer(request(2), challenge(NTLM, KERBEROS))))
    assert said is not None
    assert (asked["service"], asked["hostname"]) == ("sip", "fe1.contoso.com")
    assert (said.scheme, said.get("gssapi-data"), said.get("cnum")) == ("Kerberos", "dGlja2V0", "1")
    assert said.get("response") == b"<Ker".hex()
    assert one.scheme == "Kerberos"
    good = f'Kerberos rspauth="{b"<Ker".hex()}", srand="1", snum="1"'
    ok = response(request(2), 200, [("Authentication-Info", good)])
    assert one.verify(ok) is None
    bad = changed(ok, "Authentication-Info", b"<Ker".hex(), "00")
    assert one.verify(bad) == "Kerberos: the server's signature is wrong (snum 1)"


# RFC 2617 3.5 and RFC 7616 3.9.1.
@pytest.mark.parametrize(
    ("hashed", "password", "expected"),
    [
        (
            Hashed(
                "MD5",
                "Mufasa",
                "testrealm@host.com",
                "dcd98b7102dd2f0e8b11d0f600bfb0c093",
                "0a4f113b",
                "00000001",
                "auth",
                "/dir/index.html",
            ),
            "Circle Of Life",
            "6629fae49393a05397450978507c4ef1",
        ),
        (
            Hashed(
                "SHA-256",
                "Mufasa",
                "http-auth@example.org",
                "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                "00000001",
                "auth",
                "/dir/index.html",
            ),
            "Circle of Life",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
    ],
)
def test_digest_hashes_as_in_the_examples(hashed: Hashed, password: str, expected: str) -> None:
    assert digest_response(hashed, password, "GET") == expected


def test_a_session_variant_hashes_the_nonces_into_the_secret() -> None:
    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    said = Hashed("MD5-sess", "u", "r", "n", "c", "00000001", "auth", "sip:x")
    secret = md5(f"{md5('u:r:p')}:n:c")
    expected = md5(f"{secret}:n:00000001:c:auth:{md5('INFO:sip:x')}")
    assert digest_response(said, "p", "INFO") == expected


def test_digest_without_quality_of_protection_is_answered_as_of_old() -> None:
    one = client()
    said = read_field(
        answered(one.answer(request(2), challenge('Digest realm="r", nonce="n", opaque="o"')))
    )
    assert said is not None
    assert not said.params.has("nc")
    assert not said.params.has("cnonce")
    assert said.get("opaque") == "o"
    old = Hashed("MD5", "CONTOSO\\anna", "r", "n", "", "", "", "sip:contoso.com")
    assert said.get("response") == digest_response(old, "correct horse", "REGISTER")


def test_a_stale_nonce_is_replaced_and_refusals_of_the_password_end_it() -> None:
    one = client()
    number = 1

    def refuse(offer: str) -> list[tuple[str, str]] | None:
        nonlocal number
        number += 1
        refused = response(request(number - 1), 401, [("WWW-Authenticate", offer)])
        return one.answer(request(number), refused)

    assert 'nonce="n"' in answered(refuse(DIGEST))
    assert 'nonce="m"' in answered(refuse('Digest realm="r", nonce="m", qop="auth", stale=TRUE'))
    assert 'nonce="o"' in answered(refuse('Digest realm="r", nonce="o", qop="auth"'))
    assert refuse(DIGEST) is None
    assert one.problem == "The server did not accept the password of CONTOSO\\anna (Digest)."


def test_digest_counts_the_uses_of_a_nonce_and_leaves_responses_alone() -> None:
    one = client()
    one.answer(request(2), challenge(DIGEST))
    counts = []
    for number in (3, 4):
        said = read_field(one.sign(request(number, method="INFO"))[0][1])
        assert said is not None
        counts.append(said.get("nc"))
    assert counts == ["00000002", "00000003"]
    assert one.sign(response(request(5), 200)) == []
    assert one.sign(request(6, method="ACK")) == []


def test_a_server_that_does_not_know_the_password_is_noticed() -> None:
    one = client()
    said = read_field(answered(one.answer(request(2), challenge(DIGEST))))
    assert said is not None
    info = f'qop=auth, rspauth="{"0" * 32}", cnonce="{said.get("cnonce")}", nc=00000001'
    ok = response(request(2), 200, [("Authentication-Info", info)])
    assert one.verify(ok) == "Digest: the server does not know the password (rspauth is wrong)"
    assert one.verify(ok) == "Digest: the server's answer is not to a request of ours"


@pytest.mark.parametrize(
    ("value", "scheme", "params"),
    [
        ('NTLM realm="a, b", version=4', "NTLM", {"realm": "a, b", "version": "4"}),
        ('Digest realm = "a \\"b\\"" , x=', "Digest", {"realm": 'a "b"', "x": ""}),
        ('qop=auth, rspauth="1"', "", {"qop": "auth", "rspauth": "1"}),
        ("NTLM", "NTLM", {}),
        ("NTLM ", "NTLM", {}),
        ("  NTLM  opaque=x", "NTLM", {"opaque": "x"}),
    ],
)
def test_fields_are_read_tolerantly(value: str, scheme: str, params: dict[str, str]) -> None:
    field = read_field(value)
    assert field is not None
    assert (field.scheme, dict(field.params)) == (scheme, params)


@pytest.mark.parametrize("value", ["", "   ", ",,,"])
def test_a_value_without_anything_is_none(value: str) -> None:
    assert read_field(value) is None
