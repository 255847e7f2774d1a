"""The version of the reading code follows the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import analyzer
import dissectors
from analyzer.library.version import reading_version

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_any_change_of_the_code_that_reads_is_another_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in (analyzer, dissectors):
        name = package.__name__
        (tmp_path / name / "sip").mkdir(parents=True)
        (tmp_path / name / "__init__.py").touch()
        monkeypatch.setattr(package, "__file__", str(tmp_path / name / "__init__.py"))
    seen = [reading_version()]
    assert seen == [reading_version()]
    for file, text in (
        ("dissectors/sip/scan.py", "a"),
        ("dissectors/sip/scan.py", "b"),
        ("dissectors/sip/fast.so", "b"),
        ("analyzer/rows.py", ""),
    ):
        (tmp_path / file).write_text(text)
        seen.append(reading_version())
    monkeypatch.setattr(analyzer, "__version__", "99")
    seen.append(reading_version())
    assert len(set(seen)) == len(seen)
    (tmp_path / "dissectors" / "notes.txt").touch()
    (tmp_path / "analyzer" / "sip" / "view.py").touch()  # no directory of those that read
    assert reading_version() == seen[-1]
    assert seen[-1].startswith("99 ")
