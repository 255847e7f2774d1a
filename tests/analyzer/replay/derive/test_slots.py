"""Which values are slots, who says them first, and where."""

from __future__ import annotations

import pytest

from analyzer.replay.script import SERVER, Script, Slot
from tests.analyzer.replay.derive.recordings import FLOWS, find, sample, script_of
from tests.paths import require_shared


@pytest.fixture(scope="module")
def signin() -> Script:
    return sample("signin-tcp.pcap")


@pytest.fixture(scope="module")
def two() -> Script:
    return sample("twousers-post.pcap")


def slot(script: Script, name: str) -> Slot:
    found = script.slot(name)
    assert found is not None, name
    return found


def test_a_register_is_all_slots_where_it_is_volatile(signin: Script) -> None:
    message = find(signin, "REGISTER").message
    assert message.start == "REGISTER sip:${domain1} SIP/2.0"
    assert message.header("Via") == "SIP/2.0/tcp ${client1.address};branch=${t1.branch}"
    assert message.header("From") == (
        "<sip:${client1.user}>;tag=${registration1.client-tag};epid=${client1.epid}"
    )
    assert message.header("CSeq") == "${t1.cseq} REGISTER"
    contact = message.header("Contact") or ""
    assert contact.startswith("<sip:${client1.address};transport=tcp;ms-opaque=${ms-opaque1}>")
    assert 'sip.instance="<urn:uuid:${client1.instance}>"' in contact
    assert message.header("Content-Length") == "${content_length}"


def test_an_answer_repeats_what_the_request_said_and_adds_its_own(signin: Script) -> None:
    message = find(signin, "200 REGISTER").message
    assert message.header("CSeq") == "${t1.cseq} REGISTER"
    assert message.header("To") == "<sip:${client1.user}>;tag=${registration1.server-tag}"
    assert message.header("Expires") == "${t2.expires}"
    assert "ms-received-port=${client1.port}" in (message.header("Via") or "")
    assert 'gruu="sip:${client1.user};opaque=user:epid:${client1.gruu};gruu"' in (
        message.header("Contact") or ""
    )
    assert slot(signin, "client1.gruu").said_by == SERVER
    assert slot(signin, "registration1.client-tag").said_by == "client1"
    assert slot(signin, "registration1.server-tag").said_by == SERVER


def test_an_end_is_no_expiry(signin: Script) -> None:
    assert find(signin, "REGISTER", number=2).message.header("Expires") == "0"


def test_a_domain_follows_from_the_first_user_who_has_it(two: Script) -> None:
    domain = slot(two, "domain1")
    assert (domain.kind, domain.value, domain.part_of) == ("domain", "contoso.com", "client1.user")


def test_a_request_in_a_dialog_goes_to_the_contact_by_the_route_that_were_learned(
    signin: Script,
) -> None:
    message = find(signin, "INFO cmd:requri").message
    assert message.start == "INFO ${lookup1.contact} SIP/2.0"
    assert message.header("Route") == "<${lookup1.route}>"
    assert slot(signin, "lookup1.contact").said_by == SERVER


def test_the_address_of_a_service_is_learned_from_who_says_it_first(signin: Script) -> None:
    assert find(signin, "INVITE").message.start == "INVITE sip:ocschat@${domain1} SIP/2.0"
    assert find(signin, "INVITE", number=2).message.start == "INVITE sip:${uri1} SIP/2.0"
    learned = slot(signin, "uri1")
    assert (learned.kind, learned.said_by, learned.turn) == (
        "uri", SERVER, find(signin, "INFO rpl:requri").id,
    )  # fmt: skip
    assert learned.where == "rpl:requri/data/uib/@uri"


def test_a_reply_has_the_numbers_of_its_command(signin: Script) -> None:
    command, reply = find(signin, "INFO cmd:join"), find(signin, "INFO rpl:join")
    assert f'envid="${{{command.id}.envid}}"' in command.message.body
    wanted = f'<commandid seqid="${{{command.id}.seqid}}" envid="${{{command.id}.envid}}"/>'
    assert wanted in reply.message.body
    assert slot(signin, f"{command.id}.seqid").kind == "seqid"


def test_each_reply_of_a_batch_has_the_number_of_its_own_command() -> None:
    script = sample("r2-signin-full.pcap")
    command, reply = find(script, "INFO cmd:getpref"), find(script, "INFO rpl:getpref")
    asked = [name for name in command.message.slots() if ".seqid" in name]
    answered = [name for name in reply.message.slots() if ".seqid" in name]
    assert len(asked) == 11
    assert sorted(asked) == sorted(answered)


def test_a_room_is_its_id_below_its_domain(signin: Script) -> None:
    body = find(signin, "INFO cmd:join").message.body
    assert '<chanid key="0" domain="${domain1}" value="${room1}"/>' in body
    assert 'uri="ma-chan://${domain1}/${room1}"' in find(signin, "INFO rpl:join").message.body
    room = slot(signin, "room1")
    assert (room.said_by, room.turn) == (SERVER, find(signin, "INFO rpl:chansrch").id)
    assert 'name="Sales EMEA"' in find(signin, "INFO rpl:chansrch").message.body


def test_the_words_of_a_post_return_in_its_echo_and_copies(two: Script) -> None:
    for author, reader in (("client1", "client2"), ("client2", "client1")):
        posts = [
            turn for turn in two.turns if turn.speaker == author and "<grpchat" in turn.message.body
        ]
        (post,) = posts
        (text,) = [name for name in post.message.slots() if name.startswith("text")]
        assert slot(two, text).said_by == author
        heard = [
            turn for turn in two.turns if turn.cause == post.id and "<grpchat" in turn.message.body
        ]
        assert {turn.listener for turn in heard} == {author, reader}
        assert all(f"<chat>${{{text}}}</chat>" in turn.message.body for turn in heard)


def test_a_text_is_kept_without_the_escapes_of_xml(two: Script) -> None:
    texts = [one.value for one in two.slots if one.kind == "text"]
    assert any("& bold <tag> €100\n" in text for text in texts)
    assert "first post from user1 — ünïcode ☃" in texts


def test_people_who_are_no_clients_are_given_to_the_script(signin: Script) -> None:
    alice = next(one for one in signin.slots if one.value == "alice@contoso.com")
    assert (alice.kind, alice.said_by) == ("user", None)
    assert f'author="sip:${{{alice.name}}}"' in find(signin, "INFO rpl:bccontext").message.body


def test_a_value_that_one_side_says_and_the_other_repeats_flows(signin: Script) -> None:
    published = find(signin, "SERVICE", number=2).message.body
    repeated = find(signin, "200 SERVICE", number=2).message.body
    for body in (published, repeated):
        assert 'instance="${instance1}"' in body
    flowing = slot(signin, "instance1")
    assert (flowing.kind, flowing.said_by) == ("opaque", "client1")
    assert 'container="2"' in published


def test_times_are_slots_and_one_time_is_one_slot(two: Script) -> None:
    copies = [
        turn
        for turn in two.turns
        if "<grpchat" in turn.message.body and "chatId" in turn.message.body
    ]
    stamps = [
        next(name for name in turn.message.slots() if name.startswith("time")) for turn in copies
    ]
    assert len(copies) == 4
    assert len(set(stamps)) == 2


def test_a_token_is_a_stand_in_and_its_address_is_learned() -> None:
    script = sample("r2-post-full.pcap")
    token = slot(script, "token1")
    assert token.value == "00000000-0000-4000-8000-000000000001"
    reply = find(script, "INFO rpl:getftok", "client2")
    assert '<token token="${token1}" serveruri="${file-service.uri}"' in reply.message.body
    assert slot(script, "file-service.uri").value.startswith("https://gchat02.")


def test_a_hop_says_the_same_slots_with_a_branch_of_its_own() -> None:
    script = sample("fe-two-hops.pcapng")
    copy = next(turn for turn in script.turns if turn.copy_of and turn.message.start[:4] == "INFO")
    near = script.turn(copy.copy_of or "")
    assert near is not None
    assert near.message.body == copy.message.body
    assert near.message.header("Call-ID") == copy.message.header("Call-ID")
    assert near.message.header("CSeq") == copy.message.header("CSeq")
    assert near.message.header("Via") != copy.message.header("Via")
    assert "${host1.address}" in (copy.message.header("Via") or "")


def test_what_was_learned_before_the_recording_began_is_given() -> None:
    require_shared()
    script = script_of(FLOWS / "late-start.pcapng")
    route = slot(script, "channel1.route")
    assert (route.said_by, route.turn) == (None, None)


def test_every_slot_is_used_and_says_where_it_stands(two: Script) -> None:
    used = {name for turn in two.turns for name in turn.message.slots()}
    assert {one.name for one in two.slots} == used - {"content_length"}
    for one in two.slots:
        assert one.where
        assert one.turn is None or one.name in two.turn(one.turn).message.slots()  # type: ignore[union-attr]
