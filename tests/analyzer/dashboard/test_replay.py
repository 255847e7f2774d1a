"""Playing again from the page: how it is asked for, what goes on, what is told of it."""

from __future__ import annotations

import json
import shlex
from threading import Event, Thread
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from analyzer.cli.main import main
from analyzer.dashboard.desk import Desk
from analyzer.dashboard.playing import choice as playing_choice
from analyzer.dashboard.playing import live as playing_live
from analyzer.dashboard.playing import plays as playing_module
from analyzer.dashboard.playing import results
from analyzer.dashboard.playing.live import LiveDesk
from analyzer.dashboard.playing.order import command_of, order_of
from analyzer.dashboard.playing.plays import MAX_PLAYING, MAX_PLAYS, PLAYS, Playing, Plays, new_id
from analyzer.dashboard.playing.script import derived, with_values
from analyzer.dashboard.playing.told import paired
from analyzer.dashboard.selection import Selection
from analyzer.dashboard.workspace import WORKSPACE
from analyzer.diagnostics.table import diagnose
from analyzer.replay.transport.run import Stop
from tests.paths import SAMPLES
from tests.support.dashboard import PATIENCE, drawings, looked_at, markup, opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from streamlit.testing.v1 import AppTest

    from analyzer.dashboard.cases import Case

BROKEN = SAMPLES / "fault-503.pcap"
EMPTY = b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00" + bytes(8) + b"\xff\xff\x00\x00\x01\x00\x00\x00"
"""A capture without packets."""


@pytest.fixture(scope="module")
def case() -> Case:
    return opened(BROKEN)


def _made(case: Case, folder: Path, password: str = "", **more: str) -> Playing:
    order = order_of(more)
    assert not order.wrong
    desk = Desk(case, Selection(case=case.id, view="replay", more=more))
    script, values = with_values(derived(desk, order).script, order)
    seed = order.seed or 7
    options = order.options(seed, password, values)
    return Playing(
        new_id(),
        case.id,
        case.name,
        script,
        order,
        options,
        seed,
        folder / new_id(),
        WORKSPACE.cases,
    )


def _played(case: Case, folder: Path, **more: str) -> Playing:
    made = _made(case, folder, **more)
    made.run()
    return made


def _listening(server: Playing) -> str:
    """Wait until a server takes connections, and return where."""
    for _ in range(2_000):
        if server.listening is not None:
            return str(server.listening)
        assert not server.wait(0.01), server.failure
    raise AssertionError("it never listens")


# how it is asked for


@pytest.mark.parametrize(
    ("key", "text", "told"),
    [
        ("way", "moon", "no way"),
        ("speed", "soon", "the speed is recorded, fast, or a number"),
        ("timeout", "never", "is no time"),
        ("for", "90000h", "more than a day"),
        ("seed", "-1", "is no number"),
        ("fault", "explode cmd=join", "no such fault"),
        ("set", "hello", "not NAME=VALUE"),
        ("users", "ann@contoso.com:secret", "a password does not belong into an address"),
        ("users", "ann", "name@domain"),
        ("scheme", "Basic", "NTLM or Digest"),
        ("scheme", "NTLM", "say who may sign in"),
    ],
)
def test_what_is_not_understood_is_told_at_its_box(key: str, text: str, told: str) -> None:
    assert told in order_of({key: text}).why(key)


@pytest.mark.parametrize("address", ["10.0.0.5:5060", "198.51.100.7", "0.0.0.0:5060", "[fe80::1]"])
@pytest.mark.parametrize("way", ["client", "server"])
def test_nobody_but_this_machine_is_called_or_let_in(way: str, address: str) -> None:
    order = order_of({"way": way, "at": address})
    assert order.why("at")
    assert order.address is not None
    assert order.address.host == "127.0.0.1"


@pytest.mark.parametrize("address", ["127.0.0.1:5070", "[::1]:5070", "localhost:5070"])
@pytest.mark.parametrize("way", ["client", "server"])
def test_loopback_has_several_names(way: str, address: str) -> None:
    assert order_of({"way": way, "at": address}).wrong == ()


def test_no_password_is_in_the_order_or_on_the_command_line(case: Case, tmp_path: Path) -> None:
    made = _made(case, tmp_path, "hunter2", way="server", users="ann@contoso.com", scheme="NTLM")
    assert made.options.users[0].password == "hunter2"
    told = command_of(made.order, ["x.pcap"], None, plain=True)
    assert "--user ann@contoso.com --ntlm --once" in told
    assert "hunter2" not in f"{told}{made!r}{made.order!r}{made.options!r}"


def test_the_command_beside_it_plays_the_same(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = {"seed": "7", "fault": "503 cmd=join nth=1", "set": "text1=good morning"}
    made = _played(case, tmp_path, **more)
    monkeypatch.chdir(tmp_path)
    command = command_of(made.order, [str(BROKEN)], None, plain=True)
    for one in command.replace("\\\n", "").split("&&"):
        words = shlex.split(one)[1:]
        more_words = ["--json", "result.json"] if words[0] == "replay" else []
        CliRunner().invoke(main, [*words, *more_words])
    found = json.loads((tmp_path / "result.json").read_text())
    assert made.account is not None
    assert found["held"] == made.account.held
    assert [end["counts"] for end in found["ends"]] == [
        dict(end.counts) for end in made.account.ends
    ]


# playing


def test_in_memory_the_case_plays_as_it_was_recorded(case: Case, tmp_path: Path) -> None:
    made = _played(case, tmp_path)
    assert not made.running
    assert made.failure == ""
    assert made.account is not None
    assert made.account.held
    again = WORKSPACE.cases.get(made.opened)
    assert again is not None
    assert [one.rule for one in diagnose(again.trace)] == ["GC409"]
    assert again.name == "replay of fault-503.pcap"


def test_a_client_and_a_server_of_this_process_play_against_each_other(
    case: Case, tmp_path: Path
) -> None:
    server = _made(case, tmp_path, way="server", at="127.0.0.1:0")
    server.begin()
    client = _made(
        case, tmp_path, way="client", at=_listening(server), users="zoe@fabrikam.example"
    )
    client.begin()
    assert client.wait(PATIENCE)
    assert server.wait(PATIENCE)
    for one in (client, server):
        assert one.account is not None
        assert one.account.held, one.account
        heard = WORKSPACE.cases.get(one.opened)
        assert heard is not None
        assert heard.views[0].user == "sip:zoe@fabrikam.example"


def test_a_fault_makes_it_differ_and_is_told(case: Case, tmp_path: Path) -> None:
    made = _played(case, tmp_path, fault="503 cmd=join nth=1\ndrop rpl=join")
    assert made.account is not None
    assert not made.account.held
    notes = [note for end in made.account.ends for note in end.notes]
    assert any(note.startswith("fault '503 cmd=join nth=1': answered 503") for note in notes)


def test_a_server_that_waits_ends_when_it_is_stopped(case: Case, tmp_path: Path) -> None:
    server = _made(case, tmp_path, way="server", at="127.0.0.1:0", once="0")
    server.begin()
    _listening(server)
    server.stop()
    assert server.wait(PATIENCE)
    assert server.account is not None
    assert server.account.ends[0].played == 0
    assert not server.account.held
    assert server.opened == ""


def test_a_play_in_memory_that_is_watched_waits_for_its_time_and_can_be_stopped(
    case: Case, tmp_path: Path
) -> None:
    made = _made(case, tmp_path, pace="1", speed="0.001")
    made.begin()
    while not made.events:
        assert not made.wait(0.01)
    assert len(made.events) < 57
    made.stop()
    assert made.wait(PATIENCE)
    assert made.failure == "It was stopped before it came to its end."


def test_a_port_that_is_taken_is_one_line(case: Case, tmp_path: Path) -> None:
    first = _made(case, tmp_path, way="server", at="127.0.0.1:0")
    first.begin()
    second = _played(case, tmp_path, way="server", at=_listening(first))
    first.stop()
    assert "cannot listen on 127.0.0.1" in second.failure
    assert "\n" not in second.failure
    assert first.wait(PATIENCE)


def test_nobody_listens_and_that_is_what_the_account_says(case: Case, tmp_path: Path) -> None:
    server = _made(case, tmp_path, way="server", at="127.0.0.1:0")
    server.begin()
    address = _listening(server)
    server.stop()
    assert server.wait(PATIENCE)
    client = _played(case, tmp_path, way="client", at=address)
    assert client.account is not None
    assert not client.account.held
    assert any("refused" in one.detail for one in client.account.ends[0].verdicts)


def test_what_is_kept_of_a_play_is_bounded(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playing_module, "MAX_WIRE", 10_000)
    made = _played(case, tmp_path)
    assert made.account is not None
    assert made.account.held
    assert any("the capture ends early" in one for one in made.account.remarks)


def test_few_plays_go_on_at_once_and_few_are_remembered(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plays, go = Plays(), Event()
    monkeypatch.setattr(Playing, "run", lambda self: (go.wait(PATIENCE), self._over.set()))
    going = [_made(case, tmp_path) for _ in range(MAX_PLAYING)]
    assert [plays.start(one) for one in going] == [""] * MAX_PLAYING
    assert "go on already" in plays.start(_made(case, tmp_path))
    go.set()
    assert all(one.wait(PATIENCE) for one in going)
    for _ in range(MAX_PLAYS + 2):
        one = _made(case, tmp_path)
        assert plays.start(one) == ""
        assert one.wait(PATIENCE)
    assert len(plays.of(case.id)) == MAX_PLAYS
    assert plays.get(going[0].id) is None
    plays.close()
    assert plays.of(case.id) == []


@pytest.mark.parametrize("early", [True, False])
def test_a_run_can_be_ended_from_another_thread(early: bool) -> None:
    stop, queue = Stop(), list[object]()

    def soon(call: Callable[[], None]) -> None:
        queue.append(call)

    def ask() -> None:
        stop.ask_from_elsewhere("enough")

    thread = Thread(target=ask)
    if early:
        thread.start()
        thread.join(PATIENCE)
    stop.reached_by(soon)
    if not early:
        thread.start()
        thread.join(PATIENCE)
    assert stop.reason == ""
    for call in queue:
        assert callable(call)
        call()
    assert stop.reason == "enough"
    assert not stop.urgent


# the page


def _looked(case: Case, **more: Any) -> AppTest:  # noqa: ANN401
    return looked_at(case, "replay", **more)


def _played_page(page: AppTest) -> AppTest:
    page.button(key="replay-play").click().run()
    for _ in range(200):
        if "replay-account" in drawings(page):
            return page
        page.run()
    raise AssertionError("it is never over")


def test_the_page_plays_and_tells_what_held_with_the_recorded_message(case: Case) -> None:
    page = _played_page(_looked(case, session=0, verdicts="all"))
    told = markup(page, "replay-account")
    assert "Everything that the script expects came as it expects it" in told
    assert "30 of 30 turns held; 1 client." in told
    assert "message=" in told
    assert "view=compare" in told
    assert "other=" in told
    labels = [one.proto.label for one in page.get("download_button")]
    assert labels == ["Result (JSON)", "Result (JUnit)", "Script (JSON)", "Capture (pcapng)"]
    assert "replay-ladder" in drawings(page)
    assert page.query_params["play"]


def test_each_session_of_a_play_is_compared_with_that_of_its_user() -> None:
    case = opened(SAMPLES / "twousers-post.pcap")
    page = _played_page(_looked(case))
    (made,) = PLAYS.of(case.id)
    played = WORKSPACE.cases.get(made.opened)
    assert played is not None
    for chosen, count in ((None, 2), (1, 1)):
        pairs = paired(Desk(case, Selection(case=case.id, session=chosen)), played)
        assert len(pairs) == count
        assert all(case.views[a].user == played.views[b].user for a, b in pairs)
    assert f"other={made.opened}%3A" in markup(page, "replay-account")


def test_what_differs_is_told_first(case: Case) -> None:
    page = _played_page(_looked(case, fault="drop rpl=join", timeout="1s"))
    told = markup(page, "replay-account")
    assert "did not hold" in told
    assert "missing" in told


def test_while_it_goes_on_the_ladder_has_what_was_said_so_far(case: Case) -> None:
    page = _looked(case, way="self", pace="1", speed="0.001")
    page.button(key="replay-play").click().run()
    (playing,) = (one for one in PLAYS.of(case.id) if one.running)
    while len(playing.events) < 2:
        assert not playing.wait(0.01)
    page.run()
    said = next(one.value for one in page.text if "on the wire" in one.value)
    assert "the script has 57 turns" in said
    assert f"replay-live-{playing.id}" in drawings(page)
    page.button(key="replay-stop").click().run()
    assert playing.wait(PATIENCE)
    page.run()
    assert "stopped before it came to its end" in page.error[0].value
    assert playing.live is None
    assert not list(playing.folder.glob("live-*"))


def test_turns_and_slots_are_shown_with_who_says_them(case: Case) -> None:
    told = markup(_looked(case, show="slots"), "replay-slots")
    assert "client1.user" in told
    assert "new at every play" in told
    assert "1 to 50 of 143 slots" in told
    told = markup(_looked(case, show="turns"), "replay-turns")
    assert "REGISTER sip:" in told
    assert "client1 to server" in told


def test_a_slot_is_given_another_value(case: Case) -> None:
    page = _looked(case, show="slots", set="client1=ann@fabrikam.example")
    assert not page.error
    page.text_area(key="replay-set").set_value("nobody=1").run()
    assert "there is nothing called" in page.error[0].value.replace("\\", "")


def test_with_pseudonyms_nobody_is_named(case: Case) -> None:
    page = _looked(case, names="pseudonyms", show="slots")
    assert "contoso" not in markup(page, "replay-slots")
    assert "contoso" not in markup(page, "replay-script")


def test_an_address_with_nonsense_cannot_be_played(case: Case) -> None:
    page = _looked(case, way="client", at="10.0.0.5", fault="nonsense")
    assert page.button(key="replay-play").disabled
    told = " ".join(one.value for one in page.error).replace("\\", "")
    assert "is not this machine" in told
    assert "no such fault" in told


def test_a_play_that_nobody_remembers_is_said(case: Case) -> None:
    assert "forgotten" in _looked(case, play="0123").info[0].value


def test_in_an_empty_capture_there_is_nothing_to_play(tmp_path: Path) -> None:
    path = tmp_path / "empty.pcap"
    path.write_bytes(EMPTY)
    page = _looked(opened(path))
    assert "There is nothing to play" in page.warning[0].value


def test_of_a_damaged_capture_what_is_left_is_played(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(BROKEN.read_bytes()[:20_000])
    assert "came" in markup(_played_page(_looked(opened(path))), "replay-account")


def test_of_a_large_capture_a_session_is_chosen_before_anything_is_derived(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playing_choice, "MAX_UNASKED", 10)
    told = markup(_looked(case), "replay-choose")
    assert "The script of all 57 messages takes about 1 second." in told
    assert "problem" in told
    assert "session=1" in told
    assert "replay-script" in drawings(_looked(case, session=0))
    assert "replay-script" in drawings(_looked(case, all=1))


def test_a_flow_that_is_not_there_is_told(case: Case) -> None:
    page = _looked(case, flow="posting:9")
    assert "nothing to play" in page.warning[0].value
    assert "the whole of it" in markup(page, "replay-nothing")


def test_a_message_of_the_play_opens_in_the_case_of_its_capture(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _played(case, tmp_path)
    played = WORKSPACE.cases.get(made.opened)
    assert played is not None
    gone: dict[str, str] = {}
    streamlit = SimpleNamespace(query_params=SimpleNamespace(from_dict=gone.update))
    monkeypatch.setattr(playing_live, "st", streamlit)
    desk = LiveDesk(played, Selection(case=case.id, view="replay"), made.opened)
    desk.go(message=3)
    assert gone == {"case": made.opened, "view": "ladder", "message": "3"}
    gone.clear()
    LiveDesk(played, Selection(case=case.id, view="replay"), "").go(message=3)
    assert gone == {}


def test_results_are_made_from_what_was_played(case: Case, tmp_path: Path) -> None:
    made = _played(case, tmp_path)
    assert json.loads(results._json(made))["held"] is True
    assert json.loads(results._script(made))["format"] == "xccos-script"
