"""What a server remembers, for how long, and what it tells those who come with something odd."""

from __future__ import annotations

import base64

import pytest

from analyzer.replay.auth.admission import Admitted, Challenge, Dialect, Refused
from analyzer.replay.auth.field import read_field
from analyzer.replay.auth.ntlm import filetime
from tests.analyzer.replay.auth.signing_in import (
    CONNECTION,
    SignIn,
    changed,
    client,
    request,
    response,
    server,
)

NOW = 1_700_000_000.0


def test_a_server_with_a_clock_tells_the_time_as_front_ends_do() -> None:
    talk = SignIn(client(), server(dialect=Dialect(clock=lambda: NOW)))
    talk.succeed()
    assert dict(talk.challenges[0].headers)["Date"] == "Tue, 14 Nov 2023 22:13:20 GMT"


def test_a_client_without_a_clock_takes_the_time_from_the_response() -> None:
    one, asked = client(), server()
    first = asked.admit(CONNECTION, request(1))
    again = one.answer(request(2), response(request(1), 401, first.headers))
    assert again is not None
    second = asked.admit(CONNECTION, request(2, again))
    date = ("Date", "Tue, 14 Nov 2023 22:13:20 GMT")
    proof = one.answer(request(3), response(request(2), 401, [*second.headers, date]))
    assert proof is not None
    assert isinstance(asked.admit(CONNECTION, request(3, proof)), Admitted)
    said = read_field(proof[0][1])
    assert said is not None
    assert filetime(NOW) in base64.b64decode(said.get("gssapi-data"))


def test_a_response_of_a_client_must_be_signed_once_it_has_an_association() -> None:
    talk = SignIn(client(), server())
    talk.succeed()
    plain = response(request(1, method="INFO", user="ocschat@contoso.com"), 200)
    assert talk.server.verify(CONNECTION, plain) == "a 200 without a signature"
    assert talk.server.verify("another connection", plain) is None
    signed = talk.signed(plain)
    wrong = changed(signed, "Authorization", 'crand="', 'crand="0')
    assert talk.server.verify(CONNECTION, wrong) == "a wrong signature (cnum 2)"
    assert talk.server.verify(CONNECTION, signed) is None


def test_an_answer_to_a_challenge_of_another_connection_is_asked_again() -> None:
    talk = SignIn(client(), server())
    assert isinstance(talk.run(), Admitted)
    said = talk.server.admit("another connection", talk.last)
    assert isinstance(said, Challenge)
    assert said.problem == "an NTLM answer to no challenge of ours"


def test_a_challenge_is_answered_once() -> None:
    talk = SignIn(client(), server())
    assert isinstance(talk.run(), Admitted)
    assert isinstance(talk.server.admit(CONNECTION, talk.last), Challenge)


def test_the_last_message_of_the_handshake_must_be_signed_in_version_four() -> None:
    talk = SignIn(client(), server())
    talk.run()
    fresh = SignIn(client(), server())
    fresh.server.admit(CONNECTION, request(1))
    begun = 'NTLM qop="auth", gssapi-data="", version=4'
    fresh.server.admit(CONNECTION, request(2, [("Authorization", begun)]))
    unsigned = changed(talk.last, "Authorization", "response=", "respons=")
    said = fresh.server.admit(CONNECTION, unsigned)
    assert isinstance(said, Challenge)
    assert said.problem == "a message without the signature of its association"


def test_handshakes_under_way_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.replay.auth.ntlm_server.MAX_HANDSHAKES", 2)
    one, asked = client(), server()
    first = one.answer(request(2), response(request(1), 401, asked.admit("c", request(1)).headers))
    assert first is not None
    challenge = asked.admit("c", request(2, first))
    for _ in range(2):
        asked.admit("c", request(2, first))
    proof = one.answer(request(3), response(request(2), 401, challenge.headers))
    assert proof is not None
    assert isinstance(asked.admit("c", request(3, proof)), Challenge)


def test_associations_of_a_connection_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.replay.auth.ntlm_server.MAX_ASSOCIATIONS", 1)
    asked = server()
    anna = SignIn(client(), asked)
    bob = SignIn(client("bob@contoso.com", None, "Pa$$wörd"), asked, user="bob@contoso.com")
    anna.succeed()
    bob.succeed()
    info = anna.signed(request(2, method="INFO", call_id="call-2"))
    said = asked.admit(CONNECTION, info)
    assert isinstance(said, Challenge)
    assert said.problem == "a signature under no association of ours"


def test_a_message_for_nobody_with_an_association_is_not_signed_as_another() -> None:
    asked = server()
    SignIn(client(), asked).succeed()
    bob = SignIn(client("bob@contoso.com", None, "Pa$$wörd"), asked, user="bob@contoso.com")
    bob.succeed()
    other = request(1, method="INFO", user="ocschat@contoso.com", to="<sip:carol@contoso.com>")
    assert asked.sign(CONNECTION, other) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('realm="SIP', 'realm="TIP'),
        ("algorithm=MD5", "algorithm=SHA-256"),
        ('uri="sip:contoso', 'uri="sip:fabrikam'),
        ("qop=auth", "qop=auth-int"),
        ("nc=00000001", "nc=00000002"),
    ],
)
def test_digest_credentials_for_something_else_are_not_taken(old: str, new: str) -> None:
    talk = SignIn(client(), server("Digest"))
    assert isinstance(talk.run(), Admitted)
    asked = server("Digest")
    asked.admit(CONNECTION, request(1))
    said = asked.admit(CONNECTION, changed(talk.last, "Authorization", old, new))
    assert isinstance(said, Challenge)
    assert said.problem is not None


def test_a_nonce_that_was_forgotten_costs_a_round_and_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analyzer.replay.auth.digest_server.MAX_NONCES", 1)
    talk = SignIn(client(), server("Digest"))
    talk.succeed()
    for _ in range(3):
        talk.server.admit("another connection", request(1))
        late = talk.signed(request(7, method="INFO", call_id="call-2"))
        said = talk.server.admit(CONNECTION, late)
        assert isinstance(said, Challenge)
        assert "stale=true" in dict(said.headers)["WWW-Authenticate"]
        again = request(8, method="INFO", call_id="call-2")
        answer = talk.client.answer(again, response(late, 401, said.headers))
        assert answer is not None
        again = request(8, answer, method="INFO", call_id="call-2")
        assert isinstance(talk.server.admit(CONNECTION, again), Admitted)


def test_failures_are_counted_for_each_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.replay.auth.server.MAX_SENDERS", 1)
    asked = server("Digest")
    statuses = [
        SignIn(client(user, user, "wrong"), asked, user=user).run()
        for user in ("anna@contoso.com", "bob@contoso.com")
    ]
    assert [type(said) for said in statuses] == [Refused, Refused]
