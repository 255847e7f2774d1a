"""Particulars: what matters about a step of a sign-in beyond its status, in a few words.

Read back from the capture, so only for those who look at a run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.header_text import HeaderReader, header_text
from analyzer.roles import LOOKUP_USERS, plain_uri, provisioned_uris, user_part
from analyzer.sessions.registrations import REDIRECT
from analyzer.times import SECOND
from analyzer.transaction_table import CHALLENGES
from dissectors.dns import NXDOMAIN
from dissectors.model import address_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.dialogs import DialogDraft
    from analyzer.flows.engine import Judged
    from analyzer.flows.stretch import Stretch
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace
    from dissectors.dns import NameQuery

SCHEME = re.compile(r"\s*([A-Za-z][\w-]{0,31})")
CONTACT_LIST = b"<contactList"
LABEL = re.compile(rb"<pref\b[^>]{0,512}?\blabel=[\"']([^\"']{1,128})[\"']")
CONTENT = re.compile(rb"<pref\b[^>]{0,512}?\scontent=[\"'][^\"']")
"""A preference with content; where it is up to date there is none."""
INVITATION = re.compile(rb"<(?:inv)\b[^>]{0,512}?\binviteId=")
SHOWN = 3
SHOWN_ANSWERS = 6
"""Answers of DNS that are told: a client tries four names of services and four of hosts."""
LOCATING_NS = 60 * SECOND
"""What a client asked DNS so long before its REGISTER was for it: answers are kept for minutes."""


def told(stretch: Stretch, judged: Judged) -> str:
    """Return the sentence of a step: what was seen, then its particulars."""
    tell = _PARTICULARS.get(judged.step.id)
    more = [] if tell is None else [text for text in tell(judged, stretch) if text]
    return "; ".join([judged.seen.detail, *more])


def _register(_: Judged, stretch: Stretch) -> Iterator[str]:
    """Tell how the pool was found, and redirects and schemes of the REGISTERs."""
    view = stretch.view
    yield from _located(view)
    tried: list[int] = []
    for registration in view.registrations:
        tried += registration.transactions
        if registration.signed_in is not None:
            break
    for one in tried:
        final = view.found.final[one]
        if final >= 0 and view.trace.rows.status[final] in REDIRECT:
            target = header_text(view.trace, final, "Contact") or "elsewhere"
            yield f"redirected to {target} (frame {view.frame(final)})"
    schemes = dict.fromkeys(filter(None, (_scheme(view, one) for one in tried)))
    if schemes:
        yield f"authenticated by {', '.join(schemes)}"
    elif not any(view.found.status(one) in CHALLENGES for one in tried):
        yield "without authentication"


def _located(view: SessionView) -> Iterator[str]:
    """Tell what DNS answered the client on its way to the first REGISTER."""
    queries = view.trace.quality.queries
    if not queries or not view.registrations:
        return
    until = view.time(view.registrations[0].dialog.rows[0])
    host = view.client_address.rpartition(":")[0]
    domain = plain_uri(view.user or "").partition("@")[2]
    answers = [
        one
        for one in queries
        if one.answered
        and until - LOCATING_NS <= one.time_ns <= until
        and one.name.endswith(f".{domain}")
        and address_text(one.key)[1].rpartition(":")[0] == host
    ]
    if answers:
        yield f"DNS: {', '.join(map(_answer, answers[-SHOWN_ANSWERS:]))}"


def _answer(query: NameQuery) -> str:
    if query.targets:
        found = " or ".join(f"{target.host}:{target.port}" for target in query.targets[:SHOWN])
    elif query.rcode == NXDOMAIN:
        found = "no such name"
    else:
        found = "an answer" if not query.rcode else f"error {query.rcode}"
    return f"{query.kind} {query.name} gave {found} (frame {query.frame})"


def _scheme(view: SessionView, index: int) -> str | None:
    """Return the authentication scheme that a request used, or None."""
    row = view.found.request[index]
    if row < 0:
        return None
    headers = HeaderReader(view.trace, row)
    given = headers.text("Authorization") or headers.text("Proxy-Authorization")
    found = SCHEME.match(given or "")
    return None if found is None else found[1]


def _contacts(_: Judged, stretch: Stretch) -> Iterator[str]:
    view = stretch.view
    dialogs = view.of_role("subscription")
    if len(dialogs) > 1:
        yield f"{len(dialogs)} subscriptions"
    for dialog in dialogs:
        for row in dialog.rows[:SHOWN]:
            if CONTACT_LIST in view.trace.raw(row):
                yield f"the contact list came in frame {view.frame(row)}"
                return


def _lookup(_: Judged, stretch: Stretch) -> Iterator[str]:
    view = stretch.view
    for dialog in stretch.of_role("lookup")[:1]:
        uri = dialog.service or "nobody"
        yield f"{uri} is {_how_found(view, uri)}"
        fork_of = view.material.groups.fork_of
        branches = sum(fork_of.get(one.index) == dialog.index for one in view.dialogs)
        if branches:
            yield f"forked to {branches + 1} instances"
        yield from _hops(view, dialog)


def _how_found(view: SessionView, uri: str) -> str:
    domain = plain_uri(view.user or "").partition("@")[2]
    if plain_uri(uri) == f"sip:{LOOKUP_USERS[0]}@{domain}":
        return "the default Lookup URI of the user's domain"
    row = _provisioned(view.trace).get(plain_uri(uri))
    if row is not None:
        return f"the pool URI provisioned in frame {view.frame(row)}"
    if user_part(uri) == LOOKUP_USERS[0]:
        return "the usual Lookup URI, in another domain than the user's"
    return "a configured Lookup URI, by policy or by hand"


def _provisioned(trace: Trace) -> dict[str, int]:
    """Return the pool URIs that provisioning brought, looked for once in a trace."""
    known: dict[str, int] | None = trace.__dict__.get("_provisioned_uris")
    if known is None:
        known = trace.__dict__["_provisioned_uris"] = provisioned_uris(trace)
    return known


def _learned(stretch: Stretch) -> dict[str, int]:
    """Return the URIs that ``requri`` brought, each with its row."""
    lookups = stretch.view.lookups
    return {
        uri: reply.row
        for one in stretch.named("requri")
        for reply in one.answers
        for uri in lookups.get(reply.row, ())
    }


def _channel_uri(_: Judged, stretch: Stretch) -> Iterator[str]:
    learned = _learned(stretch)
    if learned:
        yield f"it learned {', '.join(list(learned)[:SHOWN])}"


def _channel(_: Judged, stretch: Stretch) -> Iterator[str]:
    view, learned = stretch.view, _learned(stretch)
    for dialog in stretch.of_role("channel")[:1]:
        uri = dialog.service or "nobody"
        row = learned.get(plain_uri(uri))
        if row is not None:
            yield f"to exactly the URI that requri returned in frame {view.frame(row)} ({uri})"
        elif learned:
            yield f"to {uri}, not to the URI that requri returned ({', '.join(learned)})"
        else:
            row = _provisioned(view.trace).get(plain_uri(uri))
            how = "" if row is None else f", the pool URI provisioned in frame {view.frame(row)}"
            yield f"to {uri}{how}"
        yield from _hops(view, dialog)


def _hops(view: SessionView, dialog: DialogDraft) -> Iterator[str]:
    """Tell the way of the first request of a proxied dialog, from connection to connection."""
    if not dialog.copies:
        return
    origin, rows = view.material.copies, view.trace.rows
    first = dialog.rows[0]
    seen = origin.get(first, first)
    same = [row for row in (first, *dialog.copies) if origin.get(row, row) == seen]
    same.sort(key=rows.vias.__getitem__)  # a proxy adds one (RFC 3261 section 16.6)
    if len(same) > 1:
        streams = [view.trace.streams[rows.stream[row]] for row in same]
        way = " → ".join([streams[0].src, *(stream.dst for stream in streams)])
        frames = ", ".join(str(view.frame(row)) for row in same)
        yield f"over {len(same)} hops: {way} (frames {frames})"


def _preferences(_: Judged, stretch: Stretch) -> Iterator[str]:
    trace = stretch.view.trace
    commands = stretch.named("getpref")
    asked: dict[bytes, None] = {}
    for row in dict.fromkeys(one.row for one in commands if one.element >= 0):
        asked.update(dict.fromkeys(LABEL.findall(trace.raw(row))))
    replies = dict.fromkeys(reply.row for one in commands for reply in one.answers)
    count = sum(len(one.answers) for one in commands)
    new = sum(len(CONTENT.findall(trace.raw(row))) for row in replies)
    if asked:
        names = ", ".join(label.decode("utf-8", "replace") for label in list(asked)[:SHOWN])
        more = f" and {len(asked) - SHOWN} more" if len(asked) > SHOWN else ""
        yield f"{len(asked)} documents ({names}{more})"
    if count:
        yield f"{new} with new content, {max(count - new, 0)} up to date"


def _rooms(judged: Judged, stretch: Stretch) -> Iterator[str]:
    view = stretch.view
    elements, reader = view.material.elements, view.material.reader
    commands = stretch.named("bjoin")
    replies = [reply for one in commands for reply in one.answers]
    if not replies:
        return
    joined: dict[str, None] = {}
    names: dict[str, str] = {}
    refused: dict[str, None] = {}
    for reply in replies:
        facts = reader.facts(reply.row, elements.position(reply.element))
        joined.update(dict.fromkeys(facts.rooms))
        refused.update(dict.fromkeys(facts.failed))
        names.update(facts.names)
    bad = [room for room in refused if room not in joined]
    yield f"{len(joined)} of {len(joined) + len(bad)} rooms joined"
    if bad and not all(room in judged.seen.detail for room in bad[:SHOWN]):
        yield f"refused: {', '.join(names.get(room, room) for room in bad[:SHOWN])}"
    infos = len({reply.row for reply in replies}) - sum(bool(one.answers) for one in commands)
    if infos > 0:
        yield f"history in {infos} more INFO{'s' if infos > 1 else ''}"


def _invitations(_: Judged, stretch: Stretch) -> Iterator[str]:
    trace = stretch.view.trace
    rows = {reply.row for one in stretch.named("getinv") for reply in one.answers}
    if rows:
        count = sum(len(INVITATION.findall(trace.raw(row))) for row in rows)
        yield f"{count or 'no'} invitation{'' if count == 1 else 's'}"


_PARTICULARS: dict[str, Callable[[Judged, Stretch], Iterator[str]]] = {
    "1": _register,
    "2": _contacts,
    "4": _lookup,
    "5": _channel_uri,
    "6": _channel,
    "8": _preferences,
    "9": _rooms,
    "10": _invitations,
}
"""By the document's number of the step."""
