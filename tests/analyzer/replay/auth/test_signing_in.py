"""Our client against our server: handshakes, signatures, and what must not get through."""

from __future__ import annotations

import base64
from random import Random  # noqa: TID251  (seeded)
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analyzer.replay.auth.admission import Admitted, Challenge, Dialect, Refused
from analyzer.replay.auth.client import MAX_ROUNDS
from analyzer.replay.auth.field import read_field
from analyzer.replay.auth.server import ServerAuth
from tests.analyzer.replay.auth.signing_in import (
    CONNECTION,
    SignIn,
    changed,
    client,
    parsed,
    request,
    response,
    server,
)

Scheme = Literal["NTLM", "Digest"]
BOTH: tuple[Scheme, ...] = ("NTLM", "Digest")


@pytest.mark.parametrize("version", [2, 3, 4])
def test_ntlm_signs_in_with_the_third_request_in_every_version(version: int) -> None:
    talk = SignIn(client(), server(dialect=Dialect(version=version)))
    signed = talk.succeed()
    assert talk.statuses == [401, 401, 200]
    assert talk.client.scheme == "NTLM"
    credentials = read_field(talk.last.headers.first("Authorization") or "")
    assert credentials is not None
    assert credentials.get("version") == {2: "", 3: "3", 4: "4"}[version]
    assert credentials.params.has("response") == (version == 4)
    assert "rspauth=" in (signed.headers.first("Authentication-Info") or "")


@pytest.mark.parametrize("version", [2, 3, 4])
def test_after_the_handshake_both_sides_sign_and_believe_one_another(version: int) -> None:
    talk = SignIn(client(), server(dialect=Dialect(version=version)))
    talk.succeed()
    info = talk.signed(request(2, method="INFO", call_id="call-2"))
    assert talk.server.admit(CONNECTION, info) == Admitted("CONTOSO\\anna")
    assert talk.client.verify(talk.told(response(info, 200))) is None
    to = "<sip:anna@contoso.com>;tag=c1"
    asked = request(1, method="INFO", call_id="call-2", user="ocschat@contoso.com", to=to)
    asked = talk.told(asked)
    assert talk.client.verify(asked) is None
    assert talk.server.verify(CONNECTION, talk.signed(response(asked, 200))) is None


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_digest_signs_in_with_the_second_request(algorithm: Literal["MD5", "SHA-256"]) -> None:
    talk = SignIn(
        client(login=None),
        ServerAuth(
            {"anna": "correct horse"},
            scheme="Digest",
            rng=Random(2),
            dialect=Dialect(algorithm=algorithm),
        ),
    )
    talk.succeed()
    assert talk.statuses == [401, 200]
    info = talk.signed(request(2, method="INFO", call_id="call-2"))
    assert isinstance(talk.server.admit(CONNECTION, info), Admitted)


@pytest.mark.parametrize(
    ("user", "login", "password"),
    [
        ("anna@contoso.com", "CONTOSO\\anna", "correct horse"),
        ("sip:anna@contoso.com", "contoso\\ANNA", "correct horse"),
        ("anna@contoso.com", None, "correct horse"),
        ("bob@contoso.com", None, "Pa$$wörd"),
        ("bob@contoso.com", "bob", "Pa$$wörd"),
        ("other@fabrikam.com", "bob@contoso.com", "Pa$$wörd"),
    ],
)
def test_a_user_is_found_however_he_writes_his_name(
    user: str, login: str | None, password: str
) -> None:
    assert isinstance(SignIn(client(user, login, password), server()).run(), Admitted)


def test_a_name_that_two_users_have_needs_its_domain() -> None:
    users = {"A\\anna": "one", "B\\anna": "two"}
    asked = ServerAuth(users, scheme="NTLM", rng=Random(1))
    assert SignIn(client(login="B\\anna", password="two"), asked).run() == Admitted("B\\anna")
    asked = ServerAuth(users, scheme="NTLM", rng=Random(1))
    assert isinstance(SignIn(client(login="anna", password="two"), asked).run(), Refused)
    asked = ServerAuth(dict.fromkeys(users, "two"), scheme="NTLM", rng=Random(1))
    assert isinstance(SignIn(client(login="anna", password="two"), asked).run(), Admitted)


@pytest.mark.parametrize("scheme", BOTH)
@pytest.mark.parametrize(
    ("login", "password"), [("CONTOSO\\anna", "wrong"), ("CONTOSO\\nobody", "correct horse")]
)
def test_a_wrong_password_and_an_unknown_user_are_asked_again_then_forbidden(
    scheme: Scheme, login: str, password: str
) -> None:
    talk = SignIn(client(login=login, password=password), server(scheme))
    said = talk.run()
    assert isinstance(said, Refused)
    assert said.problem == f"an unknown user or a wrong password ({scheme})"
    assert talk.statuses == ([401] * 4 + [403] if scheme == "NTLM" else [401, 401, 403])
    assert dict(said.headers)["ms-diagnostics"] == (
        '1000;reason="Final handshake failed";source="fe1.contoso.com"'
    )


def test_a_client_gives_up_where_a_server_would_ask_for_ever() -> None:
    one = client(password="wrong")
    assert isinstance(SignIn(one, server()).run(), Refused)
    # Another server, which knows nothing of the first failures: a second proof is refused.
    assert SignIn(one, server()).run() is None
    assert one.problem == "The server did not accept the password of CONTOSO\\anna (NTLM)."


def test_a_client_does_not_run_in_circles_with_a_server_that_forgets_its_challenges() -> None:
    one = client()
    offer = [("WWW-Authenticate", 'NTLM realm="r", targetname="t", version=4')]
    rounds = 0
    while one.answer(request(rounds + 2), response(request(1), 401, offer)) is not None:
        rounds += 1
    assert rounds == MAX_ROUNDS
    assert one.problem == f"The server asked for credentials {MAX_ROUNDS + 1} times."


def test_a_repeated_request_is_not_admitted_twice() -> None:
    talk = SignIn(client(), server())
    talk.succeed()
    info = talk.signed(request(2, method="INFO", call_id="call-2"))
    assert isinstance(talk.server.admit(CONNECTION, info), Admitted)
    again = talk.server.admit(CONNECTION, info)
    assert isinstance(again, Challenge)
    assert again.problem == "a signature that was used before (cnum 2)"


def test_requests_may_overtake_one_another() -> None:
    talk = SignIn(client(), server())
    talk.succeed()
    infos = [talk.signed(request(n, method="INFO", call_id="call-2")) for n in (2, 3, 4)]
    for info in (infos[2], infos[0], infos[1]):
        assert isinstance(talk.server.admit(CONNECTION, info), Admitted)
    assert isinstance(talk.server.admit(CONNECTION, infos[1]), Challenge)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("Call-ID", "call-2", "call-3"),
        ("CSeq", "2", "3"),
        ("CSeq", "INFO", "BYE"),
        ("From", "anna", "bob"),
        ("From", "tag=f1", "tag=f2"),
        ("To", "ocschat", "others"),
        ("Expires", "60", "61"),
        ("Authorization", 'cnum="2"', 'cnum="9"'),
        ("Authorization", 'response="01', 'response="02'),
        ("Authorization", 'response="', 'response="x'),
        ("Authorization", "opaque=", "opaqe="),
    ],
)
def test_a_request_that_was_changed_on_the_way_is_not_admitted(
    name: str, old: str, new: str
) -> None:
    talk = SignIn(client(), server())
    talk.succeed()
    plain = request(2, [("Expires", "60")], method="INFO", call_id="call-2")
    assert isinstance(
        talk.server.admit(CONNECTION, changed(talk.signed(plain), name, old, new)), Challenge
    )


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        ("Expires", "7200", "60", "signature is wrong (snum 2)"),
        ("Authentication-Info", 'snum="2"', 'snum="3"', "signature is wrong (snum 3)"),
        ("Authentication-Info", 'snum="2"', 'snum="two"', "has no number"),
        ("Authentication-Info", 'rspauth="01', 'rspauth="zz', "signature is wrong (snum 2)"),
        ("Authentication-Info", "rspauth", "rspaut", "did not sign its 200 to REGISTER"),
    ],
)
def test_a_client_says_what_is_wrong_with_the_servers_signature(
    name: str, old: str, new: str, why: str
) -> None:
    talk = SignIn(client(), server())
    talk.succeed()
    signed = talk.told(response(request(9), 200, [("Expires", "7200")]))
    problem = talk.client.verify(changed(signed, name, old, new))
    assert problem is not None
    assert problem.startswith("NTLM: ")
    assert why in problem
    assert talk.client.verify(signed) is None


def test_a_client_notices_a_signature_that_was_used_before() -> None:
    talk = SignIn(client(), server())
    signed = talk.succeed()
    assert talk.client.verify(signed) == "NTLM: the server used snum 1 before"


def test_provisional_responses_and_challenges_are_not_signed_and_need_not_be() -> None:
    talk = SignIn(client(), server())
    talk.succeed()
    for status in (100, 180, 401):
        plain = response(request(9), status)
        assert talk.server.sign(CONNECTION, plain) == []
        assert talk.client.verify(plain) is None


def test_nothing_is_signed_before_there_is_an_association() -> None:
    assert client().sign(request(1)) == []
    assert server().sign(CONNECTION, response(request(1), 200)) == []
    assert client().verify(response(request(1), 200)) is None


def test_ack_and_cancel_are_never_challenged() -> None:
    for scheme in BOTH:
        for method in ("ACK", "CANCEL"):
            assert server(scheme).admit(CONNECTION, request(1, method=method)) == Admitted("")


def test_a_lost_association_is_made_anew_on_the_request_that_missed_it() -> None:
    talk = SignIn(client(), server())
    talk.succeed()
    talk.server.forget(CONNECTION)
    number, info = 2, talk.signed(request(2, method="INFO", call_id="call-2"))
    statuses = []
    while isinstance(said := talk.server.admit(CONNECTION, info), Challenge):
        statuses.append(said.status)
        number += 1
        again = request(number, method="INFO", call_id="call-2")
        answer = talk.client.answer(again, response(info, 401, said.headers))
        assert answer is not None
        info = request(number, answer, method="INFO", call_id="call-2")
    assert statuses == [401, 401]
    assert isinstance(said, Admitted)


def test_a_request_refused_under_an_older_association_is_signed_with_the_newer() -> None:
    talk = SignIn(client(), server())
    talk.succeed()
    old = talk.signed(request(2, method="INFO", call_id="call-2"))
    talk.server.forget(CONNECTION)
    talk.last = request(30)
    assert isinstance(talk.run(), Admitted)
    refused = talk.server.admit(CONNECTION, old)
    assert isinstance(refused, Challenge)
    answer = talk.client.answer(
        request(3, method="INFO", call_id="call-2"), response(old, 401, refused.headers)
    )
    assert answer is not None
    again = request(3, answer, method="INFO", call_id="call-2")
    assert isinstance(talk.server.admit(CONNECTION, again), Admitted)


def test_two_users_on_one_connection_have_an_association_each() -> None:
    both = server()
    anna = SignIn(client(), both)
    bob = SignIn(client("bob@contoso.com", None, "Pa$$wörd"), both, user="bob@contoso.com")
    anna.succeed()
    bob.succeed()
    for talk, number in ((anna, 2), (bob, 2), (anna, 3)):
        info = talk.signed(request(number, method="INFO", call_id=talk.user, user=talk.user))
        assert isinstance(both.admit(CONNECTION, info), Admitted)
        assert talk.client.verify(talk.told(response(info, 200))) is None


def test_an_association_belongs_to_its_connection() -> None:
    talk = SignIn(client(), server())
    talk.succeed()
    info = talk.signed(request(2, method="INFO", call_id="call-2"))
    assert isinstance(talk.server.admit("another connection", info), Challenge)


def test_a_proxys_challenge_is_answered_in_its_own_header() -> None:
    one = client()
    headers = [("Proxy-Authenticate", 'NTLM realm="r", targetname="p.contoso.com", version=4')]
    answer = one.answer(request(2), response(request(1), 407, headers))
    assert answer is not None
    assert [name for name, _ in answer] == ["Proxy-Authorization"]
    assert answer[0][1].startswith('NTLM qop="auth", realm="r", targetname="p.contoso.com"')


def test_what_communicator_writes_into_proxy_authorization_is_accepted() -> None:
    talk = SignIn(client(), server())
    talk.succeed()
    info = talk.signed(request(2, method="INFO", call_id="call-2"))
    headers = [
        (h.name.replace("Authorization", "Proxy-Authorization"), h.value) for h in info.headers
    ]
    moved = parsed(info.start_line.decode(), headers)
    assert isinstance(talk.server.admit(CONNECTION, moved), Admitted)


def test_a_server_forgets_the_oldest_of_too_many_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analyzer.replay.auth.server.MAX_PEERS", 3)
    one = server()
    asks = request(1, [("Authorization", 'NTLM qop="auth", gssapi-data=""')])
    for key in range(20):
        assert isinstance(one.admit(key, asks), Challenge)
    assert list(one._peers) == [17, 18, 19]


@given(text=st.text(max_size=200), scheme=st.sampled_from(BOTH))
@example(text='Digest qop=auth, nc=ffffffff, uri="sip:contoso.com"', scheme="Digest")
@example(text='NTLM gssapi-data="TlRMTVNTUAADAAAA"', scheme="NTLM")
@example(text='NTLM opaque="x", response="01", cnum="99999999999"', scheme="NTLM")
def test_whatever_a_client_says_is_answered(text: str, scheme: Scheme) -> None:
    safe = "".join(c for c in text if c.isprintable()).encode("utf-8", "ignore").decode()
    one = server(scheme)
    for said in (safe, f"{scheme} {safe}"):
        decided = one.admit(CONNECTION, request(1, [("Authorization", said)]))
        assert isinstance(decided, Challenge | Refused)


@given(text=st.text(max_size=200), status=st.sampled_from([401, 407]))
@example(text='gssapi-data="!"', status=401)
@example(text='realm="a\\"b", nonce="c", qop="auth,auth-int"', status=407)
def test_whatever_a_server_says_is_answered_or_given_up_in_words(text: str, status: int) -> None:
    safe = "".join(c for c in text if c.isprintable()).encode("utf-8", "ignore").decode()
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    for scheme in ("", "NTLM ", "Digest ", "Kerberos "):
        one = client()
        said = response(request(1), status, [(name, scheme + safe)])
        answer = one.answer(request(2), said)
        assert (answer is None) == bool(one.problem)
        if answer is not None:
            assert len(parsed("SIP/2.0 200 OK", answer).headers) == 2
            assert one.verify(response(request(2), 200, [("Authentication-Info", safe)])) is None


@given(at=st.integers(0, 400), byte=st.integers(0, 255))
def test_a_handshake_with_a_damaged_byte_is_answered(at: int, byte: int) -> None:
    talk = SignIn(client(), server())
    talk.run()
    field = read_field(talk.last.headers.first("Authorization") or "")
    assert field is not None
    token = bytearray(base64.b64decode(field.get("gssapi-data")))
    token[at % len(token)] = byte
    said = talk.last.headers.first("Authorization") or ""
    damaged = base64.b64encode(token).decode()
    fresh = server()
    fresh.admit(CONNECTION, request(2, [("Authorization", 'NTLM gssapi-data="", version=4')]))
    value = said.replace(field.get("gssapi-data"), damaged)
    decided = fresh.admit(CONNECTION, request(3, [("Authorization", value)]))
    assert isinstance(decided, Challenge | Refused | Admitted)
