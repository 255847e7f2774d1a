"""Opening inputs beside the page: cases, failures in words, progress, and an end on request."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.dashboard import cases as cases_module
from analyzer.dashboard.cases import Cases
from analyzer.dashboard.opening import Cancelled, Job, Request, is_key
from analyzer.dashboard.workspace import Workspace
from tests.paths import SAMPLES, SHARED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from analyzer.dashboard.cases import Case

PATIENCE = 60.0


@pytest.fixture
def cases() -> Iterator[Cases]:
    found = Cases()
    yield found
    found.close_all()


def _opened(cases: Cases, *files: Path | str, **more: Any) -> tuple[Job, list[Case]]:  # noqa: ANN401
    job = Job(Request(tuple(map(str, files)), **more), cases)
    assert job.wait(PATIENCE)
    found = [cases.get(one) for one in job.opened]
    return job, [one for one in found if one is not None]


def test_a_capture_becomes_a_case_that_is_judged(cases: Cases) -> None:
    job, (case,) = _opened(cases, SAMPLES / "fault-503.pcap")
    assert job.failures == []
    assert case.name == "fault-503.pcap"
    assert case.verdicts() == ["failed"]
    assert case.severities()["error"] == 1
    frames = case.findings[0]["frames"]
    rows = [case.row_of_frame(frame) for frame in frames]
    assert [case.trace.rows.frame[row] for row in rows if row is not None] == frames
    assert {case.session_of(row) for row in rows if row is not None} == {0}


def test_the_same_content_is_the_same_case_wherever_it_lies(cases: Cases, tmp_path: Path) -> None:
    _, (first,) = _opened(cases, SAMPLES / "signin-tcp.pcap")
    other = tmp_path / "renamed.pcap"
    shutil.copyfile(SAMPLES / "signin-tcp.pcap", other)
    _, (second,) = _opened(cases, other)
    assert second is first
    _, (third,) = _opened(cases, SAMPLES / "keepalive.pcap")
    assert third.id != first.id


def test_inputs_of_one_story_become_one_case_unless_told_apart(cases: Cases) -> None:
    both = SAMPLES / "fault-no-reply.pcap", SAMPLES / "fault-no-reply-server.txt"
    _, (case,) = _opened(cases, *both)
    assert case.name == "fault-no-reply.pcap, fault-no-reply-server.txt"
    assert len(case.trace.inputs) == 2
    assert len(_opened(cases, *both, together=False)[1]) == 2
    assert len(_opened(cases, both[0], SAMPLES / "signin-tcp.pcap")[1]) == 2


def test_what_cannot_be_opened_is_told_in_a_line_and_the_rest_is_opened(
    cases: Cases, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 and no more")
    job, found = _opened(cases, tmp_path / "none.pcap", fifo, broken, SAMPLES / "signin-tcp.pcap")
    assert [case.name for case in found] == ["signin-tcp.pcap"]
    told = dict(line.split(": ", 1) for line in job.failures)
    assert set(told) == {"none.pcap", "fifo", "broken.zip"}
    assert told["fifo"] == "only plain files are opened here"
    assert "no file" in told["none.pcap"]


def test_a_wrong_zone_is_told(cases: Cases, tmp_path: Path) -> None:
    job, found = _opened(cases, SAMPLES / "fault-no-reply-server.txt", zone="Mars/Olympus")
    assert found == []
    assert "'Mars/Olympus' is not a time zone" in job.failures[0]


def test_keys_are_told_from_captures_by_what_is_in_them(tmp_path: Path) -> None:
    log = tmp_path / "secrets.txt"
    log.write_bytes(b"\xef\xbb\xbf# comment\nCLIENT_RANDOM " + b"0" * 64 + b" " + b"1" * 96)
    assert not is_key(str(SAMPLES / "signin-tcp.pcap"))
    assert not is_key(str(SAMPLES / "fault-no-reply-server.txt"))
    assert not is_key(str(tmp_path / "none"))
    assert is_key(str(log))


def test_a_key_log_opens_what_is_encrypted(cases: Cases, tmp_path: Path) -> None:
    dark = tmp_path / "dark.pcap"
    source = next((SHARED / "captures").glob("**/*tls*.pcap"))
    shutil.copyfile(source, dark)
    _, (without,) = _opened(cases, dark)
    keys = next(iter(source.parent.glob(f"{source.stem}*.keylog")))
    _, (with_keys,) = _opened(cases, dark, keys=(str(keys),))
    assert without.id != with_keys.id
    assert len(with_keys.trace.rows) > len(without.trace.rows)


def test_a_job_can_be_ended() -> None:
    job = Job(Request((str(SAMPLES / "signin-tcp.pcap"),)), Cases())
    job.cancel()
    with pytest.raises(Cancelled):
        job.step(1)
    assert job.wait(PATIENCE)
    assert not job.running


def test_the_case_not_looked_at_for_longest_is_closed(
    cases: Cases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases_module, "MAX_CASES", 2)
    names = ("signin-tcp.pcap", "keepalive.pcap", "reconnect.pcap")
    found = [_opened(cases, SAMPLES / name)[1][0] for name in names[:2]]
    assert cases.get(found[0].id) is found[0]
    _opened(cases, SAMPLES / names[2])
    assert [case.name for case in cases] == ["reconnect.pcap", "signin-tcp.pcap"]


def test_a_request_is_worked_on_once_however_often_it_is_made() -> None:
    workspace, request = Workspace(), Request((str(SAMPLES / "signin-tcp.pcap"),))
    first = workspace.start("key", request)
    assert workspace.start("key", request) is first
    assert first.wait(PATIENCE)
    assert workspace.start("key", request) is first
    failed = workspace.start("other", Request(("/nowhere",)))
    assert failed.wait(PATIENCE)
    assert workspace.start("other", Request(("/nowhere",))) is not failed
    workspace.cases.close_all()


def test_what_is_given_to_the_page_is_kept_where_nobody_else_reads_it() -> None:
    workspace = Workspace()
    path = workspace.keep("..\\..\\etc/pass wd<script>.pcap", memoryview(b"data"))
    assert path.read_bytes() == b"data"
    assert path.is_relative_to(workspace.folder)
    assert path.name == "pass_wd_script_.pcap"
    assert workspace.folder.stat().st_mode & 0o077 == 0
    assert workspace.keep("..\\..\\etc/pass wd<script>.pcap", memoryview(b"data")) == path
    shutil.rmtree(workspace.folder)
