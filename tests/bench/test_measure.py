"""A run tells how a program ended, how large it was and what it found."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench import counts
from bench.captures import Load
from bench.measure import check, timed
from bench.programs import FILE, Program

pytestmark = pytest.mark.untraced


LOAD = Load("itself", Path(__file__))
LARGE = "x = bytearray(64 << 20)"
LARGE_KIB = 64 << 10
TWO = f"""import subprocess, sys, time
{LARGE}
below = subprocess.Popen([sys.executable, '-c', '{LARGE}; import time; time.sleep(0.6)'])
below.wait()
"""


def python(code: str, **more: object) -> Program:
    return Program("python", (sys.executable, "-c", code, FILE), **more)  # type: ignore[arg-type]


def test_a_run_is_given_the_capture_and_its_environment() -> None:
    code = "import os, sys; print(sys.argv[1], os.environ['XCCOS_PURE'])"
    program = python(code, count=lambda out: out.read() == f"{__file__} 1\n".encode())
    asked = Program(program.name, program.words, program.count, environment=(("XCCOS_PURE", "1"),))
    assert check(asked, LOAD, limit=60).found == 1


def test_the_peak_is_that_of_the_program_and_not_of_who_measures() -> None:
    held = bytearray(128 << 20)
    small, large = timed(python("pass"), LOAD, 60), timed(python(LARGE), LOAD, 60)
    assert small.largest_kib < LARGE_KIB < large.largest_kib < len(held) >> 10
    assert 0 < small.launcher_kib < LARGE_KIB


def test_the_memory_of_all_processes_is_added() -> None:
    done = check(python(TWO), LOAD, limit=60)
    assert done.processes == 2
    assert done.together_kib > 2 * LARGE_KIB


def test_a_program_that_fails_is_told_with_its_last_words() -> None:
    program = python("import sys; sys.exit('no such field')", count=counts.lines)
    assert timed(program, LOAD, 60).failure == "ended with 1: no such field"
    assert check(program, LOAD, 60).failure == "ended with 1: no such field"


def test_a_program_that_takes_too_long_is_stopped() -> None:
    program = Program("sleep", ("/bin/sh", "-c", "sleep 50 & sleep 50"))
    assert timed(program, LOAD, 0.2).failure == "stopped after 0.2 s"
    assert check(program, LOAD, 0.2).failure == "stopped after 0.2 s"


def test_a_program_that_is_not_there_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(RuntimeError, match="cannot be started"):
        timed(Program("none", ("/nowhere/none",)), LOAD, 60)
