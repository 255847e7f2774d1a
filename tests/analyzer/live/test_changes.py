"""What is told of one look after another: each thing once, and what may change not too soon."""

from __future__ import annotations

from typing import Any

from analyzer.live.changes import Changes
from analyzer.live.growing import Growing
from analyzer.live.pace import LEAST, SHARE, Pace
from analyzer.live.picture import (
    ABSENT_NS,
    PATIENT_NS,
    Act,
    FindingSeen,
    Picture,
    SessionKey,
    SessionSeen,
    StepSeen,
    picture_of,
)
from analyzer.times import SECOND
from tests.support.conversation import Conversation
from tests.support.packets import pcap

BEGAN = 1_795_332_006 * SECOND
KEY: SessionKey = (BEGAN, "c1", "10.0.0.1:50000")


def session(key: SessionKey = KEY, *, user: str | None = "sip:ann@x", done: int = 0) -> SessionSeen:
    steps = tuple(
        StepSeen(str(number), "REGISTER", "ok", (number,), 1.0, "", BEGAN)
        for number in range(1, done + 1)
    )
    client = key[2]
    return SessionSeen(key, user, client, "10.0.0.2:5060", key[0], key[0], steps, 0, 0, 0, 0, False)


def finding(rule: str = "GC204", *, frame: int = 7, settles_ns: int = 0) -> FindingSeen:
    record = {"rule": rule, "severity": "error", "title": "t", "detail": "d", "frames": [frame]}
    return FindingSeen((rule, KEY, "c1", frame), record, settles_ns)


def picture(
    *findings: FindingSeen,
    sessions: tuple[SessionSeen, ...] | None = None,
    after: float = 0,
    first_frame: int = 1,
) -> Picture:
    seen = (session(),) if sessions is None else sessions
    return Picture(BEGAN + int(after * SECOND), 6, seen, findings, 0, 1, first_frame)


def told(events: list[dict[str, Any]]) -> list[str]:
    return [one["event"] for one in events]


def test_a_session_a_step_and_a_finding_are_told_once() -> None:
    changes = Changes()
    seen = picture(finding(), sessions=(session(done=2),))
    assert told(changes.look(seen)) == ["session", "step", "step", "finding"]
    assert changes.look(seen) == []


def test_a_session_is_told_again_when_its_user_becomes_known() -> None:
    changes = Changes()
    changes.look(picture(sessions=(session(user=None),)))
    events = changes.look(picture())
    assert told(events) == ["session"]
    assert (events[0]["session"], events[0]["user"]) == (1, "sip:ann@x")


def test_an_absence_is_told_when_it_has_stood_for_a_while() -> None:
    changes = Changes()
    absent = finding("GC301", settles_ns=ABSENT_NS)
    assert told(changes.look(picture(absent))) == ["session"]
    assert changes.look(picture(absent, after=1)) == []
    assert told(changes.look(picture(absent, after=2))) == ["finding"]


def test_a_client_that_may_still_go_on_has_a_minute_and_is_waited_for() -> None:
    changes = Changes()
    stuck = finding("GC107", settles_ns=PATIENT_NS)
    changes.look(picture(stuck))
    assert changes.look(picture(stuck, after=59)) == []
    assert changes.waiting
    assert told(changes.look(picture(stuck, after=60))) == ["finding"]
    assert not changes.waiting


def test_what_a_challenge_without_an_answer_says_settles_longer_than_a_refusal() -> None:
    refused, growing = challenged(b"403 Forbidden"), challenged(None)
    assert {one.settles_ns for one in refused if one.key[0] == "GC107"} == {0}
    assert {one.settles_ns for one in growing if one.key[0] == "GC107"} == {PATIENT_NS}


def challenged(then: bytes | None) -> tuple[FindingSeen, ...]:
    """Return the findings of a REGISTER that was challenged, and of one more if there is one."""
    answers = [b"401 Unauthorized", *([] if then is None else [then])]
    talk = Conversation()
    talk.handshake()
    for number, status in enumerate(answers, 1):
        same = (
            b"Via: SIP/2.0/TCP 10.0.0.1:50000;branch=z9hG4bK%d\r\nFrom: <sip:ann@x>;tag=a\r\n"
            b"To: <sip:ann@x>\r\nCall-ID: c1\r\nCSeq: %d REGISTER\r\n" % (number, number)
        )
        challenge = b'WWW-Authenticate: NTLM realm="r", targetname="fe"\r\n'
        proof = b'Authorization: NTLM realm="r", gssapi-data="TlRM"\r\n' if number > 1 else b""
        empty = b"Content-Length: 0\r\n\r\n"
        talk.client.sends(b"REGISTER sip:x SIP/2.0\r\n" + same + proof + empty)
        asked = challenge if number == 1 else b""
        talk.server.sends(b"SIP/2.0 " + status + b"\r\n" + same + asked + empty)
    with Growing("test") as growing:
        growing.feed(pcap(talk.packets), 0)
        return picture_of(growing.snapshot(20 * SECOND)).findings


def test_what_a_user_does_is_told_once() -> None:
    changes = Changes()
    acts = (Act("joined", "ma-chan://x/1", "Sales", 8, BEGAN),)
    found = changes.look(picture(sessions=(session()._replace(acts=acts),)))
    assert [(one["event"], one.get("room_name")) for one in found] == [
        ("session", None),
        ("joined", "Sales"),
    ]
    more = (
        Act("posted", "ma-chan://x/1", "Sales", 9, BEGAN),
        Act("signed off", None, None, 10, BEGAN),
    )
    found = changes.look(picture(sessions=(session()._replace(acts=(*acts, *more)),)))
    assert [(one["event"], one["frames"]) for one in found] == [
        ("posted", [9]),
        ("signed off", [10]),
    ]


def test_an_absence_that_passes_is_never_told() -> None:
    changes = Changes()
    absent = finding("GC301", settles_ns=ABSENT_NS)
    changes.look(picture(absent))
    assert changes.look(picture(after=1)) == []
    assert changes.look(picture(absent, after=10)) == []  # waits anew


def test_at_the_end_nothing_waits() -> None:
    absent = finding("GC301", settles_ns=ABSENT_NS)
    assert told(Changes().look(picture(absent), settled=True)) == ["session", "finding"]


def test_what_stands_no_more_is_said_to_be_gone() -> None:
    changes = Changes()
    changes.look(picture(finding()))
    events = changes.look(picture())
    assert [(one["event"], one["rule"]) for one in events] == [("finding gone", "GC204")]
    assert changes.of_session(KEY) == []


def test_what_rests_on_frames_that_were_let_go_is_only_forgotten() -> None:
    changes = Changes()
    changes.look(picture(finding(frame=7)))
    assert changes.look(picture(first_frame=8)) == []


def test_a_session_that_lost_its_beginning_keeps_its_number_and_its_findings() -> None:
    changes = Changes()
    changes.look(picture(finding(), sessions=(session(done=3),)))
    later: SessionKey = (BEGAN + SECOND, "c2", KEY[2])
    moved = finding()._replace(key=("GC204", later, "c1", 7))
    assert changes.look(picture(moved, sessions=(session(later),))) == []
    assert changes.numbers == {KEY: 1}
    assert changes.reached(KEY) == (3, ())
    assert [one.key[0] for one in changes.of_session(KEY)] == ["GC204"]


def test_holes_and_dark_connections_are_told_when_they_change() -> None:
    changes = Changes()
    events = changes.look(picture(), dark=2)
    assert [(one["holes"], one["tls_dark"]) for one in events if one["event"] == "quality"] == [
        (0, 2)
    ]
    assert changes.look(picture(), dark=2) == []


def test_looking_takes_no_more_than_its_share_of_the_time() -> None:
    pace = Pace()
    now = spent = 0.0
    while now < 100:
        if pace.due(now, news=True):
            pace.looked(now, now + 2, news=True, settling=5)
            spent += 2
            now += 2
        now += 0.1
    assert SHARE * 0.8 < spent / now <= SHARE * 1.05


def test_a_cheap_look_is_taken_once_a_second_and_only_as_long_as_there_is_news() -> None:
    pace = Pace()
    assert pace.due(0, news=True)
    pace.looked(0, 0.01, news=True, settling=3)
    assert not pace.due(LEAST - 0.1, news=True)
    assert pace.due(LEAST, news=True)
    assert pace.due(2.9, news=False)  # something may still settle
    assert not pace.due(3.1, news=False)
