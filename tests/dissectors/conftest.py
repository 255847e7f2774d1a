"""The fixture that runs a module's tests over the reference and over its compiled twin."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from tests.support.twin import is_built

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a twin stands in for, in whatever module imports it by this name
REPLACED = {
    *("PcapReader", "PcapngReader", "reader_for"),
    *("FrameDecoder", "plain", "decode", "ignored"),
}


@pytest.fixture(scope="module", params=["reference", "twin"] if is_built() else ["reference"])
def each_path(request: pytest.FixtureRequest) -> Iterator[None]:
    """Give a module the reference's readers and decoders, and then those of the twin."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "twin":
            twin = importlib.import_module("tests.support.twin_capture")
            for name in REPLACED & vars(request.module).keys():
                patch.setattr(request.module, name, getattr(twin, name))
        yield
