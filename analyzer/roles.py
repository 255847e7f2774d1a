"""Roles: what a dialog is for, by evidence, the strongest first.

What it carried, then a URI that the capture itself explains, then the shape of a URI. Dialogs are
judged by the URI in To: the Request-URI of what follows is the Contact of a server.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from analyzer.contents import Elements, Kind
    from analyzer.groups import Group
    from analyzer.model import Role
    from analyzer.trace import Trace

LOOKUP_USERS = ("ocschat", "lyncchat", "persistentchat")
"""User parts of lookup URIs: the default of the document, and two that Microsoft's samples use."""
CHANNEL_MARK = "-persistentchatservice-"
"""In the URIs of Skype for Business Server's Channel services."""
LOOKUP_COMMAND = "requri"
PROVISIONING = "roaming-provisioning"
"""In the content type of in-band provisioning."""
PROVISIONED = re.compile(rb"DefaultPersistentChatPoolUri[\"']?\s*+>\s*+([^<>\s]{1,255}+)")
"""The property of the group ``persistentChatConfiguration`` of in-band provisioning."""


class Judgement(NamedTuple):
    """A role with the sentence that says why."""

    role: Role
    evidence: str
    service: str | None = None
    """URI of the service, where the evidence is about a URI."""


UNDECIDED = Judgement("other", "nothing in the capture says what it is for")


class Judge:
    """Judges the dialogs of a trace; reads messages back only where rows do not suffice."""

    def __init__(self, trace: Trace, elements: Elements) -> None:
        self._trace = trace
        self._elements = elements
        self.lookups = learned_uris(trace, lookup_replies(elements))
        """Rows of ``rpl:requri`` with the URIs that each brought."""
        self._learned: dict[str, int] = {}
        for row, uris in self.lookups.items():
            for uri in uris:
                self._learned.setdefault(uri, row)
        self._provisioned: dict[str, int] | None = None
        self._used: dict[str, Judgement] = {}

    def all(self, groups: Sequence[Group], fork_of: Mapping[int, int]) -> list[Judgement]:
        """Return the judgement of every group of legs; branches of a fork follow their trunk."""
        found = [self._certain(group) for group in groups]
        for group, judgement in zip(groups, found, strict=True):
            if judgement is not None and judgement.role in ("lookup", "channel"):
                for uri in group.uris:
                    self._used.setdefault(plain_uri(uri), judgement)
        judged = [
            self._by_uri(group) if judgement is None else judgement
            for group, judgement in zip(groups, found, strict=True)
        ]
        for branch, trunk in fork_of.items():
            evidence = f"a branch of the same forked INVITE: {judged[trunk].evidence}"
            judged[branch] = judged[trunk]._replace(evidence=evidence)
        return judged

    def _certain(self, group: Group) -> Judgement | None:
        if group.method == "REGISTER":
            return Judgement("registration", "REGISTER")
        if group.method == "SUBSCRIBE":
            return Judgement("subscription", group.evidence)
        return self._by_content(group.number)

    def _by_content(self, group: int) -> Judgement | None:
        """Judge a dialog by the XCCOS that it carried."""
        what, asked = self._elements.what, None
        for element in self._elements.of(group):
            kind, name = what[element]
            if kind == "other":
                continue
            if name != LOOKUP_COMMAND:
                return Judgement("channel", self._carried(element))
            asked = element if asked is None else asked
        return None if asked is None else Judgement("lookup", self._carried(asked))

    def _carried(self, element: int) -> str:
        kind, name = self._elements.what[element]
        shown = name if kind == "grpchat" else f"{kind}:{name}"
        frame = self._trace.rows.frame[self._elements.row[element]]
        return f"it carried {shown} (frame {frame})"

    def _by_uri(self, group: Group) -> Judgement:
        """Judge a dialog that carried no XCCOS by the URI it was opened to."""
        if group.method != "INVITE":
            return UNDECIDED
        for test in (self._by_reply, by_shape, self._by_provisioning, self._by_use):
            for uri in group.uris:
                judgement = test(uri)
                if judgement is not None:
                    return judgement
        return UNDECIDED

    def _by_reply(self, uri: str) -> Judgement | None:
        row = self._learned.get(plain_uri(uri))
        if row is None:
            return None
        frame = self._trace.rows.frame[row]
        return Judgement("channel", f"{uri} is what rpl:requri returned in frame {frame}", uri)

    def _by_provisioning(self, uri: str) -> Judgement | None:
        if self._provisioned is None:
            self._provisioned = provisioned_uris(self._trace)
        row = self._provisioned.get(plain_uri(uri))
        if row is None:
            return None
        frame = self._trace.rows.frame[row]
        return Judgement("channel", f"{uri} is the pool URI provisioned in frame {frame}", uri)

    def _by_use(self, uri: str) -> Judgement | None:
        known = self._used.get(plain_uri(uri))
        if known is None or known.service not in (None, uri):
            return None
        return Judgement(known.role, f"another dialog with {uri} is one: {known.evidence}", uri)


def by_shape(uri: str) -> Judgement | None:
    """Judge a dialog by the shape of the URI that it was opened to."""
    user = user_part(uri)
    if user in LOOKUP_USERS:
        return Judgement("lookup", f"{uri} has the form of a lookup URI", uri)
    if CHANNEL_MARK in user:
        return Judgement("channel", f"{uri} has the form of a Channel service URI", uri)
    return None


def user_part(uri: str) -> str:
    """Return the user part of a SIP URI, lower case."""
    return uri.partition(":")[2].partition("@")[0].lower()


@lru_cache(maxsize=1 << 14)
def plain_uri(uri: str) -> str:
    """Return a URI as it compares: lower case, without parameters (``;opaque=...;gruu``)."""
    return uri.partition(";")[0].partition("?")[0].strip("<> ").lower()


def lookup_replies(elements: Elements) -> Iterator[int]:
    """Yield the rows that have ``rpl:requri``, dialog after dialog."""
    wanted: tuple[Kind, str] = ("rpl", LOOKUP_COMMAND)
    if elements.have(*wanted):
        what, row = elements.what, elements.row
        for _, found in elements.groups():
            yield from (row[element] for element in found if what[element] == wanted)


def learned_uris(trace: Trace, rows: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """Return rows of ``rpl:requri`` with the Channel service URIs that each brought."""
    learned: dict[int, tuple[str, ...]] = {}
    for row in dict.fromkeys(rows):
        document = trace.document(row)
        if document is None or isinstance(document, Malformed):
            continue
        learned[row] = tuple(
            plain_uri(block.get("uri") or "")
            for item in document.items
            if item.kind == "reply" and item.name == LOOKUP_COMMAND
            for block in item.node.iter("uib")
            if block.get("uri")
        )
    return learned


def provisioned_uris(trace: Trace) -> dict[str, int]:
    """Return the pool URIs that in-band provisioning brought, each with its first row."""
    rows = trace.rows
    types = {
        number
        for number, text in enumerate(rows.strings.values)
        if text is not None and PROVISIONING in text.lower()
    }
    found: dict[str, int] = {}
    for row, kind in enumerate(rows.content_type):
        if kind not in types:
            continue
        for uri in PROVISIONED.findall(trace.raw(row)):
            found.setdefault(plain_uri(uri.decode("utf-8", "replace")), row)
    return found
