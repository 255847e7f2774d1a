"""Who got a copy of a post, and when: every copy that the service wrote is used once.

A copy is the service's ``grpchat`` with the author, room and text of the post, in a dialog of its
receiver. Deliveries are looked through once for all posts. That somebody did not get a copy is said
only of those who were in the room and whose connection would show it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import islice
from typing import TYPE_CHECKING

from analyzer.flows.chats import ChatReader
from analyzer.flows.members import Endpoint, Rosters
from analyzer.flows.sent import NOTHING, Delivery, Known, Sent
from analyzer.flows.values import Copy
from analyzer.roles import plain_uri
from analyzer.times import SECOND
from analyzer.transaction_table import FAILURE
from analyzer.visibility import REPLY_GRACE_NS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analyzer.commands import Command
    from analyzer.dialogs import DialogDraft
    from analyzer.flows.sent import Key
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

EARLY_NS = SECOND // 10
"""A copy may stand so long before its post: frames of several interfaces are not quite in order."""
LATEST_NS = 300 * SECOND
"""After five minutes the same words are another message of which the post was not captured."""
STALE_NS = 5 * SECOND
"""Of two posts with the same words, the copy is of the later one where the first is so old."""
HOLE_NS = 30 * SECOND
"""A hole so long after a post hides no copy of it: they come within milliseconds."""
MAX_MISSING = 16
"""Members without a copy that are named for one post: the bound for a room of ten thousand."""
MAX_LOOKED_AT = 1024
"""Endpoints that are looked at for them, besides those that got one."""
OBSOLETE = 487


class Fanout:
    """The copies of all posts of a capture."""

    def __init__(
        self,
        trace: Trace,
        views: Sequence[SessionView],
        authors: Sequence[SessionView] | None = None,
    ) -> None:
        """Look for the copies of all posts of ``authors`` in ``views``.

        Args:
            trace: the capture.
            views: all of its sessions.
            authors: those whose posts matter; None: all. Rooms into which none of them wrote are
                not looked at.
        """
        self._trace = trace
        self._views = views
        self._rows = trace.rows
        self._chats = ChatReader(trace)
        self._near: dict[int, Mapping[int, int]] = {}
        self.posts: dict[int, Sent] = {}
        """By number of the command, in the order of sessions."""
        self._of_key: dict[Key, list[Sent]] = {}
        self._got: dict[int, list[Delivery]] = {}
        self.found: dict[int, Known] = {}
        self._echoes = False
        for view in views if authors is None else authors:
            self._note_posts(view)
        if not self.posts:
            return
        self._some = authors is not None
        rooms = {one.chat.room for one in self.posts.values() if one.chat.room is not None}
        self._rosters = Rosters(trace, views, rooms if self._some else None)
        self._note_authors()
        for same in self._of_key.values():
            same.sort(key=_sent_at)
        self._deliver()
        self._echoes = self._any_echo()
        self._judge()

    def of(self, command: Command) -> Known:
        """Return the copies of a post, and who else was in the room."""
        return self.found.get(command.index, NOTHING)

    def nearest(self, dialog: DialogDraft, row: int) -> int:
        """Return the hop copy of a message that is nearest to the client of its dialog."""
        if not dialog.copies:
            return row
        known = self._near.get(dialog.index)
        if known is None:
            origin = self._views[0].material.copies
            known = self._near[dialog.index] = {origin.get(one, one): one for one in dialog.rows}
        return known.get(row, row)

    # collecting

    def _note_posts(self, view: SessionView) -> None:
        material, time = view.material, self._rows.time
        for command in view.named("grpchat"):
            if command.element < 0 or not command.post:
                continue
            chat = self._chats.chat(command.row, material.elements.position(command.element))
            dialog = material.dialogs[command.dialog]
            row = self.nearest(dialog, command.row)
            author = chat.author or plain_uri(view.user or "") or None
            sent = Sent(command, view.index, chat, author, row, time[row])
            self.posts[command.index] = sent
            if not command.rejected():
                self._of_key.setdefault((chat.room, author, chat.text), []).append(sent)

    def _note_authors(self) -> None:
        """Note that who writes into a room is in it."""
        dialogs = self._views[0].material.dialogs
        for sent in self.posts.values():
            if sent.chat.room is not None:
                endpoint = Endpoint(sent.session, sent.command.dialog)
                dialog = dialogs[sent.command.dialog]
                self._rosters.evidence(sent.chat.room, endpoint, dialog, sent.time)

    def _deliver(self) -> None:
        """Give every delivery to the post that it is a copy of."""
        inside = self._rosters.inside() if self._some else None
        for view in self._views:
            branches = view.branches
            for dialog in view.dialogs:
                if dialog.index not in branches and (
                    inside is None
                    or Endpoint(view.index, dialog.index) in inside
                    or not dialog.began_in_capture
                    or view.gaps is not None
                ):
                    self._deliver_in(view, dialog)

    def _deliver_in(self, view: SessionView, dialog: DialogDraft) -> None:
        elements, endpoint = view.material.elements, Endpoint(view.index, dialog.index)
        tag, time, authors = dialog.client_side.tag, self._rows.time, set[tuple[str, str]]()
        first_free: dict[Key, int] = {}
        for element in elements.of(dialog.index):
            kind, name = elements.what[element]
            if kind not in {"grpchat", "ntc"} or elements.sender_tag(element) == tag:
                continue
            origin, position = elements.row[element], elements.position(element)
            if kind == "ntc":
                self._rosters.notice(origin, position, name)
                continue
            chat = self._chats.chat(origin, position)
            row = self.nearest(dialog, origin)
            if chat.room is None:
                continue
            self._rosters.evidence(chat.room, endpoint, dialog, time[row])
            if chat.author is not None and (chat.room, chat.author) not in authors:
                authors.add((chat.room, chat.author))
                self._rosters.author(chat.room, chat.author, time[row])
            key = (chat.room, chat.author, chat.text)
            same = self._of_key.get(key)
            if same is not None:
                free = first_free.get(key, 0)
                first_free[key] = self._take(same, free, Delivery(endpoint, row, time[row]))

    def _take(self, same: list[Sent], free: int, delivery: Delivery) -> int:
        """Give a delivery to the first of the posts with its words that has none in this dialog.

        Returns the index of the first one that may get the next.
        """
        end = bisect_right(same, delivery.time + EARLY_NS, key=_sent_at)
        if free >= end:
            return free  # more copies than posts
        at = free
        if delivery.time - same[at].time > STALE_NS:
            fresh = bisect_left(same, delivery.time - STALE_NS, lo=free, hi=end, key=_sent_at)
            at = min(fresh, end - 1)
        if delivery.time - same[at].time > LATEST_NS:
            return free
        self._got.setdefault(same[at].command.index, []).append(delivery)
        return at + 1

    def _any_echo(self) -> bool:
        """Tell whether this service sends authors their own posts."""
        return any(
            one.endpoint.session == self.posts[index].session
            for index, got in self._got.items()
            for one in got
        )

    # judging

    def _judge(self) -> None:
        """Go through each room in order of time, knowing who is in it."""
        rooms: dict[str, list[Sent]] = {}
        for same in self._of_key.values():
            for sent in same:
                if sent.chat.room is not None:
                    rooms.setdefault(sent.chat.room, []).append(sent)
        for room, posts in rooms.items():
            posts.sort(key=_sent_at)
            self._judge_room(room, posts)

    def _judge_room(self, room: str, posts: list[Sent]) -> None:
        here: dict[Endpoint, None] = {}
        users: dict[str, None] = {}
        changes, at = self._rosters.of(room), 0
        for sent in posts:
            while at < len(changes) and changes[at].time <= sent.time:
                _, what, endpoint, user = changes[at]
                at += 1
                if endpoint is not None and what == "in":
                    here[endpoint] = None
                elif endpoint is not None:
                    here.pop(endpoint, None)
                elif user is not None and what == "known":
                    users[user] = None
                elif user is not None:
                    users.pop(user, None)
            copies = tuple(self._copies(sent, here))
            others = len(users) > (sent.author in users) or any(not one.echo for one in copies)
            endpoint = Endpoint(sent.session, sent.command.dialog)
            listed = (room, endpoint) in self._rosters.listed
            self.found[sent.command.index] = Known(copies, others, listed)

    def _copies(self, sent: Sent, here: dict[Endpoint, None]) -> Iterator[Copy]:
        """Yield the copies of a post, the author's own first."""
        best: dict[int, Copy] = {}
        for delivery in self._got.get(sent.command.index, ()):
            copy = self._copy(sent, delivery)
            known = best.get(copy.session)
            if known is None or (not _accepted(known) and _accepted(copy)):
                best[copy.session] = copy
        served = {self._user(one) for one, copy in best.items() if _accepted(copy)}
        found = [
            copy
            for session, copy in best.items()
            if copy.status != OBSOLETE or self._user(session) not in served
        ]
        yield from sorted((one for one in found if one.echo), key=_session)
        if self._echoes and sent.session not in best:
            yield self._lost(sent, Endpoint(sent.session, sent.command.dialog), echo=True)
        rest = [one for one in found if not one.echo]
        yield from sorted([*rest, *self._missing(sent, here, best)], key=_session)

    def _copy(self, sent: Sent, delivery: Delivery) -> Copy:
        session = delivery.endpoint.session
        transactions = self._views[0].material.transactions
        transaction = transactions.of[delivery.row]
        return Copy(
            user=self._views[session].user,
            session=session,
            echo=self._is_echo(sent, session),
            row=delivery.row,
            latency_ms=(delivery.time - sent.time) / 1e6,
            captured=True,
            status=None if transaction < 0 else transactions.status(transaction),
        )

    def _missing(
        self, sent: Sent, here: dict[Endpoint, None], best: Mapping[int, Copy]
    ) -> Iterator[Copy]:
        """Yield the members that were in the room and got no copy anywhere."""
        served = {self._user(session) for session in best} | {sent.author}
        count = 0
        for endpoint in islice(here, len(best) + MAX_LOOKED_AT):
            user = self._user(endpoint.session)
            if user in served:
                continue
            served.add(user)
            yield self._lost(sent, endpoint, echo=False)
            count += 1
            if count >= MAX_MISSING:
                return

    def _lost(self, sent: Sent, endpoint: Endpoint, *, echo: bool) -> Copy:
        return Copy(
            user=self._views[endpoint.session].user,
            session=endpoint.session,
            echo=echo,
            row=None,
            latency_ms=None,
            captured=self._would_show(sent, endpoint),
            status=None,
        )

    def _would_show(self, sent: Sent, endpoint: Endpoint) -> bool:
        """Say whether the capture would have a copy of a post in a dialog."""
        view = self._views[endpoint.session]
        visibility, rows = view.visibility, self._rows
        connection = view.material.dialogs[endpoint.dialog].connection
        if visibility.one_way(connection) or visibility.time_left(sent.row) < REPLY_GRACE_NS:
            return False
        end = self._rosters.end_of(endpoint)
        if end is not None and end - sent.time < REPLY_GRACE_NS:
            return False
        frame = rows.frame[sent.row]
        holes = visibility.holes(connection)
        at = bisect_right(holes, frame)
        if at == len(holes):
            return True
        after = bisect_left(rows.frame, holes[at])
        return after < len(rows) and rows.time[after] - sent.time > HOLE_NS

    def _user(self, session: int) -> str:
        return plain_uri(self._views[session].user or "")

    def _is_echo(self, sent: Sent, session: int) -> bool:
        return session == sent.session or self._user(session) == sent.author


def _accepted(copy: Copy) -> bool:
    return copy.status is None or copy.status < FAILURE


def _session(copy: Copy) -> int:
    return copy.session


def _sent_at(sent: Sent) -> int:
    return sent.time
