"""The work of a kernel for a layer, counted from shapes alone: how often its loops run, and which bytes it reuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Reuse:
    """Adjacent bytes that a kernel reads or writes from end to end, several times.

    Attributes:
        what: "weights" (and other constants), "input", "output" or "scratch".
        size: bytes.
        times: how often; of scratch how often it is read, once it is written.
        beside: bytes of RAM that it uses throughout.
    """

    what: Literal["weights", "input", "output", "scratch"]
    size: int
    times: float
    beside: int = 0


@dataclass(frozen=True)
class Work:
    """The work of one layer.

    Attributes:
        loops: name of a loop of the kernel -> how often it runs in all. `layer`, once, is there for every kernel and is
            not named.
        reuse: of constants, inputs, the output and scratch. An input or output that is not among them is read or
            written once; of other scratch only the first lines are waited for, as kernels use little throughout.
        scratch: bytes of RAM while it runs.
    """

    loops: Mapping[str, float]
    reuse: tuple[Reuse, ...] = ()
    scratch: int = 0
