"""The verdict of a session in one word: by its steps first, then by all that was found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from analyzer.views.told import judged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Record = dict[str, Any]
Verdict = Literal["failed", "doubtful", "ok", "not-captured"]
WORDS: dict[Verdict, str] = {
    "failed": "problem",
    "doubtful": "remarks",
    "ok": "no problem seen",
    "not-captured": "not all captured",
}
_FACTS = re.compile(r"\d+|(?:sips?|ma-chan):\S+")


def verdict_of(session: Record, findings: Iterable[Record]) -> Verdict:
    """Return what became of a session, given the findings about it.

    ``ok`` is said only of what the capture shows; of a sign-in that it does not show in whole it
    says that.
    """
    found = judged(session)
    severities = {one["severity"] for one in findings}
    if found == "failed" or "error" in severities:
        return "failed"
    if found == "doubtful" or "warning" in severities:
        return "doubtful"
    if any(step["status"] == "not-captured" for step in session["steps"]):
        return "not-captured"
    return "ok"


def told_by_none(problems: Sequence[str], findings: Iterable[Record]) -> list[str]:
    """Return the problems that no finding tells: with all their numbers, frames and URIs."""
    told = [
        {*map(str, one["frames"]), *_FACTS.findall(f"{one['title']} {one['detail']}")}
        for one in findings
        if one["severity"] != "note"
    ]
    return [text for text in problems if not any(set(_FACTS.findall(text)) <= has for has in told)]
