"""Build the compiled twin where a C compiler is; without one the package works all the same."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent


def build(names: list[str] | None = None) -> None:
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    sources = [
        path
        for package in ("dissectors/_speedups", "analyzer/_speedups")
        for path in sorted((ROOT / package).glob("*.pyx"))
        if not names or path.stem in names
    ]
    extensions = [
        Extension(
            ".".join(path.relative_to(ROOT).with_suffix("").parts),
            [str(path.relative_to(ROOT))],
            extra_compile_args=["-O3", "-fno-plt", "-Wno-unused-function"],
        )
        for path in sources
    ]
    modules = cythonize(
        extensions,
        build_dir="build/cython",
        compiler_directives={
            "language_level": "3", "boundscheck": False, "wraparound": False,
            "cdivision": True, "initializedcheck": False, "freethreading_compatible": False,
        },
        nthreads=0,
        quiet=True,
    )
    command = Distribution({"ext_modules": modules}).get_command_obj("build_ext")
    command.inplace = True
    command.build_temp = "build/temp"
    command.ensure_finalized()
    command.run()


if __name__ == "__main__":
    build(sys.argv[1:])
