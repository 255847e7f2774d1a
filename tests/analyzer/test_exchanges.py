"""The compiled twin of the second pass gives what the reference gives, whatever was captured."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.compiled import exchanges
from analyzer.contents import Elements
from analyzer.groups import Groups
from analyzer.hops import find_copies
from analyzer.legs import Leg, find_legs
from analyzer.meaning import analyse
from analyzer.transactions import match
from tests.analyzer.stories import Story
from tests.analyzer.test_meaning_properties import Told, story_of, told

if TYPE_CHECKING:
    from analyzer.trace import Trace

# Where it is not built, the reference is compared with itself.
IMPLEMENTATIONS = [None] if exchanges() is None else [None, exchanges()]
USERS = ("transactions", "hops", "groups", "contents")


def _with(twin: Any, trace: Trace) -> tuple[object, ...]:  # noqa: ANN401  (a module or None)
    """Return everything that an implementation makes of a trace."""
    with ExitStack() as stack:
        for user in USERS:
            stack.enter_context(patch(f"analyzer.{user}.exchanges", lambda: twin))
        if twin is None:
            stack.enter_context(patch("analyzer.legs.compiled_legs", lambda: None))
        rows, found = trace.rows, match(trace.rows, trace.streams)
        more = {
            index: (one.retransmissions, one.provisional, one.repeated, one.acks)
            for index, one in found.more.items()
        }
        legs = find_legs(rows, found)
        plain = [[getattr(leg, name) for name in Leg.__slots__] for leg in legs]
        copies = find_copies(rows, found)
        groups = Groups(rows, found, legs, copies)
        elements = Elements(rows, groups.group_of, set(copies))
        columns = (found.request, found.final, found.first, found.of, found.across, more)
        return columns, plain, copies, groups.group_of, list(elements.groups()), elements.row


@given(st.lists(told, max_size=60))
def test_the_twin_is_the_reference(messages: list[Told]) -> None:
    trace = story_of(messages, []).trace()
    reference, *twins = (_with(one, trace) for one in IMPLEMENTATIONS)
    for other in twins:
        assert other == reference


@pytest.mark.parametrize("twin", IMPLEMENTATIONS)
def test_an_answer_with_another_branch_is_that_of_the_only_request(twin: Any) -> None:  # noqa: ANN401
    story = Story()
    wire = story.connect()
    said = wire.asks("INFO", "ann", "svc", call="c", to_tag="b", via=["SIP/2.0/TCP h;branch=1"])
    said.vias[:] = ["SIP/2.0/TCP h;branch=2"]
    wire.answered(said, 200)
    with patch("analyzer.transactions.exchanges", lambda: twin):
        (one,) = analyse(story.trace()).transactions
    assert (one.request, one.final, one.status) == (0, 1, 200)


@pytest.mark.parametrize("twin", IMPLEMENTATIONS)
def test_many_plain_exchanges_keep_their_numbers_among_the_others(twin: Any) -> None:  # noqa: ANN401
    story = Story()
    wire = story.connect()
    for number in range(200):
        said = wire.asks("INFO", "ann", "svc", call=f"c{number % 7}", to_tag="b", cseq=number + 1)
        wire.answered(said, 100 if number % 5 == 0 else 200)
        wire.answered(said, 200)
    with patch("analyzer.transactions.exchanges", lambda: twin):
        made = analyse(story.trace()).transactions
    assert [one.index for one in made] == list(range(200))
    assert [one.request for one in made] == list(range(0, 600, 3))
    assert [len(one.provisional) for one in made] == [int(n % 5 == 0) for n in range(200)]
    assert [len(one.repeated_finals) for one in made] == [int(n % 5 != 0) for n in range(200)]
