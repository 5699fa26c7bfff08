"""Estimated flash of the layers' kernels: tables exactly, code by the mean size of kernels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from typing import Protocol

from harness.kernels.base import ConstantTable, Lowered
from harness.kernels.discovery import kernel_file

SHARED_CODE = 1000
"""Bytes of code of a kernel that is compiled once for all layers: the mean over all such kernels."""

INLINED_CODE = 450
"""Bytes of code of a kernel that is inlined with the shape of one layer."""

CALL_CODE = 40
"""Bytes of a layer's function besides the kernels, and of its entry in the table of layers."""


class HasCalls(Protocol):
    """A layer, or several computed together, as calls of kernels."""

    @property
    def lowered(self) -> Lowered:
        """The calls."""


class FlashEstimate:
    """Estimated bytes of flash of some layers; code and tables that two of them share count once.

    Attributes:
        functions: the kernel functions that are called.
    """

    def __init__(self, layers: Iterable[HasCalls]) -> None:
        self._parts: dict[object, int] = {}
        self.functions: set[str] = set()
        for layer in layers:
            self._parts |= flash_parts(layer)
            self.functions |= {call.function for call in layer.lowered.calls}

    @property
    def total(self) -> int:
        """Bytes of all code and tables."""
        return sum(self._parts.values())

    @property
    def code(self) -> int:
        """Bytes of code and descriptions, without tables."""
        return sum(size for part, size in self._parts.items() if not isinstance(part, bytes))

    def added_bytes(self, layer: HasCalls) -> int:
        """Bytes that one more layer adds."""
        return sum(size for part, size in flash_parts(layer).items() if part not in self._parts)


def flash_parts(layer: HasCalls) -> dict[object, int]:
    """Bytes of each part of a layer's code and tables, by a key that is equal for parts that layers share."""
    parts: dict[object, int] = {("layer", id(layer)): CALL_CODE}
    for call in layer.lowered.calls:
        shape = (call.function, *sorted(call.shape.items()))
        parts[shape] = 4 * len(call.shape)
        if is_shared(call.function):
            parts[call.function] = SHARED_CODE
        else:
            parts["code", *shape] = INLINED_CODE
        for argument in call.arguments:
            if isinstance(argument, ConstantTable):
                data = argument.data.tobytes()
                parts[hashlib.sha256(data).digest()] = len(data)
    return parts


@cache
def is_shared(function: str) -> bool:
    """Whether a kernel's code is compiled once for all layers, not into each of them."""
    return any(kernel_file(f"{function}{suffix}") is not None for suffix in (".c", ".S"))
