"""Breaking text into lines of a width, without ever breaking a number."""

from __future__ import annotations

import re

from rich.cells import cell_len

_PIECE = re.compile(r"[^_/.:+\-]*(?:[_/.:+\-]+(?!\d)|[_/.:+\-]+\d[^_/.:+\-]*)*?[_/.:+\-]+(?!\d)|.+")
"""Pieces of a long word, each with the sign behind which it may be broken: never before a digit."""


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """The lines of a text; those after the first of each of its own lines begin with `indent`."""
    return [line for own in text.split("\n") for line in _wrap_line(own, width, indent)]


def _wrap_line(text: str, width: int, indent: str) -> list[str]:
    if cell_len(text) <= width:
        return [text]
    lead = text[: len(text) - len(text.lstrip(" "))]
    lines, line = [], lead
    for word in text[len(lead) :].split(" "):
        between = " " if line.strip(" ") else ""
        if cell_len(line + between + word) <= width:
            line += between + word
            continue
        if line.strip(" "):
            lines.append(line)
            line = lead + indent
        if cell_len(line + word) > width:
            *whole, word = _broken(word, max(width - cell_len(line), 1))
            lines += [line + part for part in whole]
        line += word
    return [*lines, line.rstrip(" ") or line]


def _broken(word: str, width: int) -> list[str]:
    """A word in parts of at most `width` columns; wider ones only where a number is."""
    parts: list[str] = []
    for piece in _PIECE.findall(word):
        if parts and cell_len(parts[-1] + piece) <= width:
            parts[-1] += piece
        else:
            parts += _cut(piece, width)
    return parts


def _cut(piece: str, width: int) -> list[str]:
    """A piece without a sign to break behind, cut anywhere but within a number."""
    parts = []
    while cell_len(piece) > width:
        end = 1
        while cell_len(piece[: end + 1]) <= width:
            end += 1
        at = end
        while at > 0 and re.match(r"[\d.,]{2}", piece[at - 1 : at + 1]):
            at -= 1
        if at == 0:  # a number fills the line: keep it whole
            at = end
            while at < len(piece) and re.match(r"[\d.,]{2}", piece[at - 1 : at + 1]):
                at += 1
        parts.append(piece[:at])
        piece = piece[at:]
    return [*parts, piece] if piece else parts
