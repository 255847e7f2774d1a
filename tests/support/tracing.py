"""What of a test run is traced for its coverage, and what is left alone: that halves the run.

A traced process is two to three times slower, whoever's code it runs. Of the lines of this project
those are counted that a test reaches while it runs, or its fixtures, or the import of its module.
What pytest and its workers do in between is nobody's coverage, nor is what a test does that is
marked ``untraced``: it goes once more, and often, over lines that other tests have reached (every
place of a cut, hundreds of drawn examples), or has programs of its own do the work.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from _pytest.config import Config

UNTRACED = "untraced: what it reaches others reach too; it is run without measuring coverage"
FOR_CHILDREN = "COVERAGE_PROCESS_CONFIG"
"""By this variable a process that is started knows that it is to be traced."""
ALLOCATIONS = 20_000
"""Between two collections of garbage: a run of thousands of tests has more alive than the default
of 700 was made for."""

_trace = pytest.StashKey[object]()


def pytest_configure(config: Config) -> None:
    """Who hands out tests to workers runs none."""
    config.addinivalue_line("markers", UNTRACED)
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        sys.settrace(None)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Import the test modules from the last to the first in one of two workers.

    The other begins with the first, so that each writes the bytecode, with pytest's asserts in it,
    of one half only: they meet in the middle.
    """
    name = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    if int(name) % 2 == 0 or sys.dont_write_bytecode:
        return
    beginnings = tuple(str(session.config.rootpath / one) for one in _places(session.config))
    for path in sorted(ROOT.glob("tests/**/test_*.py"), reverse=True):
        if str(path).startswith(beginnings) and not _is_ignored(session.config, str(path)):
            # Whatever is wrong with it is found again, and shown, when it is collected.
            with suppress(Exception, pytest.skip.Exception, pytest.fail.Exception):
                importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


def _places(config: Config) -> list[str]:
    return [one.partition("::")[0] for one in config.args]


def _is_ignored(config: Config, path: str) -> bool:
    ignored = [str(config.rootpath / one) for one in config.getoption("ignore", None) or ()]
    return path.startswith(tuple(ignored))


def pytest_collection_finish(session: pytest.Session) -> None:
    """From here on only tests are traced; and no garbage is looked for in what was imported."""
    session.config.stash[_trace] = sys.gettrace()
    sys.settrace(None)
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS)


@contextmanager
def _traced(item: pytest.Item) -> Iterator[None]:
    trace = item.config.stash.get(_trace, None)
    if trace is None:
        yield
    elif item.get_closest_marker("untraced"):
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv(FOR_CHILDREN, raising=False)
            yield
    else:
        sys.settrace(trace)  # type: ignore[arg-type]
        try:
            yield
        finally:
            sys.settrace(None)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Trace the fixtures of a test."""
    with _traced(item):
        return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Trace a test."""
    with _traced(item):
        return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Trace the ends of fixtures."""
    with _traced(item):
        return (yield)
