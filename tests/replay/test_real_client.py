"""An independent client, unmodified, against the server that a script plays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.paths import require_shared
from tests.support.realclient import (
    CannotBuildError,
    ClientRun,
    RealClient,
    Transport,
    actions,
    program,
    run_client,
)
from tests.support.replaying import Server, script_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.replaying import Served

require_shared()
AFTERWARDS: dict[str, list[str]] = {"seeded": [], "signin-tcp": ["leave"]}
"""What the recorded client did between its post and its sign-off."""


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    try:
        program()
    except CannotBuildError as error:
        pytest.fail(f"the real client cannot be built: {error}")


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scripts")


def _posts(run: ClientRun, *texts: str) -> None:
    assert run.code == 0, run.explain()
    seen = "\n".join(run.told("text "))
    assert [text for text in texts if text not in seen] == [], run.explain()


WAYS: dict[str, tuple[Transport, tuple[str, ...]]] = {
    "tcp": ("tcp", ()),
    "tls": ("tls", ("--tls",)),
    "ntlm": ("tcp", ("--ntlm", "--user", "user1@contoso.com:correct horse")),
    "ntlm over tls": ("tls", ("--tls", "--ntlm", "--user", "user1@contoso.com:correct horse")),
}


@pytest.mark.parametrize(
    ("capture", "way"),
    [
        ("seeded", "tcp"),
        ("seeded", "tls"),
        ("seeded", "ntlm"),
        ("signin-tcp", "tcp"),
        ("signin-tcp", "ntlm over tls"),
    ],
)
def test_the_real_client_signs_in_joins_and_sees_its_own_post(
    capture: str, way: str, scripts: Path, tmp_path: Path
) -> None:
    transport, options = WAYS[way]
    with Server(script_file(capture, scripts), tmp_path, *options) as served:
        trusted = {"cert": served.certificate} if transport == "tls" else {}
        steps = [*actions("post", text="Guten Tag, Leute"), *AFTERWARDS[capture]]
        with RealClient(
            served.address,
            steps,
            transport=transport,
            password="correct horse",
            seed="20240229",
            **trusted,
        ) as client:
            _posts(client.wait(), "Morning all", "Guten Tag, Leute")
        assert served.result()["held"], served.explain()


def test_a_person_whom_the_recording_does_not_know_gets_on_as_well(
    scripts: Path, tmp_path: Path
) -> None:
    with Server(script_file("seeded", scripts), tmp_path) as served:
        run = run_client(served.address, user="carol@contoso.com", seed="7")
        _posts(run, "from=sip:carol@contoso.com", "Hello from a real client")
        assert served.result()["held"], served.explain()


def _converse(served: Served, seeds: tuple[str, str], texts: tuple[str, str]) -> None:
    """Let two clients post to one another: the second to post is the first to join, as recorded."""
    first, second = texts
    two = RealClient(
        served.address,
        [*actions("join"), "expect", first, "say", second, "expect", second, "hang"],
        user="user2@contoso.com",
        password="two",
        seed=seeds[1],
    )
    with two:
        assert two.until("chat-joined"), two.wait().explain()
        posts = [*actions("post", text=first), "expect", second, "leave"]
        with RealClient(
            served.address, posts, user="user1@contoso.com", password="one", seed=seeds[0]
        ) as one:
            # He stays until the other has left: there is a notice of that in the recording.
            assert two.until("user-remove"), two.wait().explain()
            two.sign_off()
            for client in (one, two):
                _posts(client.wait(), first, second)


@pytest.mark.parametrize("way", ["tcp", "ntlm"])
def test_two_real_clients_at_once_see_one_anothers_posts(
    way: str, scripts: Path, tmp_path: Path
) -> None:
    users = ("--user", "user2@contoso.com:two", "--user", "user1@contoso.com:one")
    options = ("--ntlm", *users) if way == "ntlm" else ()
    with Server(script_file("twousers-post", scripts), tmp_path, *options) as served:
        _converse(served, ("11", "12"), ("Wer ist da?", "Ich, und sonst niemand"))
        assert served.result()["held"], served.explain()


def test_clients_that_share_every_identifier_are_kept_apart(scripts: Path, tmp_path: Path) -> None:
    with Server(script_file("twousers-post", scripts), tmp_path) as served:
        _converse(served, ("99", "99"), ("Erster", "Zweiter"))
        assert served.result()["held"], served.explain()


def test_the_real_client_is_turned_away_with_a_wrong_password(
    scripts: Path, tmp_path: Path
) -> None:
    options = ("--ntlm", "--user", "user1@contoso.com:correct horse")
    with Server(script_file("seeded", scripts), tmp_path, *options) as served:
        run = run_client(served.address, level="online", password="wrong")
        assert run.code == 2, run.explain()
        assert run.told('connection-error code=2 text="Authentication failed"'), run.explain()
