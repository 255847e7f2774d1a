"""A capture that is looked into for long: apart from the case, where that is possible.

The rule: who looks into a case keeps everybody else from it. A large one is read once more for what
takes long, so that pages answer meanwhile; its messages have the same numbers.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.takeaway.work import Work
    from analyzer.trace import Trace

LARGE = 8_000
"""Messages: of fewer nothing takes as long as a person notices."""


@contextmanager
def looking_into(case: Case, work: Work) -> Iterator[Trace]:
    """Give the messages of a case: the case itself, locked, or read anew."""
    if not _is_apart(case):
        with work.holding(case.lock):
            yield case.trace
        return
    from analyzer.trace import open_capture

    work.say("reading it once more, so that pages need not wait")
    with open_capture(case.files[0], progress=lambda _: work.check()) as trace:
        if len(trace.rows) != len(case.trace.rows):
            raise ValueError("the file is another one than the one that was opened: open it again")
        yield trace


def _is_apart(case: Case) -> bool:
    """Tell whether a case is large, and can be read again as it was: one capture without keys.

    Keys are not kept, and neither is the zone of a text trace.
    """
    trace = case.trace
    plain = len(case.files) == 1 and not (case.key_words or trace.inputs or trace.has_lines)
    return plain and len(trace.rows) > LARGE
