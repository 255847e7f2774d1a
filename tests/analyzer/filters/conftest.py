"""What the tests of filters open is closed when they are over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.analyzer.filters.looking import OPENED

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package", autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().trace.close()
