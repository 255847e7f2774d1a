from collections.abc import Callable

from analyzer.reading import Reading
from analyzer.rows import Rows

class Pass:
    """Feed it the bytes of a capture; ``close`` returns what was read."""

    reading: Reading

    def __init__(
        self,
        *,
        items: bool = True,
        read_back: Callable[[int, int], bytes] | None = None,
        streaming: bool = False,
    ) -> None: ...
    @property
    def stopped(self) -> bool: ...
    def feed(self, data: bytes) -> None: ...
    def close(self) -> Reading: ...
    def take(self, rows: Rows, *, everything: bool = False) -> bool: ...
    def stream_keys(self, known: int) -> list[tuple[bytes, str]]: ...
