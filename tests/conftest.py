"""Profiles of the property tests: how many examples each of them tries.

``HYPOTHESIS_PROFILE`` names one; otherwise it is ``ci`` where ``CI=true`` is set, and ``dev``.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import settings

from analyzer.paths import why_pure
from tests.support.grouping import pytest_collection_modifyitems
from tests.support.tracing import (
    pytest_collection_finish,
    pytest_configure,
    pytest_runtest_call,
    pytest_runtest_setup,
    pytest_runtest_teardown,
    pytest_sessionstart,
)

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = [
    "pytest_collection_finish",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_runtest_call",
    "pytest_runtest_setup",
    "pytest_runtest_teardown",
    "pytest_sessionstart",
    "pytest_terminal_summary",
]

# No deadlines: a test machine that is busy for a second is no finding.
settings.register_profile("dev", max_examples=50, deadline=None)
# Derandomised: the gates give the same answer for the same tree. Examples that failed elsewhere
# are added to their tests with @example.
settings.register_profile("ci", max_examples=40, deadline=None, derandomize=True, print_blob=True)
settings.register_profile("nightly", max_examples=10_000, deadline=None, print_blob=True)


def _profile() -> str:
    return os.environ.get("HYPOTHESIS_PROFILE") or (
        "ci" if os.environ.get("CI") == "true" else "dev"
    )


settings.load_profile(_profile())


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print how much of each truth was found, and why the compiled twin was left out."""
    counts: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name.startswith("truth ") and report.when == "call":
                    counts[name] += value
    for name in sorted(counts):
        if name.endswith(" found"):
            what = name.removesuffix(" found")
            terminalreporter.write_line(f"{what}: {counts[name]} of {counts[f'{what} expected']}")
    if reason := why_pure():
        terminalreporter.write_line(f"the compiled twin was not tested: {reason}")
