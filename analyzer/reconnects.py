"""Answers that came on another connection than their request: a new UDP port, a reconnect.

Also those that stand far before their request. Only where the addresses are the same.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from analyzer.transaction_table import LATE_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.rows import Stream
    from analyzer.transaction_table import Transactions

CANDIDATES = 32
"""Requests under one key that are looked at for an answer."""


def match_across(found: Transactions, streams: Sequence[Stream]) -> None:
    """Give answers without request to requests without answer."""
    orphans = _lacking(found.request)
    if not orphans:
        return
    waiting = _waiting(found, {_key(found, found.first[orphan]) for orphan in orphans})
    gone = set()
    for orphan in orphans:
        for index in waiting.get(_key(found, found.first[orphan]), [])[:CANDIDATES]:
            if _answers(found, streams, index, orphan):
                _adopt(found, index, orphan)
                gone.add(orphan)
                break
    if gone:
        _renumber(found, gone)


def _lacking(rows: list[int]) -> list[int]:
    """Return the places of -1: few among very many, so that ``index`` looks for them."""
    places: list[int] = []
    with suppress(ValueError):
        while True:
            places.append(rows.index(-1, places[-1] + 1 if places else 0))
    return places


def _waiting(found: Transactions, keys: set[tuple[int, ...]]) -> dict[tuple[int, ...], list[int]]:
    """Return the requests without answer by key, of the keys that are wanted."""
    waiting: dict[tuple[int, ...], list[int]] = {}
    for index in _lacking(found.final):
        if found.request[index] >= 0:
            key = _key(found, found.request[index])
            if key in keys:
                waiting.setdefault(key, []).append(index)
    return waiting


def _key(found: Transactions, row: int) -> tuple[int, ...]:
    rows = found.rows
    return rows.call_id[row], rows.cseq[row], rows.from_tag[row], rows.from_uri[row]


def _answers(found: Transactions, streams: Sequence[Stream], index: int, orphan: int) -> bool:
    rows, request, answer = found.rows, found.request[index], found.first[orphan]
    there, back = streams[rows.stream[request]], streams[rows.stream[answer]]
    late = rows.time[answer] - rows.time[request]
    if found.final[index] >= 0 or late > LATE_NS:
        return False
    if there.connection == back.connection:
        return late >= -LATE_NS
    branches = rows.branch[request], rows.branch[answer]
    if all(branches) and branches[0] != branches[1]:
        return False
    swapped = _host(there.src) == _host(back.dst) and _host(there.dst) == _host(back.src)
    return swapped and late >= 0


def _host(address: str) -> str:
    return address.rpartition(":")[0]


def _adopt(found: Transactions, index: int, orphan: int) -> None:
    rows, stream = found.all_rows(orphan), found.rows.stream
    if stream[rows[0]] >> 1 != stream[found.request[index]] >> 1:
        found.across = True
    found.final[index] = found.final[orphan]
    theirs = found.more.get(orphan)
    if theirs is not None:
        mine = found.more_of(index)
        mine.provisional = sorted(mine.provisional + theirs.provisional)
        mine.repeated = theirs.repeated
    for row in rows:
        found.of[row] = index


def _renumber(found: Transactions, gone: set[int]) -> None:
    number: list[int] = []
    request: list[int] = []
    final: list[int] = []
    begin = 0
    for before, end in enumerate([*sorted(gone), len(found)]):
        number += range(begin - before, end - before)
        number.append(-1)  # at last that of -1, which rows without a transaction have
        request += found.request[begin:end]
        final += found.final[begin:end]
        begin = end + 1
    found.request, found.final = request, final
    found.more = {number[index]: more for index, more in found.more.items() if number[index] >= 0}
    found.of = list(map(number.__getitem__, found.of))
    found.complete()
