"""Who may be called: judged by address, not by name, and only once looked up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.actions import Address
from analyzer.replay.safety import (
    UnsafeError,
    allow_listen,
    allow_rate,
    allow_target,
    is_private,
    parse_host_port,
)


def unasked(name: str) -> list[str]:
    raise AssertionError(f"{name} was looked up")


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.9.9.9", "::1", "10.0.0.5", "172.16.0.1", "172.31.255.255"),
        *("192.168.1.1", "169.254.1.1", "fd00::1", "fe80::1", "::ffff:10.0.0.5"),
    ],
)
def test_loopback_and_private_addresses_pass(host: str) -> None:
    target = Address(host, 5060)
    assert allow_target(target, owned=False, resolve=unasked) == target


@pytest.mark.parametrize(
    "host",
    [
        *("8.8.8.8", "172.32.0.1", "192.0.2.7", "198.18.0.1", "100.64.0.1", "2001:db8::1"),
        *("::ffff:8.8.8.8", "2002:0a00:0001::1", "64:ff9b::a00:1"),
    ],
)
def test_any_other_address_takes_the_word_of_its_owner(host: str) -> None:
    target = Address(host, 5060)
    with pytest.raises(UnsafeError, match="--i-own-this-target"):
        allow_target(target, owned=False, resolve=unasked)
    assert allow_target(target, owned=True, resolve=unasked) == target


def test_a_name_is_looked_up_once_and_its_address_is_connected_to() -> None:
    asked: list[str] = []

    def resolve(name: str) -> list[str]:
        asked.append(name)
        return ["10.0.0.9", "8.8.8.8"] if len(asked) == 1 else ["8.8.8.8"]

    found = allow_target(Address("fe.contoso.com", 5061), owned=False, resolve=resolve)
    assert (found, asked) == (Address("10.0.0.9", 5061), ["fe.contoso.com"])


def test_a_name_of_a_public_address_is_refused_with_both() -> None:
    with pytest.raises(UnsafeError, match=r"fe\.contoso\.com \(8\.8\.8\.8\) is neither"):
        allow_target(Address("fe.contoso.com", 5061), owned=False, resolve=lambda _: ["8.8.8.8"])


def test_a_name_that_is_not_known_is_one_line() -> None:
    def resolve(_: str) -> list[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(ValueError, match="nowhere: Name or service not known"):
        allow_target(Address("nowhere", 5060), owned=True, resolve=resolve)
    with pytest.raises(ValueError, match="nowhere has no address"):
        allow_target(Address("nowhere", 5060), owned=True, resolve=lambda _: [])


@pytest.mark.parametrize("host", ["224.0.0.1", "ff02::1", "0.0.0.0", "::"])
def test_nobody_owns_what_is_nobodys_address(host: str) -> None:
    with pytest.raises(ValueError, match="nobody's address"):
        allow_target(Address(host, 5060), owned=True, resolve=unasked)


@pytest.mark.parametrize("target", [Address("", 5060), Address("127.0.0.1", 0)])
def test_a_target_has_a_host_and_a_port(target: Address) -> None:
    with pytest.raises(ValueError, match="a target has a host and a port"):
        allow_target(target, owned=True, resolve=unasked)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:5070", Address("127.0.0.1", 5070)),
        ("fe.contoso.com", Address("fe.contoso.com", 5061)),
        ("[::1]:5070", Address("::1", 5070)),
        ("[::1]", Address("::1", 5061)),
        ("fd00::1", Address("fd00::1", 5061)),
        (":5070", Address("", 5070)),
        ("127.0.0.1:0", Address("127.0.0.1", 0)),
    ],
)
def test_a_host_and_a_port_are_read(text: str, address: Address) -> None:
    assert parse_host_port(text, 5061) == address


@pytest.mark.parametrize(
    "text",
    [
        *("host:", "host:port", "host:65536", "host:-1", "host:1e3", "[::1", "[::1]5060", "::1:x"),
        *("sip:ann@contoso.com", "a b:5060", "ftp://host:21", "[host]:5060", "host:٣", "a" * 254),
    ],
)
def test_what_is_no_host_and_port_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"port|HOST:PORT|IPv6") as caught:
        parse_host_port(text, 5060)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=40))
def test_no_text_is_read_with_another_error(text: str) -> None:
    try:
        address = parse_host_port(text, 5060)
    except ValueError:
        return
    assert 0 <= address.port <= 65_535


@given(st.ip_addresses())
def test_private_is_never_more_than_the_registries_say(address: object) -> None:
    if is_private(str(address)):
        mapped = getattr(address, "ipv4_mapped", None) or address
        assert getattr(mapped, "is_private", False) or getattr(mapped, "is_link_local", False)


@pytest.mark.parametrize(
    ("given_", "listened"),
    [
        (Address("127.0.0.1", 0), Address("127.0.0.1", 0)),
        (Address("localhost", 5060), Address("127.0.0.1", 5060)),
        (Address("::1", 5060), Address("::1", 5060)),
    ],
)
def test_a_server_listens_on_loopback_unasked(given_: Address, listened: Address) -> None:
    assert allow_listen(given_, anywhere=False) == listened


@pytest.mark.parametrize("host", ["", "*", "0.0.0.0", "10.0.0.5", "::"])
def test_a_server_that_others_can_reach_is_asked_for(host: str) -> None:
    with pytest.raises(UnsafeError, match="--listen-anywhere"):
        allow_listen(Address(host, 5060), anywhere=False)
    assert allow_listen(Address(host, 5060), anywhere=True).host in (host, "0.0.0.0")


def test_a_server_listens_at_no_name() -> None:
    with pytest.raises(ValueError, match="give an address of this machine"):
        allow_listen(Address("fe.contoso.com", 5060), anywhere=True)


def test_rates_are_bounded_unless_limits_are_lifted() -> None:
    allow_rate(1000, 50.0, unlimited=False)
    with pytest.raises(UnsafeError, match="1,001 clients are more than 1,000"):
        allow_rate(1001, 1.0, unlimited=False)
    with pytest.raises(UnsafeError, match="51 clients a second"):
        allow_rate(1, 51.0, unlimited=False)
    allow_rate(10_000, 500.0, unlimited=True)
