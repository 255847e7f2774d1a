"""Machines that a trace names: the addresses that stand in for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.sources.hosts import MAX_HOSTS, Hosts, split
from dissectors.model import address_text


def test_addresses_stay_what_they_are() -> None:
    hosts = Hosts()
    assert address_text(hosts.key("10.0.0.1:5061", "192.0.2.7:51000")) == (
        "10.0.0.1:5061",
        "192.0.2.7:51000",
    )
    assert address_text(hosts.key("[2001:db8::1]:5061", "[2001:db8::2]:1")) == (
        "[2001:db8::1]:5061",
        "[2001:db8::2]:1",
    )
    assert hosts.names == {}


def test_a_name_becomes_an_address_that_is_never_on_a_wire() -> None:
    hosts = Hosts()
    source, target = address_text(hosts.key("fe01.contoso.com:5061", "10.0.0.9:51000"))
    address, _, port = source.rpartition(":")
    assert int(address.partition(".")[0]) >= 240  # class E
    assert port == "5061"
    assert target == "10.0.0.9:51000"
    assert hosts.names == {address: "fe01.contoso.com"}


def test_the_same_name_is_the_same_address_in_every_trace() -> None:
    one, other = Hosts(), Hosts()
    other.key("someone.else:1", "10.0.0.1:1")
    assert one.key("FE01.contoso.com:1", "a:2") == other.key("fe01.contoso.com:1", "a:2")


def test_a_name_that_talks_to_ipv6_gets_a_local_ipv6_address() -> None:
    hosts = Hosts()
    source, target = address_text(hosts.key("fe01:5061", "[2001:db8::2]:1"))
    assert source.startswith("[fd78:6363:6f73:")
    assert hosts.names[source[1:].partition("]")[0]] == "fe01"
    assert target == "[2001:db8::2]:1"


def test_an_ipv4_address_that_talks_to_ipv6_keeps_its_name() -> None:
    hosts = Hosts()
    source, _ = address_text(hosts.key("10.0.0.1:5061", "[2001:db8::2]:1"))
    assert hosts.names[source[1:].partition("]")[0]] == "10.0.0.1"


@pytest.mark.untraced
def test_names_beyond_the_bound_share_an_address() -> None:
    hosts = Hosts()
    for number in range(MAX_HOSTS + 10):
        hosts.key(f"h{number}:1", "10.0.0.1:1")
    assert len(hosts.names) <= MAX_HOSTS + 1
    assert hosts.key("new-one:1", "10.0.0.1:1") == hosts.key("another:1", "10.0.0.1:1")


def test_endpoints_are_split_into_host_and_port() -> None:
    assert split("fe01:5061") == ("fe01", 5061)
    assert split("fe01") == ("fe01", 0)
    assert split("[2001:db8::1]:80") == ("2001:db8::1", 80)
    assert split("2001:db8::1") == ("2001:db8::1", 0)
    assert split("[2001:db8::1]") == ("2001:db8::1", 0)
    assert split("fe01:99999") == ("fe01", 0)
    assert split("fe01:x") == ("fe01", 0)
    assert split("") == ("", 0)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_gives_a_key(source: str, target: str) -> None:
    assert len(Hosts().key(source, target)) in (12, 36)
