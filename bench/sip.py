"""What one Group Chat user says and hears, as messages of realistic size.

Modelled on the public documents; good for load, no evidence of anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from bench.frames import Truth

DOMAIN = "contoso.com"
SERVICE = f"sip:ocschannel01@{DOMAIN}"
XCCOS = (
    '<xccos xmlns="urn:parlano:xml:ns:xccos"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ver="1" envid="{}">{}</xccos>'
)
TALK = (
    "can you confirm the quantity before noon the customer asks for a firm answer on lot seven"
    " &amp; the rest tomorrow &lt;see above&gt; danke schön ご確認ください done"
)
WORDS = TALK.split()
OUTSIDE_DIALOG = ("REGISTER", "INVITE")  # requests whose To has no tag yet

Sent = tuple[int, bytes]
"""Direction (0 from the client) and one whole message."""


class User:
    """One user with one dialog with the Channel service; ``messages`` tells the whole visit."""

    def __init__(self, number: int, rng: random.Random, truth: Truth) -> None:
        self._rng, self._truth = rng, truth
        self.uri = f"sip:user{number:06d}@{DOMAIN}"
        self._call_id, self._epid = self._hex(32), self._hex(10)
        self._tags = (self._hex(10), self._hex(10))
        self._room = f"ma-chan://{DOMAIN}/{self._hex(8)}-{self._hex(4)}-{self._hex(12)}"
        self._cseq = [0, 0]
        self._envid = rng.getrandbits(31)

    def messages(self) -> Iterator[Sent]:
        """Sign in, open the dialog, join a room, read, chat for a while, leave."""
        self._truth.dialogs += 2
        yield from self._exchange(0, "REGISTER", status="401 Unauthorized")
        yield from self._exchange(0, "REGISTER")
        self._call_id = self._hex(32)
        sdp = f"v=0\r\no=- 0 0 IN IP4 10.1.2.3\r\ns=session\r\nm=message 5060 sip {self.uri}\r\n"
        yield from self._exchange(0, "INVITE", sdp, "application/sdp", reply=sdp)
        yield 0, self._request(0, "ACK", self._cseq[0])
        yield from self._command("getserverinfo", "<sinfo/>", "<sinfo infoid='20'/>")
        yield from self._command("join", f'<chanid value="{self._room}"/>', self._members())
        yield from self._command("bccontext", f'<chanib uri="{self._room}"/>', self._history())
        for _ in range(self._rng.randint(1, 9)):
            if self._rng.random() < 0.35:
                yield from self._info(0, self._post(self.uri))
            yield from self._info(1, self._post(self._somebody()))
        yield from self._exchange(0, "BYE")

    def _command(self, name: str, asked: str, answered: str) -> Iterator[Sent]:
        cmd = f'<cmd id="cmd:{name}" seqid="1"><data>{asked}</data></cmd>'
        envid = self._envid
        yield from self._info(0, cmd)
        yield from self._info(
            1,
            f'<rpl id="rpl:{name}" seqid="1"><commandid seqid="1" envid="{envid}"/>'
            f'<resp code="200">SUCCESS_OK</resp><data>{answered}</data></rpl>',
        )

    def _info(self, direction: int, element: str) -> Iterator[Sent]:
        self._truth.xccos += 1
        envelope = XCCOS.format(self._envid, element)
        self._envid += 1
        return self._exchange(direction, "INFO", envelope, "text/plain")

    def _exchange(
        self,
        direction: int,
        method: str,
        body: str = "",
        kind: str = "",
        *,
        status: str = "200 OK",
        reply: str = "",
    ) -> Iterator[Sent]:
        self._cseq[direction] += 1
        cseq = self._cseq[direction]
        yield direction, self._request(direction, method, cseq, body, kind)
        self._truth.responses += 1
        head = self._head(direction, method, cseq, tagged=True)
        proof = (
            f'Proxy-Authentication-Info: Kerberos rspauth="{self._hex(74)}", snum="{cseq}",'
            f' realm="SIP Communications Service", targetname="sip/pool.{DOMAIN}"'
        )
        yield 1 - direction, self._message([f"SIP/2.0 {status}", *head, proof], reply, kind)

    def _request(
        self, direction: int, method: str, cseq: int, body: str = "", kind: str = ""
    ) -> bytes:
        self._truth.requests += 1
        self._truth.methods[method] = self._truth.methods.get(method, 0) + 1
        uri = (SERVICE, self.uri)[direction]
        route = f"Route: <sip:pool01.{DOMAIN}:5061;transport=tls;lr;ms-route-sig={self._hex(40)}>"
        agent = "User-Agent: UCCAPI/15.0.4420.1017 OC/15.0.4420.1017 (Microsoft Lync)"
        proof = (
            f'Proxy-Authorization: Kerberos qop="auth", opaque="{self._hex(8)}",'
            f' crand="{self._hex(8)}", cnum="{cseq}", response="{self._hex(74)}"'
        )
        head = self._head(direction, method, cseq, tagged=method not in OUTSIDE_DIALOG)
        lines = [f"{method} {uri} SIP/2.0", *head, "Max-Forwards: 70", route, agent, proof]
        return self._message(lines, body, kind)

    def _head(self, direction: int, method: str, cseq: int, *, tagged: bool) -> list[str]:
        ends = (
            f'"{self.uri[4:14]}" <{self.uri}>;tag={self._tags[0]};epid={self._epid}',
            f"<{SERVICE}>" + (f";tag={self._tags[1]}" if tagged else ""),
        )
        return [
            f"Via: SIP/2.0/TCP 10.0.0.10:5060;branch=z9hG4bK{self._hex(8)}.{self._hex(8)}",
            f"From: {ends[direction]}",
            f"To: {ends[1 - direction]}",
            f"Call-ID: {self._call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <{self.uri};opaque=user:epid:{self._hex(22)};gruu>",
        ]

    def _message(self, lines: list[str], body: str, kind: str) -> bytes:
        self._truth.msgs += 1
        data = body.encode()
        if data:
            lines = [*lines, f"Content-Type: {kind}"]
        lines = [*lines, f"Content-Length: {len(data)}", "", ""]
        return "\r\n".join(lines).encode() + data

    def _post(self, author: str) -> str:
        return (
            f'<grpchat id="grpchat" seqid="1" chanUri="{self._room}" author="{author}"'
            f' ts="2026-01-02T03:04:05.678Z"><chat>{self._text(4, 80)}</chat></grpchat>'
        )

    def _members(self) -> str:
        rows = (
            f'<uib uri="{self._somebody()}" guid="{self._hex(32)}" type="5" perms="1"/>'
            for _ in range(self._rng.randint(1, 10))
        )
        return f'<chanib name="desk" uri="{self._room}" topic="">{"".join(rows)}</chanib>'

    def _history(self) -> str:
        rows = (
            f'<msg id="grpchat" author="{self._somebody()}" ts="2026-01-01T00:00:00Z">'
            f"<chat>{self._text(5, 25)}</chat></msg>"
            for _ in range(self._rng.randint(1, 6))
        )
        return "".join(rows)

    def _somebody(self) -> str:
        return f"sip:user{self._rng.randrange(1_000_000):06d}@{DOMAIN}"

    def _text(self, least: int, most: int) -> str:
        return " ".join(self._rng.choices(WORDS, k=self._rng.randint(least, most)))

    def _hex(self, digits: int) -> str:
        return f"{self._rng.getrandbits(4 * digits):0{digits}x}"
