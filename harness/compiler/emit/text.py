"""Text of others in generated files: names of tensors, operators and labels, what cards and metadata say."""

from __future__ import annotations

import re

MOST_CHARACTERS = 120

_OTHER = re.compile(r"[^A-Za-z0-9 _.,:;+=()/-]")


def plain_text(text: str, most: int = MOST_CHARACTERS) -> str:
    """`text` as one line that is safe anywhere inside comments and quoted strings of C, assembly, make and CMake.

    Characters that are not on the list become underscores: no comment begins or ends (there is no asterisk), no line
    is continued, nothing is a trigraph, an escape, a quote, a format or a variable. Spaces around go; of a longer
    text the first `most` characters are left, with "..." for the rest.
    """
    line = _OTHER.sub("_", text).strip()
    return line if len(line) <= most else f"{line[: most - 3]}..."


def string_literal(text: str) -> str:
    """A C and C++ string literal of exactly `text` as UTF-8: other bytes than plain ones are octal escapes."""
    plain = b" ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.,:;+=()/&'<>!*#@-"
    data = text.encode("utf-8", "replace")
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in data) + '"'
