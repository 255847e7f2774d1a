from __future__ import annotations

from collections.abc import Container

from analyzer.legs import Leg
from analyzer.rows import Rows
from analyzer.transaction_table import Transactions

class LegFinder:
    def __init__(
        self,
        rows: Rows,
        transactions: Transactions,
        methods: tuple[int, set[int], set[int], set[int]],
        challenges: Container[int],
    ) -> None: ...
    def run(self) -> list[Leg]: ...
