"""Parts of the harness in C: compiled for this machine on first use, and kept in the cache."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from harness.build.cache import BuildCache, default_root, digest
from harness.build.jobs import run_tool
from harness.build.toolchain import find

_FLAGS = ("-std=c11", "-O2", "-shared", "-fPIC", "-fvisibility=hidden")
# Undefined symbols are resolved in the program that loads the library, which macOS needs a flag for.
_PLATFORM_FLAGS = {"darwin": ("-undefined", "dynamic_lookup")}


def host_library(
    package: str,
    sources: Sequence[str],
    cache_dir: Path | None = None,
    *,
    beside: Sequence[tuple[str, str]] = (),
) -> Path:
    """A shared library from C files of a Python package.

    Args:
        package: the Python package that the files lie in.
        sources: their names; the first is compiled and includes the others.
        cache_dir: the cache; None for $TINYHIL_CACHE or the user's.
        beside: headers of other packages, as (package, name).

    Raises:
        ToolchainMissingError: there is no C compiler.
        BuildError: it does not compile, or the cache cannot be written to.
    """
    named = [*((package, name) for name in sources), *beside]
    texts = {name: files(of).joinpath(name).read_text(encoding="utf-8") for of, name in named}
    compiler = find("host")
    flags = (*_FLAGS, *_PLATFORM_FLAGS.get(sys.platform, ()))
    cache = BuildCache(default_root() if cache_dir is None else cache_dir)
    key = digest("host-library", compiler.identity, *flags, "", *(part for item in texts.items() for part in item))
    found = cache.find(key, ".so")
    if found:
        return found
    with cache.lock(key), cache.workspace() as folder:
        found = cache.find(key, ".so")  # another process may have made it while this one waited
        if found:
            return found
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        command = [str(compiler.cc), *flags, sources[0], "-o", "library.so"]
        run_tool(command, folder, f"{package}/{sources[0]} does not compile", compiler)
        return cache.put(key, ".so", (folder / "library.so").read_bytes(), 0o755)
