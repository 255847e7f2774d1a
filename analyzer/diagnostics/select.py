"""Which rules are wanted, and with which thresholds: the texts that people type.

An id may be cut short: ``GC1`` is every rule that begins so. A text that fits nothing raises
``ValueError`` with what comes near.
"""

from __future__ import annotations

from dataclasses import fields, replace
from math import isfinite
from typing import TYPE_CHECKING, Any

from analyzer.diagnostics.rule import SEVERITIES
from analyzer.diagnostics.table import DEFAULTS, RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.diagnostics.rule import Finding, Rule, Severity
    from analyzer.diagnostics.thresholds import Thresholds

NEAR = 5
"""Ids that are offered instead of one that is unknown."""


def ids_of(text: str) -> list[str]:
    """Return the ids that begin with each of the comma-separated parts of a text."""
    found: dict[str, None] = {}
    for part in filter(None, (part.strip().upper() for part in text.split(","))):
        known = [one for one in RULES if one.startswith(part)]
        if not known:
            raise ValueError(f"unknown rule {part}; {_offer(part)}")
        found.update(dict.fromkeys(known))
    return list(found)


def near(text: str) -> list[str]:
    """Return the ids that come nearest to a text, at most ``NEAR`` of them."""
    from difflib import get_close_matches  # only where something was mistyped

    wanted = text.strip().upper()
    family = [one for one in RULES if one.startswith(wanted[:3])] if len(wanted) > 3 else []
    found = get_close_matches(wanted, family or list(RULES), len(RULES), 0.5)
    # Figures that changed places come first.
    found.sort(key=lambda one: sorted(one) != sorted(wanted))
    return found[:NEAR]


def _offer(text: str) -> str:
    found = near(text)
    if found:
        return f"near it: {', '.join(found)}"
    return "xccos rules lists them"


def chosen(select: Iterable[str] = (), ignore: Iterable[str] = ()) -> list[Rule]:
    """Return the rules that are selected (none given: all) and not ignored, in their order."""
    wanted = {one for text in select for one in ids_of(text)} or set(RULES)
    wanted -= {one for text in ignore for one in ids_of(text)}
    return [rule for rule in RULES.values() if rule.id in wanted]


def thresholds_of(texts: Iterable[str]) -> Thresholds:
    """Return the thresholds, changed by texts of the form ``slow_ms=5000``."""
    found = DEFAULTS
    known = {field.name: field.type for field in fields(found)}
    for text in texts:
        name, _, value = (part.strip() for part in text.partition("="))
        if name not in known:
            raise ValueError(f"unknown threshold {name}; there are: {', '.join(known)}")
        whole = known[name] in {int, "int"}
        changed: dict[str, Any] = {name: _number(name, value, whole=whole)}
        found = replace(found, **changed)
    return found


def _number(name: str, text: str, *, whole: bool) -> float:
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        number = -1
    if not isfinite(number) or number < 0:
        kind = "a whole number" if whole else "a number"
        raise ValueError(f"threshold {name} takes {kind}, 0 or more, not {text!r}")
    return number


def at_least(findings: Iterable[Finding], severity: Severity | None) -> list[Finding]:
    """Return the findings that have a severity or a higher one."""
    if severity is None:
        return list(findings)
    wanted = SEVERITIES[: SEVERITIES.index(severity) + 1]
    return [one for one in findings if one.severity in wanted]


def condition_of(text: str) -> tuple[str, frozenset[str]]:
    """Return a condition of ``--fail-on`` as it is shown, with the severities or ids it is met by.

    A severity is met by itself and the higher ones, an id by the rules that begin so.
    """
    word = text.strip().lower()
    if word in SEVERITIES:
        return word, frozenset(SEVERITIES[: SEVERITIES.index(word) + 1])
    ids = ids_of(text)
    if not ids:
        raise ValueError(f"{text!r} is neither {', '.join(SEVERITIES)} nor the id of a rule")
    return text.strip().upper(), frozenset(ids)


def meeting(findings: Sequence[Finding], wanted: frozenset[str]) -> list[Finding]:
    """Return the findings that meet a condition of ``--fail-on``."""
    return [one for one in findings if one.severity in wanted or one.rule in wanted]
