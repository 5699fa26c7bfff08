"""Flash that chosen kernels are expected to take: tables exactly, code by what kernels take on average."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Protocol

from harness.kernels.base import ConstantTable, Lowered
from harness.kernels.discovery import kernel_file

SHARED_CODE = 1000
"""Bytes of code of a kernel that is compiled once; the mean over those there are."""

INLINED_CODE = 450
"""Bytes of code of a kernel that is compiled into a layer of its own shape."""

CALL_CODE = 40
"""Bytes of a layer around its calls, and of its line in the table of layers."""


class Made(Protocol):
    """A way to compute layers."""

    @property
    def lowered(self) -> Lowered:
        """Its calls."""


class Flash:
    """Bytes of flash of a set of choices; what two layers share counts once."""

    def __init__(self, choices: Iterable[Made]) -> None:
        self._parts: dict[object, int] = {}
        self.functions: set[str] = set()
        for choice in choices:
            self._parts |= _parts(choice)
            self.functions |= {call.function for call in choice.lowered.calls}

    @property
    def total(self) -> int:
        """Bytes of all parts."""
        return sum(self._parts.values())

    def more(self, choice: Made) -> int:
        """Bytes that one more layer adds."""
        return sum(size for part, size in _parts(choice).items() if part not in self._parts)


def _parts(choice: Made) -> dict[object, int]:
    """What a layer takes, by what another layer would share."""
    parts: dict[object, int] = {("layer", id(choice)): CALL_CODE}
    for call in choice.lowered.calls:
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


def is_shared(function: str) -> bool:
    """Whether a kernel's code is compiled once for all layers, not into each of them."""
    return any(kernel_file(f"{function}{suffix}") is not None for suffix in (".c", ".S"))
