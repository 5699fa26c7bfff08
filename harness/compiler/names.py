"""Names of models as C identifiers."""

from __future__ import annotations

import re
from functools import cache

from harness.kernels.discovery import kernel_files
from harness.resources import firmware

MAX_LENGTH = 48
"""Most characters of an identifier, without the prefix."""

_STANDARD_HEADER = re.compile(
    "assert|complex|ctype|errno|fenv|float|inttypes|iso646|limits|locale|math|setjmp|signal|stdalign|stdarg|stdatomic|"
    "stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|tgmath|threads|time|uchar|wchar|wctype"
)


@cache
def _own_headers() -> frozenset[str]:
    paths = (*kernel_files(), *(firmware() / "runtime").iterdir())
    return frozenset(path.stem for path in paths if path.suffix == ".h")


def identifier(name: str) -> str:
    """`name` as a C identifier in lower case, of about MAX_LENGTH characters at most.

    A prefix is added where it would begin with a digit, or NAME.h would hide a standard or a kernel's header.
    """
    text = re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")[:MAX_LENGTH].rstrip("_") or "model"
    taken = _STANDARD_HEADER.fullmatch(text) or text in _own_headers()
    return f"m_{text}" if text[0].isdigit() or taken else text
