"""What the analysis of a case rests on besides SIP: questions to DNS, and uploads of files.

The rule: as little as gives the same steps again; no body is kept, and no token.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Literal

from analyzer.flows.uploads import server_name
from analyzer.narrative.files import uploads_of
from analyzer.replay.derive.marks import Marks
from analyzer.replay.script import Aside
from analyzer.replay.template import escape
from dissectors.dns import NXDOMAIN
from dissectors.model import address_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.others import Head
    from analyzer.quality import OtherConnection
    from analyzer.replay.derive.people import People
    from analyzer.replay.derive.recording import Recording
    from analyzer.replay.derive.tokens import Tokens
    from dissectors.dns import NameQuery

MAX_ASIDES = 1000
"""A client asks a few questions at sign-in, and uploads a few files a day."""
RCODES = {
    0: "NOERROR",
    1: "FORMERR",
    2: "SERVFAIL",
    NXDOMAIN: "NXDOMAIN",
    4: "NOTIMP",
    5: "REFUSED",
}
KEPT = ("host", "soapaction", "content-type")
"""Headers of HTTP that say what a request is for."""
_LINE = re.compile(r"[^\r\n]{0,400}")
_FAULT = re.compile(r"<(?:\w+:)?faultstring[^>]{0,80}>[^<]{1,200}</")
_QUERY = re.compile(r"\?\S*")
ALERT, FATAL = 21, 2
ALERT_AT = 6
"""Where an alert says which one it is: behind the record's head and the level (RFC 8446 6)."""


class Asides:
    """The asides of a recording."""

    def __init__(
        self, recording: Recording, hosts: set[str], people: People, tokens: Tokens
    ) -> None:
        """Look for those of the clients whose IP addresses ``hosts`` are."""
        self._recording = recording
        self._hosts = hosts
        self._people = people
        self._tokens = tokens

    def all(self) -> tuple[Aside, ...]:
        """Return them in the order in which they began."""
        found = list(islice(self._questions(), MAX_ASIDES))
        found += islice(self._uploads(), MAX_ASIDES - len(found))
        return tuple(sorted(found, key=lambda one: (one.at_ms, one.opener_address)))

    def _questions(self) -> Iterator[Aside]:
        """Yield each question of a client to DNS with the answers to it."""
        open_questions: dict[tuple[int, str, str], list[NameQuery]] = {}
        for query in self._recording.trace.quality.queries:
            src, dst = address_text(query.key)
            client = dst if query.answered else src
            if client.rpartition(":")[0] in self._hosts:
                open_questions.setdefault((query.id, query.name, client), []).append(query)
        for queries in open_questions.values():
            first = queries[0]
            ends = address_text(first.key)
            opener, responder = ends[::-1] if first.answered else ends
            said = tuple(self._said(query) for query in queries)
            yield Aside("dns", said[0][0], opener, responder, said)

    def _said(self, query: NameQuery) -> tuple[float, bool, str]:
        ms = self._recording.milliseconds(query.time_ns)
        if not query.answered:
            return ms, True, f"{query.kind} {self._name(query.name)}"
        if query.rcode:
            return ms, False, RCODES.get(query.rcode, f"rcode {query.rcode}")
        targets = [self._name(f"{one.host}:{one.port}") for one in query.targets]
        return ms, False, "\n".join(targets)

    def _uploads(self) -> Iterator[Aside]:
        """Yield the connections that the uploads of files are read from."""
        frames = {
            frame
            for view in self._recording.scene.views
            for _, upload in uploads_of(self._recording.trace, view)
            for frame in upload.frames
        }
        for one in self._recording.trace.quality.others if frames else ():
            if frames.intersection(one.frames):
                yield self._upload(one)

    def _upload(self, one: OtherConnection) -> Aside:
        ms = self._recording.milliseconds
        plain = one.service == "HTTP"
        words = self._http if plain else _tls
        said = tuple((ms(head.time_ns), head.side == 0, words(head)) for head in one.heads)
        protocol: Literal["http", "tls"] = "http" if plain else "tls"
        return Aside(protocol, ms(one.time), one.opener, one.responder, said)

    def _http(self, head: Head) -> str:
        """Return the lines of a head that say what it is; of a body the sentence of a fault."""
        text = head.data.decode("utf-8", "replace")
        top, _, body = text.partition("\r\n\r\n")
        start, *rest = [_line(line) for line in top.split("\r\n")]
        lines = [_QUERY.sub("", start)]
        lines += [line for line in rest if line.partition(":")[0].strip().lower() in KEPT]
        fault = _FAULT.search(body)
        if fault is not None:
            lines += ["", f"{fault[0]}faultstring>"]
        return self._without_tokens("\n".join(lines))

    def _name(self, text: str) -> str:
        """Return a host's name with the slot of its domain."""
        marks = Marks(text)
        self._people.mark_domains(marks)
        return marks.template()

    def _without_tokens(self, text: str) -> str:
        """Return a text with the slots of the file tokens in it."""
        marks = Marks(text)
        self._tokens.mark(marks)
        return marks.template()


def _line(text: str) -> str:
    found = _LINE.match(text)
    return "" if found is None else found[0]


def _tls(head: Head) -> str:
    data = head.data
    if len(data) > ALERT_AT and data[0] == ALERT and data[ALERT_AT - 1] == FATAL:
        return f"alert {data[ALERT_AT]}"
    return escape(server_name(data) or "") if head.side == 0 else ""
