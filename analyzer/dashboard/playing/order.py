"""How somebody wants a case to be played: the words of the address, and the command line of it.

The rule: no password is in an address, in an order or on a command line; nobody but this machine is
called and nobody else can connect.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from analyzer.replay.faults.parse import parse_rule
from analyzer.replay.options import TIMEOUT, AuthenticationScheme, PlayOptions, User
from analyzer.replay.plays import Faults
from analyzer.replay.safety import (
    SIP_PORT,
    UnsafeError,
    allow_listen,
    allow_target,
    is_loopback,
    parse_host_port,
)
from analyzer.replay.typed import Speed, parse_duration, parse_speed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeVar

    from analyzer.replay.actions import Address
    from analyzer.replay.faults.rules import Rule

    T = TypeVar("T")

Way = Literal["self", "client", "server"]
WAYS: dict[Way, str] = {
    "self": "both ends in memory",
    "client": "the clients, against a server on this machine",
    "server": "the server, for clients on this machine",
}
HERE = "127.0.0.1:5060"
MAX_LINES = 40
"""Faults, or values, in the address of a page."""
MAX_SEED = 1 << 31
MAX_SECONDS = 24 * 3600.0
"""Of one play: whoever wants more takes the command line."""
NO_VALUES: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Order:
    """How a case is to be played."""

    way: Way = "self"
    flow: str = ""
    speed: Speed = Speed("fast")  # noqa: RUF009  (a value)
    pace: bool = False
    """In memory: each message waits for its time, so that one can watch."""
    timeout: float = TIMEOUT
    limit: float | None = None
    seed: int | None = None
    faults: tuple[Rule, ...] = ()
    client_faults: tuple[Rule, ...] = ()
    settings: tuple[tuple[str, str], ...] = NO_VALUES
    users: tuple[str, ...] = ()
    scheme: AuthenticationScheme | None = None
    address: Address | None = None
    """Target of a client, where a server listens."""
    once: bool = True
    wrong: tuple[tuple[str, str], ...] = ()
    """What nobody understands: the key of the address, and why."""
    given: tuple[tuple[str, str], ...] = ()
    """What the address says, for the command line."""

    def why(self, key: str) -> str:
        """Return what is wrong with what the address says under a key."""
        return next((text for name, text in self.wrong if name == key), "")

    def options(self, seed: int, password: str, values: Mapping[str, str]) -> PlayOptions:
        """Return it as the player takes it."""
        return PlayOptions(
            timing=self.speed.timing,
            scale=self.speed.scale,
            timeout=self.timeout,
            values=values,
            users=tuple(User(one, password or None) for one in self.users),
            authenticate=self.scheme,
            seed=seed,
            limit=self.limit,
            once=self.once,
        )

    def server_faults(self, seed: int) -> Faults:
        """Return the faults of the end that is played; in memory those of the server."""
        return Faults(self.faults, seed)


class _Reading:
    def __init__(self, more: Mapping[str, str]) -> None:
        self.more = more
        self.wrong: list[tuple[str, str]] = []

    def read(self, key: str, parse: Callable[[str], T], usual: T) -> T:
        text = self.more.get(key, "").strip()
        if not text:
            return usual
        try:
            return parse(text)
        except ValueError as error:
            self.wrong.append((key, str(error)))
            return usual

    def lines(self, key: str, parse: Callable[[str], T]) -> tuple[T, ...]:
        texts = [line.strip() for line in self.more.get(key, "").splitlines() if line.strip()]
        if len(texts) > MAX_LINES:
            self.wrong.append((key, f"more than {MAX_LINES} lines"))
        found: list[T] = []
        for text in texts[:MAX_LINES]:
            try:
                found.append(parse(text))
            except ValueError as error:
                self.wrong.append((key, str(error)))
        return tuple(found)


def order_of(more: Mapping[str, str]) -> Order:
    """Return what an address asks for; ``wrong`` says what of it nobody understands."""
    reading = _Reading(more)
    usual: Way = "self"
    way = reading.read("way", _way, usual)
    scheme = reading.read("scheme", _scheme, None)
    users = reading.lines("users", _user)
    if scheme is not None and not users and way != "client":
        reading.wrong.append(("scheme", f"{scheme}: say who may sign in"))
    return Order(
        way=way,
        flow=more.get("flow", ""),
        speed=reading.read("speed", parse_speed, Speed("fast")),
        pace=more.get("pace") == "1",
        timeout=reading.read("timeout", _seconds, TIMEOUT),
        limit=reading.read("for", _seconds, None),
        seed=reading.read("seed", _seed, None),
        faults=reading.lines("fault", parse_rule),
        client_faults=reading.lines("clientfault", parse_rule) if way == "self" else (),
        settings=reading.lines("set", parse_value),
        users=users,
        scheme=scheme if way != "client" else None,
        address=_address(reading, way),
        once=more.get("once") != "0",
        wrong=tuple(reading.wrong),
        given=tuple((key, more[key]) for key in ("speed", "timeout", "for", "seed") if key in more),
    )


def _address(reading: _Reading, way: Way) -> Address | None:
    if way == "self":
        return None
    parse = _target if way == "client" else _listen
    return reading.read("at", parse, None) or parse(HERE)


def _target(text: str) -> Address:
    """Read whom to call: only this machine is called from a page.

    The command line calls private addresses too, and others where somebody says that they are his.
    """
    from analyzer.replay.transport.names import addresses_of

    asked = parse_host_port(text, SIP_PORT)
    try:
        found = allow_target(asked, owned=False, resolve=addresses_of)
    except UnsafeError:
        found = asked
    if not is_loopback(found.host):
        raise ValueError(
            f"{text} is not this machine: the page calls nobody else, xccos replay client does"
        )
    return found


def _listen(text: str) -> Address:
    asked = parse_host_port(text, SIP_PORT)
    try:
        return allow_listen(asked, anywhere=False)
    except UnsafeError as error:
        raise ValueError(f"{error.args[0].partition(':')[0]}: a page listens on 127.0.0.1 alone"
                         ) from None  # fmt: skip


def _way(text: str) -> Way:
    for known in WAYS:
        if text == known:
            return known
    raise ValueError(f"there is no way {text[:40]!r} to play")


def _scheme(text: str) -> AuthenticationScheme:
    if text == "NTLM":
        return "NTLM"
    if text == "Digest":
        return "Digest"
    raise ValueError(f"{text[:40]!r}: NTLM or Digest")


def _user(text: str) -> str:
    name = text.removeprefix("sip:")
    if ":" in name:
        raise ValueError("a password does not belong into an address: there is a box for it")
    local, at, domain = name.partition("@")
    if not (local and at and domain) or any(sign.isspace() or sign in '<>"' for sign in name):
        raise ValueError(f"{text[:60]!r}: a user is written as name@domain")
    return name


def _seconds(text: str) -> float:
    found = parse_duration(text)
    if found > MAX_SECONDS:
        raise ValueError(f"{text!r} is more than a day")
    return found


def _seed(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 11 and int(text) < MAX_SEED:
        return int(text)
    raise ValueError(f"{text[:40]!r} is no number below {MAX_SEED:,}")


def parse_value(text: str) -> tuple[str, str]:
    """Read ``NAME=VALUE``."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ValueError(f"{text[:60]!r} is not NAME=VALUE")
    return name.strip(), value


def command_of(order: Order, files: Sequence[str], session: int | None, *, plain: bool) -> str:
    """Return the command line that plays the same.

    Args:
        order: how.
        files: the inputs as arguments.
        session: index of the one that is played.
        plain: the script has its recorded names.
    """
    derive = ["script", *files]
    derive += [] if session is None else ["--session", str(session + 1)]
    derive += ["--flow", order.flow] if order.flow else []
    derive += [] if plain else ["--anonymise"]
    play = ["replay", order.way, "case.json"]
    if order.address is not None:
        play += ["--target" if order.way == "client" else "--listen", str(order.address)]
    for key, text in order.given:
        play += [f"--{key}", text.strip()]
    for rule in order.faults:
        play += ["--fault", rule.text]
    for rule in order.client_faults:
        play += ["--client-fault", rule.text]
    for name, value in order.settings:
        play += ["--set", f"{name}={value}"]
    for user in order.users:
        play += ["--user", user]
    play += [f"--{order.scheme.lower()}"] if order.scheme else []
    play += ["--once"] if order.way == "server" and order.once else []
    commands = ([*derive, "-o", "case.json"], [*play, "-o", "play.pcapng"])
    return " && \\\n  ".join(shlex.join(["xccos", *words]) for words in commands)
