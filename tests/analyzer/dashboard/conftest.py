"""What the tests of the dashboard open is closed when they are over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from streamlit.components.v2 import manifest_scanner

from analyzer.dashboard.workspace import WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package", autouse=True)
def _room() -> Iterator[None]:
    yield
    WORKSPACE.cases.close_all()


@pytest.fixture(scope="package", autouse=True)
def _no_components_of_others() -> Iterator[None]:
    """Each page that is looked at would search all that is installed for components: 0.2 s."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", list)
        yield
