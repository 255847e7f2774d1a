"""What a page works out for what is selected: kept until something else is selected.

``Case.once`` keeps for as long as a case is open; of filters that people type there is no end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.dashboard.cases import Case

T = TypeVar("T")
KEPT = 4
"""Of one name: who goes back to what they looked at before finds it."""


def known(case: Case, name: str, key: object) -> object:
    """Return what is kept for this key; None where nothing is."""
    return case.once(("kept last", name), dict[object, object]).get(key)


def kept_last(case: Case, name: str, key: object, make: Callable[[], T]) -> T:
    """Return what ``make`` returned for this key; only the last few keys of a name are kept."""
    kept = case.once(("kept last", name), dict[object, object])
    if key not in kept:
        while len(kept) >= KEPT:
            del kept[next(iter(kept))]
        kept[key] = make()
    return cast("T", kept[key])
