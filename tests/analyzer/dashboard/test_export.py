"""Taking things away: what is taken, what it holds of people, and what is made of it."""

from __future__ import annotations

import io
import json
import shlex
import shutil
import zipfile
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from analyzer.cli.main import main
from analyzer.dashboard.desk import Desk
from analyzer.dashboard.filtering.shown import filtered
from analyzer.dashboard.opening import Cancelled
from analyzer.dashboard.pages import export
from analyzer.dashboard.selection import Selection
from analyzer.dashboard.takeaway import apart as takeaway_apart
from analyzer.dashboard.takeaway import make as takeaway_make
from analyzer.dashboard.takeaway import order as takeaway_order
from analyzer.dashboard.takeaway.command import command_of
from analyzer.dashboard.takeaway.make import maker
from analyzer.dashboard.takeaway.order import GROUPS, order_of
from analyzer.dashboard.takeaway.scope import inputs, scope_of, spans, whole_of
from analyzer.dashboard.takeaway.text import plain
from analyzer.dashboard.takeaway.work import MAX_KEPT, MAX_WORKING, Made, Shelf, Work, save_as
from analyzer.ladder.look import Look
from analyzer.replay.derive import build
from analyzer.replay.edit import leaks
from analyzer.replay.edit.leaks import Leak
from analyzer.trace import open_capture
from tests.paths import SAMPLES
from tests.support.dashboard import PATIENCE, looked_at, markup, opened

if TYPE_CHECKING:
    from pathlib import Path

    from streamlit.testing.v1 import AppTest

    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.takeaway.scope import Scope

BROKEN = SAMPLES / "fault-503.pcap"
TWO = SAMPLES / "twousers-post.pcap"
EMPTY = b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00" + bytes(8) + b"\xff\xff\x00\x00\x01\x00\x00\x00"
"""A capture without packets."""
PEOPLE = (b"contoso", b"user1@", b"user2@")
"""What the samples say of people and places."""
EVERYTHING = [(group, form) for group, one in GROUPS.items() for form in one.forms]


@pytest.fixture(scope="module")
def case() -> Case:
    return opened(TWO)


def _scope(case: Case, text: str = "", session: int | None = None) -> Scope:
    desk = Desk(case, Selection(case=case.id, view="export", filter=text, session=session))
    found = filtered(desk)
    return scope_of(case, session, found.filter, found.rows, desk.zone)


def _made(case: Case, scope: Scope, folder: Path, **more: str) -> tuple[Made, bytes]:
    folder.mkdir(exist_ok=True)
    made = maker(case, order_of(more, ""), scope)(Work(), folder)
    return made, made.path.read_bytes()


def _texts(made: Made, data: bytes) -> bytes:
    """Return what can be read in a file, of an archive in all its files."""
    if not made.name.endswith(".zip"):
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())


# what is taken


def test_without_a_selection_everything_is_taken(case: Case) -> None:
    scope = _scope(case)
    assert scope == whole_of(case)
    assert scope.told == "the whole capture: all 114 messages"


def test_a_session_is_named_by_its_number_and_user(case: Case) -> None:
    scope = _scope(case, session=1)
    assert scope.told.startswith("session 2 of sip:user")
    assert scope.options == ("--session", "2")
    assert 0 < scope.count < scope.total


def test_a_filter_without_words_on_the_command_line_is_said_by_frames(case: Case) -> None:
    scope = _scope(case, "cmd:join", session=0)
    assert scope.rows
    assert scope.options is not None
    assert scope.options[:3] == ("--session", "1", "--frames")
    assert scope.table_options == ("--session", "1", "--command", "cmd:join")


def test_a_filter_that_is_wrong_takes_all_of_the_session(case: Case) -> None:
    assert _scope(case, "nosuchword:1", session=0).rows is None


def test_frames_become_spans() -> None:
    assert spans([7, 3, 4, 5, 7, 9]) == ((3, 5), (7, 7), (9, 9))


# what is said of it


def test_whatever_the_address_says_there_is_an_order() -> None:
    order = order_of({"take": "moon", "as": "x" * 90, "alias": "nothing\n10.0.0.1=fe"}, "")
    assert (order.group, order.form) == ("ladder", "svg")
    assert order.aliases == (("10.0.0.1", "fe"),)
    assert len(order.wrong) == 3


def test_keys_are_for_pcapng_alone() -> None:
    assert order_of({"take": "capture", "as": "pcap", "tls": "keys"}, "").secrets == ""
    assert "everything in it can be read" in order_of({"take": "capture", "tls": "keys"}, "").holds


@pytest.mark.parametrize(("group", "form"), EVERYTHING)
def test_everything_says_what_it_holds_and_can_have_pseudonyms(group: str, form: str) -> None:
    plainly = order_of({"take": group, "as": form}, "")
    assert plainly.holds.startswith("Holds names, addresses and rooms")
    assert "as captured" in plainly.holds
    assert "names" in plainly.redactions
    assert "pseudonyms" in order_of({"take": group, "as": form, "redact": "names"}, "").holds


def test_what_is_not_installed_is_named_with_the_way_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(takeaway_order, "find_spec", lambda _: None)
    missing = order_of({"as": "png"}, "").missing
    assert missing == (
        "resvg_py, ttf_opensans is not installed (pip install 'xccos-analyzer[images]')"
    )
    assert order_of({"as": "svg"}, "").missing == ""


@pytest.mark.parametrize("sign", "\\`*_{}[]()<>#+-.!|~:$^=")
def test_signs_of_markdown_stay_what_they_are(sign: str) -> None:
    assert plain(f"a{sign}b") == f"a\\{sign}b"


# what is made


@pytest.mark.parametrize(("group", "form"), EVERYTHING)
def test_everything_can_be_made_of_a_session_with_pseudonyms(
    case: Case, tmp_path: Path, group: str, form: str
) -> None:
    more = {"take": group, "as": form, "redact": "names"}
    made, data = _made(case, _scope(case, session=0), tmp_path, **more)
    assert data
    assert "pseudonyms" in made.name
    assert any("none of the old values is left" in note for note in made.notes)
    found = _texts(made, data)
    assert [one for one in PEOPLE if one in found.lower()] == []


@pytest.mark.parametrize(
    "more",
    [
        {"take": "ladder", "as": "txt", "times": "relative"},
        {"take": "ladder", "as": "svg", "theme": "dark", "alias": "127.0.0.1=fe1"},
        {"take": "report", "as": "html", "redact": "bodies"},
        {"take": "report", "as": "zip"},
        {"take": "capture", "as": "pcapng"},
        {"take": "capture", "as": "pcap"},
        {"take": "table", "as": "csv", "table": "commands"},
        {"take": "table", "as": "json", "table": "findings"},
        {"take": "table", "as": "parquet", "table": "messages"},
        {"take": "script", "as": "json"},
        {"take": "script", "as": "json", "redact": "names"},
        {"take": "capture", "as": "pcapng", "redact": "names"},
    ],
    ids=lambda more: "-".join(more.values()),
)
def test_the_command_beside_it_makes_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, str]
) -> None:
    shutil.copy(BROKEN, tmp_path / BROKEN.name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    case = opened(BROKEN.name)
    scope, order = _scope(case, session=0), order_of(more, "")
    _, data = _made(case, scope, tmp_path / "page", **more)
    command = command_of(order, scope, inputs(case))
    assert command is not None
    for one in command.replace("\\\n", "").split("&&"):
        result = CliRunner().invoke(main, shlex.split(one)[1:])
        assert result.exit_code in (0, None), result.output
    assert (tmp_path / order.name).read_bytes() == data


def test_a_filter_takes_its_messages_and_no_others(case: Case, tmp_path: Path) -> None:
    scope = _scope(case, "cmd:join")
    _, data = _made(case, scope, tmp_path / "a", take="table", **{"as": "json"})
    assert [one["index"] for one in json.loads(data)] == list(scope.rows or ())
    made, _ = _made(case, scope, tmp_path / "b", take="capture")
    with open_capture(made.path) as trace:
        assert len(trace.rows) == scope.count
    _, data = _made(case, scope, tmp_path / "c", take="table", table="commands", **{"as": "json"})
    assert {one["command"] for one in json.loads(data)} == {"join"}


def test_a_long_ladder_comes_as_an_archive_of_its_pages(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeaway_make, "_look", lambda _: Look(page=20))
    made, data = _made(case, _scope(case), tmp_path, **{"as": "svg"})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        assert all(b"<svg" in archive.read(name)[:200] for name in names)
    assert names[:2] == ["ladder.svg", "ladder-2.svg"]
    assert made.name.endswith("-svg.zip")
    assert f"{len(names)} pages" in made.notes[-1]


def test_a_large_capture_is_read_once_more_so_that_pages_need_not_wait(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = _scope(case, session=1)
    _, before = _made(case, scope, tmp_path / "a", **{"as": "txt"})
    monkeypatch.setattr(takeaway_apart, "LARGE", 10)
    held = Event()

    def watched(self: Work, lock: RLock) -> None:
        held.set()

    monkeypatch.setattr(Work, "holding", watched)
    _, after = _made(case, scope, tmp_path / "b", **{"as": "txt"})
    assert after == before
    assert not held.is_set()


def test_where_an_old_value_is_left_nothing_is_made(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Leak(place="turns[3].message.body", kind="user", value="ann@contoso.com")
    monkeypatch.setattr(leaks, "leaks", lambda *_: [found])
    with pytest.raises(ValueError, match=r"1 place could not be given pseudonyms.*turns\[3\]"):
        _made(case, _scope(case), tmp_path, redact="names")
    assert list(tmp_path.iterdir()) == []


# the job


def test_a_job_lets_others_into_the_case_while_it_works() -> None:
    work, lock = Work(), RLock()
    inside, got = Event(), Event()

    def other() -> None:
        inside.wait(PATIENCE)
        with lock:
            got.set()

    thread = Thread(target=other)
    thread.start()
    with work.holding(lock):
        inside.set()
        while not got.is_set():
            work.step(0.5)
    thread.join(PATIENCE)
    assert got.is_set()


def test_who_cancels_gets_nothing_and_no_file_stays(tmp_path: Path) -> None:
    begun, shelf = Event(), Shelf()

    def make(work: Work, folder: Path) -> Made:
        (folder / "half").write_bytes(b"half")
        begun.set()
        while True:
            work.step()

    job = shelf.start("key", tmp_path, make)
    assert not isinstance(job, str)
    assert begun.wait(PATIENCE)
    job.work.cancel()
    assert job.wait(PATIENCE)
    assert job.made is None
    assert job.failure == "It was ended before it was done."
    assert not job.folder.exists()
    with pytest.raises(Cancelled):
        job.work.check()


def test_only_a_few_jobs_work_and_only_a_few_files_stay(tmp_path: Path) -> None:
    shelf, go = Shelf(), Event()

    def slow(_: Work, folder: Path) -> Made:
        go.wait(PATIENCE)
        (folder / "made").write_bytes(b"x")
        return Made(folder / "made", "x.txt", "text/plain")

    first = [shelf.start(str(number), tmp_path, slow) for number in range(MAX_WORKING)]
    refused = shelf.start("more", tmp_path, slow)
    assert isinstance(refused, str)
    assert "wait for one of them" in refused
    go.set()
    assert all(not isinstance(one, str) and one.wait(PATIENCE) for one in first)
    for number in range(MAX_KEPT + 2):
        job = shelf.start(f"later {number}", tmp_path, slow)
        assert not isinstance(job, str)
        assert job.wait(PATIENCE)
    assert len([*tmp_path.iterdir()]) <= MAX_KEPT


def test_a_failure_is_one_line(tmp_path: Path) -> None:
    def make(_: Work, __: Path) -> Made:
        raise ValueError("nothing\nmatches \x1b[31m")

    job = Shelf().start("key", tmp_path, make)
    assert not isinstance(job, str)
    assert job.wait(PATIENCE)
    assert "\n" not in job.failure
    assert "\x1b" not in job.failure


def test_a_file_is_written_to_a_path_and_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "made"
    path.write_bytes(b"ladder")
    made, target = Made(path, "ladder.svg", "image/svg+xml"), tmp_path / "out"
    target.mkdir()
    assert "6 B written to" in save_as(made, target)
    assert (target / "ladder.svg").read_bytes() == b"ladder"
    with pytest.raises(ValueError, match="there is a file of that name"):
        save_as(made, target / "ladder.svg")
    with pytest.raises(ValueError, match="No such file"):
        save_as(made, tmp_path / "none" / "x.svg")
    assert [one.name for one in target.iterdir()] == ["ladder.svg"]


# the page


def _looked(case: Case, **more: Any) -> AppTest:  # noqa: ANN401
    return looked_at(case, "export", **more)


def _ready(page: AppTest) -> AppTest:
    """Press the button and wait until it is made."""
    page.button(key="take-make").click().run()
    for _ in range(200):
        if any(one.key == "take-again" for one in page.button):
            return page
        assert not page.error, [one.value for one in page.error]
        page.run()
    raise AssertionError("it is never ready")


def test_nothing_is_made_before_somebody_asks(case: Case) -> None:
    page = _looked(case, take="report", **{"as": "zip"})
    told = markup(page, "take-told")
    assert "Not redacted" in told
    assert "xccos report" in told
    assert "--bundle report.zip" in told
    assert not page.get("download_button")
    page = _ready(page)
    (button,) = page.get("download_button")
    assert "Download" in button.proto.label
    assert "kB" in button.proto.label
    assert "twousers" in page.success[0].value.replace("\\", "")


def test_the_page_of_a_session_offers_the_whole_too(case: Case) -> None:
    page = _looked(case, session=0, redact="names")
    told = markup(page, "take-what")
    assert "session 1 of sip:" in told
    assert "scope=all" in told
    assert "--anonymise" in markup(page, "take-told")
    page = _looked(case, session=0, scope="all")
    assert "the whole capture: all 114 messages" in markup(page, "take-what")


def test_more_than_a_browser_is_sent_goes_to_a_path(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MAX_DOWNLOAD", 10)
    page = _ready(_looked(case, take="table", **{"as": "jsonl"}))
    assert not page.get("download_button")
    assert "is not sent to a browser" in page.text[0].value
    page.text_input(key="take-path").set_value(str(tmp_path / "out.jsonl")).run()
    page.button(key="take-write").click().run()
    assert "written to" in page.success[-1].value
    assert len((tmp_path / "out.jsonl").read_bytes().splitlines()) == 114


def test_an_empty_capture_has_nothing_to_take_away(tmp_path: Path) -> None:
    path = tmp_path / "empty.pcap"
    path.write_bytes(EMPTY)
    page = _looked(opened(path))
    assert "nothing to take away" in page.info[0].value
    assert not [one for one in page.button if one.key == "take-make"]


def test_of_a_damaged_capture_what_can_be_read_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(BROKEN.read_bytes()[:20_000])
    page = _ready(_looked(opened(path), take="script"))
    assert page.get("download_button")


def test_a_failure_is_told_and_can_be_tried_again(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ValueError("there is *nothing* to derive")

    monkeypatch.setattr(build, "derive", fails)
    page = _looked(case, session=1, take="capture", redact="names")
    page.button(key="take-make").click().run()
    for _ in range(50):
        if page.error:
            break
        page.run()
    assert "\\*nothing\\*" in page.error[0].value
    assert page.button(key="take-make").label == "Try again"
