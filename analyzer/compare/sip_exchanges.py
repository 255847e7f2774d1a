"""The exchanges of a session that carried no XCCOS: SIP transactions, their challenges folded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.compare.naming import FRONT_END, ROLES, STEPS, sip_subject
from analyzer.compare.outcomes import sip_outcome
from analyzer.compare.values import Exchange, Sight
from analyzer.states import status_text
from analyzer.transaction_table import CHALLENGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.compare.source import Source
    from analyzer.dialogs import DialogDraft

OTHER = "other"
"""Role of a dialog that nothing tells the purpose of: an INVITE that was refused at once."""
EVENTFUL = frozenset({"SUBSCRIBE", "NOTIFY", "BENOTIFY", "PUBLISH"})
"""Methods with an Event header (RFC 6665, RFC 3903)."""
LASTING = frozenset({"REGISTER", "SUBSCRIBE", "INVITE"})
"""Methods that begin something, go on with it, and (the first two) end it."""
CHALLENGED = frozenset(map(str, CHALLENGES))
REDIRECTED = frozenset(map(str, range(300, 400)))


def sip_exchanges(source: Source) -> list[Exchange]:
    """Return the SIP transactions of a session that carried no XCCOS, in order."""
    view = source.view
    branches = view.branches
    found = [
        one
        for dialog in view.dialogs
        if dialog.index not in branches
        for one in _of_dialog(source, dialog)
    ]
    for index in view.outside:
        row = view.found.request[index]
        if row >= 0:
            found.append(_exchange(source, index, None, ack=-1))
    found.sort(key=lambda one: (one.began, one.sights[0].row))
    return _chained(found)


def _of_dialog(source: Source, dialog: DialogDraft) -> Iterator[Exchange]:
    rows, table = source.rows, source.view.found
    acks = _acks(source, dialog)
    seen: set[int] = set()
    for row in dialog.rows:
        index = table.of[row]
        if index < 0 or index in seen:
            continue
        first = row if rows.status[row] < 0 else table.first[index]
        if table.method(index) == "ACK" or rows.items[first]:
            continue
        seen.add(index)
        yield _exchange(source, index, dialog, ack=acks.get(rows.cseq[first], -1))


def _acks(source: Source, dialog: DialogDraft) -> dict[int, int]:
    """Return the ACKs of a dialog by the number (in the rows) of the CSeq of their INVITE."""
    rows = source.rows
    method = rows.strings.find("ACK")
    found: dict[int, int] = {}
    for row in dialog.rows if method is not None else ():
        cseq = rows.cseqs.values[rows.cseq[row]]
        if rows.method[row] == method and rows.status[row] < 0 and cseq is not None:
            invite = rows.cseqs.find((cseq[0], "INVITE"))
            if invite is not None:
                found.setdefault(invite, row)
    return found


def _exchange(source: Source, index: int, dialog: DialogDraft | None, *, ack: int) -> Exchange:
    view, table = source.view, source.view.found
    request, final, first = table.request[index], table.final[index], table.first[index]
    method, up = table.method(index), _is_up(source, first, dialog)
    role = _role(dialog)
    event = ""
    if method in EVENTFUL:
        event = source.header(first, "Event").partition(";")[0].strip()
    use = _use(source, request, method) if method in LASTING else ""
    ended = None if dialog is None else dialog.end.row
    outcome = sip_outcome(source, index, ended)
    sights = tuple(
        _sight(source, row, part, up=up == (part in {"request", "ack"}))
        for row, part in _parts(first, request, final, ack)
    )
    return Exchange(
        token=("up" if up else "down", "sip", method, role, event, use),
        family=method,
        subject=sip_subject(method, role, event, use, up=up),
        step=STEPS.get((method, role)) if up and use in {"", "once"} else None,
        role=FRONT_END if role == OTHER else role,
        up=up,
        sights=sights,
        outcome=outcome,
        began=view.time(first),
        ended=view.time(sights[-1].row),
        latency_ms=table.latency_ms(index),
        dialog=-1 if dialog is None else dialog.index,
    )


def _parts(first: int, request: int, final: int, ack: int) -> list[tuple[int, str]]:
    """Return the rows to show; of a transaction of which only a 1xx was captured that one."""
    parts = [(request, "request"), (final, "final"), (ack, "ack")]
    shown = [(row, part) for row, part in parts if row >= 0]
    return shown if shown and shown[0][0] != ack else [(first, "provisional"), *shown]


def _sight(source: Source, row: int, part: str, *, up: bool) -> Sight:
    rows = source.rows
    status = rows.status[row] if rows.status[row] >= 0 else None
    label = source.text(rows.method[row]) if status is None else status_text(source.trace, row)
    return Sight(row, rows.frame[row], rows.time[row], up, part, label, status)


def _is_up(source: Source, row: int, dialog: DialogDraft | None) -> bool:
    """Say whether the client sent a request; of one not captured, ``row`` is its answer."""
    rows = source.rows
    if dialog is not None and dialog.role == "registration":
        return True
    if dialog is not None:
        return rows.from_tag[row] == dialog.client_side.tag
    stream = source.trace.streams[rows.stream[row]]
    return source.view.client_address in (stream.src, stream.dst) and (
        (stream.src == source.view.client_address) == (rows.status[row] < 0)
    )


def _role(dialog: DialogDraft | None) -> str:
    if dialog is None:
        return FRONT_END
    if dialog.role == OTHER and dialog.group.method == "INVITE":
        return OTHER
    return dialog.role if dialog.role in ROLES else FRONT_END


def _use(source: Source, request: int, method: str) -> str:
    """Say whether a request begins something (nothing), goes on with it, or ends it.

    ``once``: a subscription that is to last for one notification (RFC 6665 section 4.4.3).
    """
    if request < 0:
        return ""
    if method != "INVITE" and source.view.material.events.asks_zero(request):
        if method == "REGISTER":
            return "sign-off"
        return "end" if source.rows.to_tag[request] else "once"
    if method == "REGISTER":
        signed_in = source.view.signed_in
        return "refresh" if signed_in is not None and signed_in < request else ""
    return "refresh" if source.rows.to_tag[request] else ""


def _chained(found: list[Exchange]) -> list[Exchange]:
    """Fold attempts that were challenged or redirected into the one that follows them."""
    waiting: dict[object, list[Exchange]] = {}
    kept: list[Exchange] = []
    for one in found:
        key = one.token if one.family == "REGISTER" else (one.token, one.dialog)
        rounds = waiting.setdefault(key, [])
        rounds.append(one)
        if not _goes_on(one):
            kept.append(_joined(rounds))
            del waiting[key]
    kept += [_joined(rounds) for rounds in waiting.values()]
    return kept


def _goes_on(one: Exchange) -> bool:
    """Say whether an attempt is normally followed by another one."""
    status = one.outcome.key[0]
    return status in CHALLENGED or (one.family == "REGISTER" and status in REDIRECTED)


def _joined(rounds: list[Exchange]) -> Exchange:
    """Return several rounds as one exchange with the outcome of the last."""
    first, last = rounds[0], rounds[-1]
    if first is last:
        return last
    sights = tuple(
        sight._replace(part=f"round {number} {sight.part}")
        for number, one in enumerate(rounds[:-1], 1)
        for sight in one.sights
    )
    latency = None
    if last.latency_ms is not None:
        latency = (last.began - first.began) / 1e6 + last.latency_ms
    return replace(
        last,
        sights=sights + last.sights,
        began=first.began,
        latency_ms=latency,
        rounds=len(rounds) - 1,
    )
