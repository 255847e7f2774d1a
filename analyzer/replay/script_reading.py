"""From the JSON values of a file to a ``Script``.

The rule: whether the values have the right shape is decided here; whether they fit together is for
``analyzer.replay.check``, so that a case that someone is in the middle of editing can be read.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Literal, get_args

from analyzer.replay.script import (
    Aside,
    Connection,
    Dialog,
    Expectation,
    Party,
    Script,
    Slot,
    SlotKind,
    Turn,
)
from analyzer.replay.script_record import FORMAT
from analyzer.replay.script_values import MAX_TEXT, Record, ScriptError, text_of
from analyzer.replay.template import Template
from dissectors.sip.grammar import TOKEN_RE
from dissectors.sip.parse import MAX_HEAD, MAX_HEADERS

if TYPE_CHECKING:
    from typing import Any

MAX_TURNS = 100_000
"""A day of a busy user has some thousand; derivation stops there too."""
MAX_SLOTS = 200_000
"""Two for each turn."""
MAX_PARTIES = 10_000
MAX_BODY = 1 << 20
"""Bytes: what a live peer's message may have, and 16 times the longest known."""
MAX_EXPECTATIONS = 1000
"""Of one turn; a reply with all rooms of a server has one for each."""
MAX_EXCHANGES = 1000
"""Of one aside; an upload has two."""
MAX_ORIGIN = 100

PartyKind = Literal["client", "server", "host"]
Transport = Literal["tcp", "tls", "udp"]
Ending = Literal["fin", "rst"]
Protocol = Literal["dns", "http", "tls"]
PARTY_KINDS: tuple[PartyKind, ...] = get_args(PartyKind)
TRANSPORTS: tuple[Transport, ...] = get_args(Transport)
ENDINGS: tuple[Ending, ...] = get_args(Ending)
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
SLOT_KINDS: tuple[SlotKind, ...] = get_args(SlotKind)


def script_of(values: object, file: str) -> Script:
    """Return the script that JSON values of the current version are. Raises ScriptError."""
    top = Record(file, "", values)
    for key in ("format", "version"):
        top.take(key)
    script = Script(
        title=top.text("title", ""),
        parties=tuple(_party(one) for one in top.records("parties", MAX_PARTIES, required=True)),
        connections=tuple(_connection(one) for one in top.records("connections", MAX_TURNS)),
        dialogs=tuple(_dialog(one) for one in top.records("dialogs", MAX_TURNS)),
        slots=tuple(_slot(one) for one in top.records("slots", MAX_SLOTS)),
        turns=tuple(_turn(one) for one in top.records("turns", MAX_TURNS, required=True)),
        started=top.text("started", ""),
        asides=tuple(_aside(one) for one in top.records("asides", MAX_TURNS)),
        origin=top.members("origin", MAX_ORIGIN),
    )
    top.done()
    return script


def is_script(values: object) -> bool:
    """Tell whether JSON values say that they are a script, of whatever version."""
    return isinstance(values, dict) and values.get("format") == FORMAT


def _party(one: Record) -> Party:
    party = Party(one.text("id"), one.one_of("kind", PARTY_KINDS), one.maybe_text("user"))
    one.done()
    return party


def _connection(one: Record) -> Connection:
    connection = Connection(
        id=one.text("id"),
        opener=one.text("opener"),
        responder=one.text("responder"),
        opener_address=one.text("opener_address"),
        responder_address=one.text("responder_address"),
        transport=one.one_of("transport", TRANSPORTS, "tcp"),
        live=one.flag("live", default=True),
        opened_ms=one.maybe_ms("opened_ms"),
        closed_ms=one.maybe_ms("closed_ms"),
        closed_by=one.maybe_text("closed_by"),
        closed_how=one.one_of("closed_how", ENDINGS, "fin"),
    )
    one.done()
    return connection


def _dialog(one: Record) -> Dialog:
    dialog = Dialog(one.text("id"), one.text("client"), one.text("role"), one.text("call_id"))
    one.done()
    return dialog


def _slot(one: Record) -> Slot:
    slot = Slot(
        name=one.text("name"),
        kind=one.one_of("kind", SLOT_KINDS),
        value=one.text("value"),
        said_by=one.maybe_text("said_by"),
        turn=one.maybe_text("turn"),
        where=one.text("where", ""),
        part_of=one.maybe_text("part_of"),
    )
    one.done()
    return slot


def _turn(one: Record) -> Turn:
    turn = Turn(
        id=one.text("id"),
        speaker=one.text("speaker"),
        listener=one.text("listener"),
        connection=one.text("connection"),
        dialog=one.text("dialog"),
        message=_message(Record(one.file, one.at("message"), one.take("message"))),
        at_ms=one.ms("at_ms", 0.0),
        frame=one.maybe_count("frame"),
        answers=one.maybe_text("answers"),
        cause=one.maybe_text("cause"),
        after=one.texts("after", MAX_TURNS),
        expect=tuple(_expectation(each) for each in one.records("expect", MAX_EXPECTATIONS)),
        optional=one.flag("optional", default=False),
        live=one.flag("live", default=True),
        copy_of=one.maybe_text("copy_of"),
    )
    one.done()
    return turn


def _expectation(one: Record) -> Expectation:
    expectation = Expectation(one.text("path"), one.text("equals"))
    one.done()
    return expectation


def _message(one: Record) -> Template:
    headers = tuple(
        _header(value, one.file, f"{one.at('headers')}[{at}]")
        for at, value in enumerate(one.values("headers", MAX_HEADERS, required=True))
    )
    if sum(len(name) + len(value) for name, value in headers) > MAX_HEAD:
        raise one.fault("headers", f"are longer than {MAX_HEAD} characters")
    message = Template(one.text("start"), headers, _body(one), _binary(one))
    one.done()
    if message.body and message.binary:
        raise one.fault("binary", "there is a body already; a message has one of them")
    return message


def _header(value: Any, file: str, place: str) -> tuple[str, str]:  # noqa: ANN401  (a JSON value)
    """Read ``Name: value``, or a pair of texts."""
    if isinstance(value, list) and len(value) == 2:
        return text_of(value[0], file, place), text_of(value[1], file, place)
    name, colon, rest = text_of(value, file, place).partition(":")
    if not colon or not TOKEN_RE.fullmatch(name):
        raise ScriptError(file, place, "is no header, which is written as 'Name: value'")
    return name, rest.removeprefix(" ")


def _joined(one: Record, key: str) -> str:
    """Return a text that may be given in pieces, which are joined as they are."""
    found = one.take(key, "")
    if isinstance(found, str):
        return text_of(found, one.file, one.at(key))
    pieces = one.texts(key, MAX_TEXT)
    if sum(map(len, pieces)) > 2 * MAX_BODY:  # base64 takes 4 characters for 3 bytes
        raise one.fault(key, f"is longer than {MAX_BODY} bytes")
    return "".join(pieces)


def _body(one: Record) -> str:
    body = _joined(one, "body")
    if len(body.encode()) > MAX_BODY:
        raise one.fault("body", f"is longer than {MAX_BODY} bytes")
    return body


def _binary(one: Record) -> bytes:
    try:
        data = base64.b64decode(_joined(one, "binary"), validate=True)
    except (binascii.Error, ValueError) as error:
        if isinstance(error, ScriptError):
            raise
        raise one.fault("binary", "is no base64") from None
    if len(data) > MAX_BODY:
        raise one.fault("binary", f"is longer than {MAX_BODY} bytes")
    return data


def _aside(one: Record) -> Aside:
    exchanges = []
    protocol = one.one_of("protocol", PROTOCOLS)
    for each in one.records("exchanges", MAX_EXCHANGES):
        opener = each.one_of("speaker", ("opener", "responder")) == "opener"
        exchanges.append((each.ms("at_ms"), opener, each.text("text")))
        each.done()
    aside = Aside(
        protocol=protocol,
        at_ms=one.ms("at_ms"),
        opener_address=one.text("opener_address"),
        responder_address=one.text("responder_address"),
        exchanges=tuple(exchanges),
    )
    one.done()
    return aside
