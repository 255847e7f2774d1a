"""Compares two sessions: ``compare`` is the only entry.

Exchanges are aligned first, then each pair is compared, then what is one-sided is judged by what
the other capture can tell, and last what only whole sessions show.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from analyzer.compare import one_sided, wholes
from analyzer.compare.exchange_pairs import Found, PairReader, answered
from analyzer.compare.ledger import Ledger
from analyzer.compare.orders import order_found
from analyzer.compare.rows import table_of
from analyzer.compare.side import MAX_EXCHANGES, Side
from analyzer.compare.values import DEFAULTS, AlignedRow, Comparison, Doubt, Told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.compare.rows import Place, Table
    from analyzer.compare.values import Exchange, Kind, SideName, Thresholds, Token
    from analyzer.sessions.view import SessionView

MAX_DETAILED = 500
"""Pairs of one kind whose header fields and bodies are compared: a client says the same in all of
its posts, and reading a message back takes a tenth of a millisecond."""


def compare(
    a: SessionView,
    b: SessionView,
    *,
    files: tuple[str, str] = ("", ""),
    why: str = "",
    thresholds: Thresholds = DEFAULTS,
    ignored: Sequence[Kind] = (),
) -> Comparison:
    """Compare two sessions, of two captures or of one; the captures must be open.

    Args:
        a: one session.
        b: the other.
        files: names of their captures.
        why: says why these two are compared.
        thresholds: from where on numbers differ.
        ignored: kinds of divergences that are not wanted.
    """
    return _Comparer(Side(a), Side(b), thresholds).run(files, why, ignored)


class _Comparer:
    def __init__(self, a: Side, b: Side, thresholds: Thresholds) -> None:
        self._a, self._b = a, b
        self._pairs = PairReader(a.source, b.source, thresholds)
        self._ledger = Ledger()
        self._detailed: Counter[Token] = Counter()
        self._dialogs: dict[tuple[str, int], int] = {}
        """The dialog of the other side that stands for one of this side."""
        self._table: Table = table_of(a.exchanges, b.exchanges)

    def run(self, files: tuple[str, str], why: str, ignored: Sequence[Kind]) -> Comparison:
        rows = [self._row(place) for place in self._table.places]
        for row in rows:
            if row.a is not None and row.b is not None and row.a.family == "INVITE":
                self._dialogs.setdefault(("A", row.a.dialog), row.b.dialog)
                self._dialogs.setdefault(("B", row.b.dialog), row.a.dialog)
        covered = self._endings(rows)
        for number, row in enumerate(rows):
            if row.a is not None and row.b is not None:
                self._both(number, row, row.a, row.b)
            else:
                rows[number] = self._one(number, row, covered)
        wholes.steps(self._a, self._b, rows, self._ledger)
        found = self._ledger.divergences()
        variant = wholes.variants(self._a, self._b)
        if variant is not None:
            found = (variant, *found)
        found = tuple(one for one in found if one.kind not in ignored)
        for number, weight in self._ledger.weights(ignored).items():
            if 0 <= number < len(rows):
                rows[number] = replace(rows[number], weight=weight)
        return Comparison(
            self._a.party(files[0]), self._b.party(files[1]), why,
            tuple(wholes.step_pairs(self._a, self._b)), tuple(rows), found,
            self._ledger.doubts(), tuple(self._cut()),
        )  # fmt: skip

    def _row(self, place: Place) -> AlignedRow:
        one = self._a.exchanges[place.a] if place.a >= 0 else None
        two = self._b.exchanges[place.b] if place.b >= 0 else None
        like = _like(one, two)
        return AlignedRow(like.subject, like.step, one, two, moved=place.moved)

    def _endings(self, rows: Sequence[AlignedRow]) -> set[tuple[str, int]]:
        covered: set[tuple[str, int]] = set()
        for found, row, like, dialogs in wholes.endings(self._a, self._b, rows):
            subject = wholes.dialog_subject(like.role)
            self._ledger.add(found, row, replace(like, subject=subject, family=subject, step=None))
            covered |= dialogs
        return covered

    def _both(self, number: int, row: AlignedRow, a: Exchange, b: Exchange) -> None:
        like = _like(a, b)
        self._detailed[like.token] += 1
        detailed = self._detailed[like.token] <= MAX_DETAILED
        for found in self._pairs.compare(a, b, detailed=detailed):
            self._ledger.add(found, number, like)
        for found in wholes.posts(self._a, self._b, row):
            self._ledger.add(found, number, like)
        if row.moved:
            order = order_found(
                self._table.places[number], self._table, self._a.exchanges, self._b.exchanges
            )
            if order is not None:
                self._ledger.add(order, number, like)
        for side, one, other in (("A", a, b), ("B", b, a)):
            if not one.outcome.known and other.outcome.known:
                name: SideName = "A" if side == "A" else "B"
                doubt = Doubt(name, like.subject, one.outcome.words, other.outcome.frames, number)
                self._ledger.doubt(doubt, like.step)

    def _one(self, number: int, row: AlignedRow, covered: set[tuple[str, int]]) -> AlignedRow:
        side: Literal["A", "B"] = "A" if row.b is None else "B"
        one = _like(row.a, row.b)
        own, other = (self._a, self._b) if side == "A" else (self._b, self._a)
        if one.family == "BYE" and (side, one.dialog) in covered:
            return row
        around = self._around(number, side)
        verdict = one_sided.judge(one, own, other, around, over=self._over(one, side))
        if verdict.unseen:
            doubt = Doubt(
                "B" if side == "A" else "A", one.subject, verdict.words, one.frames, number
            )
            self._ledger.doubt(doubt, one.step)
            return replace(row, unseen=verdict.words)
        wrong = wholes.post_gone_wrong(own, one)
        weight = verdict.weight if wrong is None else "major"
        told = wrong or answered(one), Told(verdict.words)
        found = Found("one-sided", weight, *(told if side == "A" else told[::-1]))
        self._ledger.add(found, number, one, follows=verdict.follows)
        return row

    def _over(self, one: Exchange, side: str) -> bool:
        """Say whether the other side saw the end of the dialog that an exchange is in."""
        dialog = self._dialogs.get((side, one.dialog))
        view = (self._b if side == "A" else self._a).view
        return dialog is not None and view.material.dialogs[dialog].end.row is not None

    def _around(self, number: int, side: str) -> tuple[Exchange | None, Exchange | None]:
        """Return what the side without an exchange has before and after it."""
        gap, at = self._table.places[number].gap, 1 if side == "A" else 0
        exchanges = (self._a, self._b)[at].exchanges
        fixed = self._table.fixed
        before = exchanges[fixed[gap - 1][at]] if gap else None
        after = exchanges[fixed[gap][at]] if gap < len(fixed) else None
        return before, after

    def _cut(self) -> Iterator[str]:
        for name, side in (("A", self._a), ("B", self._b)):
            if side.total > MAX_EXCHANGES:
                yield (
                    f"{name} has {side.total} exchanges: only the first {MAX_EXCHANGES} "
                    f"were compared"
                )
        many = sum(count > MAX_DETAILED for count in self._detailed.values())
        if many:
            yield (
                f"of exchanges of one kind only the first {MAX_DETAILED} were compared in header "
                f"fields and bodies ({many} kinds had more)"
            )


def _like(a: Exchange | None, b: Exchange | None) -> Exchange:
    """Return the one of two exchanges that tells more of what they are."""
    if a is None or b is None:
        found = a or b
        if found is None:
            raise ValueError("a row has an exchange of either side")
        return found
    return b if a.step is None else a
