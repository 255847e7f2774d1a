"""What leaves the house with a report, and what never does.

The one place that decides it: everything a report or its JSON takes from a message goes through
here. Secrets are masked always; bodies are left out on demand; nothing else is hidden, and the
report says so itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analyzer.views.detail import detail_record

if TYPE_CHECKING:
    from analyzer.ladder.look import Detail
    from analyzer.trace import Trace

Record = dict[str, Any]

_FLAGS = re.IGNORECASE | re.DOTALL
SECRET_HEADER = re.compile(r"(?:proxy-)?authorization|.*authentication-info", _FLAGS)
"""Credentials and their proofs (RFC 3261 sections 20.6, 20.7, 20.28; MS-SIPAE): nobody who reads a
ticket needs their values, only which scheme was used."""
CHALLENGE = re.compile(r"(?:www|proxy)-authenticate", re.IGNORECASE)
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]{0,19})(?=\s)")
_TOKENS = re.compile(
    r"""((?:gssapi-data|token)\s*=\s*)("[^"]*"?|'[^']*'?)|(<(?:\w+:)?\w*token>)[^<]+""",
    re.IGNORECASE,
)
"""Answers to challenges, and the tokens that files are fetched with (``rpl:getftok``)."""
TOKEN = re.compile(r".*token", _FLAGS)
MASKED = "(masked)"
KEPT_ATTRIBUTES = frozenset({"id", "seqid", "envid", "code", "ver", "xmlns"})
"""What stays of the XCCOS of a message without its body: what it is, and how it was answered."""
SAID = frozenset({"subject", "s"})
"""The header with words of people, and its short name (RFC 3261 20.36)."""
LEFT_OUT = "left out: the report was made with --no-bodies"


@dataclass(frozen=True, slots=True)
class Sharing:
    """How much of a capture a report tells."""

    bodies: bool = True
    """Message bodies, chat texts among them, are in the details of messages."""
    redacted: bool = False
    """It is of a capture made anew from a script with pseudonyms."""

    @property
    def word(self) -> str:
        """Return ``not redacted``."""
        return "redacted" if self.redacted else "not redacted"

    @property
    def remark(self) -> str:
        """Return what is in it that concerns people, in one sentence."""
        if self.redacted:
            return "People, domains, names of hosts, rooms and words in it are pseudonyms."
        names = "people's names, SIP and network addresses and the names of rooms"
        if not self.bodies:
            return f"It has {names} in it; message bodies were left out."
        return f"It has {names} in it, and what they wrote to each other."

    def details(self, trace: Trace) -> Detail:
        """Return what gives the record of a message as it may be shared."""
        return lambda row: self.message(detail_record(trace, row))

    def message(self, record: Record) -> Record:
        """Return the record of a message, as ``detail_record`` gives it, as it may be shared."""
        made = {
            **record,
            "headers": [
                {"name": one["name"], "value": self._header(one["name"], one["value"])}
                for one in record["headers"]
            ],
            "xccos": self.items(record["xccos"]),
        }
        body, document = record["body"], record["document"]
        if not self.bodies:
            made["document"] = document and {**document, "root": _outline(document["root"])}
            made["body"] = None
            if body is not None:
                notes = {"body": f"{len(body):,} characters {LEFT_OUT}"}
                made["note_meanings"] = {**record["note_meanings"], **notes}
            return made
        made["document"] = document and {**document, "root": _masked(document["root"])}
        made["body"] = body and masked_text(body)
        return made

    def _header(self, name: str, value: str) -> str:
        if not self.bodies and name.strip().lower() in SAID:
            return LEFT_OUT
        return header_value(name, value)

    def items(self, items: list[Record]) -> list[Record]:
        """Return the XCCOS items of a record; without bodies the texts of answers stay."""
        if self.bodies:
            return items
        return [one if one["element"] == "rpl" else {**one, "text": None} for one in items]


def header_value(name: str, value: str) -> str:
    """Return the value of a header, of credentials only the scheme."""
    plain = name.strip()
    if SECRET_HEADER.fullmatch(plain):
        scheme = _SCHEME.match(value)
        return f"{scheme[1]} {MASKED}" if scheme else MASKED
    return masked_text(value) if CHALLENGE.fullmatch(plain) else value


def masked_text(text: str) -> str:
    """Return a text with the values of tokens masked."""
    return _TOKENS.sub(_mask, text)


def _mask(found: re.Match[str]) -> str:
    return f'{found[1]}"{MASKED}"' if found[1] else f"{found[3]}{MASKED}"


def _masked(element: Record | None) -> Record | None:
    """Return an XML element, tokens masked in it."""
    if element is None:
        return None
    attributes = {
        name: MASKED if TOKEN.fullmatch(name) else value
        for name, value in element["attributes"].items()
    }
    text = MASKED if element["text"] and TOKEN.fullmatch(element["name"]) else element["text"]
    children = [_masked(child) for child in element["children"]]
    return {**element, "attributes": attributes, "text": text, "children": children}


def _outline(element: Record | None) -> Record | None:
    """Return an XML element with its names, ids and codes; without what people wrote."""
    if element is None:
        return None
    kept = {name: value for name, value in element["attributes"].items() if name in KEPT_ATTRIBUTES}
    answer = element["text"] if element["name"] == "resp" else None
    children = [_outline(child) for child in element["children"]]
    return {**element, "attributes": kept, "text": answer, "children": children}
