"""What a play came to: verdicts by turn with the message that was recorded, latencies, notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.dashboard.verdict.paging import Option, choices, pager, part_of
from analyzer.markup import Column, add, badge, badged, say, section, table
from analyzer.replay.told.account import STATUSES, differences_of, who
from analyzer.times import SECOND, duration_text, latency_text
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.desk import Desk
    from analyzer.dashboard.playing.plays import Playing
    from analyzer.markup import Cell, Element
    from analyzer.replay.results import Status, Verdict
    from analyzer.replay.script import Turn
    from analyzer.replay.told.account import Account, End, Spread

PAGE = 50
NOTES = 60
COMPARED = 6
"""Sessions that are led to one by one; the page of comparisons has all."""
WORDS: dict[Status, tuple[str, str]] = {
    "held": ("ok", "held"),
    "differs": ("failed", "differs"),
    "missing": ("missing", "missing"),
    "unsaid": ("failed", "not said"),
    "unexpected": ("doubtful", "unexpected"),
}
"""How each is coloured, and what it is called."""
_VERDICTS = (
    Column("verdict"),
    Column("turn", "mono"),
    Column("recorded in"),
    Column("of"),
    Column("what", "wide"),
    Column("at", "num"),
    Column("what differs", "wide"),
)
_SPREADS = (
    Column("answer to", "wide"),
    *(Column(title, "num") for title in ("count", "half", "95 of 100", "99 of 100", "longest")),
)


def draw_account(parent: Element, desk: Desk, playing: Playing, account: Account) -> None:
    """Add the account of a play."""
    head = add(parent, "p", "replay-verdict")
    held = account.held
    badge(head, "ok" if held else "failed", "held" if held else "did not hold")
    took = "" if account.seconds is None else duration_text(int(account.seconds * SECOND))
    say(head, f" {_sentence(account)}{f' It took {took}' if took else ''}")
    if playing.order.way == "self" and took:
        say(head, " of its own time")
    say(head, ".")
    for end in account.ends:
        _end(parent, desk, playing, end)
    for remark in account.remarks:
        add(parent, "p", "soft", remark)


def onward(parent: Element, desk: Desk, playing: Playing, played: Case) -> None:
    """Add the ways from a play that is over: to its comparison with the recording, to its case."""
    line = add(parent, "p", "ways")
    pairs = paired(desk, played)
    for a, b in pairs[:COMPARED]:
        of = f"session {a + 1}" if len(pairs) > 1 else "the play"
        href = desk.href(view="compare", session=a, other=f"{playing.opened}:{b + 1}")
        add(line, "a", "", f"compare {of} with the recording", href=href)
        say(line, " · ")
    there = desk.selection.but(
        case=playing.opened, view="overview", name=f"replay of {playing.name}"
    )
    add(line, "a", "", "open the capture of the play", href=there.href())
    say(line, " · ")
    add(line, "a", "", "its findings", href=there.but(view="findings").href())
    if desk.selection.more.get("seed") != str(playing.seed):
        say(line, " · ")
        add(line, "a", "", "take its seed for the next play", href=desk.href(seed=playing.seed))


def paired(desk: Desk, played: Case) -> list[tuple[int, int]]:
    """Return sessions of the recording with those of a play: of the same user, else in order."""
    chosen, views = desk.selection.session, desk.case.views
    recorded = [chosen] if chosen is not None else [*range(len(views))]
    left = {index: view.user for index, view in enumerate(played.views)}
    found: dict[int, int] = {}
    for index in recorded:
        same = next((one for one, user in left.items() if user == views[index].user), None)
        if same is not None:
            found[index] = same
            del left[same]
    others = (index for index in recorded if index not in found)
    found |= dict(zip(others, left, strict=False))
    return sorted(found.items())


def _sentence(account: Account) -> str:
    if account.held:
        return "Everything that the script expects came as it expects it."
    if not any(end.played for end in account.ends):
        return "Nobody was played."
    return "Not all that the script expects came as it expects it."


def _end(parent: Element, desk: Desk, playing: Playing, end: End) -> None:
    made = section(parent, f"replay-{end.role}", f"The {end.role}", 3)
    add(made, "p", text=_counts(end))
    every = desk.selection.more.get("verdicts") == "all"
    links = (
        Option("what did not hold", desk.href(verdicts=None, page=None), not every),
        Option("all", desk.href(verdicts="all", page=None), every),
    )
    choices(made, "Turns", links)
    shown = [one for one in end.verdicts if every or one.status != "held"]
    if not shown:
        add(made, "p", "soft", "Every turn held.")
    else:
        _verdicts(made, desk, playing, end, shown)
    _spreads(made, end)
    _notes(made, end)


def _counts(end: End) -> str:
    good, judged = end.counts.get("held", 0), end.judged
    told = [f"{good:,} of {amount(judged, 'turn')} held"]
    told += [
        f"{end.counts[status]:,} {WORDS[status][1]}"
        for status in STATUSES
        if status != "held" and end.counts.get(status)
    ]
    early = "" if end.complete else " It was ended early."
    return f"{', '.join(told)}; {amount(end.played, 'client')}.{early}"


def _verdicts(
    parent: Element, desk: Desk, playing: Playing, end: End, shown: Sequence[Verdict]
) -> None:
    turns = {turn.id: turn for turn in playing.script.turns}
    part = part_of(desk.selection.more.get("page"), len(shown), PAGE)
    pager(parent, desk, part, "turn")
    rows = (_verdict(desk, turns, one) for one in shown[part.first : part.last])
    table(parent, f"Verdicts of the {end.role}", _VERDICTS, rows, "replay-verdicts")
    if end.left_out:
        add(parent, "p", "cut", f"{amount(end.left_out, 'more verdict')} were counted, not kept.")


def _verdict(desk: Desk, turns: dict[str, Turn], one: Verdict) -> tuple[Cell, ...]:
    tone, word = WORDS[one.status]
    turn = turns.get(one.turn or "")

    def differs(cell: Element) -> None:
        for number, sentence in enumerate(differences_of(one)):
            if number:
                add(cell, "br")
            desk.page.prose(cell, sentence)

    def recorded(cell: Element) -> None:
        if turn is not None and turn.frame is not None:
            say(cell, "frame ")
            desk.page.frame(cell, turn.frame)

    at = None if one.at is None else f"{one.at:.3f} s"
    return (badged(tone, word), one.turn, recorded, who(one), one.what, at, differs)


def _spreads(parent: Element, end: End) -> None:
    shown = [one for one in end.spreads if one.most > 0]
    if not shown:
        return
    shown.sort(key=lambda one: -one.p95)
    rows = (_spread(one) for one in shown[:PAGE])
    table(parent, "How long answers took, the slowest first", _SPREADS, rows)


def _spread(one: Spread) -> tuple[Cell, ...]:
    return (
        one.what, one.answers, _time(one.p50), _time(one.p95), _time(one.p99), _time(one.most)
    )  # fmt: skip


def _time(seconds: float) -> str:
    return latency_text(seconds * 1000)


def _notes(parent: Element, end: End) -> None:
    if not end.notes:
        return
    box = add(parent, "details")
    add(box, "summary", text=amount(len(end.notes), "note"))
    listed = add(box, "ul")
    for note in end.notes[:NOTES]:
        add(listed, "li", text=note)
    if len(end.notes) > NOTES:
        add(box, "p", "cut", f"{len(end.notes) - NOTES:,} more are in the JSON.")
