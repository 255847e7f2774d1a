"""Which implementations a test runs over: the reference, and its compiled twin where it is built.

``XCCOS_PURE=1`` leaves the twin out. With ``XCCOS_REQUIRE_TWIN=1`` it must not be missing: whoever
promises to test it does not get a run that is green without it.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

import pytest

from analyzer.paths import why_pure


def is_built() -> bool:
    """Tell whether the compiled twin is there, is of these sources, and is wanted."""
    reason = why_pure()
    if reason and os.environ.get("XCCOS_REQUIRE_TWIN") == "1":
        pytest.fail(f"XCCOS_REQUIRE_TWIN=1, but {reason}", pytrace=False)
    return not reason


def implementations(reference: str, twin: str, name: str) -> list[Any]:
    """Return pytest params: ``name`` of the reference module, and of the twin where it is built."""
    found = [pytest.param(getattr(importlib.import_module(reference), name), id="reference")]
    if is_built():
        found.append(pytest.param(getattr(importlib.import_module(twin), name), id="twin"))
    return found
