"""Where the test data lies.

``SHARED`` is the corpus that stands beside the project (real captures with their truth, other
projects' captures, torture messages). It is not part of the repository. Tests that need it fail
loudly when it is absent, unless ``XCCOS_NO_CORPUS=1`` says that this is known.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("XCCOS_CORPUS", ROOT.parent / "shared"))
SAMPLES = ROOT / "samples"


def require_shared() -> Path:
    """Return ``SHARED``; fail the test when it is absent and nobody said that this is known."""
    if SHARED.is_dir():
        return SHARED
    if os.environ.get("XCCOS_NO_CORPUS") == "1":
        pytest.skip(
            "corpus absent, and XCCOS_NO_CORPUS=1 says that this is known", allow_module_level=True
        )
    pytest.fail(f"the corpus is absent: {SHARED} (set XCCOS_CORPUS, or XCCOS_NO_CORPUS=1)")
