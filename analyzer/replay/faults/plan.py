"""What happens to one message: the faults of all rules that hit it, put together.

The rule: rules work in their order; one that loses the message, or answers it, is the last.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.replay.faults.answers import response_to
from analyzer.replay.faults.bodies import corrupted, oversized, with_wrong_commandid
from analyzer.replay.faults.rules import (
    Answer,
    Corrupt,
    Cut,
    Delay,
    Drop,
    Duplicate,
    Merge,
    Oversized,
    Reorder,
    Split,
    Stall,
    WrongCommandId,
)
from analyzer.replay.heard import Heard, hear

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random  # noqa: TID251  (only its type)

    from analyzer.replay.faults.matching import Counter, Seen
    from analyzer.replay.faults.rules import Fault


@dataclass(slots=True)
class Plan:
    """What becomes of a message."""

    data: bytes
    delay: float = 0.0
    copies: list[float] = field(default_factory=list)
    """Seconds after the message, of each further one."""
    hold: Reorder | Merge | None = None
    split: Split | None = None
    cut: Cut | None = None
    stall: float = 0.0
    answer: bytes | None = None
    lost: bool = False
    told: list[tuple[int, str]] = field(default_factory=list)
    """Rule by its number, and what it did."""


def plan_for(seen: Seen, counters: Sequence[Counter]) -> Plan:
    """Count a message at all rules and return what becomes of it."""
    plan = Plan(seen.raw)
    for number, counter in enumerate(counters):
        if not counter.takes(seen):
            continue
        did = _apply(plan, counter.rule.fault, seen, counter.chance)
        plan.told.append((number, did))
        if plan.lost:
            break
    return plan


def _apply(plan: Plan, fault: Fault, seen: Seen, chance: Random) -> str:
    """Add a fault to a plan; return what it does, in words."""
    match fault:
        case Drop():
            plan.lost = True
            return "dropped"
        case Answer(status, reason):
            tag = f"{chance.getrandbits(40):010x}"
            return _answer(plan, fault, seen, tag) or f"answered {status} {reason}".strip()
        case Corrupt() | WrongCommandId() | Oversized():
            return _rewrite(plan, fault, chance)
        case _:
            return _in_time(plan, fault)


def _answer(plan: Plan, fault: Answer, seen: Seen, tag: str) -> str:
    """Answer in place of the play; return why that was not possible."""
    try:
        plan.answer = response_to(seen.heard.message, fault, tag)
    except ValueError:
        return "could not answer"
    plan.lost = True
    return ""


def _rewrite(plan: Plan, fault: Corrupt | WrongCommandId | Oversized, chance: Random) -> str:
    """Change what a message says."""
    if isinstance(fault, Corrupt):
        plan.data = corrupted(plan.data, fault, chance)
        return f"flipped {fault.count} bytes" if fault.count > 1 else "flipped a byte"
    heard = hear(plan.data)
    if not isinstance(heard, Heard):  # a rule before has damaged it
        return "could not change"
    if isinstance(fault, Oversized):
        plan.data = oversized(heard.message, fault.body)
        return f"made the body {fault.body} bytes long"
    if heard.document is None:
        return "could not change"
    plan.data = with_wrong_commandid(heard, fault.envid, chance)
    return "named a wrong command"


def _in_time(plan: Plan, fault: Fault) -> str:
    """Change when, how often and in which pieces a message passes."""
    match fault:
        case Delay(by):
            plan.delay += by
            return f"delayed by {by:g} s"
        case Duplicate(times, by):
            plan.copies += [by * (number + 1) for number in range(times)]
            return "doubled" if times == 1 else f"repeated {times} times"
        case Reorder() | Merge():
            plan.hold = fault
            return "changed places" if isinstance(fault, Reorder) else "merged with the next one"
        case Split():
            plan.split = fault
            return "split"
        case Stall(seconds):
            plan.stall = max(plan.stall, seconds)
            return f"stopped reading for {seconds:g} s"
        case Cut(how, where):
            plan.cut = fault
            return f"cut ({how}) {where}"
        case _:
            raise AssertionError(fault)


def cut_up(data: bytes, split: Split) -> list[bytes]:
    """Cut bytes where a rule says; no piece is empty."""
    if split.head:
        blank = data.find(b"\r\n\r\n")
        places: Sequence[int] = () if blank < 0 else (blank + 4,)
    elif split.at:
        places = split.at
    else:
        count = min(split.pieces, len(data))
        places = [len(data) * number // count for number in range(1, count)]
    edges = [0, *(place for place in places if 0 < place < len(data)), len(data)]
    return [data[edges[at] : edges[at + 1]] for at in range(len(edges) - 1)]
