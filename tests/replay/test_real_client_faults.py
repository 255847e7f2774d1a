"""Each fault, against the independent client: the server tells what it did, and nothing hangs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.paths import require_shared
from tests.support.realclient import CannotBuildError, program, run_client
from tests.support.replaying import Server, script_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.realclient import ClientRun

require_shared()


AT_ONCE = 4
"""Pairs of a server and a client; most of their time they wait."""


class Met(NamedTuple):
    """How a client and a faulty server fared."""

    client: ClientRun
    held: bool
    notes: str


OVERLOADED = "503 grpchat heard nth=1"
GOT_OVER = {
    "delay": "delay by=100ms rpl=join",
    "duplicate": "duplicate rpl=chansrch",
    "split": "split pieces=7 gap=1ms",
    "merge": "merge within=100ms rpl=requri",
    "stall": "stall for=300ms cmd=join",
    "oversized": "oversized body=100k rpl=chansrch",
    "wrong-commandid": "wrong-commandid rpl=join",
    "reorder": "reorder within=200ms rpl=requri",
}
"""It does not look at ``commandid``, which a Microsoft client would."""
BROKEN = {
    "drop": ("drop rpl=join", "rpl:join"),
    "corrupt": ("corrupt part=start bytes=6 rpl=join", "rpl:join"),
    "fin": ("cut how=fin before rpl=join", "rpl:join"),
    "rst": ("cut how=rst before rpl=join", "rpl:join"),
    "half": ("cut how=half before rpl=join", "rpl:join"),
}


def _meet(rule: str, case: Path, folder: Path) -> Met:
    folder.mkdir()
    with Server(case, folder, "--fault", rule, "--seed", "3") as served:
        run = run_client(served.address, seed="77", timeout="2")
        served.process.terminate()
        found = served.result()
        return Met(run, bool(found["held"]), "\n".join(map(str, found["notes"])))


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Met]:
    try:
        program()
    except CannotBuildError as error:
        pytest.fail(f"the real client cannot be built: {error}")
    folder = tmp_path_factory.mktemp("faults")
    case = script_file("seeded", folder)
    rules = GOT_OVER | {"503": OVERLOADED} | {name: rule for name, (rule, _) in BROKEN.items()}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = {name: pool.submit(_meet, rule, case, folder / name) for name, rule in rules.items()}
        return {name: run.result() for name, run in runs.items()}


@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("name", GOT_OVER)
def test_the_real_client_gets_over_it(name: str, met: dict[str, Met]) -> None:
    found = met[name]
    assert found.client.code == 0, found.client.explain()
    assert "hit nothing" not in found.notes
    assert f"fault '{GOT_OVER[name]}'" in found.notes
    assert found.held


@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_the_case_is_told_on_both_sides(name: str, met: dict[str, Met]) -> None:
    found = met[name]
    rule, what = BROKEN[name]
    assert found.client.code != 0, found.client.explain()
    assert not found.held
    assert f"fault '{rule}'" in found.notes
    assert what in found.notes


@pytest.mark.xdist_group("faults")
def test_the_real_client_tells_its_user_of_a_post_that_was_refused(met: dict[str, Met]) -> None:
    found = met["503"]
    told = "\n".join(found.client.told("text "))
    assert "This message was not delivered to chat room" in told
    assert "answered 503 Service Unavailable: INFO grpchat" in found.notes
    assert not found.held
