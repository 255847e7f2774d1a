"""The text of an account: what did not hold first, and nothing that can steer a terminal."""

from __future__ import annotations

import pytest

from analyzer.cli.replay_text import SHOWN, account_lines
from analyzer.cli.terminal import Terminal
from analyzer.replay.results import Difference, Latency, Outcome, Verdict
from analyzer.replay.told.account import Account, End, end_of

TERMINAL = Terminal(width=100, colour=False, unicode=True)
HELD = Verdict("t1", "client1", "ann@contoso.com", "200 OK to REGISTER", "held", at=0.1)
DIFFERS = Verdict(
    "t7", "client1", "ann@contoso.com", "200 OK to INFO cmd:join", "differs",
    (Difference("status", "200", "503"),), at=1.25,
)  # fmt: skip
MISSING = Verdict("t8", "client1", None, "INFO rpl:join", "missing", detail="Nothing within 10 s.")
STRANGE = Verdict(None, None, "ben@contoso.com", "OPTIONS", "unexpected", detail="Answered 200.")


def told(outcome: Outcome, *, verbose: bool = False, terminal: Terminal = TERMINAL) -> list[str]:
    account = Account("case.json", "Joining", (end_of("client", outcome),), 1.5)
    return list(account_lines(account, terminal, verbose=verbose))


def test_what_held_is_one_line() -> None:
    assert told(Outcome((HELD, HELD))) == [
        "case.json: Joining (1.500 s)",
        "✓ client: all 2 turns held; 1 client",
    ]


def test_a_failure_is_told_with_its_difference_before_what_was_only_unexpected() -> None:
    assert told(Outcome((HELD, STRANGE, DIFFERS, MISSING), complete=False)) == [
        "case.json: Joining (1.500 s)",
        "✗ client: 1 of 3 turns held, 1 differs, 1 missing, 1 unexpected; 1 client; ended early",
        "  ✗ differs: t7 client1 (ann@contoso.com): 200 OK to INFO cmd:join at 1.250 s",
        "      status: expected 200, found 503",
        "  ○ missing: t8 client1: INFO rpl:join",
        "      Nothing within 10 s.",
        "  ! unexpected: ben@contoso.com: OPTIONS",
        "      Answered 200.",
    ]


def test_verbose_tells_what_held_too_in_the_order_of_the_play() -> None:
    lines = told(Outcome((DIFFERS, HELD)), verbose=True)
    assert lines[2].startswith("  ✗ differs: t7")
    assert lines[4] == "  ✓ held: t1 client1 (ann@contoso.com): 200 OK to REGISTER at 0.100 s"


def test_of_many_kinds_the_slowest_are_shown_and_none_that_took_no_time() -> None:
    latencies = tuple(Latency(f"kind {number}", number / 10) for number in range(8))
    lines = told(Outcome((HELD,), latencies=latencies))
    assert [line.split()[1] for line in lines if line.startswith("  kind")] == list("76543")
    assert lines[-1] == "  and 3 faster ones (-v has them)"
    assert len(told(Outcome((HELD,), latencies=(Latency("cmd:join", 0.0),)))) == 2
    assert "  and 3 faster ones" not in told(Outcome((HELD,), latencies=latencies), verbose=True)


def test_latencies_are_a_table_by_kind() -> None:
    seconds = [0.010, 0.020, 0.500]
    lines = told(Outcome((HELD,), latencies=tuple(Latency("cmd:join", one) for one in seconds)))
    assert lines[2].split() == ["answer", "to", "count", "p50", "p95", "max"]
    assert lines[3].split() == ["cmd:join", "3", "20.0", "ms", "500", "ms", "500", "ms"]


@pytest.mark.parametrize(("verbose", "lines"), [(False, SHOWN + 1), (True, SHOWN + 5)])
def test_long_lists_are_cut_unless_asked_for(verbose: bool, lines: int) -> None:
    several = tuple(MISSING._replace(turn=f"t{number}", detail="") for number in range(SHOWN + 5))
    notes = tuple(f"note {number}" for number in range(SHOWN + 5))
    found = told(Outcome(several, notes=notes), verbose=verbose)
    assert sum("missing:" in line or "and 5 more" in line for line in found) == lines
    assert sum(" note " in line or "5 further notes" in line for line in found) == lines


def test_of_turns_that_one_thing_explains_the_first_few_are_told() -> None:
    lost = [MISSING._replace(turn=f"t{number}", detail="the server closed") for number in range(30)]
    lines = told(Outcome((*lost, DIFFERS)))
    assert sum("missing:" in line for line in lines) == 5
    assert any("differs: t7" in line for line in lines)
    assert "  and 25 more (see --json)" in lines


REFUSED = "the connection was refused"


def test_where_nothing_could_be_said_the_first_line_tells_why() -> None:
    gone = MISSING._replace(detail=REFUSED)
    unsaid = gone._replace(turn="t1", what="REGISTER", status="unsaid")
    assert told(Outcome((unsaid, gone)))[1] == (
        "✗ client: the connection was refused; 0 of 2 turns held, 1 missing, 1 not said; 1 client"
    )
    for other in (HELD, DIFFERS, MISSING):  # there was a connection, or there is more to say
        assert REFUSED not in told(Outcome((unsaid, gone, other)))[1]
    assert REFUSED not in told(Outcome((gone,)))[1]
    assert REFUSED not in told(Outcome((unsaid, gone), complete=False))[1]


def test_verdicts_that_were_not_kept_are_counted() -> None:
    end = End("client", held=False, complete=True, played=500,
              counts={"held": 9000, "missing": 20}, verdicts=(MISSING,))  # fmt: skip
    lines = list(account_lines(Account("case.json", "", (end,)), TERMINAL, verbose=False))
    assert lines[1] == "✗ client: 9,000 of 9,020 turns held, 20 missing; 500 clients"
    assert "  and 19 more (see --json)" in lines


def test_nothing_that_a_peer_says_can_steer_a_terminal() -> None:
    evil = "a\x1b[2Jb\r\nc"
    odd = DIFFERS._replace(what=evil, user=evil, detail=evil,
                           differences=(Difference("status", evil, evil),))  # fmt: skip
    lines = told(Outcome((odd,), notes=(evil,), latencies=(Latency(evil, 1.0),)), verbose=True)
    assert all(line.isprintable() for line in lines)
    assert "\\x1b[2J" in "".join(lines)


def test_a_poor_terminal_gets_ascii_only() -> None:
    poor = Terminal(width=60, colour=False, unicode=False)
    lines = told(Outcome((HELD, DIFFERS, MISSING, STRANGE)), terminal=poor)
    assert all(line.isascii() and len(line) <= 60 for line in lines)
