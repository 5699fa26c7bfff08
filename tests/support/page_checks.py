"""What tests look for in a page: texts that are too small, parts that are cut, and that there is a picture at all."""

from __future__ import annotations

import struct
import zlib

SMALL = """(() => { const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const at = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || !at.checkVisibility() || at.closest("script, style")) continue;
    const drawn = at.closest("svg") && at.getScreenCTM ? at.getScreenCTM().a : 1;
    const size = parseFloat(getComputedStyle(at).fontSize) * drawn;
    if (size < 9) found.push(size + " " + texts.currentNode.textContent.trim().slice(0, 30));
  }
  return found; })()"""
"""Texts that are smaller than 9 pixels."""

CUT = """[...document.querySelectorAll(".scroll, table, pre, svg[role=img], .card, section")]
  .filter((part) => part.checkVisibility() &&
    (part.scrollWidth > part.clientWidth + 1 && part.matches(".scroll") ||
     part.getBoundingClientRect().right > document.documentElement.clientWidth + 1))
  .map((part) => part.localName + " " + part.className.toString() + " " + part.textContent.trim().slice(0, 40))"""
"""Parts that reach beyond the page, or whose content does."""


def differing(png: bytes) -> float:
    """Share of a PNG's bytes that differ from their neighbours: of a page of one colour next to none."""
    data, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    raw = zlib.decompress(data)
    return sum(a != b for a, b in zip(raw[::4], raw[4::4], strict=False)) / (len(raw) / 4)
