"""Lanes by role: who speaks with whom, whatever was captured of the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from analyzer.ladder.aliases import Aliases
from analyzer.ladder.lane_names import Known, LaneNames
from analyzer.ladder.values import LANE_ORDER
from tests.analyzer.captures import message
from tests.analyzer.flows.cuts import edited
from tests.analyzer.ladder.drawn import (
    HOPS,
    MODEL,
    POST,
    RECORDED,
    TWO,
    between,
    drawn,
    frame,
    inner_leg,
    lane,
    redirected,
)
from tests.analyzer.truths import FLOWS, named
from tests.paths import SAMPLES, SHARED
from tests.support.packets import Udp, pcap

if TYPE_CHECKING:
    from pathlib import Path

OTHERS = SHARED / "corpus" / "captures"


def kinds(path: Path, **options: Any) -> list[str]:  # noqa: ANN401  (fields by name)
    return [one.kind for one in drawn(path, **options).lanes]


def titles(path: Path, **options: Any) -> list[str]:  # noqa: ANN401  (fields by name)
    return [one.title for one in drawn(path, **options).lanes]


def test_lanes_stand_from_left_to_right_by_role() -> None:
    assert kinds(MODEL) == ["client", "dns", "front-end", "lookup", "channel"]
    assert kinds(POST) == ["client", "client", "front-end", "lookup", "channel", "web"]
    found = [LANE_ORDER.index(one.kind) for one in drawn(TWO, hops=True).lanes]
    assert found == sorted(found)


def test_lanes_have_role_uri_and_addresses() -> None:
    ladder = drawn(HOPS)
    shown = [(one.key, one.title, one.subtitle) for one in ladder.lanes]
    assert shown == [
        ("client-1", "bob.keller", "sip:bob.keller@northwind.example, 192.168.2.22"),
        ("front-end-1", "Front End", "192.168.1.12"),
        ("lookup-1", "Lookup service", "sip:ocschat@northwind.example, 192.168.1.16"),
        ("channel-1", "Channel service", "sip:channelsvc1@northwind.example, 192.168.1.16"),
    ]


# The way of a message


def test_on_the_connection_of_a_client_the_front_end_lies_on_the_way_to_the_services() -> None:
    ladder = drawn(RECORDED)
    assert between(ladder, frame(ladder, 4)) == ("user1", "Front End")
    assert between(ladder, frame(ladder, 12)) == ("user1", "Front End", "Lookup service")
    assert between(ladder, frame(ladder, 33)) == ("Channel service", "Front End", "user1")


def test_what_is_not_forwarded_ends_at_the_next_server() -> None:
    ladder = drawn(RECORDED)
    trying = frame(ladder, 15)
    assert trying.status == 100
    assert between(ladder, trying) == ("Front End", "user1")


def test_with_second_hops_the_way_is_the_same_and_each_hop_has_its_two_ends() -> None:
    merged, each = drawn(HOPS), drawn(HOPS, hops=True)
    assert between(merged, frame(merged, 28)) == ("bob.keller", "Front End", "Lookup service")
    assert between(each, frame(each, 28)) == ("bob.keller", "Front End")
    assert between(each, frame(each, 30)) == ("Front End", "Lookup service")
    assert between(each, frame(each, 43)) == ("Lookup service", "Front End")


def test_each_instance_that_an_invite_was_forked_to_is_a_lane() -> None:
    ladder = drawn(named(FLOWS, "forked-lookup"))
    assert [one.title for one in ladder.lanes[2:5]] == [f"Lookup service {n}" for n in (1, 2, 3)]
    assert between(ladder, frame(ladder, 29)) == ("dmitri.v", "Front End", "Lookup service 1")
    assert between(ladder, frame(ladder, 31)) == ("Front End", "Lookup service 2")
    assert between(ladder, frame(ladder, 42)) == ("Lookup service 3", "Front End")
    assert between(ladder, frame(ladder, 45)) == ("Front End", "Lookup service 3")


def test_a_client_whose_connection_was_not_captured_has_a_lane_without_address(
    tmp_path: Path,
) -> None:
    with inner_leg().opened(tmp_path) as trace:
        ladder = drawn(trace)
    assert lane(ladder, "client").subtitle == "sip:bob.keller@northwind.example"
    assert lane(ladder, "front-end").subtitle == "192.168.1.12"
    ways = {between(ladder, one) for one in ladder.arrows}
    client, proxy = "bob.keller", "Front End"
    services = ("Lookup service", "Channel service")
    assert ways == {way for one in services for way in ((client, proxy, one), (one, proxy, client))}


def test_a_message_that_a_hole_took_from_one_hop_still_begins_at_its_client(
    tmp_path: Path,
) -> None:
    plain = drawn(POST)
    with edited(tmp_path, POST, lambda one: one.number != 93) as trace:
        ladder = drawn(trace)
    assert len(ladder.arrows) > 90
    assert ladder.lanes == plain.lanes


def test_what_a_front_end_sends_on_to_another_user_ends_at_that_user(tmp_path: Path) -> None:
    fe = "10.0.0.9:5060"
    packets = []
    for user, host in (("ann", "10.0.0.1:5060"), ("bob", "10.0.0.2:5060")):
        who = f"<sip:{user}@example.com>"
        said = {"From": f"{who};tag={user}", "To": who, "Call_ID": user, "CSeq": "1 REGISTER"}
        packets.append(Udp(host, fe, message("REGISTER sip:example.com SIP/2.0", **said)))
        packets.append(Udp(fe, host, message("SIP/2.0 200 OK", **said)))
    said = {"From": "<sip:ann@example.com>;tag=a", "To": "<sip:bob@example.com>", "Call_ID": "im"}
    said |= {"CSeq": "1 INVITE", "Via": "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKa"}
    invite = message("INVITE sip:bob@example.com SIP/2.0", **said)
    via = b"Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKf\r\nVia: SIP/2.0/UDP 10.0.0.1"
    forwarded = invite.replace(b"Via: SIP/2.0/UDP 10.0.0.1", via)
    packets += [Udp("10.0.0.1:5060", fe, invite), Udp(fe, "10.0.0.2:5060", forwarded)]
    path = tmp_path / "im.pcap"
    path.write_bytes(pcap(packets))
    ladder = drawn(path)
    (asked,) = [one for one in ladder.arrows if one.method == "INVITE"]
    assert between(ladder, asked) == ("ann", "Front End", "bob")
    assert len(ladder.lanes) == 3


def test_a_director_is_a_lane_of_its_own_and_the_pool_is_the_front_end(tmp_path: Path) -> None:
    with redirected().opened(tmp_path) as trace:
        ladder = drawn(trace)
    assert [one.kind for one in ladder.lanes][:3] == ["client", "director", "front-end"]
    assert lane(ladder, "director").subtitle == "192.168.1.99"
    asked, sent, again = ladder.arrows[:3]
    assert between(ladder, asked) == ("hiro", "Director")
    assert between(ladder, sent) == ("Director", "hiro")
    assert sent.label == "301 Redirect to Home Server to sip:pool1.emea.adatum.example:5060"
    assert between(ladder, again) == ("hiro", "Front End")


def test_dns_and_web_service_are_lanes() -> None:
    signed, posted = drawn(MODEL), drawn(POST)
    assert lane(signed, "dns").subtitle == "192.168.1.19"
    assert lane(posted, "web").subtitle == "gchat02.emea.adatum.example"
    question, answer = signed.arrows[:2]
    assert between(signed, question) == ("hiro", "DNS")
    assert between(signed, answer) == ("DNS", "hiro")


# Several clients


def test_two_users_on_one_machine_are_two_lanes() -> None:
    ladder = drawn(TWO)
    assert [one.title for one in ladder.lanes][:3] == ["user2", "user1", "Front End"]
    assert between(ladder, frame(ladder, 4)) == ("user2", "Front End")
    assert between(ladder, frame(ladder, 12)) == ("user1", "Front End")


def test_two_clients_with_the_same_call_ids_are_two_lanes() -> None:
    assert kinds(SAMPLES / "callid-collision.pcap").count("client") == 2


def test_a_user_who_signs_in_again_keeps_the_lane() -> None:
    ladder = drawn(SAMPLES / "reconnect.pcap")
    assert [one.title for one in ladder.lanes if one.kind == "client"] == ["user1", "user2"]
    assert len({one.session for one in ladder.arrows}) == 3


def test_a_session_that_began_before_the_capture_has_the_same_lanes() -> None:
    assert kinds(named(FLOWS, "late-start")) == ["client", "front-end", "channel"]


# What is no session of Group Chat


def test_hosts_that_nothing_is_known_of_go_by_their_addresses() -> None:
    assert titles(OTHERS / "sip_udp" / "sip_call.pcap") == ["10.0.0.1", "10.0.0.2"]


def test_ipv6_addresses_stand_without_brackets() -> None:
    shown = titles(OTHERS / "sip_tcp_dev" / "ipv6.pcap")
    assert "2001:db8::c8:44:78:51" in shown
    subtitle = lane(drawn(OTHERS / "sip_tcp_dev" / "ipv6.pcap"), "front-end").subtitle
    assert subtitle == "2001:db8::d4:f2:21:23"


def test_two_programs_on_one_machine_are_told_apart_by_their_ports(tmp_path: Path) -> None:
    path = tmp_path / "one.pcap"
    packets = [Udp("127.0.0.1:5070", "127.0.0.1:5060", message())]
    path.write_bytes(pcap(packets))
    ladder = drawn(path)
    assert [one.title for one in ladder.lanes] == ["127.0.0.1:5070", "127.0.0.1:5060"]
    assert (ladder.arrows[0].source, ladder.arrows[0].target) == (0, 1)


# Aliases


@pytest.mark.parametrize(
    "known",
    ["192.168.2.22", "192.168.2.22:49180", "bob.keller", "SIP:Bob.Keller@northwind.example"],
)
def test_a_client_is_named_by_host_address_user_or_uri(known: str) -> None:
    one = lane(drawn(HOPS, aliases={known: "Bob's desk"}), "client")
    assert one.title == "Bob's desk"
    assert one.subtitle == "Client, sip:bob.keller@northwind.example, 192.168.2.22"


def test_a_machine_that_two_services_share_names_neither_of_them() -> None:
    ladder = drawn(HOPS, aliases={"192.168.1.16": "chat1", "192.168.1.12": "fe1"})
    assert [one.title for one in ladder.lanes][1:] == ["fe1", "Lookup service", "Channel service"]
    assert lane(ladder, "lookup").subtitle == "sip:ocschat@northwind.example, chat1 (192.168.1.16)"


def test_the_machine_of_all_names_the_server_on_it() -> None:
    found = titles(RECORDED, aliases={"127.0.0.1": "lab", "ocschat@contoso.com": "lookup1"})
    assert found == ["user1", "lab", "lookup1", "Channel service"]


def test_an_ipv6_host_is_named_with_brackets_and_without() -> None:
    path = OTHERS / "sip_tcp_dev" / "ipv6.pcap"
    for known in (
        "2001:db8::d4:f2:21:23",
        "[2001:DB8::d4:f2:21:23]",
        "[2001:db8::d4:f2:21:23]:5060",
    ):
        assert lane(drawn(path, aliases={known: "registrar"}), "front-end").title == "registrar"


def test_two_lanes_of_one_alias_are_numbered_and_meet_no_other_name() -> None:
    aliases = {"user1": "ann", "user2": "ann", "ocschat@contoso.com": "ann 1"}
    assert titles(TWO, aliases=aliases)[:4] == ["ann 2", "ann 3", "Front End", "ann 1"]


def test_hops_name_their_ends_by_alias() -> None:
    (hop,) = frame(drawn(HOPS, aliases={"192.168.1.12": "fe1"}), 28).hops
    assert hop.source.startswith("fe1:")
    assert hop.target == "192.168.1.16:5061"


def test_of_many_addresses_the_first_are_shown_and_the_others_counted() -> None:
    known = Known("lookup", "sip:ocschat@example.com")
    known.addresses = {f"10.0.0.{number}:5061": None for number in (1, 2, 3, 4, 5)}
    names = LaneNames((), Aliases({"10.0.0.2": "lk2"}))
    shown = "sip:ocschat@example.com, 10.0.0.1, lk2 (10.0.0.2), 10.0.0.3, and 2 more"
    assert names.subtitle(known, "Lookup service", aliased=False) == shown
