"""Hop copies: the same message on several legs."""

from __future__ import annotations

from functools import partial

from analyzer.meaning import analyse
from tests.analyzer.stories import Said, Story, Wire, cmd, envelope, rpl

ONE = ["SIP/2.0/TCP 10.0.0.1:50000"]
TWO = ["SIP/2.0/TCP 10.0.0.9:5060;branch=z9hG4bKfe", *ONE]
SERVER = ["SIP/2.0/TCP 10.0.1.1:5061;branch=z9hG4bKs"]
RELAYED = ["SIP/2.0/TCP 10.0.0.9:5060;branch=z9hG4bKfe", *SERVER]


class Path:
    """Client, front end, service: each side opens its own connection to the other."""

    def __init__(self) -> None:
        self.story = Story()
        self.client = self.story.connect()
        self.down = self.story.connect("10.0.0.9:40000", "10.0.1.1:5061")
        self.back = self.story.connect("10.0.1.1:40000", "10.0.0.9:5060")

    def client_asks(
        self, method: str, *, cseq: int, to_tag: str | None = "s", body: str = ""
    ) -> None:
        """Send a request of the client through, and its 200 back."""
        said = [
            wire.asks(method, "ann", "svc", call="c", cseq=cseq, to_tag=to_tag, body=body, via=vias)
            for wire, vias in ((self.client, ONE), (self.down, TWO))
        ]
        if method != "ACK":
            self.down.answered(said[1], 200, to_tag="s")
            self.client.answered(said[0], 200, to_tag="s")

    def service_asks(self, method: str, *, cseq: int, body: str = "") -> None:
        """Send a request of the service through, and its 200 back."""
        first = self._service(self.back, method, cseq, body, SERVER)
        second = self._service(self.client, method, cseq, body, RELAYED)
        self.client.answered(second, 200)
        self.back.answered(first, 200)

    def _service(self, wire: Wire, method: str, cseq: int, body: str, vias: list[str]) -> Said:
        say = partial(wire.asks, method, "svc", "ann", call="c", from_tag="s", to_tag="a")
        return say(cseq=cseq, body=body, via=vias, up=wire is self.back)


def _talk() -> Path:
    path = Path()
    path.client_asks("INVITE", cseq=1, to_tag=None)
    path.client_asks("ACK", cseq=1)
    path.client_asks("INFO", cseq=2, body=envelope("7", cmd("getinv")))
    path.service_asks("INFO", cseq=1, body=envelope("99", rpl("getinv", ("7", "1"))))
    path.client_asks("BYE", cseq=3)
    return path


def test_every_message_of_a_proxied_dialog_has_one_copy() -> None:
    path = _talk()
    analysis = analyse(path.story.trace())
    assert len(analysis.copy_of) == len(path.story.raws) // 2
    for row, origin in analysis.copy_of.items():
        assert origin < row
        assert origin not in analysis.copy_of


def test_a_proxied_dialog_is_one_dialog_as_the_client_saw_it() -> None:
    path = _talk()
    analysis = analyse(path.story.trace())
    (dialog,) = analysis.dialogs
    assert dialog.connection == path.client.number
    assert set(dialog.legs) == {0, 1, 2}
    streams = path.story.rows.stream
    assert {streams[row] >> 1 for row in dialog.rows} == {path.client.number}
    assert path.client.number not in {streams[row] >> 1 for row in dialog.copies}
    assert (dialog.state, dialog.ended_by) == ("terminated", "BYE from client")


def test_a_proxied_command_is_one_pair() -> None:
    path = _talk()
    (pair,) = analyse(path.story.trace()).pairs
    assert (pair.command, pair.outcome, pair.paired_by) == ("getinv", "answered", "commandid")
    assert len(pair.replies) == 1


def test_copies_of_transactions_name_the_first_one() -> None:
    path = _talk()
    analysis = analyse(path.story.trace())
    for one in analysis.transactions:
        copied = analysis.copy_of.get(one.request if one.request is not None else -1)
        expected = None if copied is None else analysis.transaction_of[copied]
        assert one.copy_of == expected
    assert sum(one.copy_of is None for one in analysis.transactions) == 5


def test_equal_messages_with_equal_via_counts_are_two_clients() -> None:
    story = Story()
    for opener in ("10.0.0.1:50000", "10.0.0.2:50000"):
        wire = story.connect(opener)
        said = wire.asks("INVITE", "ann", "svc", call="c", via=ONE)
        wire.answered(said, 200, to_tag="s")
    analysis = analyse(story.trace())
    assert analysis.copy_of == {}
    assert len(analysis.dialogs) == 2


def test_a_message_long_after_is_no_copy() -> None:
    story = Story()
    story.connect().asks("INFO", "ann", "svc", call="c", to_tag="s", via=ONE)
    story.wait(6000)
    story.connect("10.0.0.9:40000").asks("INFO", "ann", "svc", call="c", to_tag="s", via=TWO)
    assert analyse(story.trace()).copy_of == {}


def test_trying_and_cancel_are_never_copies() -> None:
    story = Story()
    near, far = story.connect(), story.connect("10.0.0.9:40000", "10.0.1.1:5061")
    for wire, vias in ((near, ONE), (far, TWO)):
        said = wire.asks("INVITE", "ann", "svc", call="c", via=vias)
        wire.answered(said, 100, "Trying")
        cancel = wire.asks("CANCEL", "ann", "svc", call="c", via=vias)
        wire.answered(cancel, 200)
    methods = story.rows.strings.values
    analysis = analyse(story.trace())
    copied = [(methods[story.rows.method[row]], story.rows.status[row]) for row in analysis.copy_of]
    assert copied == [("INVITE", -1)]


def test_the_branches_of_a_fork_are_failed_dialogs_of_their_own() -> None:
    story = Story()
    near = story.connect()
    legs = [story.connect(f"10.0.0.9:4000{n}", f"10.0.1.{n}:5061") for n in range(3)]
    invite = near.asks("INVITE", "ann", "ocschat", call="c", via=ONE)
    forks = []
    for number, leg in enumerate(legs):
        vias = [f"SIP/2.0/TCP 10.0.0.9;branch=z9hG4bK{number}", *ONE]
        forks.append(leg.asks("INVITE", "ann", "ocschat", call="c", via=vias))
    legs[1].answered(forks[1], 200, to_tag="won")
    near.answered(invite, 200, to_tag="won")
    for number in (0, 2):
        legs[number].answered(forks[number], 487, "Request Terminated", to_tag=f"lost{number}")
        vias = forks[number].vias
        legs[number].asks("ACK", "ann", "ocschat", call="c", to_tag=f"lost{number}", via=vias)
    analysis = analyse(story.trace())
    assert [(one.state, one.callee_tag) for one in analysis.dialogs] == [
        ("confirmed", "won"),
        ("failed", "lost0"),
        ("failed", "lost2"),
    ]
    assert [one.role for one in analysis.dialogs] == ["lookup"] * 3
    assert "forked" in analysis.dialogs[1].evidence
    (session,) = analysis.sessions
    assert [join.dialog for join in session.joins] == [0, 1, 2]
    assert session.problems == ()
