"""Interfaces and options of pcapng."""

from __future__ import annotations

import pytest

from dissectors.capture.blocks import Interface, options, read_interface
from tests.dissectors.capture.layouts import interface, option


def test_options_are_read_up_to_their_end_mark() -> None:
    data = option(2, b"eth0") + option(9, b"\x06") + option(0, b"") + option(3, b"after")
    assert list(options("<", data)) == [(2, b"eth0"), (9, b"\x06")]


def test_options_may_lack_an_end_mark() -> None:
    assert list(options(">", option(2, b"lo", ">"))) == [(2, b"lo")]
    assert list(options("<", b"")) == []
    assert list(options("<", b"\2\0\1")) == []


def test_an_option_that_runs_over_the_end_is_the_last_thing_said() -> None:
    assert list(options("<", option(2, b"lo") + b"\3\0\5\0abcd")) == [(2, b"lo"), None]


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_interface_says_its_link_type_snap_length_and_clock(order: str) -> None:
    body = interface(order, link=228, snaplen=96, resolution=0x8A, offset=-7)[8:-4]
    assert read_interface(order, body) == (Interface(228, 96, 0x8A, -7), True)


@pytest.mark.parametrize(
    ("resolution", "ticks", "digits", "scale"),
    [
        (0, 1, 0, (10**9, 1)),
        (6, 10**6, 6, (1000, 1)),
        (9, 10**9, 9, (1, 1)),
        (11, 10**11, 9, (10**9, 10**11)),
        (0x80, 1, 0, (10**9, 1)),
        (0x89, 2**9, 3, (1953125, 1)),
        (0x8A, 2**10, 4, (10**9, 2**10)),
        (0xFF, 2**127, 9, (10**9, 2**127)),
    ],
)
def test_the_resolution_gives_ticks_digits_and_scale(
    resolution: int, ticks: int, digits: int, scale: tuple[int, int]
) -> None:
    found = Interface(1, resolution=resolution)
    assert (found.ticks, found.digits, found.scale) == (ticks, digits, scale)


@pytest.mark.parametrize(
    ("offset", "shift"),
    [(0, 0), (-2, -2 * 10**9), (2**62, 2**63 - 1), (-(2**62), -(2**63))],
)
def test_the_offset_in_nanoseconds_stays_within_64_bits(offset: int, shift: int) -> None:
    assert Interface(1, offset=offset).shift == shift
