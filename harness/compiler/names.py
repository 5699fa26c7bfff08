"""Names that generated C may bear."""

from __future__ import annotations

import re
from functools import cache

from harness.kernels.discovery import kernel_files
from harness.resources import firmware

LONGEST = 48

_STANDARD_HEADER = re.compile(
    "assert|complex|ctype|errno|fenv|float|inttypes|iso646|limits|locale|math|setjmp|signal|stdalign|stdarg|stdatomic|"
    "stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|tgmath|threads|time|uchar|wchar|wctype"
)


@cache
def _own_headers() -> frozenset[str]:
    paths = (*kernel_files(), *(firmware() / "runtime").iterdir())
    return frozenset(path.stem for path in paths if path.suffix == ".h")


def identifier(name: str) -> str:
    """`name` as a C identifier in lower case, of at most LONGEST characters, whose NAME.h hides no other header."""
    text = re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")[:LONGEST].rstrip("_") or "model"
    taken = _STANDARD_HEADER.fullmatch(text) or text in _own_headers()
    return f"m_{text}" if text[0].isdigit() or taken else text
