"""An account as JUnit XML: a suite for each end, a test case for each turn that was expected.

The rule that matters: whatever a peer has sent, the document is well-formed.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from analyzer.checks.junit import plain
from analyzer.replay.told.account import differences_of, who

if TYPE_CHECKING:
    from analyzer.replay.results import Verdict
    from analyzer.replay.told.account import Account, End

ENDED = "the play came to its end"
"""Name of the test case that has what belongs to no turn."""
SHOWN = 200
"""Lines of what belongs to no turn: CI services show the text as it is."""


def junit_xml(account: Account) -> bytes:
    """Return an account as a JUnit document in UTF-8."""
    document = JUnitXml("xccos replay")
    for end in account.ends:
        suite = TestSuite(plain(f"{account.script} {end.role}"))
        expected = (verdict for verdict in end.verdicts if verdict.status != "unexpected")
        suite.add_testcases([_case(account, end, verdict) for verdict in expected])
        suite.add_testcase(_ending(account, end))
        suite.update_statistics()  # type: ignore[no-untyped-call]
        document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]
    written = BytesIO()
    document.write(written)
    return written.getvalue()


def _classname(account: Account, end: End, verdict: Verdict | None = None) -> str:
    whose = who(verdict) if verdict is not None else ""
    return plain(" ".join(filter(None, (account.script, end.role, whose))))


def _case(account: Account, end: End, verdict: Verdict) -> TestCase:
    name = " ".join(filter(None, (verdict.turn, verdict.what)))
    case = TestCase(plain(name), _classname(account, end, verdict))
    if not verdict.good:
        told = differences_of(verdict)
        failure = Failure(plain(told[0] if told else verdict.status), verdict.status)
        failure.text = plain("\n".join(told))
        case.result = [failure]
    return case


def _ending(account: Account, end: End) -> TestCase:
    """Return the case of the play itself, with what was unexpected and the notes."""
    case = TestCase(ENDED, _classname(account, end))
    if not end.complete:
        case.result = [Error("it was ended early", "incomplete")]
    elif not end.played:
        case.result = [Error("nobody was played", "incomplete")]
    said = [
        " ".join(filter(None, ("unexpected:", who(one), one.what, one.detail)))
        for one in end.verdicts
        if one.status == "unexpected"
    ]
    lines = [*said, *(f"note: {note}" for note in end.notes)]
    if end.left_out:
        lines.append(f"{end.left_out} further verdicts were counted, and not kept")
    if len(lines) > SHOWN:
        lines[SHOWN:] = [f"and {len(lines) - SHOWN} more"]
    if lines:
        case.system_out = plain("\n".join(lines))
    return case
