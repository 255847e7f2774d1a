"""Filters: which messages, dialogs, commands and sessions someone asked for.

They run on a finished analysis and never change what was read. Several values of one filter mean
any of them, several filters mean all of them. What each means on each list is in docs/cli.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.model import Malformed
from dissectors.xccos.rooms import failed_rooms, room_names, rooms_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from analyzer.model import CommandPair, Dialog, Session
    from analyzer.times import TypedTime
    from analyzer.trace import Trace
    from analyzer.window import Window
    from dissectors.xccos.messages import XccosDocument

MAX_STATUS = 10**9
"""Above every status that a start line can carry; the upper end of ``>=400``."""

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Query:
    """What someone asked for; an empty tuple asks for everything."""

    users: tuple[str, ...] = ()
    """URIs, addresses or the part before the ``@``; ``*`` stands for any characters."""
    call_ids: tuple[str, ...] = ()
    """Whole, or a beginning with ``*`` (or the ellipsis that tables cut with) at its end."""
    methods: tuple[str, ...] = ()
    statuses: tuple[Range, ...] = ()
    commands: tuple[str, ...] = ()
    """``join``, or with its element ``cmd:join``, ``rpl:join``, ``ntc:join``; ``grpchat``."""
    rooms: tuple[str, ...] = ()
    """A URI, a name or a part of one; case does not matter."""
    from_time: TypedTime | None = None
    to_time: TypedTime | None = None

    def __bool__(self) -> bool:
        """Say whether anything is asked for."""
        return self != _EVERYTHING


_EVERYTHING = Query()


def parse_status(text: str) -> Range:
    """Read ``200``, ``4xx``, ``400-499``, ``>=400``, ``>399``, ``<=299`` or ``<300``.

    Returns the first and the last status meant. Raises ValueError with one line for people.
    """
    plain = text.strip().lower()
    if found := re.fullmatch(r"([1-9])xx", plain):
        return int(found[1]) * 100, int(found[1]) * 100 + 99
    if found := re.fullmatch(r"(\d{3})(?:-(\d{3}))?", plain):
        first, last = int(found[1]), int(found[2] or found[1])
        if first > last:
            raise ValueError(f"{text!r} ends before it begins")
        return first, last
    if found := re.fullmatch(r"(>=?|<=?)(\d{3})", plain):
        sign, bound = found[1], int(found[2])
        strict = len(sign) == 1
        return (bound + strict, MAX_STATUS) if sign[0] == ">" else (0, bound - strict)
    raise ValueError(f"{text!r} is not a status such as 200, 4xx, 400-499 or >=400")


def status_test(ranges: tuple[Range, ...]) -> Callable[[int | None], bool]:
    """Return the test whether a status lies in one of the ranges."""
    return lambda status: status is not None and any(low <= status <= high for low, high in ranges)


def user_test(users: tuple[str, ...]) -> Callable[[str | None], bool]:
    """Return the test whether a URI is one of the users.

    ``sip:ann@example.com``, ``ann@example.com`` and ``ann`` mean the same; case does not matter.
    """
    wanted = [wildcard_pattern(_address(user)) for user in users]

    def matches(uri: str | None) -> bool:
        if not uri:
            return False
        address = _address(uri)
        name = address.partition("@")[0]
        return any(one.fullmatch(address) or one.fullmatch(name) for one in wanted)

    return matches


def wildcard_pattern(text: str) -> re.Pattern[str]:
    """Return the pattern of a text in which ``*`` stands for any characters; for ``fullmatch``.

    What stands between two of them is looked for once: however many there are, and whatever a
    capture says, it takes no longer than reading it a few times.
    """
    first, *rest = map(re.escape, text.split("*"))
    if not rest:
        return re.compile(first)
    *middle, last = rest
    between = "".join(f"(?>.*?{one})" for one in middle)
    return re.compile(f"{first}{between}.*{last}", re.DOTALL)


def _address(uri: str) -> str:
    """Return the address in a SIP URI: no scheme, no parameters, lower case (RFC 3261 19.1.4)."""
    return re.sub(r"^sips?:", "", uri.strip().casefold()).partition(";")[0].partition("?")[0]


def call_id_test(call_ids: tuple[str, ...]) -> Callable[[str | None], bool]:
    """Return the test whether a Call-ID is one of these; case matters (RFC 3261 8.1.1.4)."""
    whole = {text for text in call_ids if text[-1:] not in ("*", "…")}
    begins = tuple(text[:-1] for text in call_ids if text[-1:] in ("*", "…"))
    return lambda call_id: (
        call_id is not None and (call_id in whole or (bool(begins) and call_id.startswith(begins)))
    )


def room_test(rooms: tuple[str, ...]) -> Callable[[Iterable[str | None]], bool]:
    """Return the test whether one of a room's URIs and names holds one of the texts."""
    wanted = [room.casefold() for room in rooms]
    return lambda names: any(
        room in name.casefold() for name in names if name is not None for room in wanted
    )


def command_test(commands: tuple[str, ...]) -> Callable[[str, str | None], bool]:
    """Return the test whether an XCCOS element (its name, its id) is one of the commands."""
    wanted = {command.strip().casefold() for command in commands}

    def matches(element: str, identifier: str | None) -> bool:
        kind, name = element.casefold(), (identifier or element).casefold()
        return name in wanted or name.rpartition(":")[2] in wanted or kind in wanted

    return matches


def rooms_spoken_of(document: XccosDocument) -> set[str]:
    """Return the URIs and names of the rooms in an XCCOS document, failed ones included."""
    found: set[str] = set()
    for item in document.items:
        found.update(rooms_of(item), failed_rooms(item), room_names(item).values())
    return found


class Selection:
    """What a query finds in one trace; of a window, only its messages and not by room."""

    def __init__(self, trace: Trace | Window, query: Query) -> None:
        self._window, self._query = trace, query
        begin = trace.began or 0
        self._from = query.from_time.first(begin) if query.from_time else None
        self._to = query.to_time.last(begin) if query.to_time else None
        self._user = user_test(query.users)
        self._call_id = call_id_test(query.call_ids)
        self._status = status_test(query.statuses)
        self._command = command_test(query.commands)
        self._methods = {method.upper() for method in query.methods}
        self._rooms = self._room_uris() if query.rooms else frozenset[str]()

    @property
    def _trace(self) -> Trace:
        from analyzer.trace import Trace

        if not isinstance(self._window, Trace):
            raise TypeError("this needs the whole capture")
        return self._window

    def messages(self) -> Sequence[int]:
        """Return the rows, in capture order."""
        rows, query = self._window.rows, self._query
        found: Sequence[int] = range(len(rows))
        if query.from_time or query.to_time:
            found = [row for row in found if self._within(rows.time[row], rows.time[row])]
        if query.users:
            ids = self._string_ids(self._user, rows.from_uri, rows.to_uri)
            found = [row for row in found if rows.from_uri[row] in ids or rows.to_uri[row] in ids]
        if query.call_ids:
            ids = self._string_ids(self._call_id, rows.call_id)
            found = [row for row in found if rows.call_id[row] in ids]
        return self._narrowed(found)

    def _narrowed(self, found: Sequence[int]) -> Sequence[int]:
        """Keep the rows that meet the filters on what a single message says."""
        rows, query = self._window.rows, self._query
        if query.methods:
            ids = self._string_ids(lambda text: (text or "").upper() in self._methods, rows.method)
            found = [row for row in found if rows.method[row] in ids]
        if query.statuses:
            found = [row for row in found if self._status(rows.status[row])]
        if query.commands:
            found = [row for row in found if self._carries(row)]
        if query.rooms:
            found = [row for row in found if self._speaks_of_rooms(row)]
        return found

    def pairs(self) -> list[CommandPair]:
        """Return the commands and posts, in the order of the analysis."""
        pairs = self._trace.analysis().pairs
        return [pairs[number] for number in self.pair_numbers()]

    def pair_numbers(self) -> list[int]:
        """Return the same by their places in the analysis."""
        pairs = self._trace.analysis().pairs
        return [number for number, pair in enumerate(pairs) if self._pair(pair)]

    def dialogs(self) -> list[Dialog]:
        """Return the dialogs: by their user, Call-ID and time, and by what they carried."""
        return [dialog for dialog in self._trace.analysis().dialogs if self._dialog(dialog)]

    def sessions(self) -> list[Session]:
        """Return the sessions: by their user and time, and by what their dialogs carried."""
        return [session for session in self._trace.analysis().sessions if self._session(session)]

    def _pair(self, pair: CommandPair) -> bool:
        query, rows = self._query, self._trace.rows
        seen = [pair.row] if pair.row is not None else [reply.row for reply in pair.replies]
        return (
            (not query.users or self._user(pair.user))
            and (not query.call_ids or self._call_id(pair.call_id))
            and any(self._within(rows.time[row], rows.time[row]) for row in seen)
            and (not query.methods or any(self._method(row) for row in seen))
            and (not query.statuses or self._answered_so(pair))
            and self._carried(pair)
        )

    def _carried(self, pair: CommandPair) -> bool:
        """Say whether a pair meets the filters on commands and rooms."""
        query = self._query
        identifiers = [f"{pair.kind}:{pair.command}", *(reply.id for reply in pair.replies)]
        return (
            not query.commands or any(self._command(pair.kind, name) for name in identifiers)
        ) and (not query.rooms or not self._rooms.isdisjoint(pair.rooms))

    def _dialog(self, dialog: Dialog) -> bool:
        query = self._query
        people = (dialog.client, dialog.caller, dialog.callee)
        return (
            (not query.users or any(map(self._user, people)))
            and (not query.call_ids or self._call_id(dialog.call_id))
            and self._within(dialog.started, dialog.ended)
            and (not self._asks_of_messages() or bool(self._narrowed(dialog.rows)))
        )

    def _session(self, session: Session) -> bool:
        query = self._query
        if query.users and not self._user(session.user):
            return False
        if not self._within(session.started, session.ended):
            return False
        dialogs = [self._trace.analysis().dialogs[join.dialog] for join in session.joins]
        if query.call_ids:
            dialogs = [dialog for dialog in dialogs if self._call_id(dialog.call_id)]
            if not dialogs:
                return False
        if not self._asks_of_messages():
            return True
        return any(self._narrowed(dialog.rows) for dialog in dialogs)

    def _asks_of_messages(self) -> bool:
        query = self._query
        return bool(query.methods or query.statuses or query.commands or query.rooms)

    def _within(self, first: int, last: int) -> bool:
        return (self._to is None or first <= self._to) and (
            self._from is None or last >= self._from
        )

    def _method(self, row: int) -> bool:
        rows = self._trace.rows
        return (rows.strings.values[rows.method[row]] or "").upper() in self._methods

    def _answered_so(self, pair: CommandPair) -> bool:
        codes = [reply.code for reply in pair.replies]
        return self._status(pair.sip_status) or any(
            self._status(int(code))
            for code in codes
            if code and code.isdecimal() and len(code) < 10
        )

    def _carries(self, row: int) -> bool:
        return any(self._command(item.element, item.id) for item in self._window.rows.xccos(row))

    def _room_uris(self) -> frozenset[str]:
        """Return the URIs of the rooms asked for, where the capture tells names and URIs apart."""
        analysis, test = self._trace.analysis(), room_test(self._query.rooms)
        named = {
            room.uri
            for session in analysis.sessions
            for room in session.rooms
            if test((room.uri, room.name))
        }
        return frozenset(
            named | {uri for pair in analysis.pairs for uri in pair.rooms if test((uri,))}
        )

    def _speaks_of_rooms(self, row: int) -> bool:
        rows = self._window.rows
        if not rows.items[row]:
            return False
        document = self._window.document(row)
        if document is None or isinstance(document, Malformed):
            return False
        names = rooms_spoken_of(document)
        return not self._rooms.isdisjoint(names) or room_test(self._query.rooms)(names)

    def _string_ids(self, test: Callable[[str | None], bool], *columns: Iterable[int]) -> set[int]:
        """Return the numbers of the strings in these columns that pass: each is tested once."""
        values = self._window.rows.strings.values
        used = set().union(*columns)
        return {number for number in used if test(values[number])}
