"""The dashboard without a browser (``looked_at``), and as a server for one (``serving``)."""

from __future__ import annotations

import json
import subprocess
import threading
import urllib.request
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from streamlit.testing.v1 import AppTest

from analyzer.dashboard.opening import Job, Request
from analyzer.dashboard.selection import Selection
from analyzer.dashboard.workspace import WORKSPACE
from tests.paths import ROOT
from tests.support.replaying import XCCOS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from analyzer.dashboard.cases import Case

PATIENCE = 60.0


def opened(*files: Path | str, **request: Any) -> Case:  # noqa: ANN401  (fields of Request)
    """Return the case of files, opened in this process as the page does it."""
    job = Job(Request(tuple(map(str, files)), **request), WORKSPACE.cases)
    assert job.wait(PATIENCE)
    assert job.opened, job.failures
    case = WORKSPACE.cases.get(job.opened[0])
    assert case is not None
    return case


def looked_at(case: Case, view: str = "overview", **selected: Any) -> AppTest:  # noqa: ANN401
    """Return the page of a case, run once; ``selected`` as for ``Selection.but``."""
    selection = Selection(case=case.id).but(view=view, **selected)
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    for key, value in selection.params().items():
        page.query_params[key] = value
    page.run()
    assert not page.exception, [one.value for one in page.exception]
    return page


def markup(page: AppTest, key: str) -> str:
    """Return the markup that a page drew under a key (``Desk.draw``); fails where it did not."""
    drawn = drawings(page)
    assert key in drawn, sorted(drawn)
    return drawn[key]


def drawings(page: AppTest) -> dict[str, str]:
    """Return the data of all components of a page by their keys: markup, or JSON as text."""
    return dict(drawn for one in (page.main, page.sidebar) for drawn in _components(one))


def _components(node: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    for child in getattr(node, "children", {}).values():
        yield from _components(child)
    proto: Any = getattr(node, "proto", None)
    if type(proto).__name__ != "BidiComponent":
        return
    key = proto.id.split("-", 2)[2] if proto.id else ""
    data = proto.bytes.decode() if proto.WhichOneof("data") == "bytes" else proto.json
    yield key, json.loads(data) if proto.WhichOneof("data") == "json" else data


@contextmanager
def afresh(case: Case, name: str) -> Iterator[None]:
    """Have a page work out anew what it keeps under a name, before and behind."""
    kept = case.once(("kept last", name), dict[object, object])
    kept.clear()
    try:
        yield
    finally:
        kept.clear()


@contextmanager
def serving(*arguments: str) -> Iterator[str]:
    """Yield the address of a dashboard that runs in a process of its own, on a free port."""
    command = [*XCCOS, "dashboard", "--port", "0", "--no-browser"]
    with subprocess.Popen(
        [*command, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said: list[str] = []
        try:
            yield _address(process.stdout, said)
        finally:
            process.terminate()
            reader = threading.Thread(target=said.extend, args=(process.stdout,), daemon=True)
            reader.start()  # a server that cannot say that it stops does not stop
            process.wait(PATIENCE)
            reader.join(PATIENCE)


def _address(lines: IO[str], said: list[str]) -> str:
    """Return the address that a server says, once it answers there."""
    for line in lines:
        said.append(line)
        if "http://127.0.0.1:" in line:
            address = "http://" + line.split("http://", 1)[1].split()[0].rstrip("/")
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=PATIENCE):
                return address
    raise AssertionError("".join(said))
