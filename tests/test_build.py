"""What is built where: with a compiler, without one, and after a source has changed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from analyzer import paths
from tests.paths import ROOT

# What one test builds others copy.
pytestmark = [pytest.mark.untraced, pytest.mark.xdist_group("build")]


COUNTER = (
    '"""Counts."""\n\ncdef class Counter:\n    cpdef int add(self):\n        self.count += 1\n'
)
COUNTER += "        return self.count\n"
SOURCES = {
    "dissectors/_speedups/strings.pxd": "cdef class Counter:\n    cdef int count\n"
    "    cpdef int add(self)\n",
    "dissectors/_speedups/strings.pyx": COUNTER,
    "dissectors/_speedups/apart.pxd": "# Declarations that nothing includes.\n",
    "analyzer/_speedups/twice.pyx": '"""Adds twice."""\n\n'
    "from dissectors._speedups.strings cimport Counter\n\n\n"
    "def twice():\n    cdef Counter counter = Counter()\n    counter.add()\n"
    "    return counter.add()\n",
}
STRINGS_MODULE, TWICE_MODULE = "dissectors/_speedups/strings", "analyzer/_speedups/twice"
WHY = "the compiled twin is not built: /bin/false does not work: exit code 1"


def project(place: Path) -> Path:
    """Make a small project that is built like this one."""
    for name, text in SOURCES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    for name in ("dissectors", "dissectors/_speedups", "analyzer", "analyzer/_speedups"):
        (place / name / "__init__.py").touch()
    for name in ("hatch_build.py", "analyzer/paths.py"):
        shutil.copy(ROOT / name, place / name)
    return place


def script(place: Path) -> ModuleType:
    """Load the build script of a project, as hatchling does."""
    spec = importlib.util.spec_from_file_location("hatch_build_tried", place / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def hooked(place: Path, version: str) -> tuple[dict[str, Any], list[str]]:
    """Run the hook; return what it makes of the wheel, with the contents of files, and says."""
    said: list[str] = []
    app = SimpleNamespace(display_warning=said.append)
    unused: Any = None
    hook = script(place).TwinHook(str(place), {}, unused, unused, str(place), "wheel", app)
    data: dict[str, Any] = {"force_include": {}}
    hook.initialize(version, data)
    data["force_include"] = {
        name: Path(file).read_bytes() for file, name in data["force_include"].items()
    }
    if hasattr(hook, "_directory"):
        hook.finalize(version, data, "")
    return data, said


def stale(place: Path) -> dict[str, str]:
    """Return why modules must not be used, by module."""
    built, _ = paths.recorded(str(place))
    now = paths.digests(str(place))
    reasons = {module: paths.why_stale(str(place), module, built, now) for module in now}
    return {module: reason for module, reason in reasons.items() if reason}


def described(place: Path, **environment: str) -> str:
    """Return what a process of that project says of the path that runs."""
    return run(place, "from analyzer import paths; print(paths.description())", **environment)


def run(place: Path, code: str, **environment: str) -> str:
    """Run code in that project, where nothing is asked for, and nobody measures its coverage."""
    ours = ("XCCOS_", "COVERAGE_")
    own = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=place, env=own | environment, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with its twin; to be copied before it is changed."""
    place = project(tmp_path_factory.mktemp("project"))
    assert script(place).build_in_place() == [STRINGS_MODULE, TWICE_MODULE]
    return place


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    """Return a copy of that project."""
    return shutil.copytree(built, tmp_path / "copy")


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the C compiler fail."""
    monkeypatch.setenv("CC", "/bin/false")
    monkeypatch.delenv("XCCOS_BUILD", raising=False)


def test_what_is_built_in_place_runs(built: Path) -> None:
    assert run(built, "from analyzer._speedups.twice import twice; print(twice())") == "2"
    assert described(built) == "compiled path"
    assert described(built, XCCOS_PURE="1") == "pure Python path (XCCOS_PURE=1)"


def test_what_has_not_changed_is_not_built_again(built: Path) -> None:
    before = (built / paths.RECORD).read_text()
    assert script(built).build_in_place() == []
    assert (built / paths.RECORD).read_text() == before


def test_a_changed_source_is_not_used_until_it_is_built_again(copy: Path) -> None:
    (copy / f"{TWICE_MODULE}.pyx").write_text(SOURCES[f"{TWICE_MODULE}.pyx"] + "    # more\n")
    why = f"{TWICE_MODULE}.pyx has changed since it was compiled"
    assert stale(copy) == {TWICE_MODULE: why}
    assert described(copy) == f"pure Python path ({why})"
    assert script(copy).build_in_place() == [TWICE_MODULE]
    assert described(copy) == "compiled path"


def test_declarations_belong_to_the_modules_that_include_them(copy: Path) -> None:
    (copy / "dissectors/_speedups/apart.pxd").write_text("# Changed.\n")
    assert stale(copy) == {}
    with (copy / "dissectors/_speedups/strings.pxd").open("a") as file:
        file.write("    cdef int more\n")
    assert set(stale(copy)) == {STRINGS_MODULE, TWICE_MODULE}


def test_a_new_source_is_missed_until_it_is_built(copy: Path) -> None:
    (copy / "analyzer/_speedups/new.pyx").write_text('"""New."""\n')
    assert described(copy) == "pure Python path (analyzer/_speedups/new.pyx is not compiled)"


def test_a_module_that_cannot_be_loaded_is_done_without(copy: Path) -> None:
    (copy / f"{STRINGS_MODULE}{paths.SUFFIX}").write_bytes(b"no module")
    assert described(copy).startswith(f"pure Python path ({paths.PROBE} cannot be loaded: ")


def test_a_module_for_another_python_is_none(copy: Path) -> None:
    record = copy / paths.RECORD
    record.write_text(record.read_text().replace(paths.SUFFIX, ".cpython-30-elsewhere.so"))
    assert described(copy) == "pure Python path (the compiled twin is not built for this Python)"


def test_without_sources_what_was_installed_is_taken(copy: Path) -> None:
    for source in [*copy.rglob("*.pyx"), *copy.rglob("*.pxd")]:
        source.unlink()
    assert described(copy) == "compiled path"


def test_an_error_in_a_source_is_said_in_one_line_and_replaces_nothing(
    copy: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    module = copy / f"{TWICE_MODULE}{paths.SUFFIX}"
    before = module.read_bytes()
    (copy / f"{TWICE_MODULE}.pyx").write_text("def twice(:\n")
    build = script(copy)
    with pytest.raises(build.CannotBuildError, match=rf"{TWICE_MODULE}.pyx: [^\n]+:1:\d+: [^\n]+$"):
        build.build_in_place()
    assert "Error compiling Cython file" in capfd.readouterr().err
    assert module.read_bytes() == before


def test_a_name_that_is_no_module_is_said(built: Path) -> None:
    build = script(built)
    with pytest.raises(build.CannotBuildError, match="no source of nothing"):
        build.build_in_place(["strings", "nothing"])


def test_a_wheel_has_the_modules_and_is_for_this_python_alone(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XCCOS_BUILD", raising=False)
    data, said = hooked(copy, "standard")
    assert said == []
    assert (data["pure_python"], data["infer_tag"]) == (False, True)
    modules = {module + paths.SUFFIX for module in (STRINGS_MODULE, TWICE_MODULE)}
    assert set(data["force_include"]) == modules | {paths.RECORD}
    record = data["force_include"][paths.RECORD].decode().splitlines()
    assert {line.split()[0] for line in record} == modules


@pytest.mark.usefixtures("no_compiler")
def test_a_wheel_without_a_compiler_is_pure_and_says_why(tmp_path: Path) -> None:
    data, said = hooked(project(tmp_path), "standard")
    assert said == [f"{WHY}; the pure Python path does the same, more slowly"]
    assert data == {"force_include": {paths.RECORD: f"# {WHY}\n".encode()}}


@pytest.mark.usefixtures("no_compiler")
def test_an_editable_installation_without_a_compiler_is_pure_and_says_why(tmp_path: Path) -> None:
    data, said = hooked(project(tmp_path), "editable")
    assert len(said) == 1
    assert data == {"force_include": {}}
    assert described(tmp_path) == f"pure Python path ({WHY})"


@pytest.mark.usefixtures("no_compiler")
def test_a_build_that_must_be_compiled_fails_without_a_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XCCOS_BUILD", "compiled")
    with pytest.raises(Exception, match=WHY):
        hooked(project(tmp_path), "standard")


@pytest.mark.parametrize("version", ["standard", "editable"])
def test_a_build_that_must_be_pure_compiles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setenv("XCCOS_BUILD", "pure")
    assert hooked(project(tmp_path), version) == ({"force_include": {}}, [])
    assert described(tmp_path) == "pure Python path (the compiled twin is not built)"


def test_any_other_wish_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XCCOS_BUILD", "complied")
    with pytest.raises(ValueError, match="'pure' or 'compiled', not 'complied'"):
        hooked(project(tmp_path), "standard")


def test_the_source_distribution_has_the_sources_and_a_wheel_only_their_types() -> None:
    sources = {f"{name}.pyx" for name in paths.digests(str(ROOT))}
    inside = {file.distribution_path for file in SdistBuilder(str(ROOT)).recurse_included_files()}
    assert sources | {"hatch_build.py", "analyzer/paths.py"} <= inside
    endings = {Path(name).suffix for name in inside}
    assert not endings & {".so", ".pyd"}
    assert paths.RECORD not in inside
    inside = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    found = {Path(name).suffix for name in inside if "/_speedups/" in name}
    assert found == {".py", ".pyi"}
