"""A random instance of every operator, appended to a Draft: one file a family, found by its BUILDERS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules

from harness.ir.operators import names_with
from harness.ir.operators.traits import Trait
from tests.support.draft import Draft

Builder = Callable[[Draft, int | None], int]
"""(draft, input or None for one that the draft gives) -> the operator's output, or its first.

Inputs are the draft's to give (`Draft.input`, `Draft.offered`): they may be tensors that others read and write.
"""


def _collected() -> dict[str, Builder]:
    names = sorted(module.name for module in iter_modules(__path__))
    found: dict[str, Builder] = {}
    for name in names:
        found |= getattr(import_module(f"{__name__}.{name}"), "BUILDERS", {})
    return found


BUILDERS: Mapping[str, Builder] = _collected()
"""Operator -> its builder."""

BYTE_FUNCTIONS = tuple(sorted(names_with(Trait.BYTE_FUNCTION) & BUILDERS.keys()))
"""Operators that generated networks put wherever networks have activations."""
