"""Results of checks as JUnit XML, which every CI service reads: a suite for each capture.

The rule that matters: whatever a capture holds, the document is well-formed. Characters that XML
1.0 has not (section 2.2) are spelt out.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, get_args

from analyzer.checks.records import about, sentences
from analyzer.checks.values import Held

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from junitparser import TestCase, TestSuite

    from analyzer.checks.values import Judged, Result

SHOWN = 50
"""Subjects that are told of one check: CI services show the text as it is."""
READING = "the capture can be read"
"""Name of the test case that says why a capture could not be judged, or not all of it."""
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(
    captures: Iterable[tuple[str, Sequence[Result]]], troubles: Iterable[tuple[str, str]] = ()
) -> bytes:
    """Return the results as a JUnit document in UTF-8.

    Args:
        captures: name and results of each.
        troubles: captures that are damaged or could not be read, each with the reason.
    """
    from junitparser import JUnitXml, TestSuite  # only where the document is asked for

    suites: dict[str, TestSuite] = {}
    for name, results in captures:
        suites[name] = TestSuite(plain(name))
        suites[name].add_testcases([_case(name, result) for result in results])
    for name, reason in troubles:
        suite = suites.setdefault(name, TestSuite(plain(name)))
        suite.add_testcase(_trouble(name, reason))
    document = JUnitXml("xccos check")
    for suite in suites.values():
        suite.update_statistics()  # type: ignore[no-untyped-call]
        document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]
    written = BytesIO()
    document.write(written)
    return written.getvalue()


def _case(name: str, result: Result) -> TestCase:
    from junitparser import Failure, Properties, Property, Skipped, TestCase

    case = TestCase(plain(result.check.name), plain(name))
    counts = result.counts
    told: dict[str, object] = {"about": about(result.check), "summary": result.summary}
    told |= {"held": counts.held, "failed": counts.failed, "unknown": counts.unknown}
    told |= {} if result.slowest_ms is None else {"slowest_ms": result.slowest_ms}
    told |= {"frames": " ".join(map(str, _frames(result.evidence)))}
    properties = Properties()  # type: ignore[no-untyped-call]
    for key, value in told.items():
        properties.add_property(Property(key, plain(str(value))))
    case.append(properties)  # type: ignore[no-untyped-call]
    if result.status == "failed":
        outcome = Failure(plain(result.summary), "check")
        outcome.text = plain(_evidence(result.evidence))
        case.result = [outcome]
    elif result.status != "passed":
        words = "not applicable" if result.status == "not-applicable" else "cannot be told"
        case.result = [Skipped(plain(f"{words}: {result.summary}"), result.status)]
        case.system_out = plain(_evidence(result.evidence))
    return case


def _trouble(name: str, reason: str) -> TestCase:
    from junitparser import Error, TestCase

    case = TestCase(READING, plain(name))
    case.result = [Error(plain(reason), "capture")]
    return case


def _evidence(judged: Sequence[Judged]) -> str:
    lines = [
        f"{word}: {sentence}"
        for word in get_args(Held)
        for sentence in sentences([one for one in judged if one.held == word])
    ]
    if len(lines) > SHOWN:
        lines[SHOWN:] = [f"and {len(lines) - SHOWN} more"]
    return "\n".join(lines)


def _frames(judged: Sequence[Judged]) -> list[int]:
    return sorted({frame for one in judged for frame in one.frames})


def plain(text: str) -> str:
    """Return a text with every character that XML forbids spelt out."""
    return _FORBIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
