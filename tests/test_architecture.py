"""The design as a test: who may import whom, what may touch the world, how large a module may be.

Rules about the text of modules are read from their syntax trees. Rules about what happens when they
are imported are watched in an interpreter of their own. docs/design.md gives the reasons.
"""

from __future__ import annotations

import ast
import graphlib
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("analyzer", "dissectors")
STAGES = ("capture", "transport", "sip", "xccos")
MAX_CODE_LINES = 300

MAX_COMPILED_LINES = 400
"""Of a module of the compiled twin, comments and docstrings left out: C has more to declare."""

# Modules that may be longer, each with its reason.
ALLOWED_LONGER: dict[str, tuple[int, str]] = {}

# A dissector gets bytes and gives values: no file, socket, clock, thread, process, log or chance.
IMPURE = {
    *("asyncio", "logging", "multiprocessing", "os", "pathlib", "random", "select", "selectors"),
    *("shutil", "socket", "ssl", "subprocess", "tempfile", "threading", "time"),
}
# Who may talk to the world, by the beginning of the module's path.
CONFINED = {
    "asyncio": ("analyzer/sources/", "analyzer/lab/", "analyzer/replay/transport/"),
    "socket": ("analyzer/sources/", "analyzer/lab/", "analyzer/replay/transport/"),
    "ssl": ("analyzer/sources/", "analyzer/lab/", "analyzer/replay/transport/"),
    "subprocess": ("analyzer/sources/", "analyzer/lab/", "analyzer/replay/transport/"),
    "streamlit": ("app.py", "analyzer/dashboard/"),
}
# A function that fits nowhere shows a missing concept; these names hide it.
SHAPELESS = {"common", "helpers", "misc", "util", "utils"}
# What a command may load when it needs it, but never the start of the program.
HEAVY = {
    *("duckdb", "lxml", "networkx", "numpy", "pandas", "plotly", "pyarrow", "rich", "streamlit"),
}


def _paths() -> list[Path]:
    found = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    app = ROOT / "app.py"
    return [*found, app] if app.is_file() else found


def _short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_short(path): path for path in _paths()}
DISSECTORS = [short for short in MODULES if short.startswith("dissectors/")]
NAMES = {_name(path): short for short, path in MODULES.items()}

COMPILED = {
    _short(path): path
    for package in PACKAGES
    for path in sorted((ROOT / package / "_speedups").glob("*.p[yx][xd]"))
}
"""Sources (.pyx) and declarations (.pxd) of the compiled twin, which may join stages."""

# One test for all modules of a rule, which names those that break it: a test for each of them would
# cost as much again as the rest of the unit tests.
pytestmark = pytest.mark.untraced
every_compiled = pytest.mark.parametrize("module", COMPILED)


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"), module)


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs when a module is imported: no function, no block for the type checker."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if not _is_type_checking(child):
            yield child
            yield from _at_import(child)


def _base(module: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = _name(MODULES[module]).split(".")
    if module.endswith("__init__.py"):
        parts.append("")
    return ".".join([*parts[: -node.level], *([node.module] if node.module else [])])


@cache
def _imports(module: str) -> frozenset[str]:
    """Return the dotted names that a module imports; of ``from a import b`` both a and a.b."""
    found: set[str] = set()
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, node)
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return frozenset(found)


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_both_packages_are_looked_at() -> None:
    assert {short.split("/")[0] for short in MODULES} >= set(PACKAGES)


def test_a_dissector_never_imports_the_analyzer() -> None:
    found = [
        (module, name)
        for module in DISSECTORS
        for name in _imports(module)
        if _within(name, "analyzer")
    ]
    assert found == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_no_other_stage(stage: str) -> None:
    others = [f"dissectors.{other}" for other in STAGES if other != stage]
    found = [
        (module, name)
        for module in DISSECTORS
        if module.startswith(f"dissectors/{stage}/")
        for name in _imports(module)
        if any(_within(name, other) for other in others)
    ]
    assert found == []


def _roots(module: str) -> set[str]:
    """Return the packages that a module imports."""
    return {name.split(".")[0] for name in _imports(module)}


def test_a_dissector_does_not_touch_the_world() -> None:
    assert [(module, root) for module in DISSECTORS for root in _roots(module) & IMPURE] == []
    opens = [
        (module, node.lineno)
        for module in DISSECTORS
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"open", "io.open"}
    ]
    assert opens == []


def test_the_world_is_touched_in_few_places_only() -> None:
    strays = [
        (module, root)
        for module in MODULES
        for root in _roots(module) & set(CONFINED)
        if not module.startswith(CONFINED[root])
    ]
    assert strays == []


def _loaded_by(module: str) -> set[str]:
    """Return the modules of the project that importing this one asks for by name."""
    asked: set[str] = set()
    for node in _at_import(_tree(module)):
        if isinstance(node, ast.Import):
            asked.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, node)
            full = [f"{base}.{alias.name}" for alias in node.names]
            asked.update(name if name in NAMES else base for name in full)
    return {NAMES[name] for name in asked if name in NAMES}


def test_no_module_imports_itself_by_way_of_others() -> None:
    order = graphlib.TopologicalSorter({module: _loaded_by(module) for module in MODULES})
    try:
        order.prepare()
    except graphlib.CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_a_module_can_be_read_in_one_sitting() -> None:
    lengths = {
        module: sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
        for module, path in MODULES.items()
    }
    assert {
        module: length
        for module, length in lengths.items()
        if length > ALLOWED_LONGER.get(module, (MAX_CODE_LINES, ""))[0]
    } == {}


def test_a_longer_module_is_allowed_by_name_and_for_a_reason() -> None:
    for module, (limit, reason) in ALLOWED_LONGER.items():
        assert module in MODULES or module in COMPILED
        assert limit > MAX_CODE_LINES
        assert reason


def test_a_module_is_named_after_a_concept() -> None:
    assert [module for module in MODULES if Path(module).stem in SHAPELESS] == []


def test_a_module_says_what_it_is() -> None:
    assert [module for module in MODULES if not ast.get_docstring(_tree(module))] == []
    later = "__future__.annotations"
    assert [module for module in MODULES if later not in _imports(module)] == []


# The compiled twin

_CIMPORT = re.compile(r"^ *(?:from +(?P<place>\S+) +cimport|cimport +(?P<whole>.+))", re.MULTILINE)
_IMPORT = re.compile(
    r"^ *(?:from +(?P<place>[\w.]+) +import|import +(?P<whole>[\w., ]+))", re.MULTILINE
)
# Seeds of hash tables: what hostile strings collide with must not be known beforehand.
ALLOWED_IN_COMPILED = {"os"}


def _code(module: str) -> str:
    """Return a source of the twin without its docstrings."""
    return re.sub(r'""".*?"""', "", COMPILED[module].read_text(encoding="utf-8"), flags=re.DOTALL)


def _named(pattern: re.Pattern[str], module: str) -> set[str]:
    """Return the modules that a source of the twin imports, at its top or in a function."""
    names = [match["place"] or match["whole"] for match in pattern.finditer(_code(module))]
    return {name.split(" as ")[0].strip() for names_ in names for name in names_.split(",")}


def test_a_dissector_does_not_know_of_what_is_compiled_for_it() -> None:
    found = [
        (module, name)
        for module in DISSECTORS
        if "/_speedups/" not in module
        for name in _imports(module)
        if "_speedups" in name
    ]
    assert found == []


@every_compiled
def test_a_compiled_dissector_never_imports_the_analyzer(module: str) -> None:
    named = _named(_CIMPORT, module) | _named(_IMPORT, module)
    outside = [name for name in named if _within(name, "analyzer")]
    assert outside == [] or module.startswith("analyzer/")


@every_compiled
def test_a_compiled_dissector_does_not_touch_the_world(module: str) -> None:
    roots = {name.split(".")[0] for name in _named(_IMPORT, module)}
    assert roots & IMPURE <= ALLOWED_IN_COMPILED


@every_compiled
def test_declarations_are_included_by_full_name(module: str) -> None:
    """Building again what has changed relies on it: ``analyzer.paths`` follows these names."""
    named = _named(_CIMPORT, module)
    assert [name for name in named if name.startswith(".")] == []
    assert [name for name in named if name.endswith("_speedups")] == []
    assert not re.search(r"(?m)^ *include +[\"']", COMPILED[module].read_text(encoding="utf-8"))


@every_compiled
def test_a_compiled_module_can_be_read_in_one_sitting(module: str) -> None:
    limit, _reason = ALLOWED_LONGER.get(module, (MAX_COMPILED_LINES, ""))
    code = [line.strip() for line in _code(module).splitlines()]
    assert sum(1 for line in code if line and line[0] != "#") <= limit


@every_compiled
def test_a_compiled_module_says_what_it_is(module: str) -> None:
    text = COMPILED[module].read_text(encoding="utf-8")
    assert re.match(r'"""\w' if module.endswith(".pyx") else r"# \w", text)


def _python(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# Imports every module, each package as if it were the first, and notes what the project's own code
# touches while that goes on: what importlib reads, and what other people's packages read when they
# are loaded, is not its doing. A socket or a process is noted whoever opens it. That no module
# relies on another of its package being there before is what the test of cycles shows.
WATCH = """
import importlib, json, sys
from itertools import groupby

root, *names = sys.argv[1:]
sys.path.insert(0, root)
own = tuple(f"{root}/{part}" for part in ("analyzer/", "dissectors/", "app.py"))
found, current = [], ""

def by_the_project():
    frame = sys._getframe(2)
    while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
        if frame.f_code.co_filename.startswith(own):
            return True
        frame = frame.f_back
    return False

def watch(event, arguments):
    if not current:
        return
    if event.startswith("socket.") or event in ("subprocess.Popen", "os.system", "os.exec"):
        found.append(f"{current}: {event}")
    elif event == "open" and by_the_project():
        found.append(f"{current}: open {arguments[0]}")

sys.addaudithook(watch)
for _, package in groupby(names, lambda name: name.rpartition(".")[0] or name):
    for loaded in list(sys.modules):
        if loaded.split(".")[0] in ("analyzer", "dissectors"):
            del sys.modules[loaded]
    for current in package:
        try:
            importlib.import_module(current)
        except BaseException as error:
            found.append(f"{current}: {type(error).__name__}: {error}")
        current = ""
print(json.dumps(found))
"""


def test_importing_a_module_opens_nothing() -> None:
    names = [name for name in NAMES if not name.endswith("__main__")]
    names.sort(key=lambda name: (name.rpartition(".")[0], name))
    assert json.loads(_python(WATCH, str(ROOT), *names)) == []


def test_the_watch_sees_a_file_and_a_socket(tmp_path: Path) -> None:
    package = tmp_path / "analyzer"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "reads.py").write_text("import pathlib\npathlib.Path(__file__).read_text()\n")
    (package / "calls.py").write_text("import socket\nsocket.socket().close()\n")
    names = ["analyzer", "analyzer.reads", "analyzer.calls"]
    found = json.loads(_python(WATCH, str(tmp_path), *names))
    assert found == [
        f"analyzer.reads: open {package / 'reads.py'}",
        "analyzer.calls: socket.__new__",
    ]


def test_the_start_of_the_command_loads_nothing_heavy() -> None:
    code = "import json, sys, analyzer.cli.main; print(json.dumps(sorted(sys.modules)))"
    loaded = {name.split(".")[0] for name in json.loads(_python(code))}
    assert loaded & HEAVY == set()


# Written so that this file does not match itself.
FOREIGN = re.compile(
    r"(?:py[p]i|test\.py[p]i)\.org|pythonh[o]sted\.org|npm[j]s\.(?:org|com)|crat[e]s\.io"
    r"|(?:deb|security)\.debi[a]n\.org|(?:archive|security)\.ub[u]ntu\.com|[i]ndex-url"
    r"|(?:^|[^A-Za-z0-9_./-])/(?:work|farm)/",
    re.MULTILINE,
)
IGNORED = {"build", "dist", "htmlcov", "__pycache__"}


def _tracked() -> list[Path]:
    """Return the files of the repository, new ones too; all files, where there is none."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        listed = [ROOT / name for name in done.stdout.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        listed = []
    if not listed:
        kept = (path for path in ROOT.iterdir() if path.name not in IGNORED | {".git", ".venv"})
        listed = [file for path in kept for file in ([path] if path.is_file() else path.rglob("*"))]
    return [path for path in listed if path.is_file() and not IGNORED & set(path.parts)]


def test_no_file_names_a_registry_or_a_place_on_one_machine() -> None:
    tracked = _tracked()
    assert len(tracked) > len(MODULES)
    found = []
    for path in tracked:
        data = path.read_bytes()
        if b"\0" not in data:
            match = FOREIGN.search(data.decode("utf-8", "replace"))
            found += [f"{_short(path)}: {match[0]}"] if match else []
    assert found == []


def test_no_group_is_repeated_possessively() -> None:
    """CPython before 3.11.5 matches ``(...)*+`` wrongly where the group can backtrack (#106052)."""
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for package in ("dissectors", "analyzer")
        for path in sorted((ROOT / package).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"\)[*+?]\+(?![\w\s])|\)\{[\d,]+\}\+", line)
        and not line.lstrip().startswith("#")
    ]
    assert not found
