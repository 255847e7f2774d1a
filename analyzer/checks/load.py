"""From a rules file to checks. What cannot be read raises ``ValueError`` in one line.

The line names the file, the table and the key: a rules file is in the hands of who asks, unlike a
capture.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.checks.spec import Check, Rules
from analyzer.checks.subjects import SUBJECTS, own_flow_names
from analyzer.checks.tables import Table, suggestion
from analyzer.diagnostics.select import thresholds_of
from analyzer.flows.custom import load_flows

if TYPE_CHECKING:
    from analyzer.checks.spec import Subject
    from analyzer.diagnostics.thresholds import Thresholds
    from analyzer.flows.spec import Flow

MAX_FILE = 1 << 20
"""Bytes of a rules file; a hundred checks with comments have some twenty thousand."""
MAX_CHECKS = 1000
TOP = ("check", "strict", "users", "flow_files", "thresholds")
SHARED = ("name", "users", "required", "at_least", "at_most", "strict", "within", "percentile")
"""Keys that checks of more than one subject have."""


def load_rules(path: str | Path) -> Rules:
    """Return the checks of a TOML file.

    Raises:
        ValueError: it cannot be read as rules; names file, table and key.
        OSError: the file cannot be opened.
    """
    with Path(path).open("rb") as file:
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise ValueError(f"{path}: longer than {MAX_FILE} bytes")
    return rules_of(data, str(path))


def rules_of(data: bytes, name: str) -> Rules:
    """Return the checks of a TOML document; flow files are looked for beside ``name``."""
    import tomllib  # only for rules

    try:
        values = tomllib.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"{name}: {error}") from None
    top = Table(name, values)
    flows = _flows(top, name)
    thresholds = _thresholds(top)
    users, strict = top.texts("users"), top.take("strict", bool, False)  # noqa: FBT003  (a value)
    tables = top.take("check", list, [])
    top.done(TOP)
    if not tables:
        raise ValueError(f"{name}: check: there is none; a check begins with [[check]]")
    if len(tables) > MAX_CHECKS:
        raise ValueError(f"{name}: check: more than {MAX_CHECKS}")
    checks: list[Check] = []
    for number, table in enumerate(tables, 1):
        check = _check(name, number, table, flows)
        if any(one.name == check.name for one in checks):
            raise ValueError(f"{name}: check[{number}]: name: {check.name!r} is there twice")
        shown = check if check.users or not _of_people(check) else replace(check, users=users)
        checks.append(replace(shown, strict=shown.strict or strict))
    return Rules(name, tuple(checks), flows, thresholds)


def _flows(top: Table, name: str) -> tuple[Flow, ...]:
    files = [Path(name).parent / file for file in top.texts("flow_files")]
    try:
        return load_flows(files)
    except (ValueError, OSError) as error:
        raise top.fault("flow_files", str(error)) from None


def _thresholds(top: Table) -> Thresholds:
    values = top.take("thresholds", dict, {})
    try:
        return thresholds_of(f"{key}={value}" for key, value in values.items())
    except ValueError as error:
        raise top.fault("thresholds", str(error)) from None


def _of_people(check: Check) -> bool:
    return "users" in SUBJECTS[type(check.subject)].keys


def _check(name: str, number: int, values: object, flows: tuple[Flow, ...]) -> Check:
    place = f"{name}: check[{number}]"
    if not isinstance(values, dict):
        raise ValueError(f"{place}: must be a table ([[check]])")  # noqa: TRY004  (as any other)
    table = Table(place, values)
    title = table.take("name", str, "")
    if not title.strip():
        raise table.fault("name", "is missing: say in words what has to hold")
    table.place = f'{place} "{title}"'
    subject = _subject(table, values, flows)
    kind = SUBJECTS[type(subject)]
    check = Check(
        name=title,
        subject=subject,
        users=table.texts("users") if "users" in kind.keys else (),
        within_ms=table.read("within", kind.duration) if "within" in kind.keys else None,
        percentile=_percentile(table) if "percentile" in kind.keys else None,
        at_least=_at_least(table) if "at_least" in kind.keys else 0,
        at_most=_count(table, "at_most") if "at_most" in kind.keys else None,
        strict=table.take("strict", bool, False),  # noqa: FBT003  (a value)
    )
    table.done(("name", "strict", *kind.keys))
    _agree(table, check)
    return check


def _subject(table: Table, values: dict[str, object], flows: tuple[Flow, ...]) -> Subject:
    """Return what a check is about: the one key that says so."""
    leading = {key: kind for kind in SUBJECTS.values() for key in kind.leads}
    given = [key for key in leading if key in values]
    if not given:
        known = (*leading, *SHARED)
        stray = next((key for key in values if key not in known), None)
        hint = f"; what is {stray!r}{suggestion(stray, leading)}" if stray else ""
        raise ValueError(f"{table.place}: needs one of {', '.join(leading)}{hint}")
    if len(given) > 1:
        raise ValueError(f"{table.place}: {given[1]}: there is {given[0]} already; one is enough")
    return leading[given[0]].read(table, own_flow_names(flows))


def _percentile(table: Table) -> float | None:
    value = table.number("percentile")
    if value is not None and not 0 < value <= 100:
        raise table.fault("percentile", "must be more than 0 and at most 100")
    return value


def _count(table: Table, key: str) -> int | None:
    if key not in table:
        return None
    value = table.take(key, int, 0)
    if value < 0:
        raise table.fault(key, "must not be less than 0")
    return value


def _at_least(table: Table) -> int:
    required = table.take("required", bool, False)  # noqa: FBT003  (a value)
    return max(_count(table, "at_least") or 0, int(required))


def _agree(table: Table, check: Check) -> None:
    """Refuse what cannot be meant."""
    if check.at_most is not None and check.at_most < check.at_least:
        raise table.fault("at_most", "is less than at_least")
    if check.percentile is not None and check.within_ms is None:
        raise table.fault("percentile", "needs within")
