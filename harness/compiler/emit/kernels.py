"""The kernels' files of a package: headers, and the code of those that are compiled once for all models."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from harness.errors import CompileError
from harness.kernels.discovery import kernel_file
from harness.kernels.symbols import declared_functions, symbol_mark, with_symbols


def kernel_files_of(functions: Iterable[str], version: str) -> dict[str, str]:
    """Text by file name of these kernels' headers, of the code beside them, and of all that they include.

    Args:
        functions: names of kernels.
        version: of tinyhil, which the symbols of code that models share carry.

    Raises:
        CompileError: a file is missing.
    """
    return {name: _marked(name, version) for name in _names(functions)}


def _names(functions: Iterable[str]) -> list[str]:
    found: set[str] = set()
    wanted = [f"{function}.h" for function in functions]
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        text = _text(name)
        if text is None:
            raise CompileError(f"no kernel has a file {name}", hint="reinstall tinyhil: a file of it is missing")
        found.add(name)
        wanted += re.findall(r'#include "([^"]+)"', text)
        wanted += _code(name)
    return sorted(found)


@cache
def _marked(name: str, version: str) -> str:
    """A file's text; the functions of a header that has code beside it, and of assembly, are symbols with a mark."""
    text = _text(name) or ""
    stem, _, suffix = name.rpartition(".")
    header = f"{stem}.h"
    if suffix not in ("h", "S") or not _code(header):
        return text
    files = {file: _text(file) or "" for file in _names([stem])}
    return with_symbols(text, declared_functions(files[header]), symbol_mark(version, files))


def _code(header: str) -> list[str]:
    """Names of the files with the code of a header's functions."""
    stem = header.removesuffix(".h")
    return [file for file in (f"{stem}.c", f"{stem}.S") if header.endswith(".h") and _text(file) is not None]


@cache
def _text(name: str) -> str | None:
    path = kernel_file(name)
    return None if path is None else path.read_text(encoding="utf-8")
