"""Between whom SIPE spoke: what a log says of its connections, and what its messages tell."""

from __future__ import annotations

from dissectors.capture.text.sipe_ends import MAX_CONNECTIONS, MAX_WAITING, Ends
from dissectors.capture.text.values import TextMessage

REGISTER = (
    b"REGISTER sip:contoso.com SIP/2.0\r\nVia: SIP/2.0/tls 10.0.0.1:50000;branch=z9hG4bK1\r\n\r\n"
)
RESPONSE = REGISTER.replace(b"REGISTER sip:contoso.com SIP/2.0", b"SIP/2.0 200 OK")
LOCAL = "sipe: transport_get_socket_info: 10.0.0.1:50000({})"
PEER = "sip_transport_connected: 'pool01.contoso.com:5061'({})"


def message(
    data: bytes = REGISTER, *, outgoing: bool = True, connection: str = "0x1", peer: str = ""
) -> TextMessage:
    return TextMessage(
        0, 6, False, 1, outgoing, "10.0.0.9:1" if peer else "", peer, "tls", data,
        connection=connection,
    )  # fmt: skip


def sides(messages: list[TextMessage]) -> list[tuple[str, str]]:
    return [(one.local, one.peer) for one in messages]


def test_what_the_log_says_of_a_connection_comes_first() -> None:
    ends = Ends()
    ends.said(LOCAL.format("0x1"))
    ends.said(PEER.format("0x1"))
    ends.add(message(REGISTER.replace(b"10.0.0.1:50000", b"192.168.0.1:1")))
    assert sides(ends.ready()) == [("10.0.0.1:50000", "pool01.contoso.com:5061")]


def test_the_number_of_a_connection_that_has_ended_is_used_again() -> None:
    ends = Ends()
    for name in ("0x1", "0x1"):
        ends.said(LOCAL.format(name))
        ends.said(PEER.format(name))
    ends.add(message())
    ends.said(LOCAL.format("0x1").replace("50000", "50001"))
    ends.said(PEER.format("0x1").replace("pool01", "pool02"))
    ends.add(message())
    assert sides(ends.ready()) == [
        ("10.0.0.1:50000", "pool01.contoso.com:5061"),
        ("10.0.0.1:50001", "pool02.contoso.com:5061"),
    ]


def test_a_line_that_is_not_about_sip_says_nothing() -> None:
    ends = Ends()
    ends.said("proxy: Connected to 127.0.0.1:5060.")
    ends.add(message())
    assert sides(ends.close()) == [("10.0.0.1:50000", "contoso.com:0")]


def test_the_server_that_the_user_named_is_the_other_side() -> None:
    ends = Ends()
    ends.said("sipe_core_connect: user specified SIP server ocs.contoso.com:443")
    ends.add(message())
    assert ends.ready() == []
    assert sides(ends.close()) == [("10.0.0.1:50000", "ocs.contoso.com:443")]


def test_a_route_names_the_server_better_than_the_domain() -> None:
    routed = REGISTER.replace(b"\r\n\r\n", b"\r\nRoute: <sip:pool01.contoso.com:5061;lr>\r\n\r\n")
    ends = Ends()
    ends.add(message(routed))
    assert sides(ends.close()) == [("10.0.0.1:50000", "pool01.contoso.com:5061")]


def test_a_via_without_a_port_has_that_of_its_transport() -> None:
    for transport, port in ((b"tls", 5061), (b"tcp", 5060)):
        ends = Ends()
        ends.add(message(REGISTER.replace(b"/tls 10.0.0.1:50000", b"/" + transport + b" h.test")))
        assert sides(ends.close()) == [(f"h.test:{port}", "contoso.com:0")]


def test_the_via_of_a_request_that_came_in_is_that_of_the_other_side() -> None:
    ends = Ends()
    ends.add(message(outgoing=False))
    ends.add(message(RESPONSE, outgoing=False, connection="0x2"))
    assert sides(ends.close()) == [("", "10.0.0.1:50000"), ("10.0.0.1:50000", "server:0")]


def test_of_a_request_that_names_nobody_the_server_is_not_known() -> None:
    ends = Ends()
    ends.add(message(REGISTER.replace(b"REGISTER sip:contoso.com", b"INFO sip:ann@contoso.com")))
    assert sides(ends.close()) == [("10.0.0.1:50000", "server:0")]


def test_a_message_whose_sides_are_known_already_keeps_them() -> None:
    ends = Ends()
    ends.add(message(peer="10.0.0.8:2"))
    assert sides(ends.close()) == [("10.0.0.9:1", "10.0.0.8:2")]


def test_no_more_messages_wait_for_the_other_side_than_there_is_room_for() -> None:
    ends = Ends()
    for _ in range(MAX_WAITING - 1):
        ends.add(message())
    assert ends.ready() == []
    ends.add(message())
    assert len(ends.ready()) == MAX_WAITING


def test_connections_without_end_are_forgotten() -> None:
    ends = Ends()
    ends.said(LOCAL.format("0x0"))
    for number in range(1, MAX_CONNECTIONS + 1):
        ends.said(LOCAL.format(f"{number:#x}"))
    ends.said(PEER.format("0x0"))
    ends.add(message(REGISTER.replace(b"Via:", b"X:"), connection="0x0"))
    assert sides(ends.close()) == [("", "pool01.contoso.com:5061")]
