"""Client against server, each in a process of its own, over real sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.paths import require_shared
from tests.support.replaying import Server, play_clients, script_file

if TYPE_CHECKING:
    from pathlib import Path

require_shared()


@pytest.mark.parametrize(
    ("capture", "server", "client"),
    [
        ("twousers-post", (), ()),
        ("signin-tcp", ("--tls",), ()),
        (
            "signin-tcp",
            ("--tls", "--ntlm", "--user", "user1@contoso.com:correct horse"),
            ("--user", "user1@contoso.com:correct horse"),
        ),
        ("reconnect", (), ()),
    ],
    ids=["tcp", "tls", "ntlm over tls", "reconnect"],
)
def test_all_expectations_hold_at_both_ends(
    capture: str, server: tuple[str, ...], client: tuple[str, ...], tmp_path: Path
) -> None:
    case = script_file(capture, tmp_path)
    with Server(case, tmp_path, *server) as served:
        trusted = ("--tls", "--ca", served.certificate) if "--tls" in server else ()
        found = play_clients(case, tmp_path, served.address, *trusted, *client)
        assert found["held"], found["said"]
        assert found["code"] == 0
        assert served.result()["held"], served.explain()


def test_many_clients_of_one_process_are_kept_apart(tmp_path: Path) -> None:
    case = script_file("signin-tcp", tmp_path)
    users = tmp_path / "users.csv"
    users.write_text("user\n" + "\n".join(f"person{n}@contoso.com" for n in range(30)))
    with Server(case, tmp_path) as served:
        load = ("--clients", "30", "--rate", "50/s", "--speed", "recorded", "--users", str(users))
        found = play_clients(case, tmp_path, served.address, *load)
        assert found["code"] == 0, found["said"]
        assert (found["played"], found["held"]) == (30, True)
        told = served.result()
        assert told["held"], served.explain()
        assert {one["user"] for one in told["verdicts"]} == {
            f"person{n}@contoso.com" for n in range(30)
        }
