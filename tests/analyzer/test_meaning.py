"""The meaning of captures that have a written truth."""

from __future__ import annotations

import gc
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.meaning import analyse
from tests.analyzer.stories import Story
from tests.analyzer.truths import FLOWS, PLAIN, name_of, named, opened, truth_of

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.model import Analysis, Session, Step
    from analyzer.trace import Trace

PairKey = tuple[str, str, str | None, str | None, str]
"""Client's address, Call-ID, envid, seqid and name of a command."""


def _client(trace: Trace, row: int) -> str:
    """Return the address that opened the connection of a message."""
    return trace.connections[trace.rows.stream[row] >> 1].opener


def _expected_pairs(truth: dict[str, Any]) -> Counter[tuple[PairKey, int, int | None]]:
    """Derive commands and posts with the number of replies and the SIP status, from the truth."""
    messages = [one for one in truth["messages"] if one["on_wire"]]
    commands: dict[PairKey, int] = {}
    replies: Counter[tuple[str, str, str | None, str | None]] = Counter()
    answers = {
        (one["conn"], one["call_id"], one["cseq"], one["from_tag"], one["dir"]): one["status"]
        for one in messages
        if one["kind"] == "response" and one["status"] >= 200
    }
    statuses: dict[PairKey, int | None] = {}
    for one in messages:
        xccos = one.get("xccos")
        for element in xccos["elements"] if xccos else ():
            if element["element"] == "rpl":
                command = element["commandid"]
                key = (one["conn"], one["call_id"], command["envid"], command["seqid"])
                replies[key] += 1
            elif one["dir"] == "c2s" and element["element"] in {"cmd", "grpchat"}:
                name = element["id"].partition(":")[2] or "grpchat"
                pair = (one["conn"], one["call_id"], xccos["envid"], element["seqid"], name)
                commands[pair] = commands.get(pair, 0) + 1
                about = (one["conn"], one["call_id"], one["cseq"], one["from_tag"], "s2c")
                statuses[pair] = answers.get(about)
    return Counter(
        {(key, replies[key[:4]], statuses[key]): count for key, count in commands.items()}
    )


def _found_pairs(trace: Trace, analysis: Analysis) -> Counter[tuple[PairKey, int, int | None]]:
    found: Counter[tuple[PairKey, int, int | None]] = Counter()
    for pair in analysis.pairs:
        assert pair.row is not None
        key = (_client(trace, pair.row), pair.call_id, pair.envid, pair.seqid, pair.command)
        found[key, len(pair.replies), pair.sip_status] += 1
    return found


@pytest.mark.parametrize("path", PLAIN, ids=name_of)
def test_every_command_has_exactly_its_replies(path: Path) -> None:
    trace, analysis = opened(path)
    expected = _expected_pairs(truth_of(path))
    assert expected
    assert _found_pairs(trace, analysis) == expected


@pytest.mark.parametrize("path", PLAIN, ids=name_of)
def test_commands_and_replies_are_of_the_same_client(path: Path) -> None:
    trace, analysis = opened(path)
    for pair in analysis.pairs:
        assert pair.row is not None
        rows = [pair.row, *(reply.row for reply in pair.replies)]
        assert len({_client(trace, row) for row in rows}) == 1
        assert pair.paired_by == ("commandid" if pair.replies else "none")
        assert not pair.name_mismatch


@pytest.mark.parametrize("path", FLOWS, ids=name_of)
def test_hop_copies_are_those_of_the_truth(path: Path) -> None:
    trace, analysis = opened(path)
    messages = truth_of(path)["messages"]
    assert [trace.rows.frame[row] for row in range(len(trace))] == [
        message["frame"] for message in messages
    ]
    expected = {
        message["n"] - 1: message["hop_copy_of"] - 1
        for message in messages
        if message["hop_copy_of"] is not None
    }
    assert analysis.copy_of == expected


@pytest.mark.parametrize("path", FLOWS, ids=name_of)
def test_hop_copies_give_one_pair(path: Path) -> None:
    trace, analysis = opened(path)
    posts_and_commands = Counter(
        (message["call_id"], item["envid"], item["seqid"], message["cseq"])
        for message in truth_of(path)["messages"]
        if message["hop_copy_of"] is None
        for item in message["xccos"]
        if item["element"] == "cmd"
    )
    found = Counter(
        (pair.call_id, pair.envid, pair.seqid, _cseq(trace, pair.row))
        for pair in analysis.pairs
        if pair.kind == "cmd" and pair.row is not None
    )
    assert found == posts_and_commands


def _cseq(trace: Trace, row: int) -> str:
    value = trace.rows.cseqs.values[trace.rows.cseq[row]]
    assert value is not None
    return f"{value[0]} {value[1]}"


@pytest.mark.parametrize("path", [*PLAIN, *FLOWS], ids=name_of)
def test_every_answer_has_its_request_and_every_message_its_dialog(path: Path) -> None:
    trace, analysis = opened(path)
    # Of an answer that was cut off before its Call-ID nobody knows what it answers.
    whole = [row for row in range(len(trace)) if trace.rows.call_id[row]]
    assert len(trace) - len(whole) <= 2
    assert sorted(analysis.transaction_of) == whole
    if "hole" not in path.stem:
        assert all(one.request is not None for one in analysis.transactions)
    outside = {
        analysis.transactions[analysis.transaction_of[row]].method
        for row in whole
        if row not in analysis.dialog_of
    }
    assert outside <= {"SERVICE", "OPTIONS", "MESSAGE"}
    placed = [row for dialog in analysis.dialogs for row in (*dialog.rows, *dialog.copies)]
    assert sorted(placed) == sorted(analysis.dialog_of)


def _matches(step: Step, truth: dict[str, Any]) -> bool:
    wanted = truth["steps"][step.id]
    if step.status in (wanted, *truth["steps_also"].get(step.id, ())):
        return True
    # A slow step is done; its sentence says so.
    return wanted == "slow" and step.status == "ok" and step.detail.startswith("slow")


def _of_truth(sessions: list[Session], truth: dict[str, Any]) -> Session | None:
    """Take the session that a sign-in of the truth speaks of; None where it may be unknown."""
    for session in sessions:
        if session.user == truth["user"]:
            sessions.remove(session)
            return session
    assert not truth["required"], truth["user"]
    return None


@pytest.mark.parametrize("path", FLOWS, ids=name_of)
def test_sign_ins_got_as_far_as_the_truth_says(path: Path) -> None:
    _, analysis = opened(path)
    sessions = list(analysis.sessions)
    for truth in truth_of(path)["expects"]["sign_ins"]:
        session = _of_truth(sessions, truth)
        if session is not None:
            wrong = [step for step in session.steps if not _matches(step, truth)]
            assert wrong == []
    assert sessions == []


@pytest.mark.parametrize("path", PLAIN, ids=name_of)
def test_every_client_has_one_session_for_each_sign_in(path: Path) -> None:
    _, analysis = opened(path)
    events = [one for one in truth_of(path)["events"] if one["event"] == "registered"]
    expected = [(one["user"], one["epid"], one["conn"]) for one in events]
    found = [(one.user, one.epid, one.client_address) for one in analysis.sessions]
    assert sorted(map(str, found)) == sorted(map(str, expected))
    for session in analysis.sessions:
        users = {analysis.dialogs[join.dialog].client for join in session.joins}
        assert users == {session.user}
        assert all(join.reason for join in session.joins)
        posts = [post for post in session.posts if post.user == session.user]
        assert len(posts) == len(session.posts)
    assert sum(len(one.joins) for one in analysis.sessions) == len(analysis.dialogs)
    services = [row for row in analysis.transaction_of if row not in analysis.dialog_of]
    taken = [index for one in analysis.sessions for index in one.services]
    assert sorted({analysis.transaction_of[row] for row in services}) == sorted(taken)


@pytest.mark.parametrize("path", PLAIN, ids=name_of)
def test_sign_ins_of_pidgin_lack_only_what_it_never_does(path: Path) -> None:
    _, analysis = opened(path)
    for session in analysis.sessions:
        statuses = {step.id: step.status for step in session.steps}
        assert statuses.pop("7") == "not-applicable"
        assert statuses.pop("8") == "not-applicable"
        # It joins the rooms that it remembers by bjoin, and sends none where it remembers none.
        has_bjoin = any(analysis.pairs[index].command == "bjoin" for index in session.pairs)
        assert statuses.pop("9") == ("ok" if has_bjoin else "not-applicable")
        assert set(statuses.values()) == {"ok"}


def test_a_command_without_reply_and_a_post_without_answer_are_unanswered() -> None:
    _, analysis = opened(named(PLAIN, "fault-no-reply"))
    silent = {pair.command: pair for pair in analysis.pairs if pair.outcome == "unanswered"}
    assert set(silent) == {"bccontext", "grpchat"}
    assert silent["bccontext"].sip_status == 200
    assert silent["grpchat"].sip_status is None
    assert len(analysis.sessions[0].problems) == 2


def test_a_refused_post_is_rejected_and_told() -> None:
    trace, analysis = opened(named(PLAIN, "fault-503"))
    bad = [pair for pair in analysis.pairs if pair.outcome == "rejected"]
    assert [(pair.command, pair.sip_status) for pair in bad] == [("grpchat", 503)]
    assert bad[0].row is not None
    (problem,) = analysis.sessions[0].problems
    assert f"frame {trace.rows.frame[bad[0].row]}" in problem
    assert "503 Service Unavailable" in problem
    assert "posted 1 of 2 messages" in analysis.sessions[0].verdict


def test_clients_that_share_all_identifiers_are_not_mixed() -> None:
    trace, analysis = opened(named(PLAIN, "callid-collision"))
    assert analysis.copy_of == {}
    for dialog in analysis.dialogs:
        assert len(dialog.legs) == 1
        users = {_client(trace, row) for row in dialog.rows}
        assert len(users) == 1


def test_a_dialog_that_its_client_gave_up_stays_with_the_old_session() -> None:
    _, analysis = opened(named(PLAIN, "reconnect"))
    first, second, again = analysis.sessions
    assert first.user == again.user != second.user
    (obsolete,) = [dialog for dialog in analysis.dialogs if dialog.ended_by == "487"]
    assert obsolete.session == first.index
    assert len(obsolete.legs) == 2
    assert any("obsolete dialog" in problem for problem in first.problems)
    assert not any("obsolete dialog" in problem for problem in again.problems)


def test_a_forked_invite_has_one_dialog_that_was_confirmed() -> None:
    _, analysis = opened(named(FLOWS, "forked-lookup"))
    lookups = [dialog for dialog in analysis.dialogs if dialog.role == "lookup"]
    assert [dialog.state for dialog in lookups] == ["terminated", "failed", "failed"]
    assert [dialog.session for dialog in lookups] == [0, 0, 0]
    assert analysis.sessions[0].problems == ()
    assert len(analysis.sessions[0].connections) == 1


def test_a_trace_without_messages_has_no_meaning() -> None:
    analysis = analyse(Story().trace())
    assert analysis.transactions == ()
    assert analysis.dialogs == ()
    assert analysis.sessions == ()


def test_analysing_leaves_the_collector_as_it_was() -> None:
    story = Story()
    story.connect().asks("OPTIONS", "ann", "bob", call="1")
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            analyse(story.trace())
            assert gc.isenabled() is enabled
        finally:
            gc.enable()
