"""Text of files and devices, made harmless for a terminal.

A name in a model or a byte on the line may hold sequences that a terminal obeys: colours, a title, moves of the cursor,
text that reads from right to left. Shown are their numbers instead.
"""

from __future__ import annotations

import re

_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but for tab and newline, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # directions: Unicode Annex 9, table of explicit and implicit marks
    "\u2028\u2029\ufeff\ud800-\udfff]"  # separators that some take for newlines, byte order mark, lone surrogates
)


def plain(text: str) -> str:
    r"""Text of one or more lines with each character that a terminal would obey as `\x1b` or `\u202e`."""
    return _OBEYED.sub(_number, text)


def one_line(text: str) -> str:
    r"""The same for text that belongs in one line: a newline becomes `\n`, which cannot pass for a line of ours."""
    return plain(text).replace("\n", "\\n")


def _number(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
