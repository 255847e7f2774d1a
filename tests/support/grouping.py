"""Tests that are marked with ``xdist_group`` go to one worker, whatever version pytest is.

pytest-xdist writes the group behind the name of a test, into an attribute that pytest 9.2 has given
up: what is marked was spread over all workers without a word, and each of them started a browser,
built a project, ran a JVM.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.config import Config


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: Config, items: list[pytest.Item]) -> None:
    """Name the group of each test that has one, as pytest-xdist does."""
    if not config.getoption("loadgroup", default=False):
        return
    for item in items:
        mark = item.get_closest_marker("xdist_group")
        named = getattr(item, "_id", None)
        if mark is not None and named is not None and "@" not in item.nodeid.rpartition("]")[2]:
            item._id = type(named).parse(f"{item.nodeid}@{mark.args[0]}")
