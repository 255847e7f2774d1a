"""Messages that sign in, and a client and a server that talk until one of them has had enough."""

from __future__ import annotations

from random import Random  # noqa: TID251  (seeded)
from typing import TYPE_CHECKING, Literal

from analyzer.replay.auth.admission import PLAIN, Admitted, Challenge, Dialect, Refused
from analyzer.replay.auth.client import SCHEMES, ClientAuth
from analyzer.replay.auth.server import ServerAuth
from dissectors.sip.messages import SipMessage
from dissectors.sip.parse import parse_message
from dissectors.sip.writer import build_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.replay.auth.field import Header

CONNECTION = "connection 1"
USERS = {"CONTOSO\\anna": "correct horse", "bob@contoso.com": "Pa$$wörd"}
_COPIED = ("Via", "From", "To", "Call-ID", "CSeq")


def parsed(start: str, headers: Iterable[Header], body: bytes = b"") -> SipMessage:
    message = parse_message(build_message(start, headers, body))
    assert isinstance(message, SipMessage)
    return message


def request(
    number: int,
    more: Iterable[Header] = (),
    *,
    method: str = "REGISTER",
    call_id: str = "call-1",
    user: str = "anna@contoso.com",
    to: str = "<sip:ocschat@contoso.com>",
) -> SipMessage:
    return parsed(
        f"{method} sip:contoso.com SIP/2.0",
        [
            ("Via", "SIP/2.0/TCP 192.0.2.1:40000"),
            ("From", f"<sip:{user}>;tag=f1;epid=0123456789ab"),
            ("To", to),
            ("Call-ID", call_id),
            ("CSeq", f"{number} {method}"),
            *more,
        ],
    )


def response(to: SipMessage, status: int, more: Iterable[Header] = ()) -> SipMessage:
    headers = [(name, to.headers.first(name) or "") for name in _COPIED]
    return parsed(f"SIP/2.0 {status} Said", [*headers, *more])


def client(
    user: str = "anna@contoso.com",
    login: str | None = "CONTOSO\\anna",
    password: str | None = "correct horse",
    schemes: tuple[str, ...] = SCHEMES,
) -> ClientAuth:
    return ClientAuth(user, login, password, rng=Random(1), schemes=schemes)


def server(scheme: Literal["NTLM", "Digest"] = "NTLM", dialect: Dialect = PLAIN) -> ServerAuth:
    return ServerAuth(
        USERS, scheme=scheme, targetname="fe1.contoso.com", rng=Random(2), dialect=dialect
    )


class SignIn:
    """One client that registers, round after round, each with a new CSeq."""

    def __init__(
        self, client: ClientAuth, server: ServerAuth, *, user: str = "anna@contoso.com"
    ) -> None:
        self.client = client
        self.server = server
        self.user = user
        self.statuses: list[int] = []
        self.challenges: list[Challenge] = []
        self.last = request(1, user=user)

    def run(self) -> Admitted | Refused | None:
        """Return what the server decided at last; None when the client gave up."""
        first = self.last.cseq
        assert first is not None
        for number in range(first.number + 1, first.number + 30):
            said = self.server.admit(CONNECTION, self.last)
            if not isinstance(said, Challenge):
                self.statuses.append(200 if isinstance(said, Admitted) else said.status)
                return said
            self.statuses.append(said.status)
            self.challenges.append(said)
            again = request(number, user=self.user)
            answer = self.client.answer(again, response(self.last, said.status, said.headers))
            if answer is None:
                return None
            self.last = request(number, answer, user=self.user)
        raise AssertionError("they would go on for ever")

    def succeed(self) -> SipMessage:
        """Sign in; return the server's 200, which the client has taken note of."""
        said = self.run()
        assert isinstance(said, Admitted)
        plain = response(self.last, 200, said.headers)
        signed = response(self.last, 200, [*said.headers, *self.server.sign(CONNECTION, plain)])
        assert self.client.verify(signed) is None
        return signed

    def signed(self, message: SipMessage) -> SipMessage:
        """Return a message of the client with its credentials."""
        return _with(message, self.client.sign(message))

    def told(self, message: SipMessage) -> SipMessage:
        """Return a message of the server with its signature."""
        return _with(message, self.server.sign(CONNECTION, message))


def _with(message: SipMessage, more: list[Header]) -> SipMessage:
    headers = [(header.name, header.value) for header in message.headers]
    return parsed(message.start_line.decode(), [*headers, *more], message.body)


def changed(message: SipMessage, name: str, old: str, new: str) -> SipMessage:
    """Return a message with one header changed on the way."""
    headers = [
        (header.name, header.value.replace(old, new) if header.name == name else header.value)
        for header in message.headers
    ]
    made = parsed(message.start_line.decode(), headers, message.body)
    assert made.raw != message.raw
    return made
