"""``--fail-on``: conditions that make the exit code 1, each said with its evidence on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.cli.exits import FAILED, OK
from analyzer.cli.options import parsed
from analyzer.cli.terminal import talk
from analyzer.export.printable import printable
from analyzer.views.numbers import amount, frames_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from analyzer.diagnostics.rule import Finding
    from analyzer.model import CommandPair
    from analyzer.trace import Trace


def rejected(trace: Trace, pairs: Sequence[CommandPair]) -> str | None:
    """A command or post was refused, by SIP or by the code of its reply."""
    from analyzer.views.commands import refused_by_reply  # only where a condition is given

    found = [pair for pair in pairs if pair.outcome == "rejected" or refused_by_reply(pair)]
    return _counted(trace, found, "rejected")


def unanswered(trace: Trace, pairs: Sequence[CommandPair]) -> str | None:
    """A command was accepted and never answered."""
    return _counted(trace, [pair for pair in pairs if pair.outcome == "unanswered"], "unanswered")


def incomplete(trace: Trace, _: Sequence[CommandPair]) -> str | None:
    """A step of a sign-in failed or is missing."""
    found = [
        session.user or f"session {session.index}"
        for session in trace.analysis().sessions
        if any(step.status in ("failed", "missing") for step in session.steps)
    ]
    return f"sign-in incomplete: {', '.join(found)}" if found else None


def holes(trace: Trace, _: Sequence[CommandPair]) -> str | None:
    """Bytes of a SIP connection are missing from the capture."""
    found = trace.quality.holes
    if not found:
        return None
    return f"{amount(len(found), 'hole')} before {frames_text(hole.frame for hole in found)}"


CHECKS: dict[str, Callable[[Trace, Sequence[CommandPair]], str | None]] = {
    "rejected": rejected,
    "unanswered": unanswered,
    "incomplete": incomplete,
    "holes": holes,
}


def judge_of(
    conditions: Iterable[str],
) -> Callable[[str, Trace, Sequence[Any]], int] | None:
    """Return what looks at a capture and its pairs and returns an exit code; None: no condition."""
    wanted = set(CHECKS) if "any" in set(conditions) else set(conditions)
    if not wanted:
        return None

    def judge(file: str, trace: Trace, pairs: Sequence[Any]) -> int:
        code = OK
        for name, check in CHECKS.items():
            evidence = check(trace, pairs) if name in wanted else None
            if evidence is not None:
                talk(f"xccos: {printable(file)}: --fail-on {name}: {printable(evidence)}")
                code = FAILED
        return code

    return judge


def findings_judge(conditions: Iterable[str]) -> Callable[[str, Sequence[Finding]], int] | None:
    """Return what looks at the findings of a capture and returns an exit code; None: no condition.

    A condition is a severity or the id of a rule, of which the beginning will do.
    """
    from analyzer.diagnostics.select import condition_of, meeting

    wanted = dict(parsed(condition_of, text) for text in conditions)
    if not wanted:
        return None

    def judge(file: str, findings: Sequence[Finding]) -> int:
        code = OK
        for name, met_by in wanted.items():
            found = meeting(findings, met_by)
            if found:
                told = ", ".join(dict.fromkeys(one.rule for one in found))
                evidence = f"{amount(len(found), 'finding')} ({told})"
                talk(f"xccos: {printable(file)}: --fail-on {printable(name)}: {evidence}")
                code = FAILED
        return code

    return judge


def _counted(trace: Trace, pairs: Sequence[CommandPair], word: str) -> str | None:
    if not pairs:
        return None
    from analyzer.views.commands import pair_row

    rows = [row for row in map(pair_row, pairs) if row is not None]
    where = frames_text(trace.rows.frame[row] for row in rows)
    return f"{amount(len(pairs), 'command')} {word} ({where})"
