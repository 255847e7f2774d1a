"""Which implementations a test runs over: the reference, and its compiled twin where it is built."""

from __future__ import annotations

import importlib
import os
from importlib.util import find_spec
from typing import Any

import pytest


def is_built() -> bool:
    """Tell whether the compiled twin is there and wanted."""
    wanted = os.environ.get("XCCOS_PURE") != "1"
    return wanted and find_spec("dissectors._speedups.strings") is not None


def implementations(reference: str, twin: str, name: str) -> list[Any]:
    """Return pytest params: ``name`` of the reference module, and of the twin where it is built."""
    found = [pytest.param(getattr(importlib.import_module(reference), name), id="reference")]
    if is_built():
        found.append(pytest.param(getattr(importlib.import_module(twin), name), id="twin"))
    return found
