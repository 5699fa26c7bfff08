"""Numbers that Python and C share: each stands once, as `#define HIL_NAME NUMBER` in a header of firmware/kernels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from harness.errors import CompileError
from harness.kernels.discovery import kernel_file

_DEFINE = re.compile(r"^#define (HIL_\w+) (-?(?:0x[0-9a-f]+|[0-9]+))(?=\s|$)", re.MULTILINE)


def constant(header: str, name: str) -> int:
    """A number of a header.

    Raises:
        CompileError: the header, or the number in it, is missing.
    """
    found = constants(header)
    if name not in found:
        raise CompileError(f"{header} defines no number {name}", hint="reinstall tinyhil")
    return found[name]


def numbered(header: str, prefix: str) -> Mapping[str, int]:
    """Numbers of a header by their names without `prefix`, which the others lack: what a kernel can do, by operator."""
    return {name[len(prefix) :]: number for name, number in constants(header).items() if name.startswith(prefix)}


@cache
def constants(header: str) -> Mapping[str, int]:
    """All numbers of a header.

    Raises:
        CompileError: there is no such header.
    """
    path = kernel_file(header)
    if path is None:
        raise CompileError(f"no kernel has a header {header}", hint="reinstall tinyhil: a file of it is missing")
    return {name: int(number, 0) for name, number in _DEFINE.findall(path.read_text(encoding="utf-8"))}
