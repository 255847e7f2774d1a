"""Whatever is said in whatever order: analysing does not fail, and loses and doubles nothing."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from analyzer.meaning import analyse
from tests.analyzer.stories import Story, cmd, envelope, post, rpl, uri

METHODS = (
    *("INVITE", "ACK", "BYE", "CANCEL", "INFO", "REGISTER", "SUBSCRIBE", "NOTIFY", "BENOTIFY"),
    *("SERVICE", "UPDATE", "STRANGE"),
)
BODIES = (
    "",
    "hello",
    envelope("7", cmd("join", data='<chanid key="0" domain="example.com" value="1"/>')),
    envelope("7", cmd("requri"), cmd("getpref", "2")),
    envelope("8", rpl("join", ("7", "1"), '<chanib uri="ma-chan://example.com/1"/>')),
    envelope("8", rpl("requri", ("7", "1"), '<uib uri="sip:svc@example.com"/>'), rpl("join")),
    envelope("9", post(), post(author="bob")),
    "<xccos><cmd",
)


class Told(NamedTuple):
    """One message."""

    wire: int
    up: bool
    method: str
    status: int | None
    call: str
    cseq: int
    sender: str
    recipient: str
    tags: tuple[str | None, str | None]
    vias: int
    branch: str | None
    body: str
    expires: str | None


told = st.builds(
    Told,
    wire=st.integers(0, 2),
    up=st.booleans(),
    method=st.sampled_from(METHODS),
    status=st.sampled_from((None, None, 100, 183, 200, 202, 301, 401, 404, 481, 487, 503)),
    call=st.sampled_from(("c", "d", "")),
    cseq=st.integers(1, 2),
    sender=st.sampled_from(("ann", "bob", "svc", "ocschat")),
    recipient=st.sampled_from(("ann", "svc", "ocschat")),
    tags=st.tuples(st.sampled_from(("a", "b", None)), st.sampled_from(("a", "b", None))),
    vias=st.integers(0, 2),
    branch=st.sampled_from((None, "1", "2")),
    body=st.sampled_from(BODIES),
    expires=st.sampled_from((None, "0", "60", "x")),
)


def story_of(messages: list[Told], holes: list[int]) -> Story:
    """Return the story that the messages tell; frames before those in ``holes`` are missing."""
    story = Story()
    wires = [
        story.connect("10.0.0.1:50000"),
        story.connect("10.0.0.9:40000", "10.0.1.1:5061", syn_seen=False),
        story.connect("10.0.0.1:50001", transport="udp", ends=("fin", "rst")),
    ]
    for number, one in enumerate(messages):
        if number in holes:
            story.hole(wires[one.wire], up=one.up)
        uris, tags = (uri(one.sender), uri(one.recipient)), one.tags
        fields = {
            "From": f"<{uris[0]}>" + (f";tag={tags[0]}" if tags[0] else ""),
            "To": f"<{uris[1]}>" + (f";tag={tags[1]}" if tags[1] else ""),
            "CSeq": f"{one.cseq} {one.method}",
        }
        if one.call:
            fields["Call-ID"] = one.call
        if one.expires:
            fields["Expires"] = one.expires
        branch = f";branch=z9hG4bK{one.branch}" if one.branch else ""
        vias = [f"SIP/2.0/TCP 10.0.0.{n}{branch}" for n in range(one.vias)]
        request = f"{one.method} {uris[1]} SIP/2.0"
        start = request if one.status is None else f"SIP/2.0 {one.status} Reason"
        story.say(wires[one.wire], start, vias, fields, one.body, one.up)
    return story


@given(st.lists(told, max_size=40), st.lists(st.integers(0, 40), max_size=2))
def test_nothing_is_lost_and_nothing_is_counted_twice(
    messages: list[Told], holes: list[int]
) -> None:
    analysis = analyse(story_of(messages, holes).trace())
    in_transactions: list[int] = []
    for one in analysis.transactions:
        single = [row for row in (one.request, one.final) if row is not None]
        more = (*one.retransmissions, *one.provisional, *one.repeated_finals, *one.acks)
        in_transactions += [*single, *more]
        assert analysis.transactions[one.index] is one
        assert one.copy_of is None or one.copy_of != one.index
    assert sorted(in_transactions) == sorted(analysis.transaction_of)
    assert sorted(in_transactions) == [row for row, one in enumerate(messages) if one.call]
    in_dialogs = [row for one in analysis.dialogs for row in (*one.rows, *one.copies)]
    assert sorted(in_dialogs) == sorted(analysis.dialog_of)
    for dialog in analysis.dialogs:
        assert dialog.rows
        assert all(analysis.dialog_of[row] == dialog.index for row in dialog.rows)
    for copy, origin in analysis.copy_of.items():
        assert origin < copy
        assert origin not in analysis.copy_of


@given(st.lists(told, max_size=40))
def test_every_element_is_in_one_pair_and_every_pair_in_one_session(messages: list[Told]) -> None:
    analysis = analyse(story_of(messages, []).trace())
    commands = [(pair.row, pair.item) for pair in analysis.pairs if pair.row is not None]
    assert len(commands) == len(set(commands))
    replies = [(reply.row, reply.item) for pair in analysis.pairs for reply in pair.replies]
    assert len(replies) == len(set(replies))
    of_sessions = [index for session in analysis.sessions for index in session.pairs]
    assert len(of_sessions) == len(set(of_sessions))
    for session in analysis.sessions:
        assert [step.id for step in session.steps] == [str(number) for number in range(1, 11)]
        assert session.verdict
        for join in session.joins:
            assert analysis.dialogs[join.dialog].session == session.index
