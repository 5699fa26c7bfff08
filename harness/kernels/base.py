"""What a kernel descriptor tells the compiler, and the C calls it asks for.

A kernel is one header in firmware/kernels, whose name is the kernel's, and one Kernel here. Its C function takes data
pointers and a pointer to a shape of literals. It is either inlined into the layer, so that the C compiler specialises
it, or compiled once for all layers, from the .c or .S file beside the header.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np

from harness.ir.operators.operator import INT8, INT8_WEIGHTS, TFLM_ALONE, Types
from harness.kernels.access_order import AccessOrder
from harness.kernels.context import Context
from harness.kernels.work import Work
from harness.quantization.types import Array, Rounding


@dataclass(frozen=True)
class In:
    """Pointer to input `index` of the node (a constant one becomes an array of its own)."""

    index: int = 0
    ctype: str = "int8_t"


@dataclass(frozen=True)
class Out:
    """Pointer to output `index` of the node."""

    index: int = 0
    ctype: str = "int8_t"


@dataclass(frozen=True)
class StateOf:
    """Pointer to the node's state `index`."""

    index: int = 0
    ctype: str = "uint8_t"


@dataclass(frozen=True)
class Scratch:
    """Pointer to the layer's scratch bytes."""

    ctype: str = "int8_t"


@dataclass(frozen=True, eq=False)
class ConstantTable:
    """Pointer to a constant array that the kernel packed; `name` is its suffix, `align` 0 or its alignment in bytes."""

    name: str
    ctype: str
    data: Array
    align: int = 0


@dataclass(frozen=True)
class At:
    """Pointer to `offset` bytes from the beginning of a tensor, or of the layer's scratch where `tensor` is None.

    In a Repeat it moves by `step` bytes per iteration.
    """

    tensor: int | None
    offset: int
    ctype: str = "int8_t"
    step: int = 0


@dataclass(frozen=True)
class BlockStart:
    """Pointer to `offset` bytes from the beginning of a block of the graph in which the node places tensors."""

    block: int
    ctype: str = "uint8_t"
    offset: int = 0


@dataclass(frozen=True)
class Float:
    """A float32 literal."""

    value: float


Argument: TypeAlias = In | Out | StateOf | Scratch | At | BlockStart | ConstantTable | Float


@dataclass(frozen=True)
class Call:
    """`function(arguments..., &shape)`; the shape's C type is the function's name with _shape.

    may_fail: whether it returns a number other than 0 where it could not compute, which ends the inference.
    """

    function: str
    arguments: tuple[Argument, ...]
    shape: Mapping[str, int]
    may_fail: bool = False


@dataclass(frozen=True)
class Repeat:
    """A loop: the `calls` calls from number `first` on run in order, `times` times."""

    first: int
    calls: int
    times: int


@dataclass(frozen=True)
class Branch:
    """Where the byte at `condition` is not 0, `calls` calls from number `first` on run, else `others` after them."""

    first: int
    calls: int
    others: int
    condition: Argument


@dataclass(frozen=True)
class Loop:
    """`test` calls from number `first` on run, then, while the byte at `condition` is not 0, `calls` more and they."""

    first: int
    test: int
    calls: int
    condition: Argument


@dataclass(frozen=True)
class Lowered:
    """The C code of one layer.

    Attributes:
        kernel: name that reports and the manifest show.
        scratch: bytes that the calls may use while they run.
        repeats: loops over some of the calls.
        control: what of the calls runs or not, as data tell; with `repeats` properly within each other.
    """

    kernel: str
    calls: tuple[Call, ...]
    scratch: int = 0
    repeats: tuple[Repeat, ...] = ()
    control: tuple[Branch | Loop, ...] = ()


class Kernel(ABC):
    """A way to compute some operators.

    Attributes:
        ops: operators it computes.
        types: element types it computes these with; int8, with int8 weights and int32 biases, where it does not say.
        roundings: those of a node that it computes; TFLM's, where it does not say.
        features: core features it needs (harness/hardware/cores.py).
        superseded_by: core features for which other kernels compute the same layers: where a core has one of them this
            kernel is not used, as it saves no time, and code of both would take flash.
        trades_ram: whether it buys time with so much scratch that "balanced" takes it only within a share of the RAM.
        costs_itself: whether coefficients say what it costs; else the kernels do whose calls it joins.
        costs_as: class name of the kernel whose loops are its own, and whose coefficients it takes; "" for its own.
        instructions: about how many the core executes for any layer, of a kernel that leaves the work to others.
    """

    ops: ClassVar[frozenset[str]]
    types: ClassVar[tuple[Types, ...]] = (*INT8, *INT8_WEIGHTS)
    roundings: ClassVar[frozenset[Rounding]] = TFLM_ALONE
    features: ClassVar[frozenset[str]] = frozenset()
    superseded_by: ClassVar[frozenset[str]] = frozenset()
    trades_ram: ClassVar[bool] = False
    costs_itself: ClassVar[bool] = True
    costs_as: ClassVar[str] = ""
    instructions: ClassVar[float | None] = None

    @property
    def costed_as(self) -> str:
        """Class name of the kernel whose coefficients say what it costs."""
        return self.costs_as or type(self).__name__

    def runs_on(self, features: frozenset[str]) -> bool:
        """Whether it is used on a core with these features."""
        return self.features <= features and not self.superseded_by & features

    def takes(self, types: Types | None) -> bool:
        """Whether it computes a node of these element types."""
        return types in self.types

    def applies(self, context: Context) -> bool:
        """Whether it computes this node exactly."""
        return True

    @abstractmethod
    def lower(self, context: Context) -> Lowered:
        """The calls for this node."""

    @abstractmethod
    def work(self, context: Context) -> Work:
        """How often its loops run, what it reads again, and its scratch bytes; figures are harness/compiler/cost's.

        Loops are those of the code, counted from the shapes, so that what a run costs holds for layers of any size.
        """

    def access_order(self, context: Context) -> AccessOrder | None:
        """In which order inputs are read and the output is written; harness/kernels/access_order.py has the usual ones.

        None: unknown, so that output and inputs never share bytes.
        """
        return None


def packed(data: Array, dtype: str) -> Array:
    """`data` flattened to a C-contiguous vector of `dtype`."""
    return np.ascontiguousarray(data, dtype=dtype).reshape(-1)
