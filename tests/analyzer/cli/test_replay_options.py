"""What the options of ``xccos replay`` mean."""

from __future__ import annotations

from contextlib import suppress

import pytest
from click import UsageError
from hypothesis import given
from hypothesis import strategies as st

from analyzer.cli.replay_options import (
    needs_passwords,
    parse_defaults,
    parse_setting,
    parse_user,
    users_of,
)
from analyzer.cli.replay_pcap import Times, parse_mac, parse_times
from analyzer.replay.options import PlayOptions, User
from analyzer.replay.typed import parse_duration, parse_rate, parse_speed

ANN = User("ann@contoso.com", "secret")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60), ("500ms", 0.5), ("2m", 120), ("2min", 120), ("1h", 3600), ("1.5", 1.5)],
)
def test_a_time_has_a_unit_or_is_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "-1s", "1d", "inf", "nan", "1e9s", "٣s", "s"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no time: 60s, 500ms, 2m or 1h"):
        parse_duration(text)


def test_a_rate_is_a_number_a_second() -> None:
    assert (parse_rate("20/s"), parse_rate("30/m"), parse_rate("2.5")) == (20, 0.5, 2.5)


@pytest.mark.parametrize("text", ["", "0/s", "20/ms", "-5", "fast"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        parse_rate(text)


def test_a_speed_of_2_takes_half_the_time() -> None:
    assert parse_speed("2") == ("recorded", 0.5)
    assert parse_speed("0.5") == ("recorded", 2.0)
    assert parse_speed("recorded") == ("recorded", 1.0)
    assert parse_speed("fast").timing == "fast"


@pytest.mark.parametrize("text", ["", "0", "-1", "5000", "0.0001", "slow", "nan"])
def test_a_speed_that_never_ends_or_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the speed is recorded, fast, or a number"):
        parse_speed(text)


@pytest.mark.parametrize(
    ("text", "user"),
    [
        ("ann@contoso.com:secret", ANN),
        ("sip:ann@contoso.com:secret", ANN),
        ("ann@contoso.com", User("ann@contoso.com")),
        ("ann@contoso.com:a:b@c", User("ann@contoso.com", "a:b@c")),
        ("ann@contoso.com:", User("ann@contoso.com", "")),
    ],
)
def test_a_user_has_a_password_behind_a_colon(text: str, user: User) -> None:
    assert parse_user(text) == user


@pytest.mark.parametrize("text", ["", "ann", "secret:ann@contoso.com", "a b@c", "<ann@c>", "@"])
def test_what_is_no_user_is_not_repeated_because_it_may_be_a_password(text: str) -> None:
    with pytest.raises(ValueError, match=r"^a user is written as name@domain") as caught:
        parse_user(text)
    assert "secret" not in str(caught.value)


def test_a_user_shows_no_password() -> None:
    assert "secret" not in repr(ANN)


@given(st.text(max_size=30))
def test_no_text_is_read_with_another_error(text: str) -> None:
    for read in (parse_duration, parse_rate, parse_speed, parse_user, parse_setting, parse_times):
        with suppress(ValueError):
            read(text)


def test_a_setting_may_have_an_equals_sign_in_its_value() -> None:
    assert parse_setting("text1=a=b") == ("text1", "a=b")
    with pytest.raises(ValueError, match="is not NAME=VALUE"):
        parse_setting("=x")


def test_defaults_are_a_final_status_and_a_code_of_replies() -> None:
    assert parse_defaults(["404", "reply=400"]) == {
        "default_status": 404,
        "default_reply_code": "400",
    }
    for text in ("100", "700", "reply=x", "other=200", "x"):
        with pytest.raises(ValueError, match="a final status such as 404"):
            parse_defaults([text])


def test_times_of_a_capture_are_scaled_or_moved() -> None:
    assert parse_times("recorded") == Times()
    assert parse_times("scale=2") == Times(scale=2.0)
    assert parse_times("start=2026-12-01T00:00:01Z").start_ns == 1_796_083_201 * 10**9
    for text in ("scale=x", "start=07:20", "start=never", "slower"):
        with pytest.raises(ValueError, match=r"recorded, scale=2|starts on a day|is not a time"):
            parse_times(text)


def test_an_ethernet_address_is_six_bytes() -> None:
    assert parse_mac("10.0.0.5=02-00-00-00-00-0A") == ("10.0.0.5", "02:00:00:00:00:0a")
    for text in ("10.0.0.5=02:00:00", "10.0.0.5=02:00-00:00:00:00", "10.0.0.5"):
        with pytest.raises(ValueError, match=r"no Ethernet address|not NAME=VALUE"):
            parse_mac(text)


def test_logins_belong_to_users_in_their_order_and_a_password_to_all_without_one() -> None:
    ben = User("ben@contoso.com")
    options = {"users": (ANN, ben), "users_file": None, "logins": ("C\\ann",), "password": "x"}
    assert users_of(options) == (
        ANN._replace(login="C\\ann"),
        ben._replace(password="x"),
    )
    with pytest.raises(ValueError, match="there are more of them than users"):
        users_of({**options, "logins": ("a", "b", "c")})


def test_who_demands_credentials_knows_them() -> None:
    needs_passwords(PlayOptions())
    needs_passwords(PlayOptions(authenticate="NTLM", users=(ANN,)))
    with pytest.raises(UsageError, match="--ntlm: say who may sign in"):
        needs_passwords(PlayOptions(authenticate="NTLM"))
    with pytest.raises(UsageError, match=r"--digest: ben@contoso\.com has no password"):
        needs_passwords(PlayOptions(authenticate="Digest", users=(User("ben@contoso.com"),)))
