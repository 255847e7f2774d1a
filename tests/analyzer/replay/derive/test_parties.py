"""Who speaks: clients by user and endpoint, the server, and hosts behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.ladder.selection import Choice
from analyzer.replay.derive.build import derive
from analyzer.trace import open_capture
from tests.analyzer.captures import capture, message
from tests.analyzer.replay.derive.recordings import FLOWS, find, sample, script_of
from tests.paths import SAMPLES, require_shared

if TYPE_CHECKING:
    from pathlib import Path


def test_each_user_is_a_client_and_all_behind_is_the_server() -> None:
    script = sample("twousers-post.pcap")
    assert [(one.id, one.kind, one.user) for one in script.parties] == [
        ("client1", "client", "client1.user"),
        ("client2", "client", "client2.user"),
        ("server", "server", None),
    ]
    users = {script.slot(f"client{number}.user").value for number in (1, 2)}  # type: ignore[union-attr]
    assert users == {"user1@contoso.com", "user2@contoso.com"}
    assert all(one.live and one.responder == "server" for one in script.connections)


def test_a_user_who_reconnects_is_one_client_with_two_connections() -> None:
    script = sample("reconnect.pcap")
    assert len(script.clients) == 2
    openers = [one.opener for one in script.connections]
    assert sorted(openers) == ["client1", "client1", "client2"]
    assert script.connections[0].closed_ms is not None


def test_two_clients_with_identical_identifiers_share_no_slot() -> None:
    script = sample("callid-collision.pcap")
    invites = [find(script, "INVITE", client) for client in ("client1", "client2")]
    values = {one.name: one.value for one in script.slots}
    for name in ("Call-ID", "From"):
        first, second = (one.message.header(name) for one in invites)
        assert first != second
    names = [one.message.header("Call-ID").strip("${}") for one in invites]  # type: ignore[union-attr]
    assert values[names[0]] == values[names[1]]
    shared = set.intersection(*(set(one.message.slots()) for one in invites))
    assert shared <= {"domain1", "content_length", "server.port"}


def test_what_passes_behind_the_front_end_is_not_live_and_names_what_it_is_a_copy_of() -> None:
    script = sample("fe-two-hops.pcapng")
    hosts = {one.id for one in script.parties if one.kind == "host"}
    behind = [turn for turn in script.turns if turn.speaker in hosts]
    assert behind
    assert {turn.listener for turn in behind} <= hosts
    for turn in behind:
        assert not turn.live
        assert not turn.after
        copied = script.turn(turn.copy_of or "")
        assert copied is not None
        assert copied.live
        assert copied.message.body == turn.message.body
    inner = {one.id for one in script.connections if not one.live}
    assert {turn.connection for turn in behind} == inner


def test_branches_of_a_forked_invite_and_its_cancel_are_not_live() -> None:
    require_shared()
    script = script_of(FLOWS / "forked-lookup.pcap")
    forked = [turn for turn in script.turns if turn.message.method == "CANCEL"]
    assert forked
    assert not any(turn.live for turn in forked)
    live = [turn for turn in script.turns if turn.live and turn.message.start.startswith("INVITE")]
    assert len(live) == 2


def test_rounds_of_authentication_are_not_live_and_the_request_that_succeeds_is() -> None:
    turns = sample("r2-signin-full.pcap").turns[:6]
    assert [(turn.message.start.split()[0], turn.live) for turn in turns] == [
        ("REGISTER", False),
        ("SIP/2.0", False),
        ("REGISTER", False),
        ("SIP/2.0", False),
        ("REGISTER", True),
        ("SIP/2.0", True),
    ]
    assert turns[1].message.status == 401


def test_a_challenge_that_nothing_came_after_stays_live() -> None:
    with open_capture(SAMPLES / "r2-signin-full.pcap") as trace:
        script = derive(trace, Choice(frames=((1, trace.rows.frame[3]),)))
    assert [turn.live for turn in script.turns] == [False, False, True, True]
    assert script.turns[-1].message.status == 401


def test_dialogs_are_named_by_their_role() -> None:
    script = sample("signin-tcp.pcap")
    assert [one.id for one in script.dialogs] == [
        *("registration1", "subscription1", "subscription2", "subscription3"),
        *("lookup1", "service1", "service2", "channel1"),
    ]
    for dialog in script.dialogs:
        assert script.slot(dialog.call_id) is not None
        assert dialog.client == "client1"


def test_what_is_in_no_session_becomes_a_client_too(
    tmp_path: Path,
) -> None:
    path = capture(
        tmp_path / "one.pcap",
        message("STRANGE sip:ann@example.com SIP/2.0", CSeq="1 STRANGE"),
        message("SIP/2.0 501 Not Implemented", CSeq="9 STRANGE", Call_ID="of-the-other-side"),
    )
    with open_capture(path) as trace:
        script = derive(trace)
    users = {one.id: script.slot(one.user or "") for one in script.clients}
    assert [slot.value for slot in users.values() if slot] == ["bob@example.com", "ann@example.com"]
    assert [turn.speaker for turn in script.turns] == ["client1", "client2"]
    assert [turn.answers for turn in script.turns] == [None, None]
    assert script.connections[0].transport == "udp"


def test_a_choice_gives_the_script_of_one_session() -> None:
    with open_capture(SAMPLES / "twousers-post.pcap") as trace:
        whole, one = derive(trace), derive(trace, Choice(users=("user1",)))
    assert len(one.clients) == 1
    assert 0 < len(one.turns) < len(whole.turns)
    assert one.origin["chosen"]


def test_nothing_chosen_is_said_in_one_line() -> None:
    with open_capture(SAMPLES / "signin-tcp.pcap") as trace:
        with pytest.raises(ValueError, match="nobody"):
            derive(trace, Choice(users=("nobody",)))
        with pytest.raises(ValueError, match="no SIP message"):
            derive(trace, Choice(frames=((100_000, 100_001),)))
