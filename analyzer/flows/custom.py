"""Flows of one's own: from a TOML file or an entry point, judged like the documented ones.

docs/flows.md teaches how to write one. A flow that cannot be read raises ``ValueError`` with file
and key: unlike a capture, it is in the hands of who asks.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from analyzer.flows.engine import judge
from analyzer.flows.evidence import look
from analyzer.flows.spec import Command, Flow, Need, Party, Post, Request, Step
from analyzer.flows.stretch import Stretch
from analyzer.flows.variants import variant_of
from analyzer.model import Role
from analyzer.transaction_table import CHALLENGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from analyzer.flows.spec import Match
    from analyzer.flows.values import FlowRun
    from analyzer.flows.variants import VariantName
    from analyzer.sessions.view import SessionView

ENTRY_POINTS = "xccos.flows"
"""Group of entry points; each is a ``Flow``."""
BEGINS = ("session", "post", "first step")
ROLES: tuple[Role, ...] = get_args(Role)
PARTIES: tuple[Party, ...] = get_args(Party)
MAX_FILE = 1 << 20
"""Bytes of a flow file; a flow with a hundred steps has some ten thousand."""
MAX_STEPS = 100
"""Steps of one flow: the order of each is compared with that of each other."""
MAX_RUNS = 10_000
"""Runs of one flow in one session: who looks at more looks at the commands themselves."""
FLOW_KEYS = {"name": str, "title": str, "begins": str, "source": str, "step": list}
STEP_KEYS = {
    "id": str,
    "title": str,
    "from": str,
    "to": str,
    "request": str,
    "role": str,
    "command": str,
    "post": bool,
    "phase": int,
    "optional": bool,
    "repeatable": bool,
    "needs": dict,
    "without": list,
    "slow_ms": (int, float),
}
_KINDS = {str: "text", list: "a list", bool: "true or false", int: "a number", dict: "a table"}


def load_flows(paths: Iterable[str | Path] = ()) -> tuple[Flow, ...]:
    """Return the flows of entry points and of files, each name once.

    Raises:
        ValueError: a flow cannot be read, or two have one name; it names file and key.
        OSError: a file cannot be opened.
    """
    named: dict[str, tuple[Flow, str]] = {}
    for flow, place in (*_installed(), *((load_flow(path), str(path)) for path in paths)):
        if flow.name in named:
            raise ValueError(f"{place}: name: {named[flow.name][1]} has a flow {flow.name!r} too")
        named[flow.name] = (flow, place)
    return tuple(flow for flow, _ in named.values())


def _installed() -> Iterator[tuple[Flow, str]]:
    """Yield the flows that installed packages bring."""
    from importlib.metadata import entry_points  # most runs have none of them

    for entry in entry_points(group=ENTRY_POINTS):
        place = f"entry point {entry.name}"
        try:
            flow = entry.load()
        except (ImportError, AttributeError) as error:
            raise ValueError(f"{place}: {error}") from error
        if not isinstance(flow, Flow):
            raise ValueError(f"{place}: {entry.value} is no Flow")  # noqa: TRY004  (as in a file)
        _check(flow, place)
        yield flow, place


def load_flow(path: str | Path) -> Flow:
    """Return the flow that a TOML file describes.

    Raises:
        ValueError: it cannot be read as a flow; names file and key.
        OSError: the file cannot be opened.
    """
    with Path(path).open("rb") as file:
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise ValueError(f"{path}: longer than {MAX_FILE} bytes")
    import tomllib  # only for flows of one's own

    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from error
    place = str(path)
    _types(place, table, FLOW_KEYS)
    begins = table.get("begins", "session")
    if begins not in BEGINS:
        raise _wrong(place, "begins", begins, BEGINS)
    name = _text(place, table, "name")
    steps = table.get("step") or []
    flow = Flow(
        name=name,
        title=table.get("title", name),
        begins=begins,
        steps=tuple(_step(place, at, entry) for at, entry in enumerate(steps, 1)),
        source=table.get("source", place),
    )
    _check(flow, place)
    return flow


def _step(place: str, at: int, table: object) -> Step:
    where = f"{place}: step[{at}]"
    if not isinstance(table, dict):
        raise ValueError(f"{where}: must be a table ([[step]])")  # noqa: TRY004  (as any other)
    _types(where, table, STEP_KEYS)
    identifier = str(table.get("id", at))
    match = _match(where, table)
    sender, receiver = table.get("from", "client"), table.get("to", "channel")
    for key, party in (("from", sender), ("to", receiver)):
        if party not in PARTIES:
            raise _wrong(where, key, party, PARTIES)
    needs = table.get("needs", {})
    if not all(isinstance(what, str) for what in needs.values()):
        raise ValueError(f'{where}: needs: must be a table such as {{ 1 = "the URI" }}')
    slow = float(table.get("slow_ms", 3000.0))
    if not slow > 0:
        raise ValueError(f"{where}: slow_ms: must be more than 0")
    return Step(
        identifier,
        str(table.get("title", identifier)),
        sender,
        receiver,
        (match,),
        table.get("phase", at),
        optional=table.get("optional", False),
        repeatable=table.get("repeatable", False),
        needs=tuple(Need(step, what) for step, what in needs.items()),
        without=tuple(map(str, table.get("without", ()))),
        slow_ms=slow,
    )


def _match(where: str, table: dict[str, object]) -> Match:
    given = [key for key in ("request", "command", "post") if table.get(key)]
    if len(given) != 1:
        raise ValueError(f"{where}: needs exactly one of request, command, post")
    if "role" in table and given[0] != "request":
        raise ValueError(f"{where}: role: only a request has one")
    if given[0] == "post":
        return Post()
    if given[0] == "command":
        return Command(str(table["command"]).lower().removeprefix("cmd:"))
    role = table.get("role")
    if role is not None and role not in ROLES:
        raise _wrong(where, "role", role, ROLES)
    return Request(str(table["request"]).upper(), role)


def _check(flow: Flow, place: str) -> None:
    """Refuse a flow that cannot be judged."""
    if not 0 < len(flow.steps) <= MAX_STEPS:
        raise ValueError(f"{place}: step: a flow needs at least one step, at most {MAX_STEPS}")
    known: set[str] = set()
    for at, step in enumerate(flow.steps, 1):
        if step.id in known:
            raise ValueError(f"{place}: step[{at}]: id: {step.id!r} is there twice")
        for need in step.needs:
            if need.step not in known:
                raise ValueError(f"{place}: step[{at}]: needs: no earlier step {need.step!r}")
        known.add(step.id)
    if flow.begins == "post" and not _place_of_post(flow):
        raise ValueError(f'{place}: begins: "post" needs a step with post = true')


def _types(where: str, table: dict[str, object], allowed: Mapping[str, object]) -> None:
    """Refuse keys that nothing reads, and values of another type."""
    for key, value in table.items():
        kind = allowed.get(key)
        if kind is None:
            raise ValueError(f"{where}: {key}: unknown key, known are {', '.join(allowed)}")
        fits = isinstance(value, kind)  # type: ignore[arg-type]
        if not fits or (isinstance(value, bool) and kind is not bool):
            word = _KINDS.get(kind, "a number")  # type: ignore[call-overload]
            raise ValueError(f"{where}: {key}: must be {word}")


def _text(where: str, table: dict[str, object], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{where}: {key}: missing")
    return value


def _wrong(where: str, key: str, value: object, allowed: Sequence[str]) -> ValueError:
    return ValueError(f"{where}: {key}: {value!r} is none of {', '.join(allowed)}")


def runs_of(flow: Flow, view: SessionView) -> Iterator[FlowRun]:
    """Yield the runs of a flow of one's own in a session."""
    variant = variant_of(view).name
    whole = Stretch(view)
    for rows in _spans(flow, whole):
        stretch = whole.within(rows)
        if all(look(step, stretch) is None for step in flow.steps):
            continue
        yield judge(flow, stretch, variant, _without).run(view, variant)


def _without(step: Step, _: Stretch, variant: VariantName) -> str | None:
    return f"{variant} does without it" if variant in step.without else None


def _spans(flow: Flow, whole: Stretch) -> list[range]:
    """Return the rows of each run: to the next beginning, or between a post and its neighbours."""
    view = whole.view
    first = min(dialog.rows[0] for dialog in view.dialogs)
    end = len(view.trace.rows)
    if flow.begins == "session":
        return [range(end)]
    begins = _begins(flow, whole)[:MAX_RUNS]
    if not begins:
        return []
    if flow.begins == "first step":
        return [range(a, b) for a, b in zip(begins, [*begins[1:], end], strict=True)]
    bounds = [first, *(row + 1 for row in begins)]
    before = _place_of_post(flow) > 1
    after = len(flow.steps) > _place_of_post(flow)
    return [
        range(bounds[at] if before else row, _next(begins, at, end) if after else row + 1)
        for at, row in enumerate(begins)
    ]


def _next(begins: Sequence[int], at: int, end: int) -> int:
    return begins[at + 1] if at + 1 < len(begins) else end


def _place_of_post(flow: Flow) -> int:
    """Return the place of the step that is a post, from 1; 0 without."""
    found = (at for at, one in enumerate(flow.steps, 1) if isinstance(one.match[0], Post))
    return next(found, 0)


def _begins(flow: Flow, whole: Stretch) -> list[int]:
    """Return the rows with which runs begin: those of posts, or of the first step."""
    view = whole.view
    match = Post() if flow.begins == "post" else flow.steps[0].match[0]
    if isinstance(match, Request):
        asked = whole.asked(match.method, match.role)
        # What was challenged is sent again, newly signed: one beginning.
        met = [one for one in asked if view.found.status(one) not in CHALLENGES]
        return sorted(view.found.first[one] for one in met)
    name = match.name if isinstance(match, Command) else "grpchat"
    return sorted({one.row for one in view.named(name) if one.element >= 0})
