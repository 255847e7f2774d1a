"""Root is given up for good: for who called sudo, else for nobody."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys

import pytest

from analyzer.live.privileges import give_up_root, is_root
from tests.paths import ROOT

CHILD = """
import json, os
from analyzer.live.privileges import give_up_root
who = give_up_root()
back = []
for way in (os.setuid, os.seteuid, os.setgid, os.setegid):
    try:
        way(0)
    except PermissionError:
        back.append(way.__name__)
try:
    os.setgroups([0])
except PermissionError:
    back.append("setgroups")
print(json.dumps([who, os.getresuid(), os.getresgid(), os.getgroups(), back]))
"""
SHUT = ["setuid", "seteuid", "setgid", "setegid", "setgroups"]
NOBODY = pwd.getpwnam("nobody")


def dropped(**environment: str) -> tuple[str, set[int], set[int], list[int], list[str]]:
    """Give root up in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SUDO_")}
    done = subprocess.run(
        [sys.executable, "-c", CHILD], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**kept, "COVERAGE_PROCESS_START": "", **environment}, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    who, uids, gids, groups, back = json.loads(done.stdout)
    return who, set(uids), set(gids), groups, back


CASES = {
    "nobody called sudo": ({}, NOBODY.pw_uid, NOBODY.pw_gid),
    "a user called sudo": ({"SUDO_UID": "54321", "SUDO_GID": "54322"}, 54321, 54322),
    "root called sudo": ({"SUDO_UID": "0", "SUDO_GID": "0"}, NOBODY.pw_uid, NOBODY.pw_gid),
    "no number": ({"SUDO_UID": "-1", "SUDO_GID": "²"}, NOBODY.pw_uid, NOBODY.pw_gid),
    "too large": ({"SUDO_UID": "4294967295", "SUDO_GID": "9"}, NOBODY.pw_uid, NOBODY.pw_gid),
}


@pytest.mark.parametrize("case", CASES)
def test_root_is_given_up_and_there_is_no_way_back(case: str) -> None:
    environment, uid, gid = CASES[case]
    if not is_root():
        # Only root can give root up: what is left to see is that nobody else is taken for it.
        assert os.geteuid() != 0
        return
    _, uids, gids, groups, back = dropped(**environment)
    assert (uids, gids) == ({uid}, {gid})
    assert 0 not in groups
    assert back == SHUT


def test_who_that_is_is_told_by_name() -> None:
    if is_root():
        assert dropped()[0] == "nobody"
    else:
        with pytest.raises(RuntimeError, match="root cannot be given up"):
            give_up_root()
