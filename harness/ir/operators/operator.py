"""The record of an operator: types, verifier rule, specification, traits and file format, but not its kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from harness.errors import GraphError
from harness.ir.graph import ABSENT, Attrs, Graph, NoAttrs, Node, Tensor
from harness.ir.operators.moves import Move
from harness.ir.operators.operands import Compute, Inputs, Operands
from harness.ir.operators.tflite import TfliteForm
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import Rule
from harness.quantization.types import Array, DType, Rounding

Count: TypeAlias = tuple[int, int]
"""(least, most)."""

EIGHT_BITS = (DType.INT8, DType.UINT8)
"""Element types that a table of 256 bytes covers."""


@dataclass(frozen=True)
class Types:
    """One combination of element types with which an operator is computed; see Operator.types.

    Attributes:
        x, y: of all data inputs, and of all outputs.
        weights, bias: of an operator with weights.
        apart: (position, type) of data inputs that are not of type x, such as indices and conditions.
        states: of the states, in the operator's order.
        aside: (position, type) of outputs that are not of type y.
        free: whether inputs and outputs may be of any types; the operator's rule looks at them.
    """

    x: DType
    y: DType
    weights: DType | None = None
    bias: DType | None = None
    apart: tuple[tuple[int, DType], ...] = ()
    states: tuple[DType, ...] = ()
    aside: tuple[tuple[int, DType], ...] = ()
    free: bool = False

    def made(self, position: int) -> DType:
        """Of the output at `position`."""
        return next((dtype for place, dtype in self.aside if place == position), self.y)

    def data(self, position: int) -> DType:
        """Of the data input at `position`."""
        return next((dtype for place, dtype in self.apart if place == position), self.x)

    def fits(self, reads: Sequence[DType | None], writes: Sequence[DType], states: Sequence[DType] = ()) -> bool:
        """Whether data inputs (None: one that is not there), outputs and states are of these types."""
        if self.free:
            return True
        sound = all(dtype in (None, self.data(i)) for i, dtype in enumerate(reads)) and tuple(states) == self.states
        return sound and all(dtype is self.made(i) for i, dtype in enumerate(writes))


INT8 = (Types(DType.INT8, DType.INT8),)
"""int8 throughout."""

INT8_WEIGHTS = (Types(DType.INT8, DType.INT8, weights=DType.INT8, bias=DType.INT32),)
"""The same with weights and biases."""

INT16_WEIGHTS = tuple(
    Types(DType.INT16, DType.INT16, weights=DType.INT8, bias=bias) for bias in (DType.INT64, DType.INT32)
)
"""16x8: int16 activations, int8 weights."""

BYTES = tuple(Types(x, y) for x in EIGHT_BITS for y in EIGHT_BITS)
"""From one 8-bit type to another."""

ANY = tuple(Types(dtype, dtype) for dtype in DType)
"""Any type; outputs have the inputs' type."""


def same(*dtypes: DType) -> tuple[Types, ...]:
    """Each of these types throughout."""
    return tuple(Types(dtype, dtype) for dtype in dtypes)



def _never(graph: Graph, node: Node) -> bool:
    return False


def _nothing(graph: Graph, node: Node) -> int | None:
    return None


def _none(graph: Graph, node: Node) -> int:
    return 0


TFLM_ALONE = frozenset({Rounding.TFLM})
ONNX_ALONE = frozenset({Rounding.ONNX})
EITHER_ROUNDING = frozenset(Rounding)

_ONE_SCALE = {Trait.ONE_SCALE, Trait.AS_THEY_ARE, Trait.SAME_BYTES}


@dataclass(frozen=True)
class Operator:
    """An operator.

    Attributes:
        name: TensorFlow Lite's name of it.
        verify: the rule of the verifier for a node whose types and numbers of operands are right.
        compute: its numpy specification.
        attrs: class of a node's attributes.
        inputs, outputs, states: how many there are; None: a node has as many states as it wants.
        optional: positions of inputs that may be ABSENT.
        types: the type policy: the combinations of element types with which it is computed.
        traits: what passes, fusion and kernels may rely on.
        tflite: its form in a .tflite file; None for an operator that only passes make.
        channel_axis: dimension of the weights along which output channels lie.
        macs: multiply-accumulates, padding included, bias and requantization not.
        changes_nothing: whether a node's output has its input's bytes, perhaps under another shape.
        moves: of an operator that only copies elements: which ones where.
        ulp: of float32: how far TFLM's results on a host may lie from the specification, in units in the last place; 0:
            they are the same bits.
        ulp_least: those of results nearer 0 than this are counted in units of this: of sums that may cancel.
        filler: the value of output elements that no move writes; None where moves write all.
        fixed_scales: type -> (scale, zero point) that an output of this type always has.
        roundings: those that nodes of int8 outputs may have.
        unwritten: what replaces a reference's outputs, where it leaves some elements as memory had them.
    """

    name: str
    verify: Rule
    compute: Compute
    attrs: type[Attrs] = NoAttrs
    inputs: Count = (1, 1)
    outputs: Count = (1, 1)
    states: int | None = 0
    optional: frozenset[int] = frozenset()
    types: tuple[Types, ...] = INT8
    traits: frozenset[Trait] = frozenset()
    tflite: TfliteForm | None = None
    channel_axis: int | None = None
    macs: Callable[[Graph, Node], int] = _none
    changes_nothing: Callable[[Graph, Node], bool] = _never
    moves: Callable[[Graph, Node], tuple[Move, ...]] | None = None
    filler: Callable[[Graph, Node], int | None] = _nothing
    fixed_scales: Mapping[DType, tuple[float, int]] = field(default_factory=dict)
    ulp: int = 0
    ulp_least: float = 0.0
    roundings: frozenset[Rounding] = TFLM_ALONE
    unwritten: Callable[[Sequence[Array]], tuple[Array, ...]] | None = None

    def has(self, trait: Trait) -> bool:
        """Whether it has a trait."""
        return trait in self.traits

    @property
    def one_scale(self) -> bool:
        """Whether integer inputs and outputs have one scale and zero point."""
        return self.moves is not None or bool(self.traits & _ONE_SCALE)

    @property
    def stateful(self) -> bool:
        """Whether what it computes depends on more than its inputs, or changes more than its outputs."""
        return self.has(Trait.READS_STATE) or self.has(Trait.WRITES_STATE)

    def data_inputs(self, node: Node) -> tuple[int, ...]:
        """Tensor ids of a node's inputs without weights and bias."""
        return node.inputs[:1] if self.has(Trait.WEIGHTS) else node.inputs

    def types_of(self, graph: Graph, node: Node) -> Types | None:
        """The row of the type policy that a node's tensors are of; None where there is none."""
        tensors = graph.tensors
        reads = [None if t == ABSENT else tensors[t].dtype for t in self.data_inputs(node)]
        writes = [tensors[t].dtype for t in node.outputs]
        states = [graph.states[i].dtype for i in node.states]
        constants = [tensors[t].dtype for t in node.inputs[len(reads) :] if t != ABSENT]
        for types in self.types:
            own = zip(constants, (types.weights, types.bias), strict=False)
            if types.fits(reads, writes, states) and all(dtype is wanted for dtype, wanted in own):
                return types
        return None

    def values(self, inputs: Inputs, operands: Operands) -> tuple[Array, ...]:
        """The outputs, by the specification, and behind them the states where it changes them."""
        return self.compute(inputs, operands)

    def byte_table(self, x: Tensor, y: Tensor, attrs: Attrs) -> Array:
        """The results of an ELEMENTWISE operator for every 8-bit input q: 256 elements of y's type, at q - lowest of x.

        Raises:
            GraphError: it is not elementwise, or its input is not 8 bits wide.
        """
        if not self.has(Trait.ELEMENTWISE):
            raise GraphError(f"no table for {self.name}", hint="elementwise operators have one")
        if x.dtype not in EIGHT_BITS:
            raise GraphError(f"no table over '{x.name}' of type {x.dtype.value}", hint="tables are for 8-bit inputs")
        low, high = x.dtype.range
        every = np.arange(low, high + 1).astype(x.dtype.numpy)
        (table,) = self.values([every], Operands([replace(x, shape=(256,))], [replace(y, shape=(256,))], attrs))
        return table
