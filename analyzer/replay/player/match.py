"""Which turn of the script a message of the peer is.

The rule: by meaning (method, event, dialog, whom it is to, what its XCCOS says), never by position:
a client's order varies from run to run, and a server may batch its replies or spread them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.align import observe, template_root
from analyzer.replay.fields import read_field
from analyzer.replay.heard import with_items
from analyzer.replay.names import canonical
from analyzer.replay.player.apart import OWN
from analyzer.replay.player.calls import aor_of
from analyzer.replay.results import Difference
from analyzer.replay.template import fill, slots_of

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from analyzer.replay.heard import Heard
    from analyzer.replay.player.plan import Plan
    from analyzer.replay.player.values import Values
    from analyzer.replay.script import Expectation, Turn
    from dissectors.xccos.messages import Element, Item

SAME_CONTENT, SAME_ADDRESSEE, SAME_EVENT, SAME_TYPE = 100, 60, 40, 20
SAME_FIELD, ECHOED, USED = 6, 12, -9
"""What counts how much. What a message is about goes before whether a turn was used already; that
goes before a field that differs."""
LEAST, LEAST_INVITE = SAME_CONTENT // 2, SAME_TYPE
"""A message that has less in common with a turn is none of the script. An INVITE to somebody else
is taken once, and told: Lookup services have any name."""
EVENTS = ("SUBSCRIBE", "NOTIFY", "BENOTIFY", "PUBLISH")
"""Methods that are about an event package (RFC 6665); of others the header is decoration."""
OUTSIDE = ("INVITE", "SUBSCRIBE", "REGISTER", "SERVICE", "MESSAGE", "OPTIONS")
"""Methods of which the addressee says what they are; inside a dialog it is always the same."""
ECHOES = frozenset({"envid", "seqid", "room", "text", "uri", "opaque", "token", "call-id"})
"""Kinds of our values that the peer must say back as they are."""


class Match(NamedTuple):
    """A turn, and the message that is it (or its part of one)."""

    turn: Turn
    heard: Heard
    observed: dict[str, str]
    complete: bool = True
    """All items of the turn have come."""


class Matcher:
    """Finds turns for the messages of one conversation."""

    def __init__(self, plan: Plan, values: Values, unknown: Callable[[str], bool]) -> None:
        self._plan = plan
        self._value = values.peek
        self._known = values.known
        self._unknown = unknown
        self.scored = 0
        """Comparisons so far: what a long session costs."""
        self._parts: dict[str, list[Item]] = {}
        """Items that have come of turns of which others have not."""

    def turns_of(
        self, heard: Heard, candidates: Sequence[Turn], used: Container[str]
    ) -> list[Match]:
        """Return the turn that a request is, or the several that its items are; none: unknown.

        ``candidates`` are of its method.
        """
        fitting = [turn for turn in candidates if self._may_come(turn, used)]
        names, known = _names(heard), self._plan.names
        same = [turn for turn in fitting if known[turn.id] == names] if names else []
        if not same and len(names) > 1:
            wanted = Counter(names)
            same = [turn for turn in fitting if Counter(known[turn.id]) == wanted]
        if same:
            return [self._best(heard, same, used)]
        if heard.items:
            return self._by_items(heard, sorted(fitting, key=lambda turn: turn.id in used))
        best = self._best(heard, fitting, used) if fitting else None
        least = LEAST_INVITE if heard.method == "INVITE" else LEAST
        return [] if best is None or self._score(best.turn, heard, used) < least else [best]

    def _may_come(self, turn: Turn, used: Container[str]) -> bool:
        """Say whether a turn can be heard already: not before we have said what brings it about."""
        cause = turn.cause
        if cause is None or cause not in self._plan.number or cause in used:
            return True
        return not self._plan.is_ours(self._plan.turn(cause))

    def _best(self, heard: Heard, turns: Sequence[Turn], used: Container[str]) -> Match:
        chosen = turns[0] if len(turns) == 1 else self._nearest(heard, turns, used)
        return Match(chosen, heard, self._observed(chosen, heard))

    def _nearest(self, heard: Heard, turns: Sequence[Turn], used: Container[str]) -> Turn:
        """Return the best of several: the first that is all it should be and was not yet."""
        best, most = turns[0], None
        perfect = SAME_ADDRESSEE + SAME_TYPE
        perfect += SAME_EVENT if heard.method in EVENTS else 0
        perfect += SAME_CONTENT if _names(heard) else 0
        for again in (False, True):
            for turn in turns:
                if (turn.id in used) is not again:
                    continue
                score = self._score(turn, heard, used)
                if score >= perfect:
                    return turn
                if most is None or score > most:
                    best, most = turn, score
        return best

    def _observed(self, turn: Turn, heard: Heard) -> dict[str, str]:
        """Return what a message says for the slots of a turn, where it can be meant."""
        found = observe(turn.message, heard, self._known)
        return {name: value for name, value in found.items() if self._plausible(name, value)}

    def _plausible(self, name: str, value: str) -> bool:
        """Say whether a value is of its slot's kind: a domain follows from its user."""
        slot = self._plan.slots.get(name)
        if slot is None:
            return False
        if slot.kind == "domain":
            return (slot.part_of is None or name.endswith(OWN)) and "@" not in value
        return slot.kind != "user" or "@" in value

    def _score(self, turn: Turn, heard: Heard, used: Container[str]) -> int:
        """Return how much a message has in common with a turn."""
        self.scored += 1
        score = USED if turn.id in used else 0
        names, known = _names(heard), self._plan.names[turn.id]
        if names and known:
            score += SAME_CONTENT if names == known else -SAME_CONTENT
        score += self._same_headers(turn, heard)
        observed = self._observed(turn, heard)
        score -= ECHOED * len(self._unequal(observed))
        return score - SAME_FIELD * len(self._unmet(turn, heard))

    def _same_headers(self, turn: Turn, heard: Heard) -> int:
        """Compare what tells requests of one method apart outside their bodies."""
        message, first = turn.message, heard.message.headers.first
        score = 0
        for name, weight in (("Event", SAME_EVENT), ("Content-Type", SAME_TYPE)):
            if name == "Event" and heard.method not in EVENTS:
                continue
            same = _bare(message.header(name)) == _bare(first(name))
            score += weight if same else -weight
        if (message.header("Expires") == "0") != (first("expires") == "0"):
            score -= SAME_CONTENT  # it ends what the other begins
        return score + (SAME_ADDRESSEE if self._same_addressee(turn, heard) else 0)

    def _same_addressee(self, turn: Turn, heard: Heard) -> bool:
        if heard.method not in OUTSIDE:
            return True
        to = aor_of(fill(turn.message.header("To") or "", self._value))
        return to == aor_of(heard.message.headers.first("to") or "")

    def _unequal(self, observed: Mapping[str, str]) -> list[str]:
        """Return our values that a message does not give back as we said them."""
        return [
            name
            for name, value in observed.items()
            if self._echoes(name) and name in self._known and self._known[name] != value
        ]

    def _echoes(self, name: str) -> bool:
        slot = self._plan.slots.get(name)
        return slot is not None and slot.kind in ECHOES and slot.said_by in self._plan.ours

    def _unmet(self, turn: Turn, heard: Heard) -> list[Difference]:
        """Return the expectations that a message does not meet; what is only now said has none."""
        found = []
        for expectation in turn.expect:
            if any(self._unknown(name) for name in slots_of(expectation.equals)):
                continue
            wanted = fill(expectation.equals, self._value)
            actual = read_field(expectation.path, heard)
            if actual != wanted and not self._same_name(expectation, wanted, actual):
                found.append(Difference(expectation.path, wanted, actual))
        return found

    def _same_name(self, expectation: Expectation, wanted: str, actual: str | None) -> bool:
        """Say whether addresses or ids differ in case alone, which makes nothing else of them."""
        if actual is None:
            return False
        if expectation.path.endswith("/@id"):
            return canonical(actual) == canonical(wanted)
        slots, names = self._plan.slots, slots_of(expectation.equals)
        people = any(slots[name].kind in ("user", "domain") for name in names if name in slots)
        return people and actual.casefold() == wanted.casefold()

    def differences(self, match: Match) -> tuple[Difference, ...]:
        """Return what in a message is not as the script expects it."""
        found = self._unmet(match.turn, match.heard)
        if heard_invite(match) and not self._same_addressee(match.turn, match.heard):
            wanted = fill(match.turn.message.header("To") or "", self._value)
            found.append(Difference("header/To", wanted, match.heard.message.headers.first("to")))
        for slot in self._plan.brings.get(match.turn.id, ()):
            if slot.name not in match.observed:
                found.append(Difference(slot.where or slot.name, slot.value, None))
        told = {(one.expected, one.found) for one in found}
        for name in self._unequal(match.observed):
            pair = (self._known[name], match.observed[name])
            if pair not in told:
                where = self._plan.slots[name].kind
                found.append(Difference(f"{where} ({name})", *pair))
        return tuple(found)

    def _by_items(self, heard: Heard, turns: Sequence[Turn]) -> list[Match]:
        """Give each item to the turn that awaits one like it."""
        given: dict[str, list[Item]] = {}
        left = {turn.id: self._outstanding(turn) for turn in turns}
        for item in heard.items:
            turn = self._taker(item, turns, left, heard)
            if turn is not None:
                left[turn.id].remove(_name(item))
                given.setdefault(turn.id, []).append(item)
        return [
            self._part(turn, given[turn.id], heard, complete=not left[turn.id])
            for turn in turns
            if turn.id in given
        ]

    def _outstanding(self, turn: Turn) -> list[str]:
        names = list(self._plan.names[turn.id])
        for item in self._parts.get(turn.id, ()):
            if _name(item) in names:
                names.remove(_name(item))
        return names

    def _taker(
        self, item: Item, turns: Sequence[Turn], left: Mapping[str, list[str]], heard: Heard
    ) -> Turn | None:
        fitting = [turn for turn in turns if _name(item) in left[turn.id]]
        if len(fitting) < 2:
            return fitting[0] if fitting else None
        alone = with_items(heard, (item,))
        return max(
            fitting,
            key=lambda turn: (
                self._replies(turn, item),
                -len(self._unequal(self._observed(turn, alone))),
                -len(self._unmet(turn, alone)),
                -turns.index(turn),
            ),
        )

    def _replies(self, turn: Turn, item: Item) -> bool:
        """Say whether a turn has the reply to the very command that an item replies to."""
        told = _commandid(item.node, str)
        root = template_root(turn.message.body) if told else None
        if root is None:
            return False
        return any(
            _commandid(one, lambda text: fill(text, self._value)) == told for one in root.children
        )

    def _part(self, turn: Turn, items: list[Item], heard: Heard, *, complete: bool) -> Match:
        items = [*self._parts.pop(turn.id, ()), *items]
        if not complete:
            self._parts[turn.id] = items
        whole = with_items(heard, tuple(items))
        return Match(turn, whole, self._observed(turn, whole), complete)


def heard_invite(match: Match) -> bool:
    """Say whether a match is about an INVITE, whose addressee matters."""
    return match.heard.is_request and match.heard.method == "INVITE"


def _commandid(node: Element, filled: Callable[[str], str]) -> tuple[str, str] | None:
    """Return envid and seqid of the command that a reply answers."""
    one = node.find("commandid")
    if one is None:
        return None
    return filled(one.get("envid") or ""), filled(one.get("seqid") or "")


def _bare(value: str | None) -> str:
    return (value or "").partition(";")[0].strip().lower()


def _name(item: Item) -> str:
    return canonical(item.id or item.element)


def _names(heard: Heard) -> tuple[str, ...]:
    """Return what a body is, as ``plan.names_of`` says it of templates."""
    if heard.items:
        return tuple(_name(item) for item in heard.items)
    return (f"<{heard.root.name}>",) if heard.root is not None else ()
