"""Options of ``xccos replay``, and what the text of one becomes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.main import color_option
from analyzer.cli.options import applied, parsed, parsed_by
from analyzer.export.printable import printable
from analyzer.replay.options import RETRIES, TIMEOUT, PlayOptions, User
from analyzer.replay.typed import parse_duration, parse_rate, parse_speed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.cli.replay_case import Case
    from analyzer.replay.options import AuthenticationScheme
    from analyzer.replay.typed import Speed

PASSWORD = "XCCOS_PASSWORD"  # noqa: S105  (the name of a variable)


def parse_setting(text: str) -> tuple[str, str]:
    """Read ``NAME=VALUE``."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ValueError(f"{text!r} is not NAME=VALUE")
    return name.strip(), value


def parse_user(text: str) -> User:
    """Read ``USER[:PASSWORD]``; USER is ``ann@contoso.com``, ``sip:`` before it is left out."""
    plain = re.sub(r"^sips?:", "", text.strip(), flags=re.IGNORECASE)
    name, colon, password = plain.partition(":")
    # The text may be a password with something forgotten before it: it is not repeated.
    if not re.fullmatch(r"[^\s@<>\"]+@[^\s@<>\"]+", name):
        raise ValueError("a user is written as name@domain, with :PASSWORD behind it or without")
    return User(name, password if colon else None)


settings_option = click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", callback=parsed_by(parse_setting),
    help="Give a slot a value: text1=hello, room=ma-chan://... Repeatable.",
)  # fmt: skip

speed_option = click.option(
    "--speed", default="fast", callback=parsed_by(parse_speed), metavar="recorded|fast|N",
    help="As recorded, as fast as the dependencies allow (default), or N times as fast as "
    "recorded.",
)  # fmt: skip

play_options = applied(
    (
        settings_option,
        speed_option,
        click.option("--timeout", default=f"{TIMEOUT:g}s", show_default=True, metavar="TIME",
                     callback=parsed_by(parse_duration),
                     help="How long a turn of the peer may be overdue before it is missing."),
        click.option("--for", "limit", metavar="TIME", callback=parsed_by(parse_duration),
                     help="End politely after this time: 60s, 5m."),
        click.option("--seed", type=click.IntRange(min=0), metavar="N",
                     help="Of fresh identifiers and of faults; by default another one each time."),
    )
)  # fmt: skip

result_options = applied(
    (
        click.option("-o", "--output", metavar="FILE",
                     help="Write what went over the wire as a capture (.pcapng or .pcap)."),
        click.option("--json", "json_file", metavar="FILE",
                     help="Write all verdicts, latencies and notes (- is stdout)."),
        click.option("--junit", metavar="FILE",
                     help="Write JUnit XML: a test case for each turn."),
        click.option("--diff", "original", metavar="ORIGINAL",
                     type=click.Path(exists=True, dir_okay=False),
                     help="Compare what went over the wire with this capture, and show where it "
                     "left it."),
        click.option("-v", "--verbose", is_flag=True, help="Show what held too, and all notes."),
        click.option("-q", "--quiet", is_flag=True,
                     help="Show no progress, and no result but the exit code and the files."),
        color_option,
    )
)  # fmt: skip

fault_options = applied(
    (
        click.option("--fault", "fault_rules", multiple=True, metavar="RULE",
                     help='A fault: "503 cmd=join nth=1", "delay rpl=getpref by=3s" '
                     "(docs/replay.md). Repeatable."),
        click.option("--faults", "fault_file", metavar="FILE",
                     type=click.Path(exists=True, dir_okay=False),
                     help="A file of faults (JSON or TOML)."),
    )
)  # fmt: skip

users_options = applied(
    (
        click.option("--user", "users", multiple=True, metavar="USER[:PASSWORD]",
                     callback=parsed_by(parse_user),
                     help="Who plays, in order of the script's clients: ann@contoso.com. "
                     "Repeatable."),
        click.option("--users", "users_file", metavar="CSV",
                     type=click.Path(exists=True, dir_okay=False),
                     help="The same from a file: columns user, password, login, and any slot."),
    )
)  # fmt: skip

client_options = applied(
    (
        click.option("--target", required=True, metavar="HOST[:PORT]",
                     help="Whom to connect to. Port 5060, with --tls 5061."),
        click.option("--tls", is_flag=True, help="Over TLS; the certificate is verified."),
        click.option("--ca", metavar="PEM", type=click.Path(exists=True, dir_okay=False),
                     help="Trust these certificates, not those of the system."),
        click.option("--insecure", is_flag=True, help="Do not verify the certificate."),
        click.option("--tls-min", type=click.Choice(["1.0", "1.1", "1.2", "1.3"]), default="1.2",
                     show_default=True, help="Least version of TLS; 1.0 for old servers."),
        click.option("--keylog", metavar="FILE",
                     help="Write the TLS secrets of this play (SSLKEYLOGFILE)."),
        users_options,
        click.option("--password", envvar=PASSWORD, prompt=True, prompt_required=False,
                     hide_input=True, metavar="[PASSWORD]",
                     help="Of users without one; without a value it is asked for. Better in "
                     f"{PASSWORD}."),
        click.option("--login", "logins", multiple=True, metavar=r"DOMAIN\NAME",
                     help="Account of the user, where it is not the address; one for each --user."),
        click.option("--clients", type=click.IntRange(min=1), default=1, metavar="N",
                     help="Play the script N times at once."),
        click.option("--rate", default="20/s", show_default=True, metavar="N/s",
                     callback=parsed_by(parse_rate), help="Start so many of them a second."),
        click.option("--ramp", metavar="TIME", callback=parsed_by(parse_duration),
                     help="Let the rate grow over this time."),
        click.option("--retries", type=click.IntRange(0, 100), default=RETRIES, show_default=True,
                     metavar="N", help="Send a request again after 503, so often."),
        click.option("--keep-alive", metavar="TIME", callback=parsed_by(parse_duration),
                     help="Send CRLF CRLF when nothing was sent for this time."),
        click.option("--i-own-this-target", "owned", is_flag=True,
                     help="The target is neither loopback nor private, and yours."),
        click.option("--no-limits", is_flag=True,
                     help="More than 1,000 clients or 50 of them a second."),
    )
)  # fmt: skip

server_options = applied(
    (
        click.option("--listen", default="127.0.0.1:5060", show_default=True,
                     metavar="[ADDRESS]:PORT", help="Port 0 is any free one."),
        click.option("--listen-anywhere", "anywhere", is_flag=True,
                     help="The address may be one that others can reach."),
        click.option("--tls", is_flag=True,
                     help="Over TLS, with a certificate of its own unless --cert."),
        click.option("--cert", metavar="PEM", type=click.Path(exists=True, dir_okay=False),
                     help="Certificate (and key, unless --key)."),
        click.option("--key", metavar="PEM", type=click.Path(exists=True, dir_okay=False),
                     help="Key of the certificate."),
        click.option("--write-cert", metavar="FILE",
                     help="Write the certificate, for clients to trust."),
        click.option("--ntlm", "scheme", flag_value="NTLM", help="Demand NTLM."),
        click.option("--digest", "scheme", flag_value="Digest", help="Demand Digest."),
        users_options,
        click.option("--default", "defaults", multiple=True, metavar="STATUS|reply=CODE",
                     help="Answer for what the script has none for: 200 (default), 404; reply=501 "
                     "for commands."),
        click.option("--once", is_flag=True,
                     help="End when every client of the script has come and gone."),
    )
)  # fmt: skip


def parse_defaults(texts: Sequence[str]) -> dict[str, Any]:
    """Read the values of ``--default``. Raises ValueError."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, code = text.rpartition("=")
        if equals and name == "reply" and re.fullmatch("[0-9]{3}", code):
            found["default_reply_code"] = code
        elif not equals and re.fullmatch("[2-6][0-9]{2}", code):
            found["default_status"] = int(code)
        else:
            raise ValueError(f"--default {text!r}: a final status such as 404, or reply=501")
    return found


def play_options_of(options: dict[str, Any], case: Case, seed: int) -> PlayOptions:
    """Return what the options of a command say about the play. Raises UsageError."""
    speed: Speed = options["speed"]
    scheme: AuthenticationScheme | None = options.get("scheme")
    return PlayOptions(
        timing=speed.timing,
        scale=speed.scale,
        timeout=options["timeout"],
        values=case.values,
        users=parsed(users_of, options),
        authenticate=scheme,
        seed=seed,
        limit=options["limit"],
        once=options.get("once", False),
        retries=options.get("retries", RETRIES),
        keep_alive=options.get("keep_alive"),
        **parsed(parse_defaults, options.get("defaults", ())),
    )


def needs_passwords(options: PlayOptions) -> None:
    """Raise UsageError where credentials are demanded that nobody can have."""
    if options.authenticate is None:
        return
    flag = f"--{options.authenticate.lower()}"
    if not options.users:
        raise click.UsageError(f"{flag}: say who may sign in: --user USER:PASSWORD or --users CSV")
    without = next((one.user for one in options.users if one.password is None), None)
    if without is not None:
        raise click.UsageError(f"{flag}: {printable(without)} has no password")


def users_of(options: dict[str, Any]) -> tuple[User, ...]:
    """Return who plays: those of ``--user``, then those of the file. Raises ValueError."""
    logins: tuple[str, ...] = options.get("logins", ())
    given: list[User] = list(options["users"])
    if len(logins) > len(given):
        raise ValueError("--login is the account of a --user: there are more of them than users")
    for number, login in enumerate(logins):
        given[number] = given[number]._replace(login=login)
    if options["users_file"] is not None:
        given += _of_file(options["users_file"])
    password: str | None = options.get("password")
    return tuple(
        one if one.password is not None else one._replace(password=password) for one in given
    )


def _of_file(path: str) -> Sequence[User]:
    from analyzer.replay.load import UsersError, read_users

    try:
        return read_users(Path(path))
    except UsersError as error:
        raise ValueError(printable(str(error))) from None
