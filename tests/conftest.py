"""Profiles of the property tests: how many examples each of them tries.

``HYPOTHESIS_PROFILE`` names one; otherwise it is ``ci`` where ``CI=true`` is set, and ``dev``.
"""

from __future__ import annotations

import os

from hypothesis import settings

# No deadlines: a test machine that is busy for a second is no finding.
settings.register_profile("dev", max_examples=50, deadline=None)
# Derandomised: the gates give the same answer for the same tree. Examples that failed elsewhere
# are added to their tests with @example.
settings.register_profile("ci", max_examples=150, deadline=None, derandomize=True, print_blob=True)
settings.register_profile("nightly", max_examples=10_000, deadline=None, print_blob=True)


def _profile() -> str:
    return os.environ.get("HYPOTHESIS_PROFILE") or (
        "ci" if os.environ.get("CI") == "true" else "dev"
    )


settings.load_profile(_profile())
