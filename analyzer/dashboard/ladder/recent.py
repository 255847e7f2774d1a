"""What was asked for last is kept, as long as it is not too much."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

V = TypeVar("V")


class Recent(Generic[V]):
    """Values by keys, the one asked for last at the end."""

    def __init__(self, limit: int, weigh: Callable[[V], int]) -> None:
        """``limit``: of the weight of all together; the last one always stays."""
        self._limit, self._weigh = limit, weigh
        self._kept: OrderedDict[Hashable, V] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """Return the value of a key, made where it is not kept."""
        if key not in self._kept:
            self._kept[key] = make()
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(map(self._weigh, self._kept.values())) > self._limit:
            self._kept.popitem(last=False)
        return self._kept[key]

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._kept)
