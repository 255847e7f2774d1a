"""Scripts derived beside the page: how far they are is told, others go on, who asked may cancel."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import pytest

from analyzer.dashboard.desk import Desk
from analyzer.dashboard.playing import deriving
from analyzer.dashboard.playing.deriving import Deriving, again, script_of
from analyzer.dashboard.playing.order import order_of
from analyzer.dashboard.playing.script import Wanted, derive_wanted
from analyzer.dashboard.selection import Selection
from analyzer.dashboard.takeaway.work import Work
from analyzer.replay.derive.build import derive
from analyzer.trace import open_capture
from tests.paths import SAMPLES
from tests.support.dashboard import PATIENCE, afresh, drawings, looked_at, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.playing.script import Derived

ORDER = order_of({})


@pytest.fixture(scope="module")
def opened_case() -> Case:
    return opened(SAMPLES / "r2-post-full.pcap")


@pytest.fixture
def case(opened_case: Case, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """A case that is too large for a page to wait for its script."""
    monkeypatch.setattr(deriving, "MAX_AT_ONCE", 0)
    with afresh(opened_case, "script"):
        yield opened_case
    opened_case.once("scripts being derived", dict[Wanted, Deriving]).clear()


def _desk(case: Case) -> Desk:
    return Desk(case, Selection(case=case.id, view="replay"))


def _asked(case: Case) -> Derived | Deriving:
    with case.lock:
        return script_of(_desk(case), ORDER)


class _Gate:
    """Keeps a job where it is until somebody opens."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.open = Event(), Event()
        monkeypatch.setattr(deriving, "derive_wanted", self)

    def __call__(self, case: Case, wanted: Wanted, work: Work) -> Derived:
        work.say("deriving the script")
        work.step(0.25)
        self.reached.set()
        while not self.open.wait(0.01):
            work.check()
        return derive_wanted(case, wanted, work)


def test_the_page_says_how_far_a_long_script_is_and_then_shows_it(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = _Gate(monkeypatch)
    page = looked_at(case, "replay")
    assert gate.reached.wait(PATIENCE)
    assert "replay-script" not in drawings(page)
    assert [one.label for one in page.button if one.key == "replay-underive"] == ["Cancel"]
    page.run()
    job = _asked(case)
    assert isinstance(job, Deriving)
    assert (job.work.stage, job.work.done) == ("deriving the script", 0.25)
    gate.open.set()
    assert job.wait(PATIENCE)
    assert "replay-script" in drawings(looked_at(case, "replay"))


def test_what_was_cancelled_stays_so_until_somebody_asks_again(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = _Gate(monkeypatch)
    job = _asked(case)
    assert isinstance(job, Deriving)
    assert gate.reached.wait(PATIENCE)
    job.work.cancel()
    assert job.wait(PATIENCE)
    assert _asked(case) is job
    page = looked_at(case, "replay")
    assert "ended before it was done" in page.info[0].value
    again(_desk(case), ORDER)
    gate.open.set()
    new = _asked(case)
    assert new is not job
    if isinstance(new, Deriving):
        assert new.wait(PATIENCE)
    assert not isinstance(_asked(case), Deriving)


def test_the_script_is_the_one_that_a_page_derives_itself(case: Case) -> None:
    job = _asked(case)
    if isinstance(job, Deriving):
        assert job.wait(PATIENCE)
    made = _asked(case)
    assert not isinstance(made, Deriving)
    assert made.script == derive_wanted(case, Wanted(None, "", pseudonyms=False), Work()).script


def test_why_there_is_nothing_to_play_is_told(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Derived:
        raise ValueError("there is no SIP message to derive a script from")

    monkeypatch.setattr(deriving, "derive_wanted", refuse)
    assert "no SIP message" in looked_at(case, "replay").warning[0].value


def test_deriving_says_how_far_it_is_and_can_be_ended_at_each_step() -> None:
    with open_capture(SAMPLES / "r2-post-full.pcap") as trace:
        steps: list[float] = []
        derive(trace, step=steps.append)
        assert steps == sorted(steps)
        assert steps[0] == 0.0
        assert 0.8 < steps[-1] < 1.0
        assert len(steps) > 2 * len(trace.rows)

        def end(done: float) -> None:
            if done > 0.5:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            derive(trace, step=end)
