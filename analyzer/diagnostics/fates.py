"""What became of the posts that did not get through at once: repeated, refused, lost, why.

Attempts to post one text into one room are one post. It is lost only where none was accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.commands import accepted
from analyzer.diagnostics.reading import (
    dialog_of,
    final_row,
    item_of,
    limit_in,
    server_infos,
)
from analyzer.flows.chats import NO_CHAT, ChatReader

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from analyzer.commands import Command
    from analyzer.diagnostics.rule import Case
    from analyzer.sessions.view import SessionView

Kind = Literal["malformed", "too long", "busy", "silent", "refused"]
BUSY = 503
REQUIRED = ("ts", "author", "chanUri")
"""Attributes without which a service refuses a post ([SIPE]: ``ts``), or could not place it."""


class Limit(NamedTuple):
    """How long a message may be."""

    size: int
    """Bytes."""
    row: int
    """Of the reply that says so."""


class Fate(NamedTuple):
    """A post of which no attempt was accepted."""

    view: SessionView
    attempts: tuple[Command, ...]
    kind: Kind
    why: str
    """Of a malformed or long one: what is wrong with it."""
    evidence: tuple[int, ...]
    """Rows besides the attempts and their answers."""

    @property
    def last(self) -> Command:
        """The last attempt."""
        return self.attempts[-1]


class PostReader:
    """Reads posts of a case back, and the limits that hold for them."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._chats = ChatReader(case.trace)
        self._limits: dict[int, Limit | None] = {}
        self._of_service: dict[str, Limit] | None = None

    def identity(self, view: SessionView, post: Command) -> Hashable:
        """Return what all attempts at one post have in common."""
        chat = self._chats.chat(post.row, view.material.elements.position(post.element))
        return post.key if chat == NO_CHAT else chat

    def size(self, view: SessionView, post: Command) -> int:
        """Return an upper bound of the bytes of its text, without parsing."""
        if self._case.rows.items[post.row] == 1:
            return max(self._case.rows.content_length[post.row], 0)
        return self.text_size(view, post)

    def text_size(self, _: SessionView, post: Command) -> int:
        """Return the bytes of its text."""
        item = item_of(self._case, post.row, post.element)
        return len(((item.chat if item is not None else None) or "").encode())

    def lacking(self, post: Command) -> list[str]:
        """Return the attributes that a post needs and does not have."""
        item = item_of(self._case, post.row, post.element)
        if item is None:
            return []
        return [name for name in REQUIRED if not (item.node.get(name) or "").strip()]

    def limit(self, view: SessionView, post: Command) -> Limit | None:
        """Return the limit that the service told this client, else any client of it."""
        if view.index not in self._limits:
            self._limits[view.index] = next(self._told(view), None)
        own = self._limits[view.index]
        dialog = dialog_of(view, post)
        service = None if dialog is None else dialog.service
        return own if own is not None or service is None else self._shared().get(service)

    def _told(self, view: SessionView) -> Iterator[Limit]:
        for _, row, told in server_infos(self._case, view):
            size = limit_in(told, "messageSizeLimit")
            if size is not None:
                yield Limit(size, row)

    def _shared(self) -> dict[str, Limit]:
        if self._of_service is None:
            self._of_service = {}
            for view in self._case.sessions:
                for dialog in view.of_role("channel")[:1]:
                    if dialog.service is None or dialog.service in self._of_service:
                        continue
                    for limit in self._told(view):
                        self._of_service.setdefault(dialog.service, limit)
        return self._of_service


def fates_of(case: Case) -> Iterator[Fate]:
    """Yield the posts of all sessions of which no attempt was accepted."""
    reader = PostReader(case)
    for view in case.sessions:
        posts = [one for one in view.named("grpchat") if one.post and one.element >= 0]
        if any(one.outcome in {"rejected", "unanswered"} for one in posts):
            for attempts in _unaccepted(view, posts, reader):
                yield _fate(view, attempts, reader)


def _unaccepted(
    view: SessionView, posts: list[Command], reader: PostReader
) -> Iterator[list[Command]]:
    """Yield the attempts at each post after which none was accepted."""
    first_bad = next(
        at for at, one in enumerate(posts) if one.outcome in {"rejected", "unanswered"}
    )
    waiting: dict[Hashable, list[Command]] = {}
    by_key: dict[tuple[int, int], Hashable] = {}
    for post in posts[first_bad:]:
        who = by_key.setdefault(post.key, reader.identity(view, post))
        if accepted(post.status) or post.outcome == "unknown":
            waiting.pop(who, None)
        else:
            waiting.setdefault(who, []).append(post)
    yield from waiting.values()


def _fate(view: SessionView, attempts: list[Command], reader: PostReader) -> Fate:
    last = attempts[-1]
    kind: Kind
    if last.status is None:
        return Fate(view, tuple(attempts), "silent", "", ())
    lacking = reader.lacking(last)
    if lacking:
        return Fate(view, tuple(attempts), "malformed", f"it has no {', '.join(lacking)}", ())
    limit = reader.limit(view, last)
    size = reader.text_size(view, last) if limit is not None else 0
    if limit is not None and size > limit.size:
        why = f"its text has {size} bytes, and messageSizeLimit is {limit.size}"
        return Fate(view, tuple(attempts), "too long", why, (limit.row,))
    kind = "busy" if last.status == BUSY else "refused"
    return Fate(view, tuple(attempts), kind, "", ())


def rows_of_attempts(view: SessionView, attempts: tuple[Command, ...]) -> tuple[int, ...]:
    """Return the rows of attempts and of their answers."""
    rows: list[int] = []
    for one in attempts:
        final = final_row(view, one)
        rows += [one.row] if final is None else [one.row, final]
    return tuple(rows)
