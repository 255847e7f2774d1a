"""Dialogs: what they are for, whose they are, how they ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.meaning import analyse
from analyzer.states import TRANSITIONS, Event, follow
from tests.analyzer.stories import Story, Wire, cmd, envelope, post, rpl, uri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.model import Dialog


def _dialogs(story: Story) -> Sequence[Dialog]:
    return analyse(story.trace()).dialogs


def _invite(wire: Wire, to: str, *, call: str = "c", tag: str = "s") -> None:
    said = wire.asks("INVITE", "ann", to, call=call)
    wire.answered(said, 200, to_tag=tag)
    wire.asks("ACK", "ann", to, call=call, to_tag=tag)


def test_requri_makes_a_lookup_dialog_and_other_commands_a_channel_dialog() -> None:
    story = Story()
    wire = story.connect()
    for call, name in (("1", "requri"), ("2", "bjoin")):
        _invite(wire, "svc", call=call)
        body = envelope("7", cmd(name))
        wire.asks("INFO", "ann", "svc", call=call, cseq=2, to_tag="s", body=body)
    lookup, channel = _dialogs(story)
    assert (lookup.role, lookup.evidence) == ("lookup", "it carried cmd:requri (frame 4)")
    assert (channel.role, channel.evidence) == ("channel", "it carried cmd:bjoin (frame 8)")
    assert (channel.client, channel.service) == (uri("ann"), uri("svc"))


def test_the_uri_that_requri_returned_makes_a_channel_dialog() -> None:
    story = Story()
    wire = story.connect()
    _invite(wire, "finder", call="1")
    wire.asks("INFO", "ann", "finder", call="1", to_tag="s", body=envelope("7", cmd("requri")))
    body = envelope("99", rpl("requri", ("7", "1"), f'<uib uri="{uri("Pool")};x=1" id="0"/>'))
    wire.told("INFO", "finder", "ann", call="1", from_tag="s", to_tag="a", body=body)
    said = wire.asks("INVITE", "ann", "pool", call="2")
    wire.answered(said, 503, "Service Unavailable", to_tag="x")
    channel = _dialogs(story)[1]
    assert channel.role == "channel"
    assert channel.evidence == f"{uri('pool')} is what rpl:requri returned in frame 5"
    assert (channel.state, channel.ended_by) == ("failed", "503 Service Unavailable")


def test_the_provisioned_pool_uri_makes_a_channel_dialog() -> None:
    story = Story()
    wire = story.connect()
    body = (
        '<g name="persistentChatConfiguration"><property name="DefaultPersistentChatPoolUri">'
        f"{uri('pool')}</property></g>"
    )
    kind = "application/vnd-microsoft-roaming-provisioning-v2+xml"
    names = {"call": "1", "from_tag": "s", "to_tag": "a"}
    wire.told("BENOTIFY", "ann", "ann", body=body, headers={"Content-Type": kind}, **names)
    wire.asks("INVITE", "ann", "pool", call="2")
    assert _dialogs(story)[1].evidence == f"{uri('pool')} is the pool URI provisioned in frame 1"
    assert _dialogs(story)[1].role == "channel"


@pytest.mark.parametrize(
    ("to", "role"),
    [
        ("ocschat", "lookup"),
        ("OCSChat", "lookup"),
        ("GC-1-PersistentChatService-2", "channel"),
        ("bob", "other"),
    ],
)
def test_the_form_of_a_uri_is_the_last_evidence(to: str, role: str) -> None:
    story = Story()
    story.connect().asks("INVITE", "ann", to, call="c")
    (dialog,) = _dialogs(story)
    assert dialog.role == role
    assert dialog.state == "early"


def test_a_uri_that_another_dialog_showed_to_be_a_lookup_service_is_one() -> None:
    story = Story()
    wire = story.connect()
    _invite(wire, "finder", call="1")
    wire.asks("INFO", "ann", "finder", call="1", to_tag="s", body=envelope("7", cmd("requri")))
    story.connect("10.0.0.2:50000").asks("INVITE", "bob", "finder", call="2")
    assert [one.role for one in _dialogs(story)] == ["lookup", "lookup"]


def test_a_dialog_is_judged_by_to_not_by_request_uri() -> None:
    story = Story()
    wire = story.connect(syn_seen=False)
    names = {"call": "c", "from_tag": "s", "to_tag": "a"}
    wire.told("INFO", "svc", "ann", body=envelope("9", rpl("requri")), **names)
    (dialog,) = _dialogs(story)
    assert (dialog.client, dialog.service) == (uri("ann"), uri("svc"))
    assert (dialog.caller, dialog.caller_tag) == (uri("ann"), "a")
    assert (dialog.method, dialog.began_in_capture) == ("INVITE", False)
    assert dialog.state == "confirmed"


@pytest.mark.parametrize(("author", "client"), [("ann", "ann"), ("bob", "svc")])
def test_who_wrote_a_chat_message_tells_the_client_from_the_service(
    author: str, client: str
) -> None:
    story = Story()
    wire = story.connect(syn_seen=False)
    body = envelope("9", post(author=author))
    wire.asks("INFO", "ann", "svc", call="c", to_tag="s", body=body)
    (dialog,) = _dialogs(story)
    assert dialog.client == uri(client)


@pytest.mark.parametrize(
    ("by_client", "text"), [(True, "BYE from client"), (False, "BYE from service")]
)
def test_a_bye_ends_a_dialog_and_says_from_whom(by_client: bool, text: str) -> None:
    story = Story()
    wire = story.connect()
    _invite(wire, "ocschat")
    if by_client:
        wire.asks("BYE", "ann", "ocschat", call="c", cseq=2, to_tag="s")
    else:
        wire.told("BYE", "ocschat", "ann", call="c", from_tag="s", to_tag="a")
    (dialog,) = _dialogs(story)
    assert (dialog.state, dialog.ended_by) == ("terminated", text)


@pytest.mark.parametrize(("status", "ended_by"), [(481, "481"), (487, "487")])
def test_481_and_487_to_an_info_end_a_dialog(status: int, ended_by: str) -> None:
    story = Story()
    wire = story.connect()
    _invite(wire, "ocschat")
    said = wire.told("INFO", "ocschat", "ann", call="c", from_tag="s", to_tag="a")
    wire.answered(said, status, "No")
    (dialog,) = _dialogs(story)
    assert (dialog.state, dialog.ended_by) == ("terminated", ended_by)


def test_a_refused_re_invite_leaves_the_dialog_as_it_was() -> None:
    story = Story()
    wire = story.connect()
    _invite(wire, "ocschat")
    said = wire.asks("INVITE", "ann", "ocschat", call="c", cseq=2, to_tag="s")
    wire.answered(said, 488, "Not Acceptable Here")
    assert _dialogs(story)[0].state == "confirmed"


def test_a_challenged_invite_and_its_repetition_are_one_dialog() -> None:
    story = Story()
    wire = story.connect()
    first = wire.asks("INVITE", "ann", "ocschat", call="c")
    wire.answered(first, 407, "Proxy Authentication Required", to_tag="x")
    wire.asks("ACK", "ann", "ocschat", call="c", to_tag="x")
    second = wire.asks("INVITE", "ann", "ocschat", call="c", cseq=2)
    wire.answered(second, 200, to_tag="s")
    (dialog,) = _dialogs(story)
    assert len(dialog.rows) == 5
    assert (dialog.state, dialog.callee_tag) == ("confirmed", "s")


def test_every_to_tag_of_an_invite_is_a_dialog() -> None:
    story = Story()
    wire = story.connect()
    said = wire.asks("INVITE", "ann", "ocschat", call="c")
    wire.answered(said, 180, "Ringing", to_tag="one")
    wire.answered(said, 183, "Session Progress", to_tag="two")
    wire.answered(said, 200, to_tag="two")
    states = {one.callee_tag: (one.state, one.began_in_capture) for one in _dialogs(story)}
    assert states == {"one": ("early", True), "two": ("confirmed", True)}


def test_a_dialog_goes_on_over_another_connection() -> None:
    story = Story()
    first = story.connect(ends=("rst", "rst"))
    _invite(first, "ocschat")
    second = story.connect("10.0.0.1:50001")
    said = second.told("INFO", "ocschat", "ann", call="c", from_tag="s", to_tag="a")
    second.answered(said, 200)
    (dialog,) = _dialogs(story)
    assert dialog.legs == (0, 1)
    assert len(dialog.rows) == 5
    assert dialog.copies == ()


@pytest.mark.parametrize("service_first", [True, False])
def test_an_invite_whose_answer_was_lost_begins_the_dialog_that_follows(
    service_first: bool,
) -> None:
    story = Story()
    wire = story.connect()
    wire.asks("INVITE", "ann", "ocschat", call="c")
    if service_first:
        wire.told("INFO", "ocschat", "ann", call="c", from_tag="s", to_tag="a")
    wire.asks("INFO", "ann", "ocschat", call="c", cseq=2, to_tag="s")
    (dialog,) = _dialogs(story)
    assert (dialog.state, dialog.began_in_capture) == ("confirmed", True)
    assert (dialog.caller_tag, dialog.callee_tag) == ("a", "s")


@pytest.mark.parametrize(("expires", "state"), [("0", "terminated"), ("3600", "confirmed")])
def test_expires_zero_ends_a_subscription(expires: str, state: str) -> None:
    story = Story()
    wire = story.connect()
    said = wire.asks("SUBSCRIBE", "ann", "ann", call="c", headers={"Expires": expires})
    wire.answered(said, 200, to_tag="s")
    (dialog,) = _dialogs(story)
    assert (dialog.role, dialog.state) == ("subscription", state)


def test_a_notification_that_says_so_ends_a_subscription() -> None:
    story = Story()
    wire = story.connect()
    said = wire.asks("SUBSCRIBE", "ann", "bob", call="c")
    wire.answered(said, 200, to_tag="s")
    names = {"call": "c", "from_tag": "s", "to_tag": "a"}
    headers = {"Subscription-State": "terminated;reason=gone"}
    wire.told("NOTIFY", "bob", "ann", headers=headers, **names)
    (dialog,) = _dialogs(story)
    assert (dialog.state, dialog.ended_by) == ("terminated", "Subscription-State terminated")


@pytest.mark.parametrize(
    ("ends", "ended_by"),
    [(("end", "end"), "not captured"), (("fin", "end"), "connection closed")],
)
def test_a_dialog_without_an_end_stays_confirmed(ends: tuple[str, str], ended_by: str) -> None:
    story = Story()
    _invite(story.connect(ends=ends), "ocschat")
    (dialog,) = _dialogs(story)
    assert (dialog.state, dialog.ended_by) == ("confirmed", ended_by)


def test_a_registration_keeps_its_dialog_when_its_tags_change() -> None:
    story = Story()
    wire = story.connect()
    for cseq, tag in ((1, "x"), (2, "y")):
        said = wire.asks("REGISTER", "ann", "ann", call="c", cseq=cseq, from_tag=tag)
        wire.answered(said, 200, to_tag="s")
    (dialog,) = _dialogs(story)
    assert (dialog.role, dialog.client, dialog.service) == ("registration", uri("ann"), None)
    assert len(dialog.rows) == 4


def test_the_table_of_states_has_no_way_out_of_failure_but_success() -> None:
    assert {after for (before, _), after in TRANSITIONS.items() if before == "failed"} == {
        "confirmed"
    }
    gone = follow("confirmed", [Event("bye", 3, "BYE from client"), Event("gone", 5, "481")])
    assert gone == ("terminated", "BYE from client", 3)
