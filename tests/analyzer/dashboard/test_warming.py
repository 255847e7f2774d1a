"""What is worked out beforehand: it is there at the first visit, and nobody waits for it."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import pytest

from analyzer.dashboard import warming
from analyzer.dashboard.cases import Case
from analyzer.dashboard.charts import ahead
from analyzer.dashboard.takeaway import work as taking
from analyzer.dashboard.warming import Warming
from analyzer.topology.build import topology_in
from analyzer.trace import open_capture
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 30.0


@pytest.fixture
def case() -> Iterator[Case]:
    path = SAMPLES / "twousers-post.pcap"
    made = Case("warm", path.name, (str(path),), open_capture(path))
    yield made
    made.close()


def test_the_first_visit_finds_what_was_worked_out(case: Case) -> None:
    wanted = ("topology", "waits", "filter offers", "ladder methods", "ladder bytes")
    assert not any(map(case.has, wanted))
    Warming(case, 0.0).run()
    assert all(map(case.has, wanted))
    assert len(case.once("topology", dict[str, str])) > 0


def test_who_looks_into_the_case_is_let_in_between(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "HELD", 0.0)
    looked: list[bool] = []

    def look() -> None:
        with case.lock:
            looked.append(case.has("topology"))

    def slowly(case: Case, step: warming.Step) -> None:
        other = Thread(target=look)
        other.start()
        while not looked:  # ends only if somebody gets the lock
            step()
        other.join(PATIENCE)

    monkeypatch.setattr(warming, "_rooms", slowly)
    Warming(case, 0.0).run()
    assert looked == [False]
    assert case.has("topology")


def test_a_case_that_was_closed_is_left_alone(case: Case) -> None:
    case.close()
    Warming(case, 0.0).run()
    assert not case.has("topology")


def test_what_goes_wrong_is_told_by_the_page_that_needs_it(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(case: Case) -> None:
        raise ValueError(case.name)

    monkeypatch.setattr("analyzer.dashboard.commands.choice.all_waits", wrong)
    job = Warming(case, 0.0)
    job.begin()
    assert job.wait(PATIENCE)
    assert not case.has("waits")
    assert case.lock.acquire(timeout=PATIENCE), "it kept the lock"
    case.lock.release()


def test_a_topology_made_in_steps_is_the_same(case: Case) -> None:
    steps: list[None] = []
    made = topology_in(case.scene, lambda: steps.append(None))
    plain = topology_in(case.scene)
    assert len(steps) > len(case.views)
    assert {*made} == {*plain}
    assert [*made.edges(data="volume")] == [*plain.edges(data="volume")]


def test_the_browser_reads_ahead_what_this_version_of_streamlit_draws_charts_with() -> None:
    assert "static/js/PlotlyChart." in ahead.ahead()
