"""The same case with nobody's names in it.

The rule: a value has one pseudonym, wherever it stands: in slots, written out in messages, in
texts about the script. Who looks for the old values afterwards finds none (``leaks``).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from dataclasses import dataclass, replace
from random import Random  # noqa: TID251  (seeded by the caller)
from typing import TYPE_CHECKING

from analyzer.replay.check_secrets import NTLM
from analyzer.replay.edit.headers import with_names, with_phones
from analyzer.replay.edit.originals import (
    PEOPLE,
    Original,
    Originals,
    is_service,
    is_title,
    is_words,
    values_of,
    without_folders,
)
from analyzer.replay.edit.places import ATTRIBUTES, ELEMENTS, rewritten
from analyzer.replay.edit.pseudonyms import Pseudonyms
from analyzer.replay.edit.rewrite import Rewriter, Texts, rewritten_script
from analyzer.replay.edit.vocabulary import is_telling, vocabulary
from analyzer.replay.edit.words import Words
from analyzer.replay.template import SLOT, escape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.replay.edit.places import Kind, Private
    from analyzer.replay.script import Expectation, Script, Slot, Turn

HEADS = {1: 32, 2: 48, 3: 64}
"""Bytes of NTLM messages by type before what they say of names (MS-NLMP 2.2.1)."""
_SLOT_KINDS: dict[str, Kind] = {
    "user": "user",
    "domain": "domain",
    "room": "room",
    "text": "text",
    "epid": "epid",
    "instance": "instance",
}
_PLACE = re.compile(r"(?:^|/)@?([\w-]+)(?:\[\d+\])?$")
_FILE = re.compile(r"[^/\\]+$")
_MS_BODY = re.compile(r"(\bms-body=)[^;\s]*")
"""Of Ms-Text-Format: the first words of a conversation in base64."""
_LABEL = re.compile(r"(?=.*\d)[\w-]{4,}")
"""A host's own name that is looked for by itself: it has a digit, as ``pool01``."""


@dataclass(frozen=True, slots=True)
class Anonymised:
    """What became of a script."""

    script: Script
    originals: tuple[Original, ...]
    """What it said of people and places, and the parts of that which are looked for too."""
    places: Mapping[Kind, int]
    """How often a value of each kind was replaced."""


def anonymise(script: Script, seed: int = 0) -> Anonymised:
    """Return a script in which people, places, hosts, rooms and words have pseudonyms.

    The same seed gives the same pseudonyms.
    """
    return _Anonymiser(script, seed).run()


class _Anonymiser:
    def __init__(self, script: Script, seed: int) -> None:
        self._script = script
        self._originals = Originals(script)
        self._places: Counter[Kind] = Counter()
        self._table: dict[str, tuple[Kind, str]] = {}
        self._local_parts: set[str] = set()
        self._addresses = frozenset(self._originals.of("address"))
        self._names = Pseudonyms(Random(seed), values_of(self._originals))  # noqa: S311  (not secret)
        self._words_of_protocol = vocabulary(script)
        self._name_all()
        old = {slot.name: slot.value for slot in script.slots}
        self._texts = Texts(Words(self._table), self._new, old, {})
        new = {slot.name: self._slot(slot) for slot in script.slots}
        self._places.clear()
        self._texts = Texts(Words(self._table), self._new, old, new)

    def run(self) -> Anonymised:
        """Rewrite everything."""
        how = Rewriter(
            self._texts,
            self._slot,
            self._start,
            self._header,
            self._body,
            self._binary,
            self._expectation,
        )
        titled = replace(self._script, title=without_folders(self._script.title))
        changed = rewritten_script(titled, how)
        capture = self._script.origin.get("capture", "")
        if capture.strip():
            name = self._names.of("file", capture.strip())
            changed = replace(changed, origin={**changed.origin, "capture": name})
        parts = (Original(kind, value) for value, (kind, _) in self._table.items())
        known = tuple(dict.fromkeys((*self._originals, *parts)))
        return Anonymised(changed, known, dict(sorted(self._places.items())))

    def _name_all(self) -> None:
        """Give every value its pseudonym: domains before what is in them, names before users."""
        originals = self._originals
        for value in sorted(originals.of("domain"), key=lambda one: (one.count("."), one)):
            self._note("domain", value, self._domain(value))
        for value in originals.of("host"):
            self._host(value)
        for value in originals.of("name"):
            self._note("name", value, self._names.of("name", value))
        for value in originals.of("user"):
            self._user(value)
        for one in originals:
            if one.kind not in ("domain", "host", "name", "user"):
                self._note(one.kind, one.value, self._names.of(one.kind, one.value))
                if one.kind == "file":
                    self._file(one.value)

    def _note(self, kind: Kind, value: str, pseudonym: str) -> None:
        """Look for a value everywhere, if it is nobody's word but its owner's."""
        if is_telling(Original(kind, value), self._words_of_protocol):
            self._table.setdefault(value, (kind, pseudonym))

    def _domain(self, value: str) -> str:
        def made() -> str:
            parent = self._names.known("domain", value.partition(".")[2])
            return self._names.domain(parent)

        pseudonym = self._names.of("domain", value, made)
        company = value.split(".")[-2:][0]  # as in CONTOSO\ann
        self._note("domain", company, pseudonym.partition(".")[0])
        return pseudonym

    def _host(self, value: str) -> None:
        label, _, domain = value.partition(".")

        def made() -> str:
            parent = self._names.known("domain", domain) or self._domain(domain)
            generic = label.lower() in self._words_of_protocol
            return f"{label if generic else self._names.numbered('host')}.{parent}"

        pseudonym = self._names.of("host", value, made)
        self._note("host", value, pseudonym)
        if _LABEL.fullmatch(label):
            self._note("host", label, pseudonym.partition(".")[0])

    def _user(self, value: str) -> None:
        name, _, domain = value.rpartition("@")

        def made() -> str:
            return f"{self._local_part(value)}@{self._place_of(domain)}"

        pseudonym = self._names.of("user", value, made)
        self._note("user", value, pseudonym)
        if not is_service(value):
            self._note("user", name, pseudonym.partition("@")[0])

    def _place_of(self, domain: str) -> str:
        """Return the pseudonym of what stands behind the ``@`` of a user."""
        if domain in self._addresses:
            return self._names.of("address", domain)
        return self._names.known("domain", domain) or domain

    def _local_part(self, value: str) -> str:
        if is_service(value):
            return value.partition("@")[0]
        role = self._originals.services.get(value.lower())
        if role is not None:
            return self._names.numbered(role)
        display = self._originals.names.get(value.lower())
        person = self._names.of("name", display) if display else self._names.person()
        local = person.lower().replace(" ", ".")
        while local in self._local_parts:
            local = self._names.numbered(local)
        self._local_parts.add(local)
        return local

    def _file(self, value: str) -> None:
        """Look for the name of a file without its folder too: a link has it so."""
        name = _FILE.search(value)
        if name is not None and name[0] != value:
            self._note("file", name[0], self._names.of("file", value))

    def _new(self, old: str) -> str:
        kind, pseudonym = self._table[old]
        self._places[kind] += 1
        return pseudonym

    def _known(self, kind: Kind, value: str) -> str | None:
        found = self._names.known(kind, value.strip())
        if found is not None:
            self._places[kind] += 1
        return found

    def _slot(self, slot: Slot) -> str:
        if slot.kind == "secret":
            return without_names(slot.value)
        kind = _SLOT_KINDS.get(slot.kind) or self._originals.kinds.get(slot.name)
        if kind == "preference":
            self._places[kind] += 1
            return ""
        found = None if kind is None else self._known(kind, slot.value)
        value = with_phones(slot.value, self._known)
        return self._texts.value(value) if found is None else found

    def _start(self, start: str) -> str:
        return self._texts.template(with_phones(start, self._known))

    def _header(self, name: str, value: str) -> str:
        if is_title(name.lower(), value) and SLOT.sub("", value).strip():
            found = self._known("text", self._originals.filled(value))
            if found is not None:
                return escape(found)
        if name.lower() in PEOPLE:
            value = with_names(value, self._known)
        return self._texts.template(with_phones(_MS_BODY.sub(r"\1", value), self._known))

    def _body(self, turn: Turn) -> str:
        body = turn.message.body
        if is_words(turn) and SLOT.sub("", body).strip():
            found = self._known("text", self._originals.filled(body))
            if found is not None:
                return escape(found)
        placed = with_phones(rewritten(body, self._private), self._known)
        return self._texts.template(placed)

    def _private(self, one: Private) -> str:
        """Return what a private place of a body is to hold."""
        if not SLOT.sub("", one.value).strip():
            return one.value
        if one.kind == "preference":
            self._places["preference"] += 1
            return ""
        found = self._known(one.kind, self._originals.filled(one.value))
        return one.value if found is None else escape(found)

    def _binary(self, data: bytes) -> bytes:
        self._places["binary"] += 1
        return bytes(len(data))

    def _expectation(self, one: Expectation) -> str:
        place = _PLACE.search(one.path)
        if place is not None and SLOT.sub("", one.equals).strip():
            name = place[1].lower()
            kind = ATTRIBUTES.get(name) or ELEMENTS.get(name)
            kinds: tuple[Kind, ...] = ("room-name", "name") if name == "name" else (kind or "text",)
            for each in kinds:
                found = self._known(each, self._originals.filled(one.equals))
                if found is not None:
                    return escape(found)
        return self._texts.template(one.equals)


def without_names(value: str) -> str:
    """Return a stand-in for credentials with zeros in place of the names that it may have."""
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return value
    if not data.startswith(NTLM):
        return value
    head = HEADS.get(int.from_bytes(data[8:12], "little"), len(NTLM))
    return base64.b64encode(data[:head] + bytes(max(0, len(data) - head))).decode()
