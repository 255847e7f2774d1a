"""The page of each rule: what ``xccos explain`` prints, and docs/rules in the source tree.

``python -m analyzer.diagnostics.pages DIRECTORY`` writes all of them. The rule: pages come from the
table, and nobody edits them.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.diagnostics.explained import EXPLAINED_BY
from analyzer.diagnostics.table import RULES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.diagnostics.rule import Rule

WIDTH = 100
FAMILIES = {
    "GC1": "signing in",
    "GC2": "SIP sessions and load",
    "GC3": "commands and rooms",
    "GC4": "posts",
    "GC5": "files",
    "GC6": "time",
    "GC7": "servers",
    "GC9": "the capture itself",
}
_MADE = "<!-- Made by `make rule-pages` from analyzer/diagnostics: do not edit. -->"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def page(rule: Rule) -> str:
    """Return the page of a rule as Markdown, without a line end after the last line."""
    parts = [
        f"# {rule.id}: {rule.title}",
        f"Severity: {rule.severity}. Family: {FAMILIES.get(rule.id[:3], 'other')}.",
        "## What it means",
        _wrapped(rule.explanation),
        "## What to do",
        _wrapped(rule.advice),
        "## Where the fact comes from",
        _wrapped(rule.source),
    ]
    remarks = _remarks(rule)
    if remarks:
        parts += ["## Good to know", *map(_wrapped, remarks)]
    return "\n\n".join(parts)


def _remarks(rule: Rule) -> list[str]:
    found = []
    if rule.absence:
        found.append(
            "It says that something did not happen: it is less sure where the capture has gaps in "
            "the connections of the session."
        )
    prefixes = EXPLAINED_BY.get(rule.id)
    if prefixes:
        names = ", ".join(one if len(one) > len("GC1") else f"{one}xx" for one in prefixes)
        found.append(
            f"It says nothing where a finding of {names} is about the same session and frames."
        )
    return found


def index(rules: Sequence[Rule]) -> str:
    """Return the table of all rules as Markdown."""
    lines = [
        "# Rules",
        "",
        "What `xccos findings` can find. `xccos explain ID` prints the same page.",
        "",
        "| rule | severity | what is wrong |",
        "| --- | --- | --- |",
        *(f"| [{one.id}]({one.id}.md) | {one.severity} | {one.title} |" for one in rules),
    ]
    return "\n".join(lines)


def pages(rules: Mapping[str, Rule] = RULES) -> dict[str, str]:
    """Return all pages, by the names of their files."""
    found = {"README.md": index(list(rules.values()))}
    found.update({f"{one.id}.md": page(one) for one in rules.values()})
    return {name: f"{_MADE}\n\n{text}\n" for name, text in found.items()}


def write_pages(directory: Path) -> None:
    """Write all pages, and remove those of rules that are gone."""
    wanted = pages()
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("GC*.md"):
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        (directory / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/rules"))
