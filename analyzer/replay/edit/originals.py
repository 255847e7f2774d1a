"""What of a script says who and where: people, domains, hosts, rooms, words, machines.

The rule: values are gathered from where the protocol has them (slots, addresses, private places of
bodies), and from nowhere else; that they vanish everywhere is the business of who replaces them.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.edit.places import private_places
from analyzer.replay.fill import is_xml
from analyzer.replay.slot_values import host_and_port
from analyzer.replay.template import SLOT, fill, slots_of
from analyzer.roles import CHANNEL_MARK, LOOKUP_USERS
from dissectors.sip.fields import parse_name_addrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.replay.edit.places import Kind
    from analyzer.replay.script import Script, Slot, Turn

_SLOT_KINDS: dict[str, Kind] = {
    "user": "user",
    "domain": "domain",
    "room": "room",
    "text": "text",
    "epid": "epid",
    "instance": "instance",
}
_ADDRESS = re.compile(
    r"(?:\b(?:sips?|im|mailto|xmpp):|[>\"'\s=,(]|^)([\w.+!%~-]{1,64})@([\w-]+(?:\.[\w-]+)*)"
)
_PHONE = re.compile(r"\btel:([+\d][\d().-]{2,30})()")
_IP = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})()(?![\w.])")
_IP_6 = re.compile(r"\[([0-9A-Fa-f:]*:[0-9A-Fa-f:.]+)\]|\bIP6 ([0-9A-Fa-f:.]+)")
_HOST = re.compile(
    r"(?:@|//|\bsips?:|\bSIP/2\.0/\w+\s+|\bIN\s+IP4\s+|"
    r"\b(?:targetname|source|ms-fe|host|domain|realm|target|fqdn|server|peerserver|tls-target"
    r"|maddr|received)\s*=\s*\"?|\bHost:\s*)"
    r"([A-Za-z0-9_][\w-]{0,62}(?:\.[\w-]{1,63}){1,10})(?![\w@])",
    re.IGNORECASE,
)
_ROOM = re.compile(r"\bma-(?:chan|cat|filelink)://([\w.-]+)/([\w-]+)")
_EPID = re.compile(r"\bepid=([\w-]{4,})|\bopaque=user:epid:([\w-]{4,})")
_INSTANCE = re.compile(
    r"\burn:uuid:([0-9A-Fa-f-]{8,})|\bendpointId=\"\{?([\w-]{8,})", re.IGNORECASE
)
_NAME = re.compile(r"(?<![\w.@-])(?:[\w-]{1,63}\.){2,9}[\w-]{1,63}(?![\w-])")
_SERVICE = re.compile(r"^(?:_[\w-]+\.)+")
"""Of the name that a SRV record is asked for by (RFC 2782)."""
_TOP = re.compile(r"[A-Za-z]{2,24}")
NAMESPACES = ("schemas.", "www.w3.org", "docs.oasis-open.org")
"""Hosts that only names of the protocol have."""
SOFTWARE = frozenset({"user-agent", "server", "supported", "allow", "accept", "content-type"})
"""Headers about programs: their numbers look like addresses."""
PEOPLE = frozenset(
    {
        "from",
        "to",
        "contact",
        "p-asserted-identity",
        "p-preferred-identity",
        "referred-by",
        "reply-to",
    }
)
TITLES = frozenset({"subject", "organization"})
"""Headers that are words of people (RFC 3261 20.36 and 20.25)."""
WORDS = frozenset({"text/plain", "text/html", "text/rtf", "application/rtf"})
"""Bodies that are words of people, where they are no XCCOS."""

_LETTERS = re.compile(r"[^\W\d_]{2}")
_FOLDERS = re.compile(
    r"(?<![^\s'\"(])(?:(?:[A-Za-z]:|~\w*|\.{1,2})?[/\\](?=\S)(?:[^/\\,\n]{1,255}[/\\]){1,64}"
    r"|[^,/\\\n]{1,255}[/\\](?:[^/\\,\n]{1,255}[/\\]){0,64}"
    r"(?=[^/\\,\n]{1,255}\.(?:p?cap(?:ng)?|etl|log|txt|json|gz|zst)\b))"
)
MAX_TITLE = 1000
"""Characters of a title that are looked through for folders: those that are derived begin with a
file, and are no longer."""


class Original(NamedTuple):
    """A private value."""

    kind: Kind
    value: str


class Originals:
    """The private values of a script, in order of their first occurrence."""

    def __init__(self, script: Script) -> None:
        self._found: dict[tuple[Kind, str], Original] = {}
        self.names: dict[str, str] = {}
        """Display names by the addresses that they stand with, in lower case."""
        self.services: dict[str, str] = {}
        """Addresses that dialogs are opened with, in lower case, and the role of those."""
        self.kinds: dict[str, Kind] = {}
        """What slots are that stand where only private values do, by their names."""
        self._texts: dict[str, None] = {}
        self._values = {slot.name: slot.value for slot in script.slots}
        self._gather(script)

    def __iter__(self) -> Iterator[Original]:
        return iter(self._found.values())

    def of(self, *kinds: Kind) -> list[str]:
        """Return the values of some kinds."""
        return [one.value for one in self if one.kind in kinds]

    def filled(self, text: str) -> str:
        """Return a text of a template with the recorded values."""
        return fill(text, lambda name: self._values.get(name, ""))

    def add(self, kind: Kind, value: str) -> None:
        """Take note of a value."""
        value = value.strip()
        if value:
            self._found.setdefault((kind, value.lower()), Original(kind, value))

    def _gather(self, script: Script) -> None:
        self.add("file", script.origin.get("capture", ""))  # called after who complained
        for slot in script.slots:
            self._slot(slot)
        for connection in script.connections:
            self._end(connection.opener_address)
            self._end(connection.responder_address)
        for aside in script.asides:
            self._end(aside.opener_address)
            self._end(aside.responder_address)
            for _, _, text in aside.exchanges:
                self._text(text)
        roles = {dialog.id: dialog.role for dialog in script.dialogs}
        for turn in script.turns:
            self._turn(turn, roles.get(turn.dialog, ""))
        self._hosts()

    def _slot(self, slot: Slot) -> None:
        kind = _SLOT_KINDS.get(slot.kind)
        if kind == "user":
            self._address(*slot.value.rpartition("@")[::2])
        elif kind is not None:
            self.add(kind, slot.value)
        elif slot.kind in ("address", "host"):
            self._end(slot.value if slot.kind == "address" else f"{slot.value}:0")
        elif slot.kind in ("contact", "uri", "opaque"):
            self._text(slot.value)

    def _end(self, address: str) -> None:
        parts = host_and_port(address)
        if parts is not None and not self._ip(parts[0]) and "." in parts[0]:
            self._host(parts[0])

    def _ip(self, text: str) -> bool:
        """Take note of an address that says where somebody is; tell whether it is one."""
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        if not (address.is_loopback or address.is_unspecified or address.is_multicast):
            self.add("address", text)
        return True

    def _host(self, name: str) -> None:
        name = _SERVICE.sub("", name)
        labels = name.rstrip(".").split(".")
        if name.startswith(NAMESPACES) or not _TOP.fullmatch(labels[-1]) or len(labels) < 2:
            return
        self.add("host" if len(labels) > 2 else "domain", name)

    def _address(self, name: str, domain: str) -> None:
        if not name or not domain:
            return
        if _IP.fullmatch(domain):
            self._ip(domain)
            self.add("user", f"{name}@{domain}")
            return
        self.add("domain", domain)
        self.add("user", f"{name}@{domain}")

    def _turn(self, turn: Turn, role: str) -> None:
        message = turn.message
        start = self.filled(message.start)
        self._text(start)
        for name, value in message.headers:
            if name.lower() not in SOFTWARE:
                self._header(name.lower(), value)
        if turn.is_request and message.method == "INVITE" and role in ("lookup", "channel"):
            for address in _ADDRESS.findall(start)[:1]:
                self.services["@".join(address).lower()] = role
        if message.body:
            self._body(turn)

    def _header(self, name: str, template: str) -> None:
        value = self.filled(template)
        self._text(value)
        if is_title(name, template):
            self.add("text", value)
        if name not in PEOPLE:
            return
        for one in parse_name_addrs(value):
            display = (one.display or "").strip()
            address = re.sub(r"^sips?:|[;?].*$", "", one.uri)
            if display and display.lower() != address.lower():
                self.add("name", display)
                self.names.setdefault(address.lower(), display)

    def _body(self, turn: Turn) -> None:
        body = turn.message.body
        self._text(self.filled(body))
        for one in private_places(body):
            if not SLOT.sub("", one.value).strip():
                for slot in slots_of(one.value):
                    self.kinds.setdefault(slot, one.kind)
            if one.kind != "preference" and not (one.kind == "login" and "@" in one.value):
                self.add(one.kind, self.filled(one.value))  # an address is one without its place
        if is_words(turn) and SLOT.sub("", body).strip():
            self.add("text", self.filled(body))

    def _hosts(self) -> None:
        """Take note of what has the name of a host in a known domain, wherever it stands."""
        domains = {domain.lower() for domain in self.of("domain")}
        for text in self._texts:
            for match in _NAME.finditer(text):
                labels = match[0].lower().split(".")
                if any(".".join(labels[at:]) in domains for at in range(1, len(labels) - 1)):
                    self._host(match[0])

    def _text(self, text: str) -> None:
        self._texts[text] = None
        for match in _ROOM.finditer(text):
            self.add("domain", match[1])
            self.add("room", match[2])
        for match in _ADDRESS.finditer(text):
            self._address(match[1], match[2])
        for match in _HOST.finditer(_ROOM.sub("", text)):
            self._host(match[1])
        self._marked(text)

    def _marked(self, text: str) -> None:
        for pattern in (_IP, _IP_6):
            for match in pattern.finditer(text):
                self._ip(match[1] or match[2])
        for pattern, kind in _MARKED:
            for match in pattern.finditer(text):
                self.add(kind, match[1] or match[2])


_MARKED: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (_EPID, "epid"),
    (_INSTANCE, "instance"),
    (_PHONE, "phone"),
)


def is_words(turn: Turn) -> bool:
    """Tell whether a body is a text of people: a message that is neither XML nor SDP."""
    kind = (turn.message.header("Content-Type") or "").partition(";")[0].strip().lower()
    return kind in WORDS and not is_xml(turn.message.body)


def is_title(name: str, value: str) -> bool:
    """Tell whether a header, by its name in lower case, has words of people.

    What somebody invented (``X-...``, RFC 6648) may have them, where it is several words and no
    slots.
    """
    if not name.startswith("x-") or SLOT.search(value):
        return name in TITLES
    return sum(_LETTERS.search(word) is not None for word in value.split()) > 1


def is_service(address: str) -> bool:
    """Tell whether an address is known by its name to be the lookup or a channel service."""
    name = address.partition("@")[0].lower()
    return name in LOOKUP_USERS or CHANNEL_MARK in name


def folders(title: str) -> list[str]:
    """Return the folders of files in a title: they say who has a file, and what for."""
    return _FOLDERS.findall(title[:MAX_TITLE])


def without_folders(title: str) -> str:
    """Return a title with the names of its files alone."""
    return _FOLDERS.sub("", title[:MAX_TITLE]) + title[MAX_TITLE:]


def values_of(originals: Iterable[Original]) -> set[str]:
    """Return the values in lower case."""
    return {one.value.lower() for one in originals}
