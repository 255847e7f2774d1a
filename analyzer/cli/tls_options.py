"""The options that give TLS keys, and how the password of a key file is asked for.

The one rule: a password is never an argument, as every user of the machine sees those. What is
wrong with a key ends the command before a capture is opened.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

PASSWORD_VARIABLE = "XCCOS_KEY_PASSWORD"  # noqa: S105  (its name)
# A password is a line.
MAX_PASSWORD_FILE = 1 << 16
_PASSWORD_FILE = "key_password_file"  # noqa: S105

Command = Any


def key_options(command: Command) -> Command:
    """Add ``--keylog``, ``--rsa-key`` and ``--password-file``; ``ctx.meta['keylog']`` has them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _keep_logs(ctx: click.Context, _: click.Parameter, paths: tuple[str, ...]) -> None:
    if paths:
        _keep(ctx, logs=paths)


def _keep_keys(ctx: click.Context, _: click.Parameter, paths: tuple[str, ...]) -> None:
    if not paths:
        return
    from analyzer.extras import MissingExtra
    from analyzer.sources.rsa_keys import KeyFileError, read_rsa_key

    keys = []
    for path in paths:
        try:
            keys.append(read_rsa_key(path, _asking(ctx.meta.get(_PASSWORD_FILE))))
        except (KeyFileError, MissingExtra) as error:
            raise click.UsageError(str(error)) from None
        ctx.call_on_close(keys[-1].close)
    _keep(ctx, rsa=tuple(keys))


def _keep(ctx: click.Context, **more: Any) -> None:  # noqa: ANN401  (fields of GivenKeys)
    from analyzer.sources.tls_keys import GivenKeys

    ctx.meta["keylog"] = replace(ctx.meta.get("keylog", GivenKeys()), **more)


def _keep_password_file(ctx: click.Context, _: click.Parameter, path: str | None) -> None:
    ctx.meta[_PASSWORD_FILE] = path


def _asking(file: str | None) -> Callable[[str], str]:
    """Return what gives the password of a key file, whoever knows it."""

    def ask(name: str) -> str:
        if file is not None:
            return _password_in(file)
        known = os.environ.get(PASSWORD_VARIABLE)
        if known is not None:
            return known
        if not _is_terminal():
            from analyzer.sources.rsa_keys import KeyFileError

            raise KeyFileError(
                f"the key file {name} cannot be used: it needs a password (--password-file FILE, "
                f"or {PASSWORD_VARIABLE}), and there is no terminal to ask on"
            )
        text: str = click.prompt(
            f"Password of {name}", hide_input=True, err=True, default="", show_default=False
        )
        return text

    return ask


def _is_terminal() -> bool:
    """Tell whether somebody can be asked; standard input may be the capture."""
    if not sys.stderr.isatty():
        return False
    if sys.stdin is not None and sys.stdin.isatty():
        return True
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _password_in(path: str) -> str:
    """Return the first line of a file, in whatever encoding an editor left it."""
    with open(path, "rb") as file:  # noqa: PTH123  (click has looked whether it is there)
        data = file.read(MAX_PASSWORD_FILE)
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))  # PowerShell writes text so
    text = data.decode("utf-16" if wide else "utf-8-sig", "replace")
    return text.split("\n", 1)[0].rstrip("\r")


class _KeyLogPath(click.Path):
    """A file, or a member of an archive."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:  # noqa: ANN401  (click's)
        if ".zip/" in str(value).lower():
            return value
        return super().convert(value, param, ctx)


_OPTIONS = (
    click.option(
        "--keylog",
        metavar="FILE",
        multiple=True,
        type=_KeyLogPath(exists=True, dir_okay=False),
        expose_value=False,
        callback=_keep_logs,
        help="TLS secrets (SSLKEYLOGFILE); repeatable. Default: NAME.pcap.keylog or NAME.keylog "
        "beside the capture, and those in it. TLS is decrypted by tshark.",
    ),
    click.option(
        "--rsa-key",
        metavar="FILE",
        multiple=True,
        type=click.Path(exists=True, dir_okay=False),
        expose_value=False,
        callback=_keep_keys,
        help="Private key of a server (PEM, .pfx, .p12), for TLS up to 1.2 with RSA key exchange; "
        "repeatable. Its password is asked for.",
    ),
    click.option(
        "--password-file",
        metavar="FILE",
        is_eager=True,
        type=click.Path(exists=True, dir_okay=False),
        expose_value=False,
        callback=_keep_password_file,
        help=f"Password of the --rsa-key files, instead of asking; or {PASSWORD_VARIABLE}.",
    ),
)
