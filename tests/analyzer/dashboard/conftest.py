"""What the tests of the dashboard open is closed when they are over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.dashboard.workspace import WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package", autouse=True)
def _room() -> Iterator[None]:
    yield
    WORKSPACE.cases.close_all()
