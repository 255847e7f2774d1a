"""Command pairs: which reply answers which command, and what became of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from analyzer.meaning import analyse
from tests.analyzer.stories import Said, Story, Wire, cmd, envelope, post, rpl, uri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.model import CommandPair

ROOM = '<chanid key="0" domain="example.com" value="1"/>'


class Chat:
    """A channel dialog between ann and the service."""

    def __init__(self, *, story: Story | None = None, opener: str = "10.0.0.1:50000") -> None:
        self.story = story or Story()
        self.wire: Wire = self.story.connect(opener)
        self.cseq = 1
        said = self.wire.asks("INVITE", "ann", "svc", call="c")
        self.wire.answered(said, 200, to_tag="s")

    def sends(self, *items: str, envid: str = "7", status: int | None = 200) -> Said:
        """Send items of the client; SIP answers with ``status`` (None: not at all)."""
        self.cseq += 1
        body = envelope(envid, *items)
        ask = partial(self.wire.asks, "INFO", "ann", "svc", call="c", to_tag="s")
        said = ask(cseq=self.cseq, body=body)
        if status is not None:
            self.wire.answered(said, status, "Reason")
        return said

    def gets(self, *items: str) -> Said:
        """Send items of the service."""
        self.cseq += 1
        names = {"call": "c", "from_tag": "s", "to_tag": "a", "body": envelope("99", *items)}
        said = self.wire.told("INFO", "svc", "ann", cseq=self.cseq, **names)
        self.wire.answered(said, 200)
        return said

    def leaves(self) -> None:
        """End the dialog."""
        self.cseq += 1
        said = self.wire.asks("BYE", "ann", "svc", call="c", cseq=self.cseq, to_tag="s")
        self.wire.answered(said, 200)

    def pairs(self) -> Sequence[CommandPair]:
        """Return the pairs of the capture."""
        return analyse(self.story.trace()).pairs


def test_a_reply_is_paired_by_its_commandid() -> None:
    chat = Chat()
    asked = chat.sends(cmd("join", data=ROOM))
    chat.story.wait(8)
    got = chat.gets(rpl("join", ("7", "1")))
    (pair,) = chat.pairs()
    (reply,) = pair.replies
    assert (pair.row, pair.command, pair.envid, pair.seqid) == (asked.row, "join", "7", "1")
    assert (pair.outcome, pair.paired_by, pair.user) == ("answered", "commandid", uri("ann"))
    assert (pair.sip_status, pair.sip_latency_ms) == (200, 1.0)
    assert (reply.row, reply.code, reply.text, reply.latency_ms) == (got.row, "200", "TEXT", 10.0)
    assert pair.rooms == ("ma-chan://example.com/1",)


def test_commands_of_one_envelope_are_told_apart_by_seqid() -> None:
    chat = Chat()
    chat.sends(cmd("getpref", "1"), cmd("getpref", "2"))
    chat.gets(rpl("getpref", ("7", "2")), rpl("getpref", ("7", "1")))
    first, second = chat.pairs()
    assert (first.item, first.replies[0].item) == (0, 1)
    assert (second.item, second.replies[0].item) == (1, 0)


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("getfutok", "getftok"),
        ("getfdtok", "getftok"),
        ("getserverinfo", "getservinfo"),
        ("getserverinfo", "getserverinfo"),
        ("JOIN", "join"),
        ("join", "Join"),
        ("madeup", "madeup"),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_replies_have_the_names_that_may_answer_a_command(
    command: str, reply: str, named: bool
) -> None:
    chat = Chat()
    chat.sends(cmd(command))
    chat.gets(rpl(reply, ("7", "1") if named else None))
    (pair,) = chat.pairs()
    assert pair.command == command.lower()
    assert pair.paired_by == ("commandid" if named else "order")
    assert pair.name_mismatch is False


def test_a_commandid_counts_more_than_a_name() -> None:
    chat = Chat()
    chat.sends(cmd("join"))
    chat.gets(rpl("part", ("7", "1")))
    (pair,) = chat.pairs()
    assert (pair.paired_by, pair.name_mismatch) == ("commandid", True)


def test_replies_without_commandid_go_to_the_oldest_open_command_of_their_name() -> None:
    chat = Chat()
    first = chat.sends(cmd("join"), envid="1")
    chat.sends(cmd("part"), envid="2")
    second = chat.sends(cmd("join"), envid="3")
    one, two = chat.gets(rpl("join")), chat.gets(rpl("join"))
    answers = {pair.row: [reply.row for reply in pair.replies] for pair in chat.pairs()}
    assert answers[first.row] == [one.row]
    assert answers[second.row] == [two.row]


def test_further_replies_without_commandid_belong_to_the_command_answered_before() -> None:
    chat = Chat()
    chat.sends(cmd("bjoin"))
    for _ in range(3):
        chat.gets(rpl("bjoin"))
    (pair,) = chat.pairs()
    assert (len(pair.replies), pair.paired_by) == (3, "order")


def test_a_command_keeps_all_its_replies() -> None:
    chat = Chat()
    chat.sends(cmd("bjoin"))
    for _ in range(3):
        chat.gets(rpl("bjoin", ("7", "1")))
    (pair,) = chat.pairs()
    assert len(pair.replies) == 3


def test_a_reply_that_stands_before_its_command_is_paired() -> None:
    chat = Chat()
    chat.gets(rpl("join", ("7", "1")))
    chat.sends(cmd("join"))
    (pair,) = chat.pairs()
    assert (pair.outcome, pair.paired_by) == ("answered", "commandid")


def test_a_reply_whose_command_was_not_captured_is_kept_as_unknown() -> None:
    chat = Chat()
    chat.gets(rpl("getservinfo", ("5", "1")))
    chat.gets(rpl("getservinfo", ("5", "1")))
    (pair,) = chat.pairs()
    assert (pair.row, pair.command, pair.envid) == (None, "getserverinfo", "5")
    assert (pair.outcome, pair.paired_by, len(pair.replies)) == ("unknown", "none", 2)
    assert pair.replies[0].latency_ms is None
    assert "command is not in the capture" in pair.detail


def test_a_strange_commandid_goes_to_an_open_command_of_the_name_but_never_to_an_answered_one() -> (
    None
):
    chat = Chat()
    chat.sends(cmd("join"))
    chat.gets(rpl("join", ("7", "1")))
    chat.gets(rpl("join", ("4", "1")))
    paired, orphan = chat.pairs()
    assert len(paired.replies) == 1
    assert orphan.row is None
    chat.sends(cmd("part"))
    chat.gets(rpl("part", ("3", "9")))
    assert chat.pairs()[-1].paired_by == "order"


def test_dialogs_of_two_clients_that_share_every_identifier_are_not_mixed() -> None:
    story = Story()
    chats = [Chat(story=story, opener=f"10.0.0.{n}:50000") for n in (1, 2)]
    for chat in chats:
        chat.sends(cmd("join"))
    answer = chats[1].gets(rpl("join", ("7", "1")))
    silent, answered = analyse(story.trace()).pairs
    assert silent.replies == ()
    assert [reply.row for reply in answered.replies] == [answer.row]


def test_a_post_is_accepted_by_sip_and_a_delivery_is_no_pair() -> None:
    chat = Chat()
    chat.sends(post())
    chat.gets(post(author="bob"))
    (pair,) = chat.pairs()
    assert (pair.kind, pair.command, pair.outcome) == ("grpchat", "grpchat", "accepted")
    assert pair.rooms == ("ma-chan://example.com/1",)


def test_a_refused_post_is_rejected() -> None:
    chat = Chat()
    chat.sends(post(), status=503)
    (pair,) = chat.pairs()
    assert (pair.outcome, pair.sip_status) == ("rejected", 503)
    assert pair.detail == "SIP answered 503 Reason in frame 4"


def test_a_command_repeated_after_503_is_a_pair_of_its_own() -> None:
    chat = Chat()
    first = chat.sends(cmd("bjoin"), status=503)
    second = chat.sends(cmd("bjoin"))
    chat.gets(rpl("bjoin", ("7", "1")))
    refused, answered = chat.pairs()
    assert (refused.row, refused.outcome) == (first.row, "rejected")
    assert (answered.row, answered.outcome) == (second.row, "answered")
    assert "repeated with the same envid in frame 5" in refused.detail
    assert "repeats the command of frame 3 with the same envid" in answered.detail


def test_a_command_signed_anew_after_a_challenge_is_the_same_command() -> None:
    chat = Chat()
    chat.sends(cmd("join"), status=401)
    chat.cseq -= 1
    second = chat.sends(cmd("join"))
    chat.gets(rpl("join", ("7", "1")))
    (pair,) = chat.pairs()
    assert (pair.row, pair.outcome, pair.sip_status) == (second.row, "answered", 200)
    assert "newly signed" in pair.detail


def test_a_retransmitted_command_is_one_pair() -> None:
    chat = Chat()
    said = chat.sends(cmd("join"), status=None)
    chat.cseq -= 1
    chat.sends(cmd("join"))
    (pair,) = chat.pairs()
    assert (pair.row, pair.sip_status) == (said.row, 200)


def test_a_command_without_reply_is_unanswered_where_the_capture_goes_on() -> None:
    chat = Chat()
    chat.sends(cmd("join"))
    (pair,) = chat.pairs()
    assert (pair.outcome, pair.paired_by) == ("unanswered", "none")
    assert "no reply came in the 60.0 s" in pair.detail


def test_a_command_without_reply_is_unanswered_where_its_dialog_ended_regularly() -> None:
    chat = Chat()
    chat.sends(cmd("join"))
    chat.leaves()
    chat.story.quiet_after_ms = 0
    assert chat.pairs()[0].outcome == "unanswered"


def test_nothing_is_called_unanswered_where_the_capture_ends_too_soon() -> None:
    chat = Chat()
    chat.story.quiet_after_ms = 4_000
    chat.sends(cmd("join"))
    chat.sends(post(), status=None)
    for pair in chat.pairs():
        assert pair.outcome == "unknown"
        assert "the capture ends too soon after it" in pair.detail


@pytest.mark.parametrize("up", [True, False])
def test_nothing_is_called_unanswered_before_a_hole(up: bool) -> None:
    chat = Chat()
    chat.sends(cmd("join"))
    chat.story.hole(chat.wire, up=up)
    chat.sends(cmd("part"), envid="8")
    before, after = chat.pairs()
    assert (before.outcome, after.outcome) == ("unknown", "unanswered")
    assert "frames are missing from the capture before frame 5" in before.detail


def test_nothing_is_called_unanswered_where_one_direction_was_captured() -> None:
    story = Story()
    wire = story.connect()
    body = envelope("7", cmd("join"))
    wire.asks("INFO", "ann", "svc", call="c", to_tag="s", body=body)
    (pair,) = analyse(story.trace()).pairs
    assert pair.outcome == "unknown"
    assert "only one direction" in pair.detail


@pytest.mark.untraced
def test_a_thousand_equal_commands_and_replies_take_no_more_than_linear_work() -> None:
    chat = Chat()
    for _ in range(1000):
        chat.sends(cmd("join"), status=None)
        chat.gets(rpl("join"), rpl("join", ("7", "1")), rpl("join", ("8", "1")))
    pairs = chat.pairs()
    assert sum(len(pair.replies) for pair in pairs) == 3000
