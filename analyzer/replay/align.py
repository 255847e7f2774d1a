"""What the slots of a template stand for in a message of the peer.

The rule: places are compared by meaning, not by position in the text: headers by name, parameters
by name, elements by path. What does not correspond says nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from analyzer.replay.template import fill, read_slots
from dissectors.model import Malformed
from dissectors.sip.grammar import field_name
from dissectors.xccos.xml import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analyzer.replay.heard import Heard
    from analyzer.replay.template import Template
    from dissectors.xccos.messages import Element

PASSED_OVER = frozenset(
    {"via", "cseq", "content-length", "route", "record-route", "authorization", "max-forwards"}
    | {"proxy-authorization", "www-authenticate", "proxy-authenticate", "authentication-info"}
    | {"proxy-authentication-info"}
)
"""Headers that belong to the hop or to a security association, not to the case."""
BY_COMMAND = 100
"""What an equal part of ``commandid`` counts: more than all attributes of an element."""
MAX_DEPTH = 40
"""Of elements that are compared; documents of this protocol have six."""


NOTHING: dict[str, str] = {}


def observe(template: Template, heard: Heard, known: Mapping[str, str] = NOTHING) -> dict[str, str]:
    """Return the slots of a template with what a message has in their places.

    ``known`` tells elements of one name apart: those that have what is known go together.
    """
    found: dict[str, str] = {}
    message = heard.message
    if message.status is None:
        _put(found, _second(template.start), message.uri or "")
    seen: dict[str, int] = {}
    for name, text in template.headers:
        key = field_name(name)
        index = seen[key] = seen.get(key, -1) + 1
        if key in PASSED_OVER or "${" not in text:
            continue
        values = message.headers.all(key)
        if index < len(values):
            _put(found, text, values[index])
    if "${" in template.body:
        _observe_body(found, template.body, heard, known)
    return found


def _second(start: str) -> str:
    """Return the Request-URI of a request line."""
    return start.partition(" ")[2].rpartition(" ")[0]


def _put(found: dict[str, str], text: str, value: str) -> None:
    for name, one in observe_text(text, value).items():
        found.setdefault(name, one)


def observe_text(text: str, value: str) -> dict[str, str]:
    """Return the slots of a header value (or any text) as they stand in another."""
    if "${" not in text:
        return {}
    read = read_slots(text, value)
    if read is not None:
        return read
    template, actual = _parts(text), _parts(value)
    found: dict[str, str] = {}
    for key, one in template.items():
        if key in actual:
            found.update(read_slots(one, actual[key]) or {})
    return found


def _parts(value: str) -> dict[str, str]:
    """Return the pieces of an address with parameters, by name: ``uri``, ``uri;x``, ``;tag``."""
    inside, outside = value, ""
    before, bracket, rest = value.partition("<")
    if bracket:
        inside, _, outside = rest.partition(">")
        before = before.strip()
    else:
        inside, _, outside = value.partition(";")
    uri, *params = inside.split(";")
    found = {"uri": uri, "display": before.strip('"') if bracket else ""}
    _name_params(found, params, "uri;")
    _name_params(found, outside.split(";"), ";")
    return found


def _name_params(found: dict[str, str], params: Sequence[str], prefix: str) -> None:
    for param in params:
        name, equals, one = param.partition("=")
        if equals:
            found.setdefault(prefix + name.strip().lower(), one.strip().strip('"'))


@lru_cache(maxsize=2048)
def template_root(body: str) -> Element | None:
    """Return the XML of a template's body; slots are text there."""
    parsed = parse(body.encode())
    return None if isinstance(parsed, Malformed) else parsed.root


def _observe_body(found: dict[str, str], body: str, heard: Heard, known: Mapping[str, str]) -> None:
    root = template_root(body) if body.lstrip()[:1] == "<" else None
    if root is not None and heard.root is not None:
        for text, value in _Pairs(known).of(root, heard.root, 0):
            _put(found, text, value)
    elif root is None:
        actual = heard.message.body.decode("utf-8", "replace").splitlines()
        for text, value in zip(body.splitlines(), actual, strict=False):
            if "${" in text and text[:2] == value[:2]:
                _put(found, text, value)


class _Pairs:
    """Texts of a template that have slots, each with what stands in its place."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known

    def of(self, template: Element, actual: Element, depth: int) -> Iterator[tuple[str, str]]:
        """Yield those of an element and of all below it."""
        for key, text in template.attributes:
            value = actual.get(key) if "${" in text else None
            if value is not None:
                yield text, value
        if "${" in template.text:
            yield template.text, actual.text
        if depth >= MAX_DEPTH:
            return
        taken: set[int] = set()
        for child in template.children:
            index = self._corresponding(child, actual.children, taken)
            if index is not None:
                taken.add(index)
                yield from self.of(child, actual.children[index], depth + 1)

    def _corresponding(
        self, child: Element, others: Sequence[Element], taken: set[int]
    ) -> int | None:
        """Return the element that stands for one: of the same name, rather with equal values."""
        best: tuple[int, int] | None = None
        for index, other in enumerate(others):
            if index in taken or other.name != child.name:
                continue
            score = self._alike(child, other)
            if best is None or score > best[0]:
                best = (score, index)
        return None if best is None else best[1]

    def _alike(self, child: Element, other: Element) -> int:
        """Say how alike two elements are; a reply is that to its command, whatever its number."""
        score = sum(other.get(key) == self._filled(text) for key, text in child.attributes)
        asked, told = child.find("commandid"), other.find("commandid")
        if asked is None or told is None:
            return score
        same = sum(told.get(key) == self._filled(text) for key, text in asked.attributes)
        return score + BY_COMMAND * same

    def _filled(self, text: str) -> str:
        return fill(text, lambda name: self._known.get(name, "\0")) if "${" in text else text
