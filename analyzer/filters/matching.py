"""Which messages a filter lets through: tests on columns first, the bytes of what is left last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.filters.evidence import of_dialog, of_evidence, of_finding, of_session
from analyzer.filters.facts import CLIENT, SERVER, Facts
from analyzer.filters.lexing import FilterError
from analyzer.filters.words import BARE, spans_of
from analyzer.named import Frames
from analyzer.query import (
    call_id_test,
    command_test,
    parse_status,
    room_test,
    status_test,
    user_test,
    wildcard_pattern,
)
from analyzer.zoned_times import parse_time, placed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import tzinfo

    from analyzer.filters.facts import Looked
    from analyzer.filters.lexing import Term

Values = tuple[str, ...]
LAST = ("room", "text", BARE)
"""Words that read the capture: the others leave them less to read, and full text comes last."""


def matching_rows(terms: Sequence[Term], looked: Looked, zone: tzinfo) -> Sequence[int]:
    """Return the rows that meet all terms, ascending. Raises FilterError for what is not there."""
    facts = Facts.of(looked)
    found: Sequence[int] = range(len(facts.rows))
    # What is not there is told, whatever the other terms leave.
    tests = [(one, _test(one, facts, zone)) for one in terms if one.word not in LAST]
    last = sorted((one for one in terms if one.word in LAST), key=lambda one: LAST.index(one.word))
    for term, test in tests:
        found = [row for row in found if test(row) != term.negated]
    for term in last:
        if not found:
            break
        test = _test(term, facts, zone)
        found = [row for row in found if test(row) != term.negated]
    return found


def _test(term: Term, facts: Facts, zone: tzinfo) -> Callable[[int], bool]:
    if term.word in _SETS:
        return _rows_of(term, facts).__contains__
    if term.word in _TIMES:
        return _TIMES[term.word](facts, term.texts, zone)
    return _TESTS[term.word](facts, term.texts)


def _rows_of(term: Term, facts: Facts) -> Collection[int]:
    """Return the messages that any of the values names."""
    found: list[Collection[int]] = []
    for value in term.values:
        try:
            found.append(_SETS[term.word](facts, value.text))
        except ValueError as error:
            raise FilterError(value.at, value.length, str(error)) from None
    return found[0] if len(found) == 1 else {row for rows in found for row in rows}


def _user(*columns: str) -> Callable[[Facts, Values], Callable[[int], bool]]:
    def make(facts: Facts, values: Values) -> Callable[[int], bool]:
        here = [getattr(facts.rows, name) for name in columns]
        wanted = facts.strings(user_test(values), *here)
        first, last = here[0], here[-1]
        return lambda row: first[row] in wanted or last[row] in wanted

    return make


def _call_id(facts: Facts, values: Values) -> Callable[[int], bool]:
    column = facts.rows.call_id
    wanted = facts.strings(call_id_test(values), column)
    return lambda row: column[row] in wanted


def _method(facts: Facts, values: Values) -> Callable[[int], bool]:
    column, names = facts.rows.method, {one.upper() for one in values}
    wanted = facts.strings(lambda text: (text or "").upper() in names, column)
    return lambda row: column[row] in wanted


def _status(facts: Facts, values: Values) -> Callable[[int], bool]:
    column, test = facts.rows.status, status_test(tuple(map(parse_status, values)))
    wanted = {status for status in set(column) if status >= 0 and test(status)}
    return lambda row: column[row] in wanted


def _command(facts: Facts, values: Values) -> Callable[[int], bool]:
    rows, strings, test = facts.rows, facts.rows.strings.values, command_test(values)
    columns = rows.item_columns
    pairs = list(zip(columns["element"], columns["id"], strict=True))
    fits = {pair for pair in set(pairs) if test(strings[pair[0]] or "", strings[pair[1]])}
    hits = bytearray(pair in fits for pair in pairs)
    first, count = rows.item, rows.items
    return lambda row: 1 in hits[first[row] : first[row] + count[row]]


def _room(facts: Facts, values: Values) -> Callable[[int], bool]:
    test, rooms = room_test(values), facts.rooms
    wanted = {name for names in set(rooms) for name in names if test((name,))}
    for uri, names in facts.room_names.items():
        if test(names):
            wanted.add(uri)
    return lambda row: not wanted.isdisjoint(rooms[row])


def _frame(facts: Facts, values: Values) -> Callable[[int], bool]:
    within = Frames(span for value in values for span in spans_of(value))
    frames = facts.rows.frames
    return lambda row: any(frame in within for frame in frames(row))


def _address(*ends: str) -> Callable[[Facts, Values], Callable[[int], bool]]:
    def make(facts: Facts, values: Values) -> Callable[[int], bool]:
        tests = [_address_test(one) for one in values]
        column = facts.rows.stream
        streams = facts.trace.streams
        wanted = {
            number
            for number in set(column)
            if any(test(getattr(streams[number], end)) for end in ends for test in tests)
        }
        return lambda row: column[row] in wanted

    return make


def _address_test(text: str) -> Callable[[str], bool]:
    """Return the test whether ``host:port`` is meant by a host, a port, both, or a pattern."""
    plain = text.strip().casefold()
    pattern, whole = wildcard_pattern(plain.strip("[]")), wildcard_pattern(plain)

    def test(address: str) -> bool:
        folded = address.casefold()
        host, _, port = folded.rpartition(":")
        if plain.isdigit():
            return port == plain
        return bool(whole.fullmatch(folded) or pattern.fullmatch(host.strip("[]")))

    return test


def _direction(facts: Facts, values: Values) -> Callable[[int], bool]:
    sender = facts.sender
    wanted = {CLIENT if one == "out" else SERVER for one in values}
    return lambda row: sender[row] in wanted


def _kind(facts: Facts, values: Values) -> Callable[[int], bool]:
    status = facts.rows.status
    requests, responses = "request" in values, "response" in values
    return lambda row: requests if status[row] < 0 else responses


def _has(facts: Facts, values: Values) -> Callable[[int], bool]:
    rows = facts.rows
    columns = {"xccos": rows.items, "body": rows.content_length, "note": rows.notes}
    wanted = [columns[one] for one in values]
    return lambda row: any(column[row] > 0 for column in wanted)


def _after(facts: Facts, values: Values, zone: tzinfo) -> Callable[[int], bool]:
    began, times = facts.trace.began or 0, facts.rows.time
    first = min(placed(parse_time(one), zone, began).first(began) for one in values)
    return lambda row: times[row] >= first


def _before(facts: Facts, values: Values, zone: tzinfo) -> Callable[[int], bool]:
    began, times = facts.trace.began or 0, facts.rows.time
    last = max(placed(parse_time(one), zone, began).last(began) for one in values)
    return lambda row: times[row] <= last


def _text(facts: Facts, values: Values) -> Callable[[int], bool]:
    return facts.texts.tester(values)


def _state(facts: Facts, value: str) -> Collection[int]:
    found: Collection[int] = getattr(facts.states, value)
    return found


_TESTS: dict[str, Callable[[Facts, Values], Callable[[int], bool]]] = {
    "user": _user("from_uri", "to_uri"),
    "from": _user("from_uri"),
    "to": _user("to_uri"),
    "direction": _direction,
    "method": _method,
    "status": _status,
    "command": _command,
    "room": _room,
    "call-id": _call_id,
    "frame": _frame,
    "kind": _kind,
    "has": _has,
    "src": _address("src"),
    "dst": _address("dst"),
    "host": _address("src", "dst"),
    "text": _text,
    BARE: _text,
}
_TIMES: dict[str, Callable[[Facts, Values, tzinfo], Callable[[int], bool]]] = {
    "after": _after,
    "before": _before,
}
_SETS: dict[str, Callable[[Facts, str], Collection[int]]] = {
    "session": of_session,
    "dialog": of_dialog,
    "finding": of_finding,
    "evidence": of_evidence,
    "is": _state,
}
