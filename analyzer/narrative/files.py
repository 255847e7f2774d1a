"""Files: the tokens that a client got for uploads, and what the capture shows of each upload."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from analyzer.flows.uploads import Uploads, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.flows.uploads import Token, Upload
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace


def uploads_of(trace: Trace, view: SessionView) -> Iterator[tuple[Token, Upload]]:
    """Yield the tokens of a session's uploads, each with the connection that used it."""
    tokens = [token for one in view.named("getfutok") if (token := token_of(view, one)) is not None]
    uploads = Uploads(trace)
    for token, following in pairwise((*tokens, None)):
        if token is not None:
            until = None if following is None else following.time
            yield token, uploads.of(token, view.client_address, until)
