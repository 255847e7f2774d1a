"""A small case written by hand: a sign-in, a room joined, a post and its echo."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from analyzer.replay.script import (
    Connection,
    Dialog,
    Expectation,
    Party,
    Script,
    Slot,
    Turn,
)
from analyzer.replay.template import Template

if TYPE_CHECKING:
    from collections.abc import Callable

ROOM = "41296766-6c7f-45d4-9c4b-6b1b5d0b0b01"
URI = "ma-chan://${domain1}/${room1}"
OPEN = '<xccos ver="1" envid="{}" xmlns="urn:parlano:xml:ns:xccos">'
AGENT = ("User-Agent", "UCCAPI/3.5.6907.0 OC/3.5.6907.0 (Microsoft Office Communicator 2007 R2)")


def request(method: str, number: int, body: str = "", *more: tuple[str, str]) -> Template:
    """Return a request of the client in its channel."""
    kind = (("Content-Type", "text/plain"),) if body else ()
    return Template(
        f"{method} sip:${{client1.user}} SIP/2.0",
        (
            ("Via", "SIP/2.0/TCP ${client1.address}"),
            ("Max-Forwards", "70"),
            ("From", '"Ann Archer" <sip:${client1.user}>;tag=${tag1};epid=${epid1}'),
            ("To", "<sip:${client1.user}>"),
            ("Call-ID", "${call1}"),
            ("CSeq", f"{number} {method}"),
            AGENT,
            *more,
            *kind,
            ("Content-Length", "${content_length}"),
        ),
        body,
    )


def response(method: str, number: int, *more: tuple[str, str]) -> Template:
    """Return its 200."""
    return Template(
        "SIP/2.0 200 OK",
        (
            ("Via", "SIP/2.0/TCP ${client1.address};ms-received-port=${client1.port}"),
            ("From", '"Ann Archer" <sip:${client1.user}>;tag=${tag1};epid=${epid1}'),
            ("To", "<sip:${client1.user}>;tag=${tag2}"),
            ("Call-ID", "${call1}"),
            ("CSeq", f"{number} {method}"),
            *more,
            ("Content-Length", "${content_length}"),
        ),
    )


JOIN = (
    OPEN.format("${t3.envid}") + '<cmd id="cmd:join" seqid="1"><data>'
    '<chanid key="0" domain="${domain1}" value="${room1}"/></data></cmd></xccos>'
)
JOINED = (
    OPEN.format("${t5.envid}") + '<rpl id="rpl:join" seqid="1">'
    '<commandid seqid="1" envid="${t3.envid}"/><resp code="200">SUCCESS_OK</resp><data>'
    f'<chanib uri="{URI}" name="Sales EMEA" description="Deals &amp; pipeline" topic="Q4">'
    '<uib uri="sip:${client1.user}" id="0"/></chanib></data></rpl></xccos>'
)
POST = (
    OPEN.format("${t7.envid}")
    + f'<grpchat id="grpchat" seqid="1" chanUri="{URI}" author="sip:${{client1.user}}" '
    'ts="${time1}"><chat>${text1}</chat></grpchat></xccos>'
)


def case() -> Script:
    """Return the case."""
    users = Slot("client1.user", "user", "ann.archer@contoso.com", "client1", "t1", "From")
    slots = (
        users,
        Slot("client1.address", "address", "10.1.2.3:49152", "client1", "t1", "Via"),
        Slot("client1.port", "port", "49152", "client1"),
        Slot("domain1", "domain", "contoso.com", "client1", "t3", part_of="client1.user"),
        Slot("tag1", "tag", "5468257794", "client1", "t1", "From tag"),
        Slot("tag2", "tag", "2440AE28A7", "server", "t2", "To tag"),
        Slot("epid1", "epid", "e6019fcb7892", "client1", "t1"),
        Slot("call1", "call-id", "E489g9009aE994i01E6m", "client1", "t1"),
        Slot("room1", "room", ROOM, "client1", "t3"),
        Slot("t3.envid", "envid", "1870433792", "client1", "t3"),
        Slot("t5.envid", "envid", "5616243777018966037", "server", "t5"),
        Slot("t7.envid", "envid", "1870433793", "client1", "t7"),
        Slot("time1", "time", "2026-11-22T06:08:21Z", "client1", "t7"),
        Slot("text1", "text", "Lunch at Mario's <today>?", "client1", "t7", "chat"),
    )
    ends: tuple[dict[str, Any], dict[str, Any]] = (
        {"speaker": "client1", "listener": "server", "connection": "c1", "dialog": "channel1"},
        {"speaker": "server", "listener": "client1", "connection": "c1", "dialog": "channel1"},
    )
    ours, theirs = ends
    turns = (
        Turn("t1", message=request("REGISTER", 1), at_ms=0.0, frame=4, **ours),
        Turn("t2", message=response("REGISTER", 1), at_ms=12.5, answers="t1", cause="t1",
             after=("t1",), expect=(Expectation("status", "200"),), **theirs),
        Turn("t3", message=request("INFO", 2, JOIN), at_ms=30.0, after=("t2",), expect=(
            Expectation("method", "INFO"),
            Expectation("xccos/cmd:join/data/chanid/@value", "${room1}"),
        ), **ours),
        Turn("t4", message=response("INFO", 2), at_ms=31.0, answers="t3", cause="t3",
             after=("t3",), **theirs),
        Turn("t5", message=request("INFO", 1, JOINED), at_ms=40.0, cause="t3", after=("t3",),
             expect=(Expectation("xccos/rpl:join/resp/@code", "200"),), **theirs),
        Turn("t6", message=response("INFO", 1), at_ms=41.0, answers="t5", after=("t5",), **ours),
        Turn("t7", message=request("INFO", 3, POST), at_ms=50.0, after=("t5", "t4"), **ours),
        Turn("t8", message=response("INFO", 3), at_ms=51.0, answers="t7", after=("t7",), **theirs),
    )  # fmt: skip
    return Script(
        title="ann.archer@contoso.com joins Sales EMEA and posts",
        parties=(Party("client1", "client", "client1.user"), Party("server", "server")),
        connections=(
            Connection(
                "c1", "client1", "server", "10.1.2.3:49152", "10.1.2.9:5060", opened_ms=-1.5
            ),
        ),
        dialogs=(Dialog("channel1", "client1", "channel", "call1"),),
        slots=slots,
        turns=turns,
        started="2026-11-22T06:08:20Z",
        origin={"capture": "by-hand.pcap"},
    )


def with_turn(script: Script, number: str, **changes: Any) -> Script:  # noqa: ANN401  (as dataclasses.replace)
    """Return a script with one turn changed."""
    turns = tuple(replace(one, **changes) if one.id == number else one for one in script.turns)
    return replace(script, turns=turns)


def with_message(script: Script, number: str, change: Callable[[Template], Template]) -> Script:
    """Return a script with one message changed."""
    turn = script.turn(number)
    assert turn is not None
    return with_turn(script, number, message=change(turn.message))


def with_slot(script: Script, name: str, **changes: Any) -> Script:  # noqa: ANN401  (as dataclasses.replace)
    """Return a script with one slot changed."""
    slots = tuple(replace(one, **changes) if one.name == name else one for one in script.slots)
    return replace(script, slots=slots)
