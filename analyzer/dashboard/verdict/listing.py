"""Which sessions a list shows, and in which order: as the address says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.dashboard.verdict.told import told_of
from analyzer.query import user_test
from analyzer.views.told import VERDICT_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from analyzer.dashboard.cases import Case
    from analyzer.views.told import Verdict

ORDERS = {
    "number": "as they began",
    "worst": "worst first",
    "longest": "longest first",
    "slowest": "slowest sign-in first",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of sessions is to show."""

    verdict: Verdict | None = None
    user: str = ""
    """Part of an address; with an asterisk a whole one, as on the command line."""
    first: str = ""
    """What failed first: the kind of a ``Failure``."""
    order: str = "number"

    @staticmethod
    def of(more: Mapping[str, str]) -> Wanted:
        """Return what an address asks for; what nobody understands is passed over."""
        verdict, order = more.get("verdict", ""), more.get("order", "")
        return Wanted(
            verdict if verdict in VERDICT_WORDS else None,
            more.get("user", ""),
            more.get("first", ""),
            order if order in ORDERS else "number",
        )


def indexes(case: Case, wanted: Wanted) -> Sequence[int]:
    """Return the sessions that are wanted, in the order that is wanted."""
    told = told_of(case)
    found = [*range(len(case.views))]
    if wanted.verdict is not None:
        found = [at for at in found if case.verdict(at) == wanted.verdict]
    if wanted.user:
        matches = _user_test(wanted.user)
        found = [at for at in found if matches(case.views[at].user)]
    if wanted.first:
        found = [at for at in found if _kind(case, at) == wanted.first]
    if wanted.order == "worst":
        place = {index: number for number, index in enumerate(told.ranked())}
        found.sort(key=place.__getitem__)
    elif wanted.order == "longest":
        found.sort(key=lambda at: -(case.views[at].ended - case.views[at].started))
    elif wanted.order == "slowest":
        found.sort(key=lambda at: -(told.progress(at).ms or 0.0))
    return found


def _kind(case: Case, index: int) -> str | None:
    failure = told_of(case).failure(index)
    return None if failure is None else failure.kind


def _user_test(text: str) -> Callable[[str | None], bool]:
    if "*" in text:
        return user_test((text,))
    return user_test((f"*{text.removeprefix('sip:')}*",))
