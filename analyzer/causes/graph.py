"""The causal graph of one session: an edge leads from a message to what it came from.

Only what the messages show is an edge. ``sequence`` alone is a guess, and says no more than that a
request of the client came after the latest answer it had: what it waited for, if it waited.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import networkx as nx

from analyzer.causes.messages import Messages, channel_sources
from analyzer.lazy import once
from analyzer.narrative.files import uploads_of
from analyzer.roles import plain_uri
from analyzer.transaction_table import FAILURE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.dialogs import DialogDraft
    from analyzer.flows.values import FlowRun
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

EdgeKind = Literal["answer", "reply", "retry", "redirect", "learned", "fan-out", "sequence"]
"""``answer``: a response, of its request. ``reply``: an ``rpl``, of its command. ``retry``: a
request, of the refused one that it repeats. ``redirect``: a REGISTER, of the 3xx that sent it
there. ``learned``: a request, of the message that told it where to go. ``fan-out``: the copy of a
post, of the post. ``sequence``: a request of the client, of the latest answer before it, where no
other kind leads there."""
MAX_MESSAGES = 20_000
"""Of one session: a graph of so many takes about a second and 40 MB; the rest is cut off."""
PROVISIONED_IN = 200
"""Messages of subscriptions that are searched for the URI of a chat service."""
UNREPEATED = ("INFO", "ACK", "CANCEL", "BYE", "UPDATE")
"""Methods whose requests are no second attempts of one another; INFO is told by its command."""

if TYPE_CHECKING:
    Graph = nx.DiGraph[int]
else:
    Graph = nx.DiGraph


def causes_of(trace: Trace, view: SessionView, runs: Sequence[FlowRun] = ()) -> Graph:
    """Return the causal graph of a session of an open capture.

    Nodes are rows, on the connection nearest to the client; what was seen in a frame without a
    message (the connection of an upload) has that frame's number, negative. Nodes have ``kind``
    (``request``, ``response`` or ``connection``), ``text``, ``time`` (nanoseconds), ``frame`` and
    ``session``; edges ``kind`` (an ``EdgeKind``), ``wait_ms`` and, where it is ``learned``,
    ``what``. The graph's ``cut`` says how many messages were left out.

    Args:
        trace: the capture.
        view: the session.
        runs: what ``flows_of`` found; copies come from them.
    """
    return _Builder(trace, view).build(runs)


class _Builder:
    def __init__(self, trace: Trace, view: SessionView) -> None:
        self._trace = trace
        self._view = view
        self._found = view.found
        self._messages = Messages(view)
        self._graph: Graph = nx.DiGraph()

    def build(self, runs: Sequence[FlowRun]) -> Graph:
        rows = self._messages.rows()
        self._graph.graph["cut"] = max(0, len(rows) - MAX_MESSAGES)
        for row in rows[:MAX_MESSAGES]:
            self._graph.add_node(row, **self._messages.attributes(row))
        self._sequence(rows[:MAX_MESSAGES])
        for first, then in self._retries():
            self._link(then, first, "retry")
        self._answers(rows[:MAX_MESSAGES])
        self._replies()
        self._redirects()
        for dialog in (*self._view.of_role("lookup"), *self._view.of_role("channel")):
            self._targets(dialog)
        self._rooms()
        for run in runs:
            if run.session == self._view.index:
                self._copies(run)
        self._uploads()
        return self._graph

    def _link(self, effect: int, cause: int, kind: EdgeKind, **more: str) -> None:
        nodes = self._graph.nodes
        if effect != cause and effect in nodes and cause in nodes:
            wait = (nodes[effect]["time"] - nodes[cause]["time"]) / 1e6
            self._graph.add_edge(effect, cause, kind=kind, wait_ms=wait, **more)

    def _sequence(self, rows: Iterable[int]) -> None:
        """Link the requests of the client to the latest answer that it had before."""
        messages, latest = self._messages, -1
        for row in rows:
            if messages.asks(row):
                if latest >= 0:
                    self._link(row, latest, "sequence")
            elif messages.answers(row):
                latest = row

    def _answers(self, rows: Iterable[int]) -> None:
        request, of, status = self._found.request, self._found.of, self._trace.rows.status
        for row in rows:
            if of[row] >= 0 and status[row] >= 0:
                self._link(row, request[of[row]], "answer")

    def _retries(self) -> Iterator[tuple[int, int]]:
        """Yield requests that were refused, each with the one that repeats it."""
        near = self._messages.near
        for command in self._view.commands:
            if command.element >= 0:
                earlier = [*command.challenged]
                if command.repeats is not None:
                    earlier = [command.repeats, *earlier]
                for before, after in pairwise([*earlier, command.row]):
                    yield near(before), near(after)
        refused: dict[tuple[str, int], int] = {}
        strings = self._trace.rows
        for index in self._asked():
            row = self._found.request[index]
            key = (self._found.method(index), strings.to_uri[row])
            if key in refused:
                yield refused.pop(key), row
            status = self._found.status(index)
            if status is not None and status >= FAILURE:
                refused[key] = row

    def _asked(self) -> list[int]:
        """Return the client's transactions that may be second attempts, in order."""
        view, messages = self._view, self._messages
        groups = [one.group.transactions for one in view.dialogs if one.index not in view.branches]
        found = [index for group in (*groups, view.outside) for index in group]
        request = self._found.request
        return sorted(
            (
                index
                for index in found
                if request[index] >= 0
                and messages.asks(request[index])
                and self._found.method(index) not in UNREPEATED
            ),
            key=request.__getitem__,
        )

    def _replies(self) -> None:
        near = self._messages.near
        for command in self._view.commands:
            if command.element >= 0:
                for answer in command.answers:
                    self._link(near(answer.row), near(command.row), "reply")

    def _redirects(self) -> None:
        for first, then in pairwise(self._view.registrations):
            if first.redirected and first.transactions:
                answer = self._found.final[first.transactions[-1]]
                self._link(then.dialog.rows[0], answer, "redirect")

    def _targets(self, dialog: DialogDraft) -> None:
        """Link the INVITE of a service to the message that brought its URI."""
        value, rows = self._trace.rows.strings.values, self._trace.rows
        invite = dialog.rows[0]
        if rows.status[invite] >= 0 or value[rows.method[invite]] != "INVITE":
            return
        target = plain_uri(value[rows.to_uri[invite]] or "")
        told = self._sources.get(target)
        if told and told[0] < invite:
            row = told[bisect_left(told, invite) - 1]
            what = "the URI of the Channel service"
            self._link(invite, self._messages.near(row), "learned", what=what)
            return
        address = target.removeprefix("sip:").encode()
        for row, raw in self._provisioning:
            if row < invite and address in raw:
                self._link(invite, row, "learned", what="the URI of the chat service")
                return

    @once
    def _sources(self) -> dict[str, list[int]]:
        return channel_sources(self._view)

    @once
    def _provisioning(self) -> list[tuple[int, bytes]]:
        """In-band provisioning that names a pool: rows, and the messages in lower case."""
        rows = sorted(row for one in self._view.of_role("subscription") for row in one.rows)
        found = ((row, self._trace.raw(row).lower()) for row in rows[:PROVISIONED_IN])
        return [(row, raw) for row, raw in found if b"persistentchatpooluri" in raw]

    def _rooms(self) -> None:
        """Link what names rooms to what the client had them from."""
        view, near = self._view, self._messages.near
        preferences = [one.row for command in view.named("getpref") for one in command.answers]
        for command in view.named("bjoin"):
            earlier = [row for row in preferences if row < command.row]
            if earlier and command.element >= 0:
                what = "the rooms joined before"
                self._link(near(command.row), near(max(earlier)), "learned", what=what)
        listed = self._listed()
        for command in view.named("join") if listed else ():
            for uri in view.outcomes.rooms(command):
                if uri in listed and command.element >= 0:
                    what = "the URI of the room"
                    self._link(near(command.row), near(listed[uri]), "learned", what=what)

    def _listed(self) -> dict[str, int]:
        """Return the rooms that searches found, each with the row of the first reply."""
        reader, elements = self._view.material.reader, self._view.material.elements
        found: dict[str, int] = {}
        for command in self._view.named("chansrch"):
            for answer in command.answers:
                for uri in reader.facts(answer.row, elements.position(answer.element)).rooms:
                    found.setdefault(uri, answer.row)
        return found

    def _copies(self, run: FlowRun) -> None:
        if run.row is None:
            return
        post = self._messages.near(run.row)
        for copy in run.copies:
            if copy.row is None:
                continue
            if copy.row not in self._graph:
                attributes = self._messages.attributes(copy.row)
                self._graph.add_node(copy.row, **{**attributes, "session": copy.session})
            self._link(copy.row, post, "fan-out", user=copy.user or "")

    def _uploads(self) -> None:
        """Link the connection of each upload to the token that it was made with."""
        for token, upload in uploads_of(self._trace, self._view):
            if upload.frames and upload.time is not None:
                node = -upload.frames[0]
                self._graph.add_node(
                    node,
                    kind="connection",
                    text="upload",
                    time=upload.time,
                    frame=upload.frames[0],
                    session=self._view.index,
                )
                what = "the token and the URI of the Web service"
                self._link(node, self._messages.near(token.row), "learned", what=what)


def receivers(graph: Graph, post: int) -> list[tuple[str, int, float]]:
    """Return who received a post: user, row of the copy and milliseconds after the post."""
    found = [
        (data["user"], copy, data["wait_ms"])
        for copy, _, data in graph.in_edges(post, data=True)
        if data["kind"] == "fan-out"
    ]
    return sorted(found, key=lambda one: one[2])


def cause(graph: Graph, node: int) -> int | None:
    """Return what a message had to wait for, or None: of several the one that came last.

    Of a reply that is its command, of a response its request.
    """
    found = {to: data["kind"] for _, to, data in graph.out_edges(node, data=True)}
    for kind in ("reply", "answer"):
        asked = [to for to, known in found.items() if known == kind]
        if asked:
            return max(asked)
    return max((to for to, kind in found.items() if kind != "fan-out"), default=None)
