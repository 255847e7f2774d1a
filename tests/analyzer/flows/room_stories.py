"""People in rooms, as stories: each signs in on a connection of their own and speaks with ``svc``.

story = Story()
ann, bob = Person(story, "ann"), Person(story, "bob")
ann.joins(present="ann bob"), bob.joins()
ann.posts("hello")
bob.gets("hello", author="ann")
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, cast

from analyzer.flows.posting import posting_runs
from analyzer.meaning import outline
from tests.analyzer.stories import Quality, Story, cmd, envelope, rpl, uri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.flows.values import FlowRun
    from analyzer.quality import OtherConnection
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace
    from tests.analyzer.stories import Said, Wire

ROOM = "ma-chan://example.com/1"
TOKEN_URI = "https://web.example.com/MGCWebService/MGCWebService.asmx"


def chat(text: str, author: str, room: str = ROOM) -> str:
    """Return a chat message."""
    return (
        f'<grpchat id="grpchat" seqid="1" chanUri="{room}" author="{uri(author)}" '
        f'ts="2026-11-22T07:20:06Z"><chat>{text}</chat></grpchat>'
    )


def chanid(room: str = ROOM) -> str:
    """Return how a join names a room."""
    domain, _, value = room.removeprefix("ma-chan://").partition("/")
    return f'<chanid key="0" domain="{domain}" value="{value}"/>'


def chanib(room: str = ROOM, present: str = "") -> str:
    """Return how a reply tells of a room, with the users who are in it."""
    users = present.split()
    listed = "".join(f'<uib uri="{uri(user)}" id="{at}"/>' for at, user in enumerate(users))
    numbers = ",".join(map(str, range(len(users))))
    inside = f'<aib key="3984" value="{numbers}"/>' if users else ""
    return f'{listed}<chanib uri="{room}" name="Room">{inside}</chanib>'


class Person:
    """A user with a session of one dialog."""

    def __init__(self, story: Story, name: str, number: int = 1, *, late: bool = False) -> None:
        """Sign in and invite the Channel service; ``late``: that was before the capture."""
        self.story = story
        self.name = name
        self.call = f"{name}{number}"
        self.wire: Wire = story.connect(f"10.0.{number}.{ord(name[0])}:50000", syn_seen=not late)
        self._cseq = count(2)
        self._envid = count(number * 1000)
        if late:
            return
        said = self.wire.asks("REGISTER", name, name, call=f"r{self.call}", epid="e")
        self.wire.answered(said, 200, to_tag="x")
        said = self.wire.asks("INVITE", name, "svc", call=self.call, epid="e")
        self.wire.answered(said, 200, to_tag="s")

    def says(self, *items: str, status: int | None = 200, envid: str | None = None) -> str:
        """Send an INFO, answered with a status unless that is None; return its envid."""
        envid = envid or str(next(self._envid))
        said = self.wire.asks(
            "INFO", self.name, "svc", call=self.call, cseq=next(self._cseq), to_tag="s",
            body=envelope(envid, *items),
        )  # fmt: skip
        if status is not None:
            self.wire.answered(said, status, "Reason")
        return envid

    def hears(self, *items: str, status: int | None = 200) -> int:
        """Get an INFO from the service, and answer it; return its row."""
        said: Said = self.wire.told(
            "INFO", "svc", self.name, call=self.call, cseq=next(self._cseq), from_tag="s",
            to_tag="a", body=envelope("9", *items),
        )  # fmt: skip
        if status is not None:
            self.wire.answered(said, status, "Reason")
        return said.row

    def asks(self, name: str, data: str = "", reply: str | None = "", *, code: str = "200") -> None:
        """Send a command; the reply has ``reply`` as its data, unless that is None."""
        envid = self.says(cmd(name, data=data))
        if reply is not None:
            told = "getftok" if name == "getfutok" else name
            self.hears(rpl(told, (envid, "1"), reply, code=code))

    def signs_in_to(self, *rooms: str, present: str = "") -> None:
        """Join rooms as at sign-in."""
        blocks = "".join(chanib(room, present) for room in rooms)
        self.asks("bjoin", "".join(map(chanid, rooms)), blocks)

    def joins(self, room: str = ROOM, *, present: str = "") -> None:
        """Join a room."""
        self.asks("join", chanid(room), chanib(room, present))

    def posts(self, text: str, *, room: str = ROOM, status: int | None = 200) -> int:
        """Write into a room; return the row."""
        row = len(self.story.raws)
        self.says(chat(text, self.name, room), status=status)
        return row

    def gets(self, text: str, author: str, *, room: str = ROOM, status: int | None = 200) -> int:
        """Get a copy of a post; return the row."""
        return self.hears(chat(text, author, room), status=status)

    def gets_token(self, reply: str | None = TOKEN_URI) -> None:
        """Ask for a file token; the reply has this URI."""
        data = f'<ftdb channelUri="{ROOM}" fileUrl="a.txt"/>'
        token = None if reply is None else f'<token token="t" serveruri="{reply}"/>'
        self.asks("getfutok", data, token)


def traced(story: Story, others: Sequence[OtherConnection] = ()) -> Trace:
    """Return the trace of a story, with connections that carry something else."""
    trace = story.trace()
    known = trace.quality
    trace.quality = Quality(known.holes, known.last_time or 0, tuple(others))  # type: ignore[assignment]
    return trace


def runs_of(story: Story, others: Sequence[OtherConnection] = ()) -> list[FlowRun]:
    """Return the runs of a story's posts."""
    trace = traced(story, others)
    views = cast("Sequence[SessionView]", outline(trace).sessions)
    return posting_runs(trace, views)


def statuses(run: FlowRun) -> str:
    """Return the statuses of the steps in one line."""
    return " ".join(step.status for step in run.steps)
