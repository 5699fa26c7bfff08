"""Names of others as C identifiers and file names: an allow-list of characters, and words that are taken."""

from __future__ import annotations

import hashlib
import re
from functools import cache

from harness import resources
from harness.kernels.discovery import kernel_files

MAX_LENGTH = 48
"""Most characters of an identifier."""

_DIGEST_LENGTH = 8
_OWN = re.compile(r"(tiny)?hil(_.*)?")
"""Names of the runtime and of shared kernels."""

_OF_OTHER_MODEL = re.compile(r".*_(weights|hil)")
"""Model NAME has files NAME_weights.h, NAME_weights.c and NAME_hil.c."""

_COMPILER_HEADER = re.compile(r"[a-z0-9]*intrin|u?int\d+_c")


def identifier(name: str) -> str:
    """`name` as the identifier that a model's symbols, macros and files begin with: lower case, MAX_LENGTH at most.

    It is one for C, C++, make and CMake and names files on every system. What is taken gets the prefix m_; what is
    too long is cut, and ends with a digest, so that long names that begin alike stay apart. An identifier stays as
    it is.
    """
    text = word(name) or "model"
    if text[0].isdigit() or _is_taken(text):
        text = f"m_{text}"
    if _OF_OTHER_MODEL.fullmatch(text):
        text = f"{text}_model"
    if len(text) <= MAX_LENGTH:
        return text
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:_DIGEST_LENGTH]
    return f"{text[: MAX_LENGTH - _DIGEST_LENGTH - 1].rstrip('_')}_{digest}"


def word(text: str) -> str:
    """`text` as a part of an identifier, behind others: a-z, 0-9 and single underscores inside; may be empty."""
    return re.sub(r"[^0-9a-z]+", "_", text.lower()).strip("_")


def _is_taken(text: str) -> bool:
    """Whether an identifier means something else to a language, system or tool, or names files of tinyhil's own."""
    return text in _reserved() or any(form.fullmatch(text) for form in (_OWN, _COMPILER_HEADER))


@cache
def _reserved() -> frozenset[str]:
    lines = resources.data("reserved_names.txt").read_text(encoding="utf-8").splitlines()
    words = {name for line in lines if not line.startswith("#") for name in line.split()}
    own = (*kernel_files(), *(resources.firmware() / "runtime").iterdir())
    return frozenset(words | {path.stem.lower() for path in own})
