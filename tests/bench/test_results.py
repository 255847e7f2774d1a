"""Ratios are taken within a round, and a figure that there is not is not made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench import machine, table
from bench.captures import Load
from bench.measure import Check, Run
from bench.plan import Contest, Options, Plan
from bench.programs import FILE, Program
from bench.results import Measured, Results, growth, rows

if TYPE_CHECKING:
    from pathlib import Path

OURS, THEIRS = Program("ours", ("a", FILE), ours=True), Program("theirs", ("b", FILE))
OPTIONS = Options(1000, 3, 1000, 1, 1000, 60)


def measured(program: Program, *seconds: float, found: int = 10, together: int = 0) -> Measured:
    runs = [Run(one, 20 << 10, 9 << 10) for one in seconds]
    return Measured(program, Check(found, together << 10, 2 if together else 1), runs)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    made = Load("dense", tmp_path / "x.pcap")
    made.path.write_bytes(bytes(1000))
    made.truth.write_text('{"msgs": 10}')
    return made


def plan(load: Load) -> Plan:
    return Plan([Contest("dense", "ours", "theirs", load, 3)], [load], OPTIONS)


def test_the_ratio_is_the_median_of_the_rounds_and_not_the_ratio_of_medians(load: Load) -> None:
    store = {(load, "ours"): measured(OURS, 1.0, 2.0, 4.0)}
    store[load, "theirs"] = measured(THEIRS, 3.0, 4.0, 20.0)
    (found,) = rows(plan(load), store)
    assert (found["ratio"], found["ratio_min"], found["ratio_max"]) == (3.0, 2.0, 5.0)
    assert (found["ours"]["seconds"], found["theirs"]["seconds"]) == (2.0, 4.0)
    assert found["messages_per_second"] == 5.0


def test_without_the_other_there_is_no_ratio(load: Load) -> None:
    absent = Program("theirs", ("b",), absent="not installed")
    store = {(load, "ours"): measured(OURS, 1.0, 2.0, 4.0)}
    store[load, "theirs"] = Measured(absent, None, [])
    (found,) = rows(plan(load), store)
    assert found["ratio"] is None
    assert found["theirs"]["peak_mib"] is None
    assert found["theirs"]["remark"] == "not installed"


def test_the_peak_is_the_sum_where_several_processes_share_the_work(load: Load) -> None:
    assert measured(OURS, 1.0, together=35).side(load)["peak_mib"] == 35
    assert measured(OURS, 1.0, together=5).side(load)["peak_mib"] == 20


def test_growth_is_per_byte_and_beside_the_smallest(load: Load, tmp_path: Path) -> None:
    larger = Load("dense", tmp_path / "y.pcap")
    larger.path.write_bytes(bytes(4000))
    store = {(load, "all"): measured(OURS, 1e-6), (larger, "all"): measured(OURS, 6e-6)}
    small, large = growth(Plan([], [load, larger], OPTIONS), store)
    assert small["ns_per_byte"] == pytest.approx(1.0)
    assert large["ratio"] == pytest.approx(1.5)


def test_text_and_page_have_the_same_figures(load: Load) -> None:
    store = {(load, "ours"): measured(OURS, 0.5, 0.5, 0.5)}
    store[load, "theirs"] = measured(THEIRS, 50.0, 50.0, 50.0, found=9, together=300)
    results = Results(machine={}, options={}, rows=rows(plan(load), store), growth=[], singles=[])
    cells = "ours theirs dense, 1.00 kB 3 100 (100-100) 0.500 50.00 20 20 / 300 (2) all / ! 90.00%"
    assert cells.split() == table.text(results).splitlines()[1].split()
    page = table.markdown(results).splitlines()[-1]
    assert cells.split() == page.replace("|", " ").split()
    assert table.notes(results)[0] == "theirs found 9 of 10 messages in dense, 1.00 kB"


def test_a_busy_machine_is_told() -> None:
    assert machine.warning({"load": 0.4, "processors": 2}) == ""
    assert "a load of 1.8 on 2 processors" in machine.warning({"load": 1.8, "processors": 2})


def test_the_processor_is_named(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("vendor_id\t: X\nmodel name\t: Made Up 3000\n")
    assert machine.processor(tmp_path / "cpuinfo") == "Made Up 3000"
    assert machine.processor(tmp_path / "none") != ""
