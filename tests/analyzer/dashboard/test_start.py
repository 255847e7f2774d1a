"""The page that opens captures: dropped, named, offered, or open already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamlit.testing.v1 import AppTest

from analyzer.dashboard.offers import in_directory, is_below, samples
from analyzer.dashboard.server import MAX_UPLOAD
from analyzer.dashboard.workspace import WORKSPACE
from tests.paths import ROOT, SAMPLES
from tests.support.dashboard import PATIENCE, markup

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from analyzer.dashboard.opening import Job, Request


def _start(**params: str) -> AppTest:
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    for key, value in params.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception
    return page


def _said(page: AppTest, key: str) -> str:
    """Return what the address says of a key."""
    value = page.query_params[key]
    return value if isinstance(value, str) else value[0]


def _settled(page: AppTest) -> AppTest:
    """Run the page until no job works any more."""
    for _ in range(100):
        if "job" not in page.query_params:
            return page
        job = WORKSPACE.job(_said(page, "job"))
        assert job is not None
        assert job.wait(PATIENCE)
        page.run()
        if job.failures:
            return page
    raise AssertionError("the job never ended")


def test_the_limit_is_shown_before_anything_is_uploaded() -> None:
    page = _start()
    assert f"up to {MAX_UPLOAD} MB each" in page.file_uploader[0].label
    assert "any size" in page.text_area[0].label
    assert [one.name for one in samples()][:1] == ["signin-tcp.pcap"]
    assert "sample=signin-tcp.pcap" in markup(page, "samples")


def test_what_is_dropped_is_opened_under_its_own_name() -> None:
    page = _start()
    data = (SAMPLES / "keepalive.pcap").read_bytes()
    page.file_uploader[0].upload("mine.pcap", data, "application/octet-stream").run()
    page.button(key="open-dropped").click().run()
    page = _settled(page)
    assert _said(page, "of") == "mine.pcap"
    case = WORKSPACE.cases.get(_said(page, "case"))
    assert case is not None
    assert case.files[0].startswith(str(WORKSPACE.folder))


def test_what_is_named_is_opened_where_it_lies() -> None:
    page = _start()
    page.text_area[0].set_value(f"'{SAMPLES / 'reconnect.pcap'}'\n\n")  # as shells quote it
    page.button(key="open-named").click().run()
    page = _settled(page)
    case = WORKSPACE.cases.get(_said(page, "case"))
    assert case is not None
    assert case.files == (str(SAMPLES / "reconnect.pcap"),)


def test_what_cannot_be_read_is_told_on_the_page() -> None:
    page = _start()
    page.text_area[0].set_value("/nowhere/*x*.pcap")
    page.button(key="open-named").click().run()
    page = _settled(page)
    assert "there is no file" in page.error[0].value
    assert page.file_uploader, "something else can be opened at once"


def test_keys_alone_are_refused_with_the_reason(tmp_path: Path) -> None:
    keys = tmp_path / "client.keylog"
    keys.write_text(f"CLIENT_RANDOM {'ab' * 32} {'cd' * 48}\n")
    page = _start()
    page.text_area[0].set_value(str(keys))
    page.button(key="open-named").click().run()
    assert "open them together with the capture" in page.error[0].value
    page.file_uploader[0].upload("client.keylog", keys.read_bytes(), "text/plain").run()
    page.button(key="open-dropped").click().run()
    assert "open them together with the capture" in page.error[0].value


def test_several_captures_of_several_stories_are_all_offered_with_their_verdicts() -> None:
    page = _start()
    named = ("batch-mixed.pcap", "fault-no-reply.pcap")
    page.text_area[0].set_value("\n".join(str(SAMPLES / name) for name in named))
    page.button(key="open-named").click().run()
    job = WORKSPACE.job(_said(page, "job"))
    assert job is not None
    assert job.wait(PATIENCE)
    shown = markup(page.run(), "start")
    assert "case" not in page.query_params
    now = shown[shown.index("2 captures were opened") :].split("Open already")[0]
    assert [name in now for name in named] == [True, True]
    assert "Opened now" in now
    assert "problem" in now


def test_going_back_from_a_case_does_not_lead_forward_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys: list[str] = []
    start = WORKSPACE.start

    def noted(key: str, request: Request) -> Job:
        keys.append(key)
        return start(key, request)

    monkeypatch.setattr(WORKSPACE, "start", noted)
    page = _settled(_start(sample="keepalive.pcap"))
    assert "case" in page.query_params
    page.query_params.clear()
    page.query_params["job"] = keys[0]
    page.query_params["view"] = "open"
    page.run()
    assert "case" not in page.query_params
    assert "Opened now" in markup(page, "start")


def test_an_address_of_a_capture_that_is_not_open_says_which_to_open() -> None:
    page = _start(case="0123456789abcdef", of="client.pcapng", view="ladder", session="2")
    assert "This address leads to <strong>client.pcapng</strong>" in markup(page, "start")


def test_an_address_is_followed_once_its_capture_is_open() -> None:
    page = _start(sample="signin-tcp.pcap")
    case = _said(_settled(page), "case")
    WORKSPACE.cases.close(case)
    page = _start(case=case, of="signin-tcp.pcap", view="messages", message="7")
    page.text_area[0].set_value(str(SAMPLES / "signin-tcp.pcap"))
    page.button(key="open-named").click().run()
    page = _settled(page)
    assert [_said(page, key) for key in ("case", "view", "message")] == [case, "messages", "7"]


def test_an_address_opens_no_file_that_nobody_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = str(SAMPLES / "signin-tcp.pcap")
    assert "job" not in _start(path=path).query_params
    assert is_below(path, [str(SAMPLES)])
    assert not is_below(str(SAMPLES / ".." / "README.md"), [str(SAMPLES)])
    assert not is_below("\0", [str(tmp_path)])
    monkeypatch.setattr(WORKSPACE, "given", (str(SAMPLES),))
    assert "case" in _settled(_start(path=path)).query_params


def test_directories_offer_what_can_be_read(tmp_path: Path) -> None:
    for name in ("a.pcap", "b.txt", "c.png", "d.pcapng.gz"):
        (tmp_path / name).write_bytes(b"x" * 2000)
    (tmp_path / "a.pcap.xccos-index").write_bytes(b"")
    (tmp_path / "e.pcap").mkdir()
    offers, said = in_directory(str(tmp_path))
    assert {(one.name, one.about) for one in offers} == {
        ("a.pcap", "2 kB, with index"),
        ("b.txt", "2 kB"),
        ("d.pcapng.gz", "2 kB"),
    }
    assert said == ""
    assert in_directory(str(tmp_path / "none")) == (
        [],
        f"{tmp_path / 'none'}: No such file or directory",
    )
