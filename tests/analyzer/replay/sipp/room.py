"""A case written by hand: a user signs in, joins a room, sees somebody come, posts, and leaves."""

from __future__ import annotations

from dataclasses import replace

from analyzer.replay.script import SERVER, Connection, Dialog, Party, Script, Slot, Turn
from analyzer.replay.template import Template

OPEN = '<xccos ver="1" envid="{}" xmlns="urn:parlano:xml:ns:xccos">'
URI = "ma-chan://${domain1}/${room1}"
GRUU = "<sip:${client1.user};opaque=user:epid:${gruu1};gruu>"
ROOM = "41296766-6c7f-45d4-9c4b-6b1b5d0b0b01"
TEXT = "Lunch [at] Mario's"
FIRST = "t1"


class Case:
    """Turns as they are said."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.slots: list[Slot] = [
            Slot("client1.user", "user", "ann.archer@contoso.com", "client1", FIRST),
            Slot("client1.address", "address", "10.1.2.3:49152", "client1", FIRST),
            Slot("domain1", "domain", "contoso.com", "client1", FIRST, part_of="client1.user"),
            Slot("user2", "user", "bob@contoso.com"),
            Slot("epid1", "epid", "e6019fcb7892", "client1", FIRST),
            Slot("gruu1", "opaque", "9256f588-5d19", SERVER, "t2"),
            Slot("room1", "room", ROOM, "client1"),
            Slot("text1", "text", TEXT, "client1"),
        ]

    def slot(self, name: str, kind: str, value: str, said_by: str) -> str:
        """Add a slot where it is new, and return its reference."""
        if all(one.name != name for one in self.slots):
            self.slots.append(Slot(name, kind, value, said_by))  # type: ignore[arg-type]
        return f"${{{name}}}"

    def envid(self, speaker: str) -> str:
        """Return a new envid of the next turn."""
        number = len(self.turns) + 1
        value = "1870433792" if speaker != SERVER else "5616243777018966037"
        return self.slot(f"t{number}.envid", "envid", value, speaker)

    def add(self, speaker: str, message: Template, dialog: str, **more: str | None) -> str:
        """Add a turn and return its id."""
        number = f"t{len(self.turns) + 1}"
        listener = "client1" if speaker == SERVER else SERVER
        at = 10.0 * len(self.turns)
        turn = Turn(number, speaker, listener, "c1", dialog, message, at)
        self.turns.append(replace(turn, **more))  # type: ignore[arg-type]
        return number

    def ask(self, speaker: str, dialog: str, start: str, body: str = "", *more: str) -> str:
        """Add a request; ``more``: header lines."""
        method = start.partition(" ")[0]
        mine = self.slot(f"{dialog}.tag", "tag", "5468257794", "client1")
        theirs = self.slot(f"{dialog}.totag", "tag", "2440AE28A7", SERVER)
        us = f"<sip:${{client1.user}}>;tag={mine};epid=${{epid1}}"
        them = "<sip:ocschat@${domain1}>"
        if method not in ("REGISTER", "INVITE"):
            them += f";tag={theirs}"
        ends = (us, them) if speaker != SERVER else (them, us)
        return self.add(speaker, _message(start, ends, dialog, body, more), dialog, cause=None)

    def answer(self, request: str, status: str = "200 OK", *more: str) -> str:
        """Add a response to a request."""
        turn = next(one for one in self.turns if one.id == request)
        tag = self.slot(f"{turn.dialog}.totag", "tag", "2440AE28A7", SERVER)
        to = turn.message.header("To") or ""
        to += "" if ";tag=" in to or status.startswith("1") else f";tag={tag}"
        ends = (turn.message.header("From") or "", to)
        message = _message(f"SIP/2.0 {status}", ends, turn.dialog, "", more, turn.message.method)
        said = turn.listener
        return self.add(said, message, turn.dialog, answers=request, cause=request)

    def script(self, title: str = "ann joins and posts") -> Script:
        """Return the script."""
        dialogs = tuple(dict.fromkeys(turn.dialog for turn in self.turns))
        calls = tuple(Slot(f"{one}.call", "call-id", f"E489g{one}", "client1") for one in dialogs)
        return Script(
            title=title,
            parties=(Party("client1", "client", "client1.user"), Party(SERVER, "server")),
            connections=(Connection("c1", "client1", SERVER, "10.1.2.3:49152", "10.1.2.9:5060"),),
            dialogs=tuple(
                Dialog(one, "client1", one.rstrip("1"), f"{one}.call") for one in dialogs
            ),
            slots=(*self.slots, *calls),
            turns=tuple(self.turns),
        )


def _message(
    start: str,
    ends: tuple[str, str],
    dialog: str,
    body: str,
    more: tuple[str, ...],
    method: str = "",
) -> Template:
    headers = [
        ("Via", "SIP/2.0/TCP ${client1.address};branch=z9hG4bK1"),
        ("From", ends[0]),
        ("To", ends[1]),
        ("Max-Forwards", "70"),
        ("Call-ID", f"${{{dialog}.call}}"),
        ("CSeq", f"1 {method or start.partition(' ')[0]}"),
        *((line.partition(": ")[0], line.partition(": ")[2]) for line in more),
        ("Content-Length", "${content_length}"),
    ]
    return Template(start, tuple(headers), body)


def command(case: Case, name: str, data: str) -> str:
    """Return the body of a command."""
    return (
        f'{OPEN.format(case.envid("client1"))}<cmd id="cmd:{name}" seqid="1">{data}</cmd></xccos>'
    )


def reply(case: Case, name: str, envid: str, data: str) -> str:
    """Return the body of the reply to a command."""
    return (
        f'{OPEN.format(case.envid(SERVER))}<rpl id="rpl:{name}" seqid="1">'
        f'<commandid seqid="1" envid="${{{envid}.envid}}"/><resp code="200">SUCCESS_OK</resp>'
        f"<data>{data}</data></rpl></xccos>"
    )


PLAIN = "Content-Type: text/plain"


def register(case: Case) -> None:
    """Sign in: the server tells the client's gruu."""
    one = case.ask(
        "client1", "registration1", "REGISTER sip:${domain1} SIP/2.0", "",
        "Contact: <sip:${client1.address};transport=tcp>", "Expires: 7200",
    )  # fmt: skip
    told = 'gruu="sip:${client1.user};opaque=user:epid:${gruu1};gruu"'
    case.answer(one, "200 OK", f"Contact: <sip:${{client1.address}}>;expires=7200;{told}")


def invite(case: Case) -> None:
    """Begin the dialog."""
    sdp = "v=0\r\no=- 0 0 IN IP4 10.1.2.3\r\nm=message 5060 sip null\r\n"
    one = case.ask(
        "client1", "channel1", "INVITE sip:ocschat@${domain1} SIP/2.0", sdp,
        f"Contact: {GRUU}", "Content-Type: application/sdp",
    )  # fmt: skip
    case.answer(one, "100 Trying")
    case.answer(one, "200 OK", "Contact: <sip:gc01.contoso.com:5061;transport=tcp>")
    case.ask("client1", "channel1", "ACK sip:gc01.contoso.com:5061 SIP/2.0")


def tell(case: Case, body: str, cause: str | None = None) -> str:
    """Let the server say something, and the client answer."""
    one = case.ask(SERVER, "channel1", "INFO sip:${client1.user} SIP/2.0", body, PLAIN)
    case.turns[-1] = replace(case.turns[-1], cause=cause)
    case.answer(one, "200 OK", f"Contact: {GRUU}", "User-Agent: UCCAPI/3.5")
    return one


def say(case: Case, body: str, status: str = "200 OK") -> str:
    """Let the client say something, and the server accept it."""
    one = case.ask("client1", "channel1", "INFO sip:gc01.contoso.com SIP/2.0", body, PLAIN)
    case.answer(one, status)
    return one


def room_case() -> Script:
    """Return the whole case."""
    case = Case()
    register(case)
    invite(case)
    joins = '<data><chanid key="0" domain="${domain1}" value="${room1}"/></data>'
    join = say(case, command(case, "join", joins))
    tell(case, reply(case, "join", join, f'<chanib uri="{URI}" name="Sales [EMEA]"/>'), join)
    notice = '<ntc id="ntc:join" seqid="1"><data><uib uri="sip:${user2}"/></data></ntc></xccos>'
    tell(case, OPEN.format(case.envid(SERVER)) + notice)
    chat = (
        f'<grpchat id="grpchat" seqid="1" chanUri="{URI}" author="sip:${{client1.user}}">'
        "<chat>${text1}</chat></grpchat></xccos>"
    )
    post = say(case, OPEN.format(case.envid("client1")) + chat)
    tell(case, OPEN.format(case.envid(SERVER)) + chat, post)
    bye(case)
    return case.script()


def bye(case: Case) -> None:
    """End the dialog."""
    one = case.ask("client1", "channel1", "BYE sip:gc01.contoso.com SIP/2.0")
    case.answer(one)
