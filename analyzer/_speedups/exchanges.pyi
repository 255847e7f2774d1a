from __future__ import annotations

from analyzer.rows import Rows
from analyzer.transaction_table import More

Bundle = tuple[int, list[int], list[int], list[int], bool]

class Exchanges:
    rest: list[int]
    def __init__(self, rows: Rows, quoted: int, least_final: int) -> None: ...
    def merged(
        self,
        begun: list[int],
        other_request: list[int],
        other_final: list[int],
        other_more: dict[int, More],
        other_of: list[int],
    ) -> tuple[list[int], list[int], dict[int, More], list[int]]: ...

def in_dialogs(
    rows: Rows,
    request: list[int],
    final: list[int],
    more: dict[int, More],
    methods: tuple[int, set[int], set[int], set[int]],
) -> tuple[list[Bundle], list[int]]: ...
def on_several_connections(rows: Rows) -> set[int]: ...
def spread(numbers: list[int], rows: list[int], number: int) -> None: ...
def elements_by_group(
    rows: Rows, group_of: list[int], left_out: set[int], row_of: list[int]
) -> dict[int, list[int]]: ...
