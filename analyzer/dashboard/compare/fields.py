"""Two messages, field by field: what is the same, what differs, and what differs in every run.

The rule: nothing is left out silently. Fields are bounded, and how many are not compared is said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.compare.align import align
from analyzer.compare.bodies import normal
from dissectors.model import Malformed
from dissectors.sip.grammar import field_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.dashboard.dock.message import Docked
    from dissectors.sip.messages import SipMessage
    from dissectors.xccos.messages import Element

State = Literal["same", "alike", "differs", "only A", "only B"]
"""``alike``: it differs as it does in any two runs: identifiers, times, addresses, names."""
MAX_FIELDS = 2_000
"""Fields of one message that are compared."""
MAX_LINES = 500
"""Lines of a body that is no XCCOS."""
MAX_VALUE = 4_096
OF_A_RUN = frozenset(
    {"via", "call-id", "cseq", "from", "to", "contact", "date", "record-route", "route",
     "content-length", "authorization", "proxy-authorization", "www-authenticate",
     "proxy-authenticate", "authentication-info", "proxy-authentication-info", "ms-keep-alive",
     "p-asserted-identity", "timestamp", "max-forwards"}
)  # fmt: skip
"""Headers (lower case) that hold tags, identifiers, addresses, tokens or times: other ones in any
two runs. What matters of them is compared by ``analyzer.compare.fields``."""


SPOKEN = frozenset({"chat", "rtf"})
"""Elements that hold people's words."""


class Field(NamedTuple):
    """One field of two messages."""

    group: str
    """``Start line``, ``Headers``, ``XCCOS``, ``Body``."""
    name: str
    a: str | None
    """None: the message has none."""
    b: str | None
    state: State


@dataclass
class _Fields:
    """The fields of one message."""

    values: dict[tuple[str, str], str] = field(default_factory=dict)
    left: int = 0
    """Fields beyond the limit."""
    lines: Sequence[str] = ()
    """Of a body that is no XCCOS."""

    def add(self, group: str, name: str, value: str) -> None:
        if len(self.values) >= MAX_FIELDS:
            self.left += 1
            return
        number, key = 1, (group, name)
        while key in self.values:
            number += 1
            key = (group, f"{name} ({number})")
        self.values[key] = value[:MAX_VALUE]


class Compared(NamedTuple):
    """Two messages, compared."""

    fields: tuple[Field, ...]
    cut: tuple[str, ...]
    """What was not compared, a sentence each."""

    @property
    def differing(self) -> tuple[Field, ...]:
        """Those that are not the same."""
        return tuple(one for one in self.fields if one.state != "same")


def compared(a: Docked, b: Docked) -> Compared:
    """Compare two messages; the locks of their cases are held."""
    one, two = _fields_of(a), _fields_of(b)
    order = _merged([*one.values], [*two.values])
    fields = [_field(key, one.values.get(key), two.values.get(key)) for key in order]
    fields += _body(one.lines, two.lines)
    cut = [
        f"{name} has {side.left:,} more fields, which are not compared"
        for name, side in (("A", one), ("B", two))
        if side.left
    ]
    return Compared(tuple(fields), tuple(cut))


def _merged(a: list[tuple[str, str]], b: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the names of both, in the order of both as far as they agree."""
    found: list[tuple[str, str]] = []
    i = j = 0
    for k, m in [*align(a, b), (len(a), len(b))]:
        found += [*a[i:k], *b[j:m], *a[k : k + 1]]
        i, j = k + 1, m + 1
    return list(dict.fromkeys(found))


def _field(key: tuple[str, str], a: str | None, b: str | None) -> Field:
    group, name = key
    return Field(group, name, a, b, _state(group, name, a, b))


def _state(group: str, name: str, a: str | None, b: str | None) -> State:
    if a is None:
        return "only B"
    if b is None:
        return "only A"
    if a == b:
        return "same"
    plain = name.partition(" (")[0]
    if group == "Headers" and plain.lower() in OF_A_RUN:
        return "alike"
    if group == "XCCOS":
        path, _, attribute = plain.partition("@")
        spoken = path.rpartition("/")[2].lower() in SPOKEN and not attribute
        if spoken or normal(attribute, a) == normal(attribute, b):
            return "alike"
    return "alike" if name == "Request-URI" else "differs"


def _fields_of(docked: Docked) -> _Fields:
    found, message = _Fields(), docked.message
    if isinstance(message, Malformed):
        found.add("Start line", "unreadable", message.reason)
        return found
    _start(found, message)
    for header in message.headers:
        found.add("Headers", _shown(header.name), header.value)
    document = docked.document
    if document is None or isinstance(document, Malformed):
        text = message.body[: MAX_LINES * 200].decode("utf-8", "backslashreplace")
        found.lines = text.splitlines()[:MAX_LINES]
        return found
    for path, value in _walk(document.root):
        found.add("XCCOS", path, value)
    return found


def _start(found: _Fields, message: SipMessage) -> None:
    """Take a start line apart: ``INVITE sip:x SIP/2.0``, ``SIP/2.0 200 OK``."""
    line = message.start_line.decode("utf-8", "backslashreplace")
    first, _, rest = line.partition(" ")
    second, _, third = rest.partition(" ")
    names = (
        ("version", "status", "reason")
        if first[:4].upper() == "SIP/"
        else ("method", "Request-URI", "version")
    )
    for name, value in zip(names, (first, second, third), strict=True):
        if value:
            found.add("Start line", name, value)


def _shown(name: str) -> str:
    """Return a header's long name, as RFC 3261 writes most: ``Call-ID`` for ``i``."""
    long = field_name(name)
    return name if long == name.lower() else long.title()


def _walk(root: Element) -> Iterator[tuple[str, str]]:
    """Yield the attributes and texts of a document with their paths."""
    stack: list[tuple[str, Element]] = [(root.name, root)]
    while stack:
        path, element = stack.pop()
        for name, value in element.attributes:
            yield f"{path}@{name}", value
        if element.text.strip():
            yield path, element.text.strip()
        stack += [(f"{path}/{child.name}", child) for child in reversed(element.children)]


def _body(a: Sequence[str], b: Sequence[str]) -> Iterator[Field]:
    """Yield the lines of two bodies, beside one another where they are alike."""
    i = j = 0
    for k, m in [*align([(x,) for x in a], [(y,) for y in b]), (len(a), len(b))]:
        for number, (left, right) in enumerate(zip_longest(a[i:k], b[j:m])):
            state: State = "only B" if left is None else "only A" if right is None else "differs"
            yield Field("Body", f"line {i + number + 1}", left, right, state)
        if k < len(a):
            yield Field("Body", f"line {k + 1}", a[k], b[m], "same")
        i, j = k + 1, m + 1


def middle(a: str, b: str) -> tuple[int, int]:
    """Return how many characters two texts share at their beginning and at their end."""
    least = min(len(a), len(b))
    before = next((at for at in range(least) if a[at] != b[at]), least)
    left = least - before
    after = next((at for at in range(left) if a[-1 - at] != b[-1 - at]), left)
    return before, after
