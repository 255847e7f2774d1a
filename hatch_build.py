"""Build the compiled twin where a C compiler is; without one the package works all the same.

hatchling calls ``TwinHook`` when the package is installed or made into a wheel. By hand:
``python hatch_build.py [--force] [--sanitize] [MODULE...]`` compiles in place what has changed.
``XCCOS_BUILD=pure`` leaves the twin out; with ``XCCOS_BUILD=compiled`` it must not be missing.

The rule: nothing half-built is ever seen. Modules are made in a directory of their own, are moved
into place when all of them are there, and are recorded with the state of their sources
(``analyzer/paths.py`` compares).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand
    BuildHookInterface = object  # type: ignore[assignment,misc]

SCRIPT = Path(__file__).resolve()
ROOT = SCRIPT.parent
BUILD = ROOT / "build"
GENERATED = BUILD / "cython"
"""The C of the last build, to be read or profiled."""
SANITIZED = BUILD / "sanitized"
"""A copy of both packages with checked modules: put it first on PYTHONPATH."""

DIRECTIVES = {
    "language_level": "3",
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
}
# Never -march=native: a wheel is made on one machine and runs on another.
OPTIMISED = ["-O3", "-g0", "-fno-plt", "-Wno-unused-function"]
if sys.platform == "win32":
    OPTIMISED = ["/O2"]
CHECKED = ["-O1", "-g", "-fno-omit-frame-pointer", "-Wno-unused-function"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]

NOT_BUILT = "the compiled twin is not built: "
PATIENCE_S = 600
"""A module takes seconds; an installation must not hang where one does not come to an end."""


class CannotBuildError(Exception):
    """There is no twin, and this one line says why."""


def _paths() -> Any:  # noqa: ANN401  (a module that lies beside, which a build does not install)
    spec = importlib.util.spec_from_file_location("paths", ROOT / "analyzer" / "paths.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


paths = _paths()


class TwinHook(BuildHookInterface):  # type: ignore[type-arg]  # its configuration: not used
    """What hatchling calls before it makes a wheel, or an editable one."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile in place for an editable installation, otherwise into the wheel."""
        wanted = os.environ.get("XCCOS_BUILD", "")
        if wanted not in ("", "pure", "compiled"):
            message = f"XCCOS_BUILD is 'pure' or 'compiled', not {wanted!r}"
            raise ValueError(message)
        if wanted == "pure":
            return
        self._directory = Path(tempfile.mkdtemp(prefix="xccos-twin-"))
        try:
            self._build(version, build_data)
        except CannotBuildError as error:
            if wanted == "compiled":
                shutil.rmtree(self._directory)
                raise
            self.app.display_warning(f"{error}; the pure Python path does the same, more slowly")
            if version == "editable":
                record({}, str(error))
            else:
                write_record(self._directory / paths.RECORD, {}, reason=str(error))
                build_data["force_include"][str(self._directory / paths.RECORD)] = paths.RECORD

    def _build(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            build_in_place()
            return
        files = build_into(self._directory)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["force_include"].update({str(self._directory / name): name for name in files})

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002  (hatchling's signature)
        """Remove what has gone into the wheel."""
        if hasattr(self, "_directory"):
            shutil.rmtree(self._directory, ignore_errors=True)


def build_in_place(names: list[str] | None = None, *, force: bool = False) -> list[str]:
    """Compile what has changed (``force``: everything) beside its sources; return the modules.

    ``names`` limits it to some: file names without their ending.
    """
    now = _chosen(names)
    built, _ = paths.recorded(str(ROOT))
    due = [name for name in now if force or paths.why_stale(str(ROOT), name, built, now)]
    if not due:
        return []
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="twin-", dir=BUILD) as directory:
        digests = compile_modules(due, Path(directory))
        shutil.copytree(Path(directory) / "c", GENERATED, dirs_exist_ok=True)
        for module in due:
            # A process that has the old file loaded keeps it: the new one is another file.
            (Path(directory) / (module + paths.SUFFIX)).replace(ROOT / (module + paths.SUFFIX))
        record(digests)
    return due


def build_into(directory: Path) -> list[str]:
    """Compile everything into a directory; return the files to take from it."""
    modules = list(_chosen(None))
    write_record(directory / paths.RECORD, compile_modules(modules, directory))
    return [paths.RECORD, *(module + paths.SUFFIX for module in modules)]


def build_sanitized(names: list[str] | None = None) -> list[str]:
    """Build both packages into ``SANITIZED``, with every check; return the modules."""
    modules = list(_chosen(names))
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="twin-", dir=BUILD) as directory:
        into = Path(directory) / "sanitized"
        leave = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", Path(paths.RECORD).name)
        for package in ("dissectors", "analyzer"):
            shutil.copytree(ROOT / package, into / package, ignore=leave)
        write_record(into / paths.RECORD, compile_modules(modules, into, sanitize=True))
        shutil.rmtree(SANITIZED, ignore_errors=True)
        into.rename(SANITIZED)
    return modules


def _chosen(names: list[str] | None) -> dict[str, str]:
    now: dict[str, str] = paths.digests(str(ROOT))
    unknown = set(names or ()) - {Path(module).name for module in now}
    if unknown or not now:
        raise CannotBuildError(f"{NOT_BUILT}no source of {', '.join(sorted(unknown)) or 'it'}")
    return {module: now[module] for module in now if not names or Path(module).name in names}


def compile_modules(modules: list[str], into: Path, *, sanitize: bool = False) -> dict[str, str]:
    """Compile and link modules into a directory; return the digests of what was compiled."""
    digests = paths.digests(str(ROOT))  # before it is read: a change meanwhile makes it stale
    for name in ("Cython", "setuptools"):
        if importlib.util.find_spec(name) is None:
            raise CannotBuildError(f"{NOT_BUILT}{name} is not installed")
    check_compiler(SANITIZERS if sanitize else [])
    flags = ["--sanitize"] if sanitize else []

    def compile_one(module: str) -> None:
        command = [sys.executable, str(SCRIPT), *flags, "--into", str(into), module]
        try:
            done = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, errors="replace",
                timeout=PATIENCE_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise CannotBuildError(f"{NOT_BUILT}{module}.pyx takes too long") from error
        sys.stderr.write(done.stderr)
        if done.returncode:
            why = _one_line(done.stderr) or f"exit code {done.returncode}"
            raise CannotBuildError(f"{NOT_BUILT}{module}.pyx: {why}")

    with ThreadPoolExecutor(_cores()) as pool:
        list(pool.map(compile_one, modules))
    return {module: digests[module] for module in modules}


def compile_here(module: str, into: Path, *, sanitize: bool) -> None:
    """Compile one module, by path without ending; the work of a process of its own."""
    from Cython.Build import cythonize
    from Cython.Compiler.Errors import CompileError
    from setuptools import Distribution, Extension
    from setuptools.errors import BaseError

    extension = Extension(
        module.replace("/", "."),
        [f"{module}.pyx"],
        extra_compile_args=[*CHECKED, *SANITIZERS] if sanitize else OPTIMISED,
        extra_link_args=SANITIZERS if sanitize else [],
    )
    try:
        made = cythonize(  # type: ignore[no-untyped-call]
            [extension],
            build_dir=str(into / "c"),
            compiler_directives=DIRECTIVES,
            quiet=True,
            force=True,
        )
        command: Any = Distribution({"ext_modules": made}).get_command_obj("build_ext")
        command.build_lib, command.build_temp = str(into), str(into / "o")
        command.ensure_finalized()
        command.run()
    except (BaseError, CompileError) as error:  # both compilers have said what is wrong
        raise SystemExit(str(error) if isinstance(error, BaseError) else 1) from error


def check_compiler(flags: list[str]) -> None:
    """Try the C compiler with the headers of this Python; raise what is missing."""
    if sys.platform == "win32":  # found by setuptools, by way of the registry
        return
    command = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    compiler = command.split()
    include = sysconfig.get_path("include")
    if shutil.which(compiler[0]) is None:
        raise CannotBuildError(f"{NOT_BUILT}there is no C compiler ({compiler[0]})")
    if not Path(include, "Python.h").is_file():
        raise CannotBuildError(f"{NOT_BUILT}the headers of this Python are not in {include}")
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory, "try.c")
        source.write_text("#include <Python.h>\nint try_it(void) { return 0; }\n")
        what = ["-shared", "-fPIC", f"-I{include}", str(source), "-o", f"{source}.so"]
        if sys.platform == "darwin":
            what[:1] = ["-bundle", "-undefined", "dynamic_lookup"]
        done = subprocess.run(
            [*compiler, *flags, *what],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    if done.returncode:
        why = _one_line(done.stderr) or f"exit code {done.returncode}"
        raise CannotBuildError(f"{NOT_BUILT}{command} does not work: {why}")


def _one_line(error: object) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" -\t")]
    return lines[-1][:200] if lines else ""


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def record(digests: dict[str, str], reason: str = "") -> None:
    """Add to the record in place what was just built, or why nothing was."""
    with _lock():
        file = ROOT / paths.RECORD
        known = dict.fromkeys(paths.digests(str(ROOT)), "")
        kept = {}
        for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
            name, _, digest = line.rpartition(" ")
            if not line.startswith("#") and name.split(".")[0] in known and (ROOT / name).is_file():
                kept[name] = digest
        write_record(file, digests, kept, reason)


def write_record(
    file: Path, digests: dict[str, str], others: dict[str, str] | None = None, reason: str = ""
) -> None:
    """Write which modules were built, of which sources."""
    entries = dict(others or {}) | {name + paths.SUFFIX: digests[name] for name in digests}
    lines = [f"# {reason}", *(f"{name} {entries[name]}" for name in sorted(entries))]
    text = "\n".join(lines if reason else lines[1:]) + "\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


@contextlib.contextmanager
def _lock() -> Any:  # noqa: ANN401
    """Let one build at a time change the record."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "twin.lock").open("w") as file:
        with contextlib.suppress(ImportError):  # not on Windows
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Build by hand; return the exit code."""
    parser = argparse.ArgumentParser(description="Compile the twin of the reading path in place.")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="only these")
    parser.add_argument("--force", action="store_true", help="also what has not changed")
    parser.add_argument(
        "--sanitize",
        action="store_true",
        help="with AddressSanitizer and UBSan, as a copy of both packages in build/sanitized",
    )
    parser.add_argument("--check", action="store_true", help="only try the C compiler")
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)  # how it calls itself
    options = parser.parse_args()
    try:
        if options.into:
            compile_here(options.modules[0], options.into, sanitize=options.sanitize)
            return 0
        if options.check:
            check_compiler(SANITIZERS if options.sanitize else [])
            return 0
        if options.sanitize:
            built = build_sanitized(options.modules)
        else:
            built = build_in_place(options.modules, force=options.force)
    except CannotBuildError as error:
        print(error, file=sys.stderr)
        return 1
    print("compiled:", ", ".join(built) or "nothing has changed")
    if options.sanitize:
        print(
            "run it with: LD_PRELOAD=$(gcc -print-file-name=libasan.so) PYTHONMALLOC=malloc "
            "ASAN_OPTIONS=detect_leaks=0 PYTHONPATH=build/sanitized python ..."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
