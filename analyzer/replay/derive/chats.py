"""The words of people: the text of a post is a slot, and the same one in its copies.

The rule: two posts with the same words are two slots; a copy belongs to the post that caused it,
else to the latest with its room, author and words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.derive.book import said

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from analyzer.replay.derive.book import Book
    from analyzer.replay.derive.places import Place
    from analyzer.replay.derive.said import Said
    from analyzer.replay.derive.tokens import Tokens

CHATS = ("grpchat", "msg")
"""Elements that are a post: live, and in history."""
Words = tuple[str, str, str]
"""Room, author (both in lower case) and text."""


class Chats:
    """Marks the texts of posts."""

    def __init__(self, book: Book, tokens: Tokens, posts: Mapping[int, tuple[int, ...]]) -> None:
        """Take for each row with copies the rows of the posts that they are copies of."""
        self._book = book
        self._tokens = tokens
        self._posts = posts
        self._latest: dict[Words, str] = {}
        self._of_row: dict[tuple[int, Words], list[str]] = {}

    def mark(self, one: Said) -> None:
        """Mark the texts of a body."""
        for words, place in _chats(one):
            one.body.claim(place.start, place.end, self._slot(words, place, one))

    def _slot(self, words: Words, place: Place, one: Said) -> str | None:
        row = one.row if one.voice.copy_of is None else one.voice.copy_of
        if row != one.row and (row, words) in self._of_row:
            return self._of_row[row, words][0]
        name = self._known(words, one)
        if name is None:
            slot = said("text", self._tokens.hidden(place.value), one, place.path)
            name = self._book.numbered(("text", one.turn, place.start), slot, "text")
        if name is not None:
            self._latest[words] = name
            self._of_row.setdefault((one.row, words), []).append(name)
        return name

    def _known(self, words: Words, one: Said) -> str | None:
        """Return the slot of a text that was said before; a new post of a client has a new one."""
        if one.by == one.client:
            return None
        for post in self._posts.get(one.row, ()):
            names = self._of_row.get((post, words))
            if names:
                return names[0]
        return self._latest.get(words)


def _chats(one: Said) -> Iterator[tuple[Words, Place]]:
    """Yield the texts of the posts in a body, with their room, author and words."""
    about: dict[tuple[str, ...], dict[str, str]] = {}
    for place in one.places:
        if place.element in CHATS and place.attribute is not None:
            about.setdefault(place.steps, {})[place.attribute] = place.value
        elif place.element == "chat" and place.attribute is None:
            known = about.get(place.steps[:-1])
            if known is not None:
                room, author = known.get("chanUri", ""), known.get("author", "")
                yield (room.lower(), author.lower(), place.value), place
