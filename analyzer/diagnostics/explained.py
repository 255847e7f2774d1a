"""Which findings another one explains: the special one is told, the general one is not.

A hit is explained by one of another rule when both are about the same session and share a frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.diagnostics.rule import Case, Hit, Rule

EXPLAINED_BY: dict[str, tuple[str, ...]] = {
    # A step of the sign-in that failed is told by whatever says why.
    "GC111": ("GC1", "GC2", "GC3", "GC4", "GC5"),
    "GC205": ("GC104", "GC202"),
    "GC206": ("GC103", "GC107", "GC203"),
    "GC301": ("GC104", "GC202"),
    "GC302": ("GC102",),
    "GC204": ("GC402",),
    "GC304": ("GC104", "GC105", "GC202", "GC204", "GC208"),
}
"""Id of a rule to the beginnings of the ids whose findings explain its own."""


def unexplained(case: Case, rule: Rule) -> list[Hit]:
    """Return what a rule finds and no other rule explains; notes explain nothing but notes."""
    hits = case.hits(rule)
    prefixes = EXPLAINED_BY.get(rule.id)
    if not hits or prefixes is None:
        return list(hits)
    known = {
        (hit.session, frame)
        for other, hit in case.others(rule.id, prefixes)
        if (hit.severity or other.severity) != "note"
        for frame in case.frames(hit)
    }
    return [
        hit for hit in hits if not any((hit.session, frame) in known for frame in case.frames(hit))
    ]
