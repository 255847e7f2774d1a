"""One dashboard for all browser tests of a process, and a browser to look at it with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.dashboard import serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package")
def address() -> Iterator[str]:
    """Yield where a dashboard is served that was started as users start it."""
    with serving() as found:
        yield found
