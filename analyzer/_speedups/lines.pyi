from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from analyzer.rows import Rows

class LineWriter:
    """Writes messages of one capture as lines."""

    def __init__(
        self,
        fields: Sequence[str],
        *,
        form: str = "jsonl",
        file: str | None = None,
        streams: Sequence[Sequence[object]],
        read: Callable[[int, int], bytes],
    ) -> None:
        """Prepare lines of ``fields``, as JSON lines or (``form="csv"``) CSV without a header.

        ``streams`` are source, destination and transport of a stream by its number, ``read``
        gives bytes of the capture by offset and length. ``file`` is written first where given.
        Raises ValueError for a field that the form does not have, KeyError for an unknown one.
        """

    def write(
        self, rows: Rows, first_index: int = 0, chosen: Iterable[int] | None = None
    ) -> list[bytes]:
        """Return the lines of a batch in blocks of about 256 KiB, each of whole lines.

        ``first_index`` is the index of the batch's first row; ``chosen`` are the numbers in the
        batch of the rows that are wanted (None: all). Raises IndexError for a row that is none.
        """

    def blocks(
        self, rows: Rows, first_index: int = 0, chosen: Iterable[int] | None = None
    ) -> Iterator[bytes]:
        """Yield what ``write`` returns, block by block; one batch at a time."""
