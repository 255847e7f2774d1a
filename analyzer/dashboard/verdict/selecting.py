"""Which findings a page shows: by severity, rule and session, as the address says."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.dashboard.verdict.headline import groups
from analyzer.diagnostics.rule import SEVERITIES
from analyzer.diagnostics.table import RULES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.dashboard.cases import Case


class Asked(NamedTuple):
    """What findings are to be shown."""

    severity: str = ""
    rule: str = ""
    about: bool = False
    """The page of the rule, too."""

    @staticmethod
    def of(more: Mapping[str, str]) -> Asked:
        """Return what an address asks for; what is unknown is passed over."""
        severity, rule = more.get("severity", ""), more.get("rule", "").upper()
        return Asked(
            severity if severity in SEVERITIES else "",
            rule if rule in RULES else "",
            more.get("about") == "rule",
        )


def selected(case: Case, asked: Asked, session: int | None) -> Sequence[int]:
    """Return the numbers of the findings that are asked for: by severity, then rule, then time."""
    ordered = case.once("findings by rule", lambda: _ordered(case))
    mine = None if session is None else set(case.findings_of(session))
    diagnosed = case.diagnosed
    return [
        number
        for number in ordered
        if (mine is None or number in mine)
        and asked.severity in ("", diagnosed[number].severity)
        and asked.rule in ("", diagnosed[number].rule)
    ]


def _ordered(case: Case) -> list[int]:
    return [number for group in groups(case) for number in group.numbers]
