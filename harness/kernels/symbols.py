"""Symbols of kernels that are compiled once for all models of a firmware: NAME_tinyhil_VERSION_DIGEST.

Packages of one version share such kernels: the linker keeps one of several equal weak symbols. By version and digest (
of the files of the kernel and all that they include) it never takes one body for another, whatever meets in a firmware.
Sources have the short names, and so has whatever a person reads.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

_DIGEST_LENGTH = 8
_MARK = re.compile(rf"_tinyhil_\d\w*_[0-9a-f]{{{_DIGEST_LENGTH}}}(?=$|\.)")
_DECLARATION = re.compile(r"^(?!typedef\b|static\b|struct\b|HIL_INLINE\b)[A-Za-z_][^;{}#]*;", re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def short_name(symbol: str) -> str:
    """A symbol's name in the sources; what a compiler puts behind a dot (.cold, .part.0) stays."""
    return _MARK.sub("", symbol)


def symbol_mark(version: str, files: Mapping[str, str]) -> str:
    """What is put behind the names of functions, for a version of tinyhil and a kernel's files by name."""
    digest = hashlib.sha256(repr((version, sorted(files.items()))).encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"_tinyhil_{re.sub('[^0-9A-Za-z]+', '_', version)}_{digest}"


def declared_functions(header: str) -> list[str]:
    """The functions that a kernel's header declares without a body, in order."""
    return list(_declared(_COMMENT.sub(" ", header)))


def with_symbols(text: str, functions: list[str], mark: str) -> str:
    """The text of a header or of assembly, in which these functions' symbols carry the mark."""
    if not functions:
        return text
    lines = ["/* Kernels of two versions of tinyhil are two symbols, and those of one are shared. */"]
    lines += [f"#define {function} {function}{mark}" for function in functions]
    guard = re.search(r"^#ifndef (\w+)\n#define \1\n+", text, re.MULTILINE)
    start = guard.end() if guard else 0
    return text[:start] + "\n".join(lines) + "\n\n" + text[start:]


def _declared(text: str) -> Iterator[str]:
    for statement in _DECLARATION.findall(text):
        head, parenthesis, _ = statement.partition("(")
        if parenthesis:
            yield head.split()[-1].lstrip("*")
        else:  # by a function's type: TYPE NAME, NAME;
            yield from re.findall(r"\w+", statement)[1:]
