"""Sign-ins written down message by message: whole ones, and any part of one.

talk = SignIn()
talk.registers()
talk.looks_up()
talk.enters()
(run,) = talk.runs()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from analyzer.flows.signin import sign_in_runs
from analyzer.meaning import outline
from tests.analyzer.stories import Story, cmd, envelope, rpl, uri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.flows.values import FlowRun
    from analyzer.sessions.view import SessionView

R2 = "UCCAPI/3.5.6907.0 OC/3.5.6907.0 (Microsoft Office Communicator 2007 R2)"
LYNC_2010 = "UCCAPI/4.0.7577.0 OC/4.0.7577.0 (Microsoft Lync 2010)"
LYNC_2013 = "UCCAPI/15.0.4420.1017 OC/15.0.4420.1017 (Microsoft Lync)"
SIPE = "Purple/2.14.12 Sipe/1.25.0 (linux-x86_64)"
ROOMS = ("1", "2")
COMMANDS = ("getserverinfo", "getpref", "bjoin", "getinv")


def rooms(*names: str) -> str:
    """Return the data of ``cmd:bjoin``."""
    return "".join(f'<chanid key="{n}" domain="example.com" value="{n}"/>' for n in names)


def entered(*names: str) -> str:
    """Return the data of ``rpl:bjoin``."""
    return "".join(f'<chanib uri="ma-chan://example.com/{n}" name="Room {n}"/>' for n in names)


def refused(*names: str) -> str:
    """Return the blocks of rooms that were not let into."""
    return "".join(f'<fib key="OPERATION_FAILED" domain="example.com" value="{n}"/>' for n in names)


class SignIn:
    """A client that signs in."""

    def __init__(self, agent: str | None = R2, *, syn_seen: bool = True) -> None:
        self.story = Story()
        self.wire = self.story.connect(syn_seen=syn_seen)
        self.headers = {} if agent is None else {"User-Agent": agent}
        self.call = 0
        self.cseq = 1
        self.envid = 100
        self.channel_call = ""

    def asks(self, method: str, to: str, status: int = 200, *, wait: int = 0) -> str:
        """Send a request outside a dialog, or one that begins one; return its Call-ID."""
        self.call += 1
        call = f"{method}-{self.call}"
        said = self.wire.asks(method, "ann", to, call=call, epid="e1", headers=self.headers)
        self.story.wait(wait)
        self.wire.answered(said, status, "Reason", to_tag="s")
        return call

    def registers(self, *statuses: int) -> None:
        """Do the steps 1 to 3; ``statuses`` are those of the answers before the last."""
        for at, status in enumerate((*statuses, 200), 1):
            scheme = {"Authorization": 'NTLM qop="auth"'} if at > 1 else {}
            headers = self.headers | scheme
            said = self.wire.asks("REGISTER", "ann", "ann", call="r", cseq=at, headers=headers)
            self.wire.answered(said, status, "Reason", to_tag="x", Server="RTC/3.5")
        self.asks("SUBSCRIBE", "ann")
        self.asks("SERVICE", "ann")

    def looks_up(self, service: str = "channel", lookup: str = "ocschat") -> None:
        """Do the steps 4 and 5."""
        call = self.asks("INVITE", lookup)
        self.commands("requri", call=call, to=lookup, data=f'<uib uri="{uri(service)}"/>')
        said = self.wire.asks("BYE", "ann", lookup, call=call, cseq=90, to_tag="s")
        self.wire.answered(said, 200)

    def invites(self, service: str = "channel", status: int = 200) -> None:
        """Do step 6."""
        self.channel_call = self.asks("INVITE", service, status)

    def commands(
        self,
        *names: str,
        call: str | None = None,
        to: str = "channel",
        data: str = "",
        asked: str = "",
        status: int = 200,
        reply: bool = True,
    ) -> None:
        """Send commands, each in an INFO, and their replies."""
        call = self.channel_call if call is None else call
        for name in names:
            self.cseq += 1
            self.envid += 1
            body = envelope(str(self.envid), cmd(name, data=asked))
            said = self.wire.asks(
                "INFO", "ann", to, call=call, cseq=self.cseq, to_tag="s", body=body
            )
            self.wire.answered(said, status, "Reason")
            if not reply or status != 200:
                continue
            answer = envelope(f"9{self.envid}", rpl(name, (str(self.envid), "1"), data))
            told = self.wire.told(
                "INFO", to, "ann", call=call, cseq=self.cseq, from_tag="s", to_tag="a", body=answer
            )
            self.wire.answered(told, 200)

    def joins(self, *, lost: Sequence[str] = ()) -> None:
        """Do step 9; ``lost`` are the rooms that it is not let into."""
        got = [name for name in ROOMS if name not in lost]
        data = entered(*got) + refused(*lost)
        self.commands("bjoin", asked=rooms(*ROOMS), data=data)

    def enters(self, service: str = "channel") -> None:
        """Do the steps 6 to 10."""
        self.invites(service)
        self.commands("getserverinfo", "getpref", to=service)
        self.joins()
        self.commands("getinv", to=service)

    def view(self) -> SessionView:
        """Return the session."""
        (view,) = outline(self.story.trace()).sessions
        return cast("SessionView", view)

    def runs(self) -> tuple[FlowRun, ...]:
        """Return the runs of the sign-in."""
        return sign_in_runs(self.view())

    def run(self) -> FlowRun:
        """Return the only run."""
        (run,) = self.runs()
        return run

    def statuses(self) -> dict[str, str]:
        """Return the statuses of the only run, by step."""
        return {step.id: step.status for step in self.run().steps}
