"""Command pairs: which ``rpl`` answers which ``cmd``.

The key is the dialog and the ``commandid`` (envid and seqid) of the reply. A reply without one goes
to the oldest command of its name that is still without an answer. Pairing is a second pass over all
rows: in a capture whose frames changed places, a reply stands before its command.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from analyzer.transactions import CHALLENGES, FAILURE, FINAL
from dissectors.xccos.catalogue import known, reply_aliases

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analyzer.contents import Element
    from analyzer.model import PairedBy, Transaction
    from analyzer.rows import Rows

REORDER_NS = 1_000_000_000
"""A reply without commandid may stand so long before its command in a reordered capture."""
REPETITIONS = 64
"""Commands with one envid and seqid that are looked at for the one that a reply answers."""


class Answer(NamedTuple):
    """A reply, and whether it names its command."""

    element: Element
    key: tuple[int, int] | None
    """``(envid, seqid)`` of its commandid, as numbers in the rows."""


@dataclass(slots=True)
class Command:
    """A command or post while its answers are collected."""

    element: Element | None
    """None for a reply whose command is not in the capture."""
    key: tuple[int, int]
    name: str
    dialog: int
    transaction: int | None = None
    status: int | None = None
    post: bool = False
    answers: list[Element] = field(default_factory=list)
    paired_by: PairedBy = "none"
    name_mismatch: bool = False
    challenged: list[int] = field(default_factory=list)
    """Rows of the same command before it was signed anew."""
    repeats: int | None = None
    """Row of the rejected command with the same envid that this one repeats."""
    repeated: int | None = None
    """Row of the command that repeats this one."""
    replaced: bool = False
    """It was challenged and sent again, newly signed: the later one stands for both."""

    def rejected(self) -> bool:
        """Say whether the INFO that carried it was refused."""
        return self.status is not None and self.status >= FAILURE

    def sort_key(self) -> tuple[int, int]:
        """Return where the pair begins: row and item of the command, else of the first reply."""
        first = self.element or self.answers[0]
        return first.row, first.item

    def fits(self, reply: str) -> bool:
        """Say whether a reply's name may answer this command."""
        return reply == self.name or reply in reply_aliases(self.name)


class Pairer:
    """Pairs the commands of one dialog with their replies."""

    def __init__(self, rows: Rows, dialog: int, client_tag: int) -> None:
        self._rows = rows
        self._dialog = dialog
        self._client_tag = client_tag
        self.commands: list[Command] = []
        self._answers: list[Answer] = []
        self._by_key: dict[tuple[int, int], list[Command]] = {}
        self._by_envid: dict[int, list[Command]] = {}
        self._orphans: dict[tuple[int, int, str], Command] = {}

    def run(
        self,
        elements: Iterable[Element],
        transactions: Sequence[Transaction],
        transaction_of: Mapping[int, int],
    ) -> list[Command]:
        """Return the commands and posts of the dialog, and a stand-in for each one not captured."""
        for element in elements:
            if element.kind == "cmd" or (
                element.kind == "grpchat" and element.sender_tag == self._client_tag
            ):
                self._command(element, transactions, transaction_of)
            elif element.kind == "rpl":
                self._answers.append(Answer(element, self._command_key(element.item)))
        self._mark_repetitions()
        left = [answer for answer in self._answers if not self._by_commandid(answer)]
        if left:
            self._pair_by_order(left)
        return [command for command in self.commands if not command.replaced]

    def _command_key(self, item: int) -> tuple[int, int] | None:
        columns = self._rows.item_columns
        if not columns["has_commandid"][item]:
            return None
        return columns["command_envid"][item], columns["command_seqid"][item]

    def _command(
        self,
        element: Element,
        transactions: Sequence[Transaction],
        transaction_of: Mapping[int, int],
    ) -> None:
        columns = self._rows.item_columns
        key = (columns["envid"][element.item], columns["seqid"][element.item])
        index = transaction_of.get(element.row)
        status = None if index is None else transactions[index].status
        post = element.kind == "grpchat"
        name = "grpchat" if post else element.name
        command = Command(element, key, name, self._dialog, index, status, post)
        earlier = self._by_key.get(key)
        if earlier and earlier[-1].status in CHALLENGES and earlier[-1].name == name:
            self._sign_anew(earlier.pop(), command)
        self.commands.append(command)
        self._by_key.setdefault(key, []).append(command)
        self._by_envid.setdefault(key[0], []).append(command)

    def _sign_anew(self, old: Command, new: Command) -> None:
        """Let a command that was sent again after a challenge stand for both."""
        if old.element is not None:
            new.challenged = [*old.challenged, old.element.row]
        old.replaced = True

    def _mark_repetitions(self) -> None:
        for same in self._by_key.values():
            for before, after in pairwise(same):
                if before.element and after.element and before.name == after.name:
                    after.repeats, before.repeated = before.element.row, after.element.row

    def _by_commandid(self, answer: Answer) -> bool:
        if answer.key is None or not answer.key[0]:
            return False
        row, reply = answer.element.row, answer.element.name
        if answer.key[1]:
            candidates = _around(self._by_key.get(answer.key, []), row)
        else:
            same = _around(self._by_envid.get(answer.key[0], []), row)
            fitting = [one for one in same if one.fits(reply)]
            candidates = [one for one in fitting if not one.answers][:1] or fitting[-1:]
        candidates = [one for one in candidates if not one.post and not one.replaced]
        if not candidates:
            return False
        command = _likely(candidates, row)
        command.answers.append(answer.element)
        command.paired_by = "commandid"
        command.name_mismatch = command.name_mismatch or not command.fits(reply)
        return True

    def _pair_by_order(self, left: Sequence[Answer]) -> None:
        """Pair with the oldest command of the name that has no answer yet.

        A further reply without commandid belongs to the latest command, answered before: history
        comes in several INFOs. One with a commandid that is not here answers a command that is not
        in the capture.
        """
        waiting: dict[str, deque[Command]] = {}
        answered: dict[str, Command] = {}
        for command in self.commands:
            if not (command.post or command.replaced or command.rejected()):
                for name in {command.name, *reply_aliases(command.name)}:
                    if command.answers:
                        answered[name] = command
                    else:
                        waiting.setdefault(name, deque()).append(command)
        for answer in left:
            name = answer.element.name
            found = self._oldest(waiting.get(name), answer.element.row)
            if found is None and answer.key is None:
                found = answered.get(name)
            if found is None:
                found = self._orphan(answer)
            else:
                found.answers.append(answer.element)
                found.paired_by = "order" if found.element else "none"
            answered[name] = found

    def _oldest(self, waiting: deque[Command] | None, row: int) -> Command | None:
        """Take the oldest command without answer that does not stand far behind the reply."""
        while waiting and waiting[0].answers:
            waiting.popleft()
        if not waiting or waiting[0].element is None:
            return None
        time = self._rows.time
        if time[waiting[0].element.row] - time[row] > REORDER_NS:
            return None
        return waiting.popleft()

    def _orphan(self, answer: Answer) -> Command:
        """Keep a reply without command; several replies to one unseen command are one pair."""
        name = _command_name(answer.element.name)
        key = answer.key or (0, 0)
        known_as = (*key, name)
        command = self._orphans.get(known_as) if answer.key is not None else None
        if command is None:
            command = Command(None, key, name, self._dialog)
            self._orphans[known_as] = command
            self.commands.append(command)
        command.answers.append(answer.element)
        return command


def _around(commands: list[Command], row: int) -> list[Command]:
    """Return the commands nearest before a row, or else the first: hostile input repeats keys."""
    if len(commands) <= REPETITIONS:
        return commands
    at = bisect_right(commands, row, key=lambda one: one.sort_key()[0])
    return commands[max(0, at - REPETITIONS) : at] or commands[:REPETITIONS]


def _likely(candidates: Sequence[Command], row: int) -> Command:
    """Return the command that a reply answers, of those with one envid and seqid."""
    accepted = [one for one in candidates if not one.rejected()] or list(candidates)
    before = [one for one in accepted if one.element and one.element.row <= row]
    return (before or accepted)[-1]


def _command_name(reply: str) -> str:
    """Return the name of the command that a reply answers, where there is only one."""
    entry = known(f"rpl:{reply}")
    if entry is None or len(entry.replies) != 1:
        return reply
    return entry.replies[0].partition(":")[2]


def accepted(status: int | None) -> bool:
    """Say whether SIP accepted the INFO that carried a command."""
    return status is not None and FINAL <= status < FAILURE
