"""Random networks of every operator and element type: branches, states, several inputs and outputs.

    graph = mixed_graph(rng)
    vectors = random_inputs(graph, rng, 3)

A network grows operator by operator. Each is drawn by its own builder, as for a graph of its own; what the builder asks
for as input is a tensor that is there already, made to its type, scale and shape where it differs, or a new input of
the network. So an operator that has a builder takes part, and nothing else is to be said of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from math import prod

import numpy as np

from harness.ir.graph import Attrs, Graph, NoAttrs, Tensor
from harness.ir.operators import OPERATORS, operator_of
from harness.ir.operators.joining import ConcatAttrs
from harness.ir.operators.pad import PadAttrs, padding_of
from harness.ir.operators.strided_slice import SliceAttrs
from harness.quantization.types import DType, Quantization
from tests.support.builders import BUILDERS
from tests.support.draft import QUANTIZED, Draft, Rng, between, chance, pick, quantization

FEWEST, MOST = 5, 30
"""Operators of a network."""

_LARGEST = 512
"""Elements of tensors that are read again."""
_LONGEST = 48
_RANK = 5
_INPUTS = 5
"""Inputs of a network, beyond which tensors are read that are there."""
_SCALES = 2.0**-10, 1.0
"""Of what is read as it is: the scales that builders draw for inputs. Others are brought back by QUANTIZE."""


def mixed_graphs(seed: int, count: int) -> list[Graph]:
    """So many of them; those of other seeds are others."""
    return [mixed_graph(np.random.default_rng([seed, number])) for number in range(count)]


def mixed_graph(rng: Rng, operators: Sequence[str] = tuple(BUILDERS)) -> Graph:
    """A network of `operators`, half of the time of a few of them, and of those that go between."""
    network = Network(rng)
    if chance(rng, 0.5):
        operators = [pick(rng, *operators) for _ in range(between(rng, 2, 6))]
    wanted = between(rng, FEWEST, MOST)
    while len(network.nodes) < wanted:
        network = network.grown(pick(rng, *operators))
    return network.finish("mixed", network.ends())


@dataclass
class Network(Draft):
    """A Draft whose builders read what is there."""

    def grown(self, operator: str) -> Network:
        """With one more operator; as it is where that would be too many."""
        more = copy(self)
        for part in ("tensors", "nodes", "inputs", "states"):
            setattr(more, part, list(getattr(self, part)))
        BUILDERS[operator](more, None)
        return more if len(more.nodes) <= MOST else self

    def ends(self) -> tuple[int, ...]:
        """Outputs: what nobody reads, and now and then what somebody does."""
        read = {t for node in self.nodes for t in node.inputs}
        made = [t for node in self.nodes for t in node.outputs]
        ends = [t for t in made if t not in read or chance(self.rng, 0.05)]
        return tuple(ends or made[-1:])

    def offered(self, types: Sequence[DType], low: int, high: int) -> int | None:
        """See Draft."""
        fitting = [t for t in self._there() if self.tensors[t].dtype in types and low <= len(self.shape(t)) <= high]
        if not fitting or chance(self.rng, 0.15):
            return None
        return self._in_range(self._chosen(fitting))

    def requantized(self, x: int, quant: Quantization) -> int:
        """See Draft."""
        return self._as(x, self.tensors[x].dtype, quant) if _fits(self.tensors[x], quant.scale) else x

    def input(self, shape: tuple[int, ...], quant: Quantization | None = None, dtype: DType = DType.INT8) -> int:
        """A tensor that is there, made to be such, or a new input."""
        wanted = prod(shape)
        few = [t for t in self._there() if wanted <= 8 * self.tensors[t].elements]
        ready = [t for t in few if self.tensors[t].dtype is dtype and quant in (None, self.tensors[t].quant)]
        others = [t for t in few if self._conversion(t, dtype, quant) and wanted < _LARGEST]
        fresh = 0.25 if len(self.inputs) < _INPUTS else 0.0
        sources = ready if ready and chance(self.rng, 0.7) else others or ready
        if not sources or chance(self.rng, fresh):
            return super().input(shape, quant, dtype)
        x = self._as(self._chosen(sources), dtype, quant)
        return self._shaped(x, shape) or super().input(shape, quant, dtype)

    def node(
        self, op: str, inputs: tuple[int, ...], outputs: tuple[int, ...], attrs: Attrs, states: tuple[int, ...] = ()
    ) -> int:
        """See Draft; floats that become integers are within their range, beyond which no C says what they are."""
        x, y = (self.tensors[ids[0]] if ids else None for ids in (inputs, outputs))
        if x is not None and y is not None and x.dtype is DType.FLOAT32 and x.shape == y.shape and len(inputs) == 1:
            if y.dtype in QUANTIZED and y.quant is not None and op == "QUANTIZE":
                inputs = (self._bounded(inputs[0], *(1.5 * n * y.q.scale for n in y.dtype.range)),)
            elif y.dtype not in (DType.FLOAT32, DType.BOOL):
                low, high = y.dtype.range
                inputs = (self._bounded(inputs[0], low, np.nextafter(np.float32(high), np.float32(0))),)
        return super().node(op, inputs, outputs, attrs, states)

    def _there(self) -> list[int]:
        """Tensors to read; not those of which TFLM leaves parts as memory had them."""
        whole = [node for node in self.nodes if operator_of(node).unwritten is None]
        made = [*self.inputs, *(t for node in whole for t in node.outputs)]
        return [t for t in made if _is_read(self.tensors[t])]

    def _chosen(self, among: Sequence[int]) -> int:
        """One of them; rather one that nobody reads yet."""
        read = {t for node in self.nodes for t in node.inputs}
        loose = [t for t in among if t not in read]
        return pick(self.rng, *(loose if loose and chance(self.rng, 0.6) else among))

    def _in_range(self, x: int) -> int:
        """x with a scale as inputs have it."""
        tensor = self.tensors[x]
        if tensor.dtype not in QUANTIZED or (tensor.quant and _SCALES[0] <= tensor.quant.scale <= _SCALES[1]):
            return x
        y = self.tensor(tensor.shape, quantization(self.rng, tensor.dtype), tensor.dtype)
        return self.node("QUANTIZE" if tensor.quant else "CAST", (x,), (y,), NoAttrs())

    def _as(self, x: int, dtype: DType, quant: Quantization | None) -> int:
        """x as another element type, with other scales where they are given."""
        tensor = self.tensors[x]
        if quant is None and tensor.dtype is dtype:
            return self._in_range(x)
        if (tensor.dtype, tensor.quant) == (dtype, quant):
            return x
        op = self._conversion(x, dtype, quant)
        if op is None:
            return super().input(tensor.shape, quant, dtype)
        if quant is None and dtype in QUANTIZED:
            quant = quantization(self.rng, dtype)
        return self.node(op, (x,), (self.tensor(tensor.shape, quant, dtype),), NoAttrs())

    def _conversion(self, x: int, dtype: DType, quant: Quantization | None) -> str | None:
        """The operator that makes x that type."""
        tensor = self.tensors[x]
        real, scaled = tensor.dtype is DType.FLOAT32, tensor.quant is not None
        finest = _SCALES[0] if quant is None else quant.scale
        sound = {
            "QUANTIZE": (real or (scaled and _fits(tensor, finest))) and (dtype in QUANTIZED or quant is not None),
            "DEQUANTIZE": scaled,
            "CAST": True,
        }
        for op in (op for op, fits in sound.items() if fits):
            if any((types.x, types.y) == (tensor.dtype, dtype) for types in OPERATORS[op].types):
                return op
        return None

    def _bounded(self, x: int, low: float, high: float) -> int:
        """A float within low..high; NaN becomes one of these."""
        for op, bound in (("MINIMUM", high), ("MAXIMUM", low)):
            limit = self.constant(np.full((1,) * len(self.shape(x)), bound, np.float32), None)
            x = super().node(op, (x, limit), (self.like(x, self.shape(x)),), NoAttrs())
        return x

    def _shaped(self, x: int, shape: tuple[int, ...]) -> int | None:
        """x with another shape: some of its elements, or repeated, or amid zeros. None where no operator does it."""
        have, want = self.tensors[x].elements, prod(shape)
        if have > want:
            x = self._cut(x, want) if self._does("SLICE", x) else -1
        elif have < want:
            ways = [op for op in ("PAD", "CONCATENATION", "BROADCAST_TO") if self._does(op, x)]
            way = pick(self.rng, *ways) if ways else ""
            x = getattr(self, f"_by_{way.lower()}")(x, want) if way else -1
        return None if x < 0 else self._reshaped(x, shape)

    def _does(self, op: str, x: int) -> bool:
        return any(types.x is self.tensors[x].dtype for types in OPERATORS[op].types)

    def _reshaped(self, x: int, shape: tuple[int, ...]) -> int:
        if self.shape(x) == shape:
            return x
        return self.node("RESHAPE", (x,), (self.like(x, shape),), NoAttrs())

    def _cut(self, x: int, count: int) -> int:
        flat = self._reshaped(x, (self.tensors[x].elements,))
        attrs = SliceAttrs((between(self.rng, 0, self.shape(flat)[0] - count),), (1,), (count,))
        op = pick(self.rng, "SLICE", "STRIDED_SLICE")
        return self.node(op, (flat,), (self.like(x, (count,)),), attrs)

    def _by_pad(self, x: int, count: int) -> int:
        flat = self._reshaped(x, (self.tensors[x].elements,))
        missing = count - self.shape(flat)[0]
        before = between(self.rng, 0, missing)
        attrs = PadAttrs(((before, missing - before),), padding_of(self.tensors[x]))
        return self.node("PAD", (flat,), (self.like(x, (count,)),), attrs)

    def _by_concatenation(self, x: int, count: int) -> int:
        flat = self._reshaped(x, (self.tensors[x].elements,))
        times, rest = divmod(count, self.shape(flat)[0])
        parts = [flat] * times + ([self._cut(flat, rest)] if rest and self._does("SLICE", x) else [])
        whole = sum(self.shape(part)[0] for part in parts)
        attrs = ConcatAttrs(0, self.tensors[x].dtype.range)
        made = self.node("CONCATENATION", tuple(parts), (self.like(x, (whole,)),), attrs)
        return made if whole == count else -1

    def _by_broadcast_to(self, x: int, count: int) -> int:
        have = self.tensors[x].elements
        times = -(-count // have)
        row = self._reshaped(x, (1, have))
        made = self.node("BROADCAST_TO", (row,), (self.like(x, (times, have)),), NoAttrs())
        return made if times * have == count else self._cut(made, count) if self._does("SLICE", x) else -1


def _is_read(tensor: Tensor) -> bool:
    """Whether a tensor is small enough to be read again, and of a scale that QUANTIZE brings back."""
    scaled = tensor.dtype not in QUANTIZED or tensor.quant is None or _fits(tensor, _SCALES[0])
    small = tensor.elements <= _LARGEST and max((*tensor.shape, 1)) <= _LONGEST
    return scaled and small and len(tensor.shape) <= _RANK


def _fits(tensor: Tensor, scale: float) -> bool:
    """Whether all values of a quantized tensor fit 32 bits at another scale; elsewhere TFLM wraps."""
    return tensor.q.scale / scale * 2.0**tensor.dtype.size * 2 ** (7 * tensor.dtype.size) < 2**29
