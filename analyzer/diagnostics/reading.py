"""What rules read back from the capture: items of XCCOS, diagnostics, who a message belongs to.

Rules ask for it only where rows alone already look wrong: reading back costs a hundred times as
much as looking at a row.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from analyzer.diagnostics import codes
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.commands import Answer, Command
    from analyzer.diagnostics.rule import Case
    from analyzer.dialogs import DialogDraft
    from analyzer.sessions.view import SessionView
    from dissectors.xccos.messages import Element, Item

SHOWN = 3
"""Names in one sentence."""
SEARCHED = 200
"""Later commands of one name that are looked at: hostile input has as many as it likes."""
MAX_DIGITS = 18
"""Of a number of the wire: 64 bits."""
OTHER_STATUS = frozenset({401, 407, 481, 503, 504})
"""Refusals that are told as what they are: a challenge, an expired session, load, the path."""
OTHER_DIAGNOSTICS = (
    codes.OVERLOAD
    | codes.NOT_ADMITTED
    | codes.FEDERATION
    | codes.ROUTING
    | codes.BAD_CREDENTIALS
    | {codes.TOO_MANY_ENDPOINTS, codes.CERTIFICATE}
)
"""Diagnostics that are told as what they are, whatever request they refuse."""


def items_of(case: Case, row: int) -> tuple[Item, ...]:
    """Return the items of a message; none where it has no XCCOS that can be read."""
    document = case.trace.document(row)
    return () if document is None or isinstance(document, Malformed) else document.items


def item_of(case: Case, row: int, element: int) -> Item | None:
    """Return one item, by its number among the XCCOS elements of the capture."""
    items, at = items_of(case, row), element - case.rows.item[row]
    return items[at] if 0 <= at < len(items) else None


def answer_nodes(case: Case, command: Command, name: str) -> Iterator[tuple[Answer, Element]]:
    """Yield the elements of a local name in the replies to a command, each with its reply."""
    for answer in command.answers:
        item = item_of(case, answer.row, answer.element)
        if item is not None:
            for node in item.node.iter(name):
                yield answer, node


_SIB = re.compile(
    rb"<(?:[\w.-]++:)?sib((?:\s++[\w:.-]++\s*+=\s*+(?:\"[^\"<&]*+\"|'[^'<&]*+'))*)\s*+/?>"
)
_ATTRIBUTE = re.compile(rb"\s([\w.-]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)')")


def server_infos(case: Case, view: SessionView) -> Iterator[tuple[Command, int, dict[str, str]]]:
    """Yield what services told of themselves: command, row of the reply, attributes of ``sib``.

    Several rules ask it of every session: plain replies are not parsed.
    """
    for command in view.named("getserverinfo"):
        for answer in command.answers:
            raw = case.trace.raw(answer.row)
            if b"sib" not in raw and b"\0" not in raw:
                continue  # in UTF-16 every other byte is zero
            plain = case.rows.items[answer.row] == 1 and b"<!" not in raw
            found = _SIB.search(raw) if plain else None
            if found is not None:
                pairs = _ATTRIBUTE.findall(found[1])
                told = {key: one or other for key, one, other in pairs}
                yield command, answer.row, _texts(told)
                continue
            item = item_of(case, answer.row, answer.element)
            for node in item.node.iter("sib") if item is not None else ():
                yield command, answer.row, dict(node.attributes)


def _texts(values: dict[bytes, bytes]) -> dict[str, str]:
    return {key.decode(): value.decode("utf-8", "replace") for key, value in values.items()}


def limit_in(told: dict[str, str], name: str) -> int | None:
    """Return a limit out of what a service told of itself; None where it is no number above 0."""
    text = told.get(name, "").strip()
    if not (text.isascii() and text.isdecimal()) or len(text) > MAX_DIGITS:
        return None
    return int(text) or None


def final_row(view: SessionView, command: Command) -> int | None:
    """Return the row of the final SIP answer to the INFO that carried a command."""
    final = view.found.final[command.transaction] if command.transaction >= 0 else -1
    return None if final < 0 else final


def rows_of(view: SessionView, command: Command) -> tuple[int, ...]:
    """Return the row of a command, of its SIP answer, and of its replies."""
    final = final_row(view, command)
    sent = () if command.element < 0 else (command.row,)
    answered = () if final is None else (final,)
    return (*sent, *answered, *(answer.row for answer in command.answers))


def later_ones(view: SessionView, command: Command) -> Sequence[Command]:
    """Return the next commands of the same name; of very many only the first."""
    known = view.named(command.name)
    at = bisect_right(known, command.first()[0], key=lambda one: one.first()[0])
    return known[at : at + SEARCHED]


def dialog_of(view: SessionView, command: Command) -> DialogDraft | None:
    """Return the dialog of a command."""
    return view.material.dialogs[command.dialog] if command.dialog >= 0 else None


def sessions_of_dialogs(case: Case) -> dict[int, SessionView]:
    """Return the session of each dialog of the sessions that are looked at."""
    return {dialog.index: view for view in case.sessions for dialog in view.dialogs}


def who(view: SessionView) -> str:
    """Return how a sentence names the user of a session."""
    return view.user or "a client"


def listed(names: list[str]) -> str:
    """Return the first few names of a list, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def milliseconds(later: int, earlier: int) -> float:
    """Return the milliseconds between two times."""
    return (later - earlier) / 1e6


def rejected_for_itself(case: Case, view: SessionView, command: Command) -> bool:
    """Say whether SIP refused a command for a reason that is neither load nor the path to it."""
    final = final_row(view, command)
    if command.outcome != "rejected" or final is None or command.status in OTHER_STATUS:
        return False
    told = codes.diagnostics_of(case.trace, final)
    return told is None or told.id not in OTHER_DIAGNOSTICS
