"""The examples of docs/api.md are run as they stand."""

from __future__ import annotations

import doctest
from typing import TYPE_CHECKING

from tests.paths import ROOT

if TYPE_CHECKING:
    import pytest


def test_the_examples_of_the_api_page_are_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    results = doctest.testfile(str(ROOT / "docs/api.md"), module_relative=False, encoding="utf-8")
    assert results.attempted > 20
    assert results.failed == 0
