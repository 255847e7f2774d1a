"""What can be taken away: as the command line makes it, and what of people is in it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from analyzer.cli.main import main
from analyzer.dashboard.pages.export import write_new
from analyzer.dashboard.taking.products import PRODUCTS, Product, command_line, made
from analyzer.dashboard.taking.share import SHARES, anonymised_trace, parse_share
from analyzer.dashboard.taking.wanted import Wanted
from analyzer.ladder.look import Look
from analyzer.trace import open_capture
from tests.paths import SAMPLES
from tests.support.dashboard import looked_at, markup, opened

if TYPE_CHECKING:
    from pathlib import Path

CAPTURE = SAMPLES / "twousers-post.pcap"
WORDS = re.compile(rb"contoso|user1|user2|Sales EMEA|127\.0\.0\.1", re.IGNORECASE)
"""People, domain, room and hosts of the capture."""
BY_ID = {one.id: one for one in PRODUCTS}
LIKE_THE_COMMAND = ["ladder-svg", "ladder-mmd", "ladder-txt", "pcapng", "messages-csv",
                    "commands-json", "findings-json", "script"]  # fmt: skip


def _wanted(**changes: Any) -> Wanted:  # noqa: ANN401  (fields of Wanted)
    case = opened(CAPTURE)
    plain = {
        "trace": case.trace, "name": case.name, "file": case.files[0], "words": case.words,
        "session": None, "rows": None, "filtered": False, "share": "captured", "look": Look(),
    }  # fmt: skip
    return Wanted(**(plain | changes))


@pytest.mark.parametrize("name", LIKE_THE_COMMAND)
@pytest.mark.parametrize("session", [None, 1])
def test_it_equals_what_the_command_beside_it_writes(
    name: str, session: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = _wanted(session=session)
    found = made(BY_ID[name], wanted)
    line = command_line(BY_ID[name], wanted).split()
    assert line[0] == "xccos"
    ran = CliRunner().invoke(main, line[1:])
    assert ran.exit_code == 0, ran.output
    written = (tmp_path / found.name).read_bytes()
    if name == "pcapng":  # its section comment names the file in another way
        assert len(written) == pytest.approx(len(found.data), abs=64)
    else:
        assert written == found.data


def test_a_filter_leaves_only_its_messages_and_names_no_command() -> None:
    wanted = _wanted(rows=[3, 4, 9], filtered=True)
    listed = json.loads(made(BY_ID["messages-json"], wanted).data)
    assert len(listed) == 3
    assert command_line(BY_ID["messages-json"], wanted) == ""
    assert made(BY_ID["pcapng"], wanted).name == "twousers-post-filtered.pcapng"


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda one: one.id)
def test_nothing_of_people_is_in_what_is_anonymised(product: Product) -> None:
    case = opened(CAPTURE)
    if "anonymised" not in product.shares or product.id == "ladder-png":
        assert product.id == "ladder-png" or product.shares == ("captured",)
        return
    if product.id == "script":
        data = made(product, _wanted(share="anonymised")).data
    else:
        with anonymised_trace(case.trace, None) as trace:
            wanted = Wanted(
                trace, trace.name, "", (), None, None,
                filtered=False, share="anonymised", look=Look(),
            )  # fmt: skip
            data = made(product, wanted).data
    for piece in _unpacked(data):
        found = WORDS.search(piece)
        assert found is None, piece[max(0, found.start() - 80) : found.end() + 80]


def _unpacked(data: bytes) -> list[bytes]:
    if not data.startswith(b"PK"):
        return [data]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [archive.read(name) for name in archive.namelist()]


def test_without_words_no_text_of_anybody_is_in_a_report() -> None:
    said = b"Hello from"
    assert said in made(BY_ID["report"], _wanted()).data
    assert said not in made(BY_ID["report"], _wanted(share="wordless")).data


def test_what_was_anonymised_is_still_the_same_story() -> None:
    case = opened(CAPTURE)
    with anonymised_trace(case.trace, None) as trace:
        assert len(trace.analysis().sessions) == len(case.views)
        assert len(trace.rows) == len(case.trace.rows)


def test_the_page_says_what_of_people_is_in_it() -> None:
    case = opened(CAPTURE)
    for share, (_, meaning) in SHARES.items():
        page = looked_at(case, "export", share=share)
        assert meaning[:40] in markup(page, "export")
        titles = {one.proto.label for one in page.get("download_button")}
        assert ("PNG" in titles) == (share != "wordless")
    assert parse_share("nonsense") == "captured"


def test_a_file_is_written_whole_and_replaces_none(tmp_path: Path) -> None:
    path = tmp_path / "x.svg"
    assert write_new(path, b"data") == 4
    with pytest.raises(FileExistsError):
        write_new(path, b"other")
    assert path.read_bytes() == b"data"
    assert [one.name for one in tmp_path.iterdir()] == ["x.svg"]


def test_a_slice_can_be_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "slice.pcapng"
    path.write_bytes(made(BY_ID["pcapng"], _wanted(session=0)).data)
    with open_capture(path) as trace:
        assert {one.user for one in trace.analysis().sessions} == {"sip:user2@contoso.com"}
