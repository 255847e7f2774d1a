"""Which values of a script are slots, and which stayed literal though they look volatile."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.derive.losses import losses
from analyzer.replay.template import SLOT, slots_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.replay.script import Script, Turn

VOLATILE = {
    "GUID": r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?",
    "address": r"[\w.%+-]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}",
    "host and port": r"(?:\d{1,3}(?:\.\d{1,3}){3}|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+):\d{2,5}",
    "number": r"\d{6,}",
    "hexadecimal": r"(?=[A-Fa-f]*\d)(?=\d*[A-Fa-f])[0-9A-Fa-f]{10,}",
}
"""Forms of values that change from one play to the next, the most telling first."""
_FORMS = re.compile(
    r"(?<![\w.-])(?:"
    + "|".join(f"(?P<f{number}>{form})" for number, form in enumerate(VOLATILE.values()))
    + r")(?![\w-]|\.\w)",
    re.ASCII,
)
MAX_LITERALS = 10_000
"""Lines of a report that anybody reads are fewer."""
SHOWN = 200
NEVER = ("user-agent", "server", "supported", "allow", "content-type", "accept")
"""Headers with the names and versions of programs."""


class Use(NamedTuple):
    """A slot and how often templates have it."""

    name: str
    kind: str
    uses: int
    where: str


class Literal(NamedTuple):
    """A value that stayed literal though it looks volatile."""

    value: str
    form: str
    turn: str
    """Where it is first."""
    place: str
    uses: int


class Report(NamedTuple):
    """What became slots, and what did not."""

    slots: tuple[Use, ...]
    literals: tuple[Literal, ...]
    losses: tuple[str, ...] = ()
    """What the script does not have of its capture, a sentence each."""

    @property
    def kinds(self) -> dict[str, int]:
        """Slots by kind, the most frequent first."""
        return dict(Counter(use.kind for use in self.slots).most_common())


def slot_report(script: Script) -> Report:
    """Return the slots of a script with their uses, and the volatile values without one."""
    uses: Counter[str] = Counter()
    literals: dict[str, Literal] = {}
    for turn in script.turns:
        for place, text in _texts(turn):
            uses.update(slots_of(text))
            _literals(literals, turn, place, text)
    slots = (Use(one.name, one.kind, uses[one.name], one.where) for one in script.slots)
    return Report(tuple(slots), tuple(literals.values()), tuple(losses(script.origin)))


def report_lines(report: Report) -> list[str]:
    """Return a report as lines for people."""
    total = sum(use.uses for use in report.slots)
    kinds = ", ".join(f"{count} {kind}" for kind, count in report.kinds.items())
    lines = [*report.losses, f"{len(report.slots)} slots, used {total} times: {kinds or 'none'}"]
    if not report.literals:
        return [*lines, "nothing that looks volatile stayed literal"]
    lines.append(f"{len(report.literals)} values stayed literal though they look volatile:")
    for one in report.literals[:SHOWN]:
        times = "once" if one.uses == 1 else f"{one.uses} times"
        lines.append(f"  {one.value} ({one.form}), {times}, first in {one.turn}, {one.place}")
    if len(report.literals) > SHOWN:
        lines.append(f"  and {len(report.literals) - SHOWN} more")
    return lines


def _texts(turn: Turn) -> Iterator[tuple[str, str]]:
    yield "start line", turn.message.start
    yield from turn.message.headers
    yield "body", turn.message.body


def _literals(found: dict[str, Literal], turn: Turn, place: str, text: str) -> None:
    if place.lower() in NEVER:
        return
    # A slot becomes what is no part of any form, so that nothing is found across it.
    plain = SLOT.sub("\0", text) if "${" in text else text
    for match in _FORMS.finditer(plain):
        known = found.get(match[0])
        if known is not None:
            found[match[0]] = known._replace(uses=known.uses + 1)
        elif len(found) < MAX_LITERALS:
            form = list(VOLATILE)[int((match.lastgroup or "f0")[1:])]
            found[match[0]] = Literal(match[0], form, turn.id, place, 1)
