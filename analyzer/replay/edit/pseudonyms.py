"""Other names for people, hosts and rooms: of the same form, readable, and nobody's.

The rule: a value has one pseudonym for the whole script, drawn by a seeded generator, and no
pseudonym is one of the values that are to vanish. Addresses and domains are those that are set
aside for documents (RFC 5737, RFC 3849, RFC 2606).
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from random import Random  # noqa: TID251  (the type of what is passed in)

    from analyzer.replay.edit.places import Kind

FIRST = (
    "Ada Ben Cleo Dana Emil Fay Gwen Hugo Ida Jon Kim Lara Milo Nora Otis Pia Quinn Rosa Sam Tara "
    "Uma Vera Wim Xenia Yann Zoe Arlo Bree Cass Dora Eli Finn Gina Hal Iris Jade Kai Lena Mona Ned"
)
LAST = (
    "Abel Berg Cole Dale Ekman Frost Gray Holm Ibsen Jung Kron Lind Moss North Oakes Pell Quist "
    "Rowe Stone Thorn Udal Vance Wells Yates Zeller"
)
LOREM = (
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut "
    "labore et dolore magna aliqua enim ad minim veniam quis nostrud exercitation ullamco laboris "
    "nisi aliquip ex ea commodo consequat duis aute irure in reprehenderit voluptate velit esse "
    "cillum fugiat nulla pariatur excepteur sint occaecat cupidatat non proident sunt culpa qui "
    "officia deserunt mollit anim id est laborum"
)
DOMAINS = ("example.com", "example.org", "example.net")
NETWORKS = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15")
"""RFC 5737; where they do not suffice RFC 2544, which no network routes either."""
NETWORK_6 = "2001:db8::/64"
"""RFC 3849."""
LONGEST_TEXT = 1 << 16
"""Characters of a text of people that are made up: what a post may have."""
_RUNS = re.compile(r"[0-9]|[a-f]|[g-z]|[A-F]|[G-Z]")
_SPACES = re.compile(r"(\s+)")


class Pseudonyms:
    """Makes pseudonyms and remembers them."""

    def __init__(self, rng: Random, taken: Collection[str]) -> None:
        """Make pseudonyms; ``taken``: values that none may be, in lower case."""
        self._rng = rng
        self._taken = set(taken)
        self._made: dict[tuple[Kind, str], str] = {}
        self._counts: dict[str, int] = {}
        words = {word for value in self._taken for word in re.findall(r"[^\W_]+", value)}
        self._lorem = [word for word in LOREM.split() if word not in words]
        first, last = (
            [name for name in names.split() if name.lower() not in words] for names in (FIRST, LAST)
        )
        self._people = self._shuffled(f"{one} {other}" for one in first for other in last)
        self._hosts = self._addresses(NETWORKS)
        self._hosts_6 = self._addresses((NETWORK_6,))

    def of(self, kind: Kind, value: str, make: Callable[[], str] | None = None) -> str:
        """Return the pseudonym of a value; ``make`` makes it the first time."""
        key = _key(kind, value)
        if key not in self._made:
            made = (make or (lambda: self._new(kind, value)))()
            self._made[key] = made
            self._taken.add(made.lower())
        return self._made[key]

    def known(self, kind: Kind, value: str) -> str | None:
        """Return a pseudonym that was made already."""
        return self._made.get(_key(kind, value))

    def person(self) -> str:
        """Return somebody's first and last name."""
        return self._free(self._people) or self.numbered("Person ")

    def numbered(self, stem: str) -> str:
        """Return ``host1``, ``host2`` ..."""
        while True:
            self._counts[stem] = self._counts.get(stem, 0) + 1
            made = f"{stem}{self._counts[stem]}"
            if made.lower() not in self._taken:
                return made

    def domain(self, parent: str | None) -> str:
        """Return a domain; ``parent``: the pseudonym of the domain that it is in."""
        if parent is not None:
            return f"{self.numbered('dept')}.{parent}"
        free = self._free(iter(DOMAINS))
        return free or f"{self.numbered('org')}.example"

    def address(self, value: str) -> str:
        """Return an IP address of the same family."""
        if ":" in value:
            return self._free(self._hosts_6) or value
        return self._free(self._hosts) or value

    def formed(self, value: str) -> str:
        """Return a value with other digits and letters of the same kinds at the same places."""
        while True:
            made = _RUNS.sub(lambda found: self._character(found[0]), value)
            if made.lower() not in self._taken or not _RUNS.search(value):
                return made

    def text(self, value: str) -> str:
        """Return words that nobody wrote, as many and as long, broken and ended as the text is."""
        parts = _SPACES.split(value[:LONGEST_TEXT])
        made = "".join(part if at % 2 else self._word(len(part)) for at, part in enumerate(parts))
        if made.lower() in self._taken or made == value:
            made += " " + self._rng.choice(self._lorem)
        return made

    def _word(self, length: int) -> str:
        if not length:
            return ""
        near = [word for word in self._lorem if abs(len(word) - length) <= 1]
        return self._rng.choice(near or self._lorem)

    def _character(self, one: str) -> str:
        for low, high in (("0", "9"), ("a", "f"), ("g", "z"), ("A", "F"), ("G", "Z")):
            if low <= one <= high:
                return chr(self._rng.randint(ord(low), ord(high)))
        return one

    def _new(self, kind: Kind, value: str) -> str:
        made: dict[Kind, Callable[[], str]] = {
            "name": self.person,
            "room-name": lambda: self.text(value).capitalize(),
            "text": lambda: self.text(value),
            "address": lambda: self.address(value),
            "machine": lambda: self.numbered("pc"),
            "login": lambda: self.numbered("account"),
            "phone": self._phone,
            "preference": str,
            "file": lambda: self._file(value),
        }
        return made.get(kind, lambda: self.formed(value))()

    def _phone(self) -> str:
        """Return a number that is kept for fiction: 555-0100 to 555-0199."""
        count = self._counts["phone"] = self._counts.get("phone", -1) + 1
        return f"+1{202 + count // 100 % 700}5550{100 + count % 100}"

    def _file(self, value: str) -> str:
        stem, dot, suffix = value.rpartition(".")
        known = dot and stem and suffix.isalnum() and len(suffix) <= 5
        return self.numbered("file") + (f".{suffix}" if known else "")

    def _free(self, names: Iterator[str]) -> str | None:
        return next((name for name in names if name.lower() not in self._taken), None)

    def _shuffled(self, names: Iterator[str]) -> Iterator[str]:
        several = list(names)
        self._rng.shuffle(several)
        return iter(several)

    @staticmethod
    def _addresses(networks: Collection[str]) -> Iterator[str]:
        for network in networks:
            for host in ipaddress.ip_network(network).hosts():
                yield str(host)


def _key(kind: Kind, value: str) -> tuple[Kind, str]:
    """Return what a pseudonym is known by: who searches for a room by its name must find it."""
    return ("text" if kind == "room-name" else kind), value.lower()
