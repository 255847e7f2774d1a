"""Files: tokens, uploads, links."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from analyzer.diagnostics.reading import dialog_of, later_ones, listed, rows_of, who
from analyzer.diagnostics.rule import Hit, Rule
from analyzer.flows.chats import FILE_LINK, ChatReader
from analyzer.flows.uploads import TOKEN_NS, Token, Uploads, talk_of, token_of
from analyzer.sessions.rooms import is_good
from analyzer.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.commands import Command
    from analyzer.diagnostics.rule import Case
    from analyzer.flows.uploads import Upload
    from analyzer.quality import OtherConnection
    from analyzer.sessions.view import SessionView

UPLOAD, DOWNLOAD = "getfutok", "getfdtok"
MINUTE_NS = 60 * SECOND
RECENT = 64
"""Tokens before a link that are looked at for the one that it needed."""


class _Issued(NamedTuple):
    """A token for an upload, and how long it was the client's last one."""

    command: Command
    token: Token
    room: str | None
    until: int | None
    """When the next one was issued, nanoseconds."""


class _Link(NamedTuple):
    """A post with the link to a file, and the token that it is for."""

    view: SessionView
    post: Command
    room: str | None
    issued: _Issued | None
    elsewhere: _Issued | None
    """A token for another room, where there is none for this one."""


def _issued(view: SessionView) -> list[_Issued]:
    known = [
        (command, token)
        for command in view.named(UPLOAD)
        if (token := token_of(view, command)) is not None and _is_good(view, command)
    ]
    known.sort(key=lambda pair: pair[1].row)
    ends: list[int | None] = [*(token.time for _, token in known), None]
    found = []
    for (command, token), until in zip(known, ends[1:], strict=True):
        rooms = view.outcomes.rooms(command)
        found.append(_Issued(command, token, rooms[0] if rooms else None, until))
    return found


def _links(case: Case) -> Iterator[_Link]:
    reader = ChatReader(case.trace)
    for view in case.sessions:
        if not view.named(UPLOAD):
            continue  # a link without a token may be an old one, passed on
        issued = _issued(view)
        for post in view.named("grpchat"):
            if not post.post or post.element < 0:
                continue
            chat = reader.chat(post.row, view.material.elements.position(post.element))
            if FILE_LINK not in chat.text.lower():
                continue
            at = bisect_left(issued, post.row, key=lambda one: one.token.row)
            before = issued[max(0, at - RECENT) : at]
            here = [one for one in before if one.room in {None, chat.room}]
            elsewhere = before[-1] if before and not here else None
            yield _Link(view, post, chat.room, here[-1] if here else None, elsewhere)


def _no_token(case: Case) -> Iterator[Hit]:
    for view in case.sessions:
        for command in (one for name in (UPLOAD, DOWNLOAD) for one in view.named(name)):
            why = _why_no_token(view, command)
            if why is not None and not _got_later(view, command):
                what = "upload" if command.name == UPLOAD else "download"
                rooms = [view.room_names.of(uri) for uri in view.outcomes.rooms(command)]
                text = (
                    f"{who(view)} got no token for the {what} of a file ({command.name} for "
                    f"{listed(rooms) or 'no room'} in frame "
                    f"{view.frame(command.first()[0])}): {why}"
                )
                yield Hit(text, rows_of(view, command), view.index)


def _why_no_token(view: SessionView, command: Command) -> str | None:
    if command.outcome in {"unanswered", "rejected"}:
        return f"{command.outcome}; {view.outcomes.detail(command)}"
    if not command.answers:
        return None
    if not _is_good(view, command):
        return f"refused; {view.outcomes.detail(command)}"
    if token_of(view, command) is None:
        return f"the reply has no token with a usable address; {view.outcomes.detail(command)}"
    return None


def _is_good(view: SessionView, command: Command) -> bool:
    return all(is_good(view.outcomes.code(answer)) for answer in command.answers)


def _got_later(view: SessionView, command: Command) -> bool:
    """Say whether the client asked again for the same room and got a token."""
    rooms = view.outcomes.rooms(command)
    return any(
        view.outcomes.rooms(one) == rooms and token_of(view, one) is not None
        for one in later_ones(view, command)
    )


def _no_upload(case: Case) -> Iterator[Hit]:
    uploads, links = Uploads(case.trace), _links_by_token(case)
    for view in case.sessions:
        for issued in _issued(view) if view.named(UPLOAD) else ():
            upload = uploads.of(issued.token, view.client_address, issued.until)
            link = links.get((view.index, issued.token.row))
            rows = rows_of(view, issued.command)
            if upload.state == "failed" and not _aged(case, issued, upload):
                text = f"an upload of {who(view)} failed: {upload.detail}"
                if link is not None:
                    text += f"; the link is posted in frame {view.frame(link.row)} all the same"
                    rows += rows_of(view, link)
                yield Hit(text, rows, view.index, frames=upload.frames)
            elif upload.state != "absent" or link is None or _too_soon(view, link):
                continue
            elif _other_host(case, view, issued, uploads) is None:
                text = (
                    f"{who(view)} posted the link to a file in frame {view.frame(link.row)} "
                    f"without an upload: token in frame {view.frame(issued.token.row)}, and "
                    f"{upload.detail}"
                )
                yield Hit(text, (*rows, *rows_of(view, link)), view.index, "likely")


def _links_by_token(case: Case) -> dict[tuple[int, int], Command]:
    """Return the first post with a link that each token was for, by session and row."""
    found: dict[tuple[int, int], Command] = {}
    for link in _links(case):
        if link.issued is not None:
            found.setdefault((link.view.index, link.issued.token.row), link.post)
    return found


def _aged(case: Case, issued: _Issued, upload: Upload) -> bool:
    """Say whether a token was used after its time: GC503 tells that."""
    if upload.time is None:
        return False
    return (upload.time - issued.token.time) / MINUTE_NS > case.thresholds.token_minutes


def _too_soon(view: SessionView, post: Command) -> bool:
    """Say whether an upload after the post, which may go on meanwhile, may not be seen."""
    dialog = dialog_of(view, post)
    ended = None if dialog is None else dialog.end.row
    return view.visibility.why_unknown(post.row, ended) is not None


def _misused(case: Case) -> Iterator[Hit]:
    uploads = Uploads(case.trace)
    for view in case.sessions:
        for issued in _issued(view) if view.named(UPLOAD) else ():
            upload = uploads.of(issued.token, view.client_address, issued.until)
            if upload.time is not None and _aged(case, issued, upload):
                age = (upload.time - issued.token.time) / MINUTE_NS
                text = (
                    f"{who(view)} used a file token {age:.0f} minutes after it was issued in frame "
                    f"{view.frame(issued.token.row)}; it is good for "
                    f"{case.thresholds.token_minutes:.0f}: {upload.detail}"
                )
                rows = rows_of(view, issued.command)
                yield Hit(text, rows, view.index, "likely", frames=upload.frames)
    for link in _links(case):
        if link.elsewhere is not None:
            view, other = link.view, link.elsewhere
            text = (
                f"{who(view)} posted the link to a file into {view.room_names.of(link.room)} in "
                f"frame {view.frame(link.post.row)}, but has a token for "
                f"{view.room_names.of(other.room)} only (frame {view.frame(other.token.row)})"
            )
            rows = (*rows_of(view, other.command), link.post.row)
            yield Hit(text, rows, view.index, "likely")


def _server(case: Case) -> Iterator[Hit]:
    uploads = Uploads(case.trace)
    for view in case.sessions:
        for name in (UPLOAD, DOWNLOAD):
            for command in view.named(name):
                token = token_of(view, command)
                if token is not None and token.scheme == "http":
                    text = (
                        f"the token that {who(view)} got in frame {view.frame(token.row)} is for "
                        f"{token.uri}: token and file go over the network unencrypted"
                    )
                    yield Hit(text, rows_of(view, command), view.index)
        for issued in _issued(view) if view.named(UPLOAD) else ():
            other = _other_host(case, view, issued, uploads)
            if other is not None:
                text = (
                    f"the token that {who(view)} got in frame {view.frame(issued.token.row)} is "
                    f"for {issued.token.host}, and the client connected to {talk_of(other).host} "
                    f"(frame {other.frames[0]})"
                )
                rows = rows_of(view, issued.command)
                yield Hit(text, rows, view.index, "possible", frames=other.frames[:1])


def _other_host(
    case: Case, view: SessionView, issued: _Issued, uploads: Uploads
) -> OtherConnection | None:
    """Return the client's connection to a host beside the one that the token names.

    It is one of the same domain, on the same port, while the token was the last one and good; what
    else a computer connects to has nothing to do with the token.
    """
    token, client = issued.token, view.client_address.rpartition(":")[0]
    if uploads.of(token, view.client_address, issued.until).state != "absent":
        return None
    end = min(issued.until or token.time + TOKEN_NS, token.time + TOKEN_NS)
    domain = token.host.partition(".")[2]
    for one in case.trace.quality.others or ():
        host = talk_of(one).host or ""
        near = token.time <= one.time < end and one.opener.rpartition(":")[0] == client
        same = one.responder.endswith(f":{token.port}") and host.partition(".")[2] == domain
        if near and same and domain and host != token.host:
            return one
    return None


RULES: tuple[Rule, ...] = (
    Rule(
        "GC501",
        "error",
        "No file token",
        "The client asked for a token to transfer a file and got none: the transfer cannot begin.",
        "Read the reply; check the Web service and the file repository of the chat servers.",
        "Group Chat Call Flows, posting step 4; docs/protocol.md section 9 row 17",
        _no_token,
        absence=True,
    ),
    Rule(
        "GC502",
        "warning",
        "Link without an upload, or a failed one",
        "A token was issued and the link to the file posted, but the client never connected to "
        "the Web service, or was refused there (HTTP or SOAP error, TLS alert): others see a link "
        "to a file that is not there.",
        "Check that the client reaches the host and port of the token's address, trusts its "
        "certificate, and that the capture was not filtered to SIP.",
        "Group Chat Call Flows, posting step 4; docs/protocol.md section 9 row 17",
        _no_upload,
        absence=True,
    ),
    Rule(
        "GC503",
        "warning",
        "File token misused",
        "A token is good for 30 minutes, for one user and one room. One that is used later, or "
        "for another room, is refused by the Web service.",
        "Let the client ask for a token right before each transfer.",
        "docs/protocol.md section 7; database schema of Persistent Chat",
        _misused,
    ),
    Rule(
        "GC504",
        "warning",
        "Address of the Web service",
        "The token's address is not encrypted (http:), or the client connected to another host "
        "than the one that it names.",
        "Correct the Web service URI of the chat pool; check DNS and proxies.",
        "docs/protocol.md section 7 and section 9 row 17",
        _server,
    ),
)
