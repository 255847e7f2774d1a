"""Command pairs: which ``rpl`` answers which ``cmd``.

The key is the dialog and the ``commandid`` (envid and seqid) of the reply. A reply without one goes
to the oldest command of its name that is still without an answer. Pairing is a second pass over all
rows: in a capture whose frames changed places, a reply stands before its command.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from analyzer.transaction_table import CHALLENGES, FAILURE, FINAL
from dissectors.xccos.catalogue import known, reply_aliases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.contents import Elements
    from analyzer.model import Outcome, PairedBy
    from analyzer.transaction_table import Transactions

REORDER_NS = 1_000_000_000
"""A reply without commandid may stand so long before its command in a reordered capture."""
REPETITIONS = 64
"""Commands with one envid and seqid that are looked at for the one that a reply answers."""


class Answer(NamedTuple):
    """A reply, and whether it names its command."""

    element: int
    row: int
    name: str
    key: tuple[int, int] | None
    """``(envid, seqid)`` of its commandid, as numbers in the rows."""


class Command:
    """A command or post while its answers are collected."""

    __slots__ = (
        *("answers", "challenged", "dialog", "element", "index", "key", "name", "name_mismatch"),
        *("outcome", "paired_by", "post", "repeated", "repeats", "replaced", "row", "status"),
        "transaction",
    )

    def __init__(self, element: int, row: int, key: tuple[int, int], name: str) -> None:
        self.element = element
        """-1 for a reply whose command is not in the capture."""
        self.row = row
        self.key = key
        self.name = name
        self.index = 0
        """Among the commands of the capture."""
        self.dialog = -1
        self.transaction = -1
        self.status: int | None = None
        self.post = False
        self.outcome: Outcome = "unknown"
        self.answers: list[Answer] = []
        self.paired_by: PairedBy = "none"
        self.name_mismatch = False
        self.challenged: list[int] = []
        """Rows of the same command before it was signed anew."""
        self.repeats: int | None = None
        """Row of the rejected command with the same envid that this one repeats."""
        self.repeated: int | None = None
        """Row of the command that repeats this one."""
        self.replaced = False
        """It was challenged and sent again, newly signed: the later one stands for both."""

    def rejected(self) -> bool:
        """Say whether the INFO that carried it was refused."""
        return self.status is not None and self.status >= FAILURE

    def first(self) -> tuple[int, int]:
        """Return row and element of the command, else of the first reply: where the pair begins."""
        if self.element >= 0:
            return self.row, self.element
        return self.answers[0].row, self.answers[0].element

    def fits(self, reply: str) -> bool:
        """Say whether a reply's name may answer this command."""
        return reply == self.name or reply in reply_aliases(self.name)


class Pairer:
    """Pairs the commands of one dialog with their replies."""

    def __init__(self, elements: Elements, transactions: Transactions) -> None:
        self._elements = elements
        self._transactions = transactions
        self._rows = elements.rows
        self._columns = elements.rows.item_columns
        self._status = elements.rows.status
        self.commands: list[Command] = []
        self._answers: list[Answer] = []
        self._by_key: dict[tuple[int, int], list[Command]] = {}
        self._by_envid: dict[int, list[Command]] | None = None
        self._orphans: dict[tuple[int, int, str], Command] = {}
        self._repeated = False

    def run(self, dialog: int, client_tag: int) -> list[Command]:
        """Return the commands and posts of the dialog, and a stand-in for each one not captured."""
        what, row_of, tags = self._elements.what, self._elements.row, self._rows.from_tag
        for element in self._elements.of(dialog):
            kind, name = what[element]
            if kind == "cmd":
                self._command(element, name)
            elif kind == "rpl":
                key = self._command_key(element)
                self._answers.append(Answer(element, row_of[element], name, key))
            elif kind == "grpchat" and tags[row_of[element]] == client_tag:
                self._command(element, "grpchat").post = True
        if self._repeated:
            self._mark_repetitions()
        left = [answer for answer in self._answers if not self._by_commandid(answer)]
        if left:
            self._pair_by_order(left)
        done = [command for command in self.commands if not command.replaced]
        for command in done:
            command.dialog = dialog
        return done

    def _command_key(self, item: int) -> tuple[int, int] | None:
        columns = self._columns
        if not columns["has_commandid"][item]:
            return None
        return columns["command_envid"][item], columns["command_seqid"][item]

    def _command(self, element: int, name: str) -> Command:
        columns, row = self._columns, self._elements.row[element]
        key = (columns["envid"][element], columns["seqid"][element])
        command = Command(element, row, key, name)
        command.transaction = transaction = self._transactions.of[row]
        if transaction >= 0:
            final = self._transactions.final[transaction]
            command.status = None if final < 0 else self._status[final]
        self.commands.append(command)
        earlier = self._by_key.get(key)
        if earlier is None:
            self._by_key[key] = [command]
            return command
        self._repeated = True
        if earlier and earlier[-1].status in CHALLENGES and earlier[-1].name == name:
            self._sign_anew(earlier.pop(), command)
        earlier.append(command)
        return command

    def _sign_anew(self, old: Command, new: Command) -> None:
        """Let a command that was sent again after a challenge stand for both."""
        if old.element >= 0:
            new.challenged = [*old.challenged, old.row]
        old.replaced = True

    def _mark_repetitions(self) -> None:
        for same in self._by_key.values():
            for before, after in pairwise(same):
                if before.name == after.name:
                    after.repeats, before.repeated = before.row, after.row

    def _by_commandid(self, answer: Answer) -> bool:
        if answer.key is None or not answer.key[0]:
            return False
        row, reply = answer.row, answer.name
        if answer.key[1]:
            known = self._by_key.get(answer.key, [])
            if len(known) == 1 and not known[0].post:
                return self._answered(known[0], answer)
            candidates = _around(known, row)
        else:
            same = _around(self._of_envid(answer.key[0]), row)
            fitting = [one for one in same if one.fits(reply)]
            candidates = [one for one in fitting if not one.answers][:1] or fitting[-1:]
        candidates = [one for one in candidates if not one.post and not one.replaced]
        if not candidates:
            return False
        return self._answered(_likely(candidates, row), answer)

    def _answered(self, command: Command, answer: Answer) -> bool:
        command.answers.append(answer)
        command.paired_by = "commandid"
        if answer.name != command.name and not command.fits(answer.name):
            command.name_mismatch = True
        return True

    def _of_envid(self, envid: int) -> list[Command]:
        """Return the commands of one envelope; hardly any reply names only that."""
        if self._by_envid is None:
            self._by_envid = {}
            for command in self.commands:
                self._by_envid.setdefault(command.key[0], []).append(command)
        return self._by_envid.get(envid, [])

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
            name = answer.name
            found = self._oldest(waiting.get(name), answer.row)
            if found is None and answer.key is None:
                found = answered.get(name)
            if found is None:
                found = self._orphan(answer)
            else:
                found.answers.append(answer)
                found.paired_by = "order" if found.element >= 0 else "none"
            answered[name] = found

    def _oldest(self, waiting: deque[Command] | None, row: int) -> Command | None:
        """Take the oldest command without answer that does not stand far behind the reply."""
        while waiting and waiting[0].answers:
            waiting.popleft()
        if not waiting or waiting[0].element < 0:
            return None
        time = self._rows.time
        if time[waiting[0].row] - time[row] > REORDER_NS:
            return None
        return waiting.popleft()

    def _orphan(self, answer: Answer) -> Command:
        """Keep a reply without command; several replies to one unseen command are one pair."""
        name = _command_name(answer.name)
        key = answer.key or (0, 0)
        known_as = (*key, name)
        command = self._orphans.get(known_as) if answer.key is not None else None
        if command is None:
            command = Command(-1, -1, key, name)
            self._orphans[known_as] = command
            self.commands.append(command)
        command.answers.append(answer)
        return command


def _around(commands: list[Command], row: int) -> list[Command]:
    """Return the commands nearest before a row, or else the first: hostile input repeats keys."""
    if len(commands) <= REPETITIONS:
        return commands
    at = bisect_right(commands, row, key=lambda one: one.row)
    return commands[max(0, at - REPETITIONS) : at] or commands[:REPETITIONS]


def _likely(candidates: Sequence[Command], row: int) -> Command:
    """Return the command that a reply answers, of those with one envid and seqid."""
    accepted = [one for one in candidates if not one.rejected()] or list(candidates)
    before = [one for one in accepted if one.element >= 0 and one.row <= row]
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
