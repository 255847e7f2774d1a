"""What a post says, read back from the capture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.flows.chats import items_of
from dissectors.xccos.rooms import post_of

if TYPE_CHECKING:
    from analyzer.flows.values import FlowRun
    from analyzer.trace import Trace


def post_text(trace: Trace, run: FlowRun, nth: int = 0) -> str:
    """Return the text of a post as it was sent; empty where it has none.

    ``nth``: which of the posts into its room that its message carries, from 0.
    """
    if run.row is None:
        return ""
    posts = (post_of(item) for item in items_of(trace, run.row))
    found = [post.text or "" for post in posts if post is not None and post.room == run.room]
    return found[min(nth, len(found) - 1)] if found else ""
