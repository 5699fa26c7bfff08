"""Lowerings: ONNX operator -> operators of tinyhil, one family a file; a module with LOWERINGS is found by itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from harness.frontends.onnx.node import Lowering


@cache
def lowerings() -> Mapping[str, Lowering]:
    """ONNX operator type -> how it is lowered."""
    found: dict[str, Lowering] = {}
    for module in sorted(iter_modules(__path__), key=lambda module: module.name):
        entries: Mapping[str, Lowering] = getattr(import_module(f"{__name__}.{module.name}"), "LOWERINGS", {})
        twice = set(entries) & set(found)
        assert not twice, f"two lowerings of {sorted(twice)}"
        found.update(entries)
    return found
