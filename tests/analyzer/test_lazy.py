"""What is made when it is looked at is what would have been made at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from analyzer.lazy import Lazy, once
from analyzer.meaning import analyse, outline
from analyzer.model import SESSION_FIELDS
from analyzer.trace import open_capture
from analyzer.views.told import tell, to_tell
from analyzer.views.triage import triage_record
from tests.analyzer.test_meaning_properties import Told, story_of, told
from tests.analyzer.truths import FLOWS, PLAIN

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.model import Analysis


def test_a_lazy_sequence_is_the_tuple_of_its_values() -> None:
    values = Lazy(5, lambda index: index * index)
    assert values == (0, 1, 4, 9, 16)
    assert values == (0, 1, 4, 9, 16)
    assert values == Lazy(5, lambda index: index * index)
    assert values != (0, 1)
    assert values[-1] == 16
    assert values[1:4:2] == (1, 9)
    assert list(reversed(values)) == [16, 9, 4, 1, 0]
    assert hash(values) == hash((0, 1, 4, 9, 16))
    assert repr(values) == "(0, 1, 4, 9, 16)"


def test_each_value_is_made_once_and_only_when_it_is_looked_at() -> None:
    made: list[int] = []

    def make(index: int) -> str:
        made.append(index)
        return str(index)

    values = Lazy(3, make)
    assert made == []
    assert (values[2], values[-1], values[0]) == ("2", "2", "0")
    assert made == [2, 0]


def test_a_property_is_worked_out_once() -> None:
    made: list[str] = []

    class Holder:
        @once
        def value(self) -> int:
            made.append("value")
            return 7

    holder = Holder()
    assert (holder.value, holder.value) == (7, 7)
    assert made == ["value"]


def _looked_at_backwards(analysis: Analysis) -> list[object]:
    """Return the values of a trace, the last field of the last session worked out first."""
    found: list[object] = []
    for session in reversed(analysis.sessions):
        found += [getattr(session, name) for name in reversed(SESSION_FIELDS)]
    for values in (analysis.pairs, analysis.dialogs, analysis.transactions):
        found += reversed(values)
    return found


@given(st.lists(told, max_size=40), st.lists(st.integers(0, 40), max_size=2))
def test_the_order_in_which_values_are_looked_at_does_not_matter(
    messages: list[Told], holes: list[int]
) -> None:
    whole = analyse(story_of(messages, holes).trace())
    trace = story_of(messages, holes).trace()
    parts = outline(trace)
    assert outline(trace) is parts
    assert _looked_at_backwards(parts) == _looked_at_backwards(whole)
    assert parts == whole


def _triage(path: Path, *, whole: bool) -> dict[str, object]:
    with open_capture(path) as trace:
        record = triage_record(trace, path.name, whole=whole)
        if not whole:
            tell(trace, record, to_tell(record["sessions"]))
        keys = triage_record(trace, path.name)["sessions"]
        record["sessions"] = [
            {name: session[name] for name in reversed(list(same))}
            for session, same in zip(record["sessions"], keys, strict=True)
        ]
        return record


def test_a_triage_worked_out_field_by_field_is_the_whole_one() -> None:
    for path in (*PLAIN[:4], *FLOWS[:8]):
        assert _triage(path, whole=False) == _triage(path, whole=True)


def test_an_analysis_outlives_its_trace() -> None:
    for path in PLAIN[:3]:
        with open_capture(path) as trace:
            closed = trace.analysis()
        with open_capture(path) as trace:
            assert _looked_at_backwards(closed) == _looked_at_backwards(trace.analysis())
