"""The network that lowerings emit operators to, and its values in the order of dimensions that each asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np

from harness.errors import GraphError
from harness.frontends.onnx.value import OnnxValue, identity
from harness.ir.graph import ABSENT, Attrs, Graph, NoAttrs, Node, State, Tensor
from harness.ir.operators.tflite import Unsupported
from harness.ir.operators.transpose import TransposeAttrs
from harness.ir.verifier import verify_node
from harness.quantization.types import Array, DType, Quantization

_KNOWN = frozenset(dtype.value for dtype in DType)
INT32 = range(-(1 << 31), 1 << 31)
_MOST_TURNED = 5
"""Dimensions of TFLM's TRANSPOSE."""
_TURNED = frozenset({DType.FLOAT32, DType.INT8, DType.INT16})


def stored_type(dtype: DType) -> DType:
    """The element type in which values of an ONNX type are stored."""
    return {DType.INT64: DType.INT32, DType.UINT8: DType.INT8}.get(dtype, dtype)


def stored_data(data: Array) -> Array:
    """A constant as it is stored: int64 as int32, where it fits.

    Raises:
        Unsupported: it does not.
    """
    if data.dtype != np.int64:
        return data
    if data.size and not (int(data.min()) in INT32 and int(data.max()) in INT32):
        raise Unsupported("int64 constants beyond 32 bits")
    return data.astype(np.int32)


@dataclass
class Network:
    """Tensors and operators so far.

    Attributes:
        owners: by tensor id the names of the ONNX values that it is.
        remaining: how often each name will be read yet, graph outputs included.
        reads: how many operators read each tensor.
        quantizes: whether there are int8 activations.
        naming: the name of the ONNX value whose operators are emitted.
        weights: by tensor id of a constant, how it came out of integers (see OnnxValue.integers), already reordered.
    """

    tensors: list[Tensor] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    weights: dict[int, tuple[Array, Quantization]] = field(default_factory=dict)
    naming: str = ""
    quantizes: bool = False
    owners: dict[int, set[str]] = field(default_factory=dict)
    remaining: Counter[str] = field(default_factory=Counter)
    reads: Counter[int] = field(default_factory=Counter)
    _orders: dict[tuple[int, tuple[int, ...]], int] = field(default_factory=dict)
    _producers: dict[int, int] = field(default_factory=dict)

    def tensor(self, name: str, shape: Sequence[int], dtype: DType, quant: Quantization | None = None) -> int:
        """A new tensor without a producer."""
        self.tensors.append(Tensor(name, tuple(int(n) for n in shape), dtype, quant))
        return len(self.tensors) - 1

    def constant(self, data: Array, name: str = "", quant: Quantization | None = None) -> int:
        """A new constant."""
        data = np.ascontiguousarray(stored_data(data)).reshape(data.shape)
        if data.dtype.name not in _KNOWN:
            raise Unsupported(f"a constant of type {data.dtype}")
        if data.dtype == np.float32 and not np.isfinite(data).all():
            raise Unsupported("a constant that is infinite or no number")
        dtype = DType(data.dtype.name)
        self.tensors.append(Tensor(name or f"{self.naming}/constant", data.shape, dtype, quant, data))
        return len(self.tensors) - 1

    def emit(
        self,
        op: str,
        inputs: Sequence[int],
        shape: Sequence[int],
        attrs: Attrs | None = None,
        dtype: DType | None = None,
        quant: Quantization | None = None,
        states: tuple[int, ...] = (),
    ) -> int:
        """A new operator of one output, of the first input's type unless another is given; returns the output.

        Raises:
            Unsupported: the network's verifier refuses it.
        """
        dtype = dtype or self.tensors[inputs[0]].dtype
        return self.emit_all(op, inputs, [tuple(shape)], attrs, dtype, quant, states)[0]

    def emit_all(
        self,
        op: str,
        inputs: Sequence[int],
        shapes: Sequence[tuple[int, ...]],
        attrs: Attrs | None,
        dtype: DType,
        quant: Quantization | None = None,
        states: tuple[int, ...] = (),
    ) -> list[int]:
        """The same with several outputs."""
        outs = [self.tensor(f"{self.naming}/{op.lower()}", shape, dtype, quant) for shape in shapes]
        node = Node(op, tuple(inputs), tuple(outs), attrs or NoAttrs(), states=states)
        self.check(node)
        self.reads.update(set(inputs))
        self._producers.update(dict.fromkeys(outs, len(self.nodes)))
        self.nodes.append(node)
        return outs

    def check(self, node: Node) -> None:
        """Verifies an operator by itself.

        Raises:
            Unsupported: it breaks a rule.
        """
        used = [t for t in dict.fromkeys((*node.inputs, *node.outputs)) if t != ABSENT]
        ids = {t: i for i, t in enumerate(used)} | {ABSENT: ABSENT}
        alone = replace(node, inputs=tuple(ids[t] for t in node.inputs), outputs=tuple(ids[t] for t in node.outputs))
        try:
            verify_node(Graph("", tuple(self.tensors[t] for t in used), (alone,), (), (), tuple(self.states)), 0)
        except GraphError as error:
            said = error.message.partition(f"({node.op}) ")[2] or error.message
            raise Unsupported(f"{node.op} that {said}") from None

    def producer(self, tensor: int) -> int | None:
        """Index of the operator that writes a tensor."""
        return self._producers.get(tensor)

    def replace_node(self, index: int, node: Node) -> None:
        """Another operator with the same outputs."""
        self.check(node)
        self.nodes[index] = node

    def shifted(self, given: int, name: str) -> int:
        """A uint8 input as int8, less 128; its scale is known when an operator reads it, see set_quant."""
        unit = Quantization((1.0,), (0,))
        self.naming = name
        self.tensors[given] = replace(self.tensors[given], quant=unit)
        shape = self.tensors[given].shape
        lower = Quantization((1.0,), (-128,))
        tensor = self.emit("QUANTIZE", [given], shape, None, DType.INT8, lower)
        self.tensors[tensor] = replace(self.tensors[tensor], quant=None)
        return tensor

    def set_quant(self, tensor: int, quant: Quantization) -> None:
        """Scale and zero point of an int8 tensor that has none; of a uint8 input that it was made of, too."""
        self.tensors[tensor] = replace(self.tensors[tensor], quant=quant)
        self.quantizes = True
        made = self.producer(tensor)
        if made is not None:
            source = self.nodes[made].inputs[0]
            if self.tensors[source].dtype is DType.UINT8:
                shifted = replace(quant, zero_points=tuple(z + 128 for z in quant.zero_points))
                self.tensors[source] = replace(self.tensors[source], quant=shifted)

    # --- values ------------------------------------------------------------------------------------------------------

    def made(
        self, shape: Sequence[int], tensor: int, order: Sequence[int] | None = None, dtype: DType | None = None
    ) -> OnnxValue:
        """The value of ONNX shape `shape` that a stored tensor is."""
        wanted = tuple(int(n) for n in shape)
        order = identity(len(wanted)) if order is None else tuple(order)
        stored = self.tensors[tensor]
        if stored.shape != tuple(wanted[i] for i in order):
            raise Unsupported(f"{list(stored.shape)} where ONNX has {list(wanted)}")
        return OnnxValue(self.naming, wanted, dtype or stored.dtype, None, tensor, order)

    def reshaped(self, tensor: int, shape: Sequence[int]) -> int:
        """A stored tensor's elements under another shape."""
        shape = tuple(int(n) for n in shape)
        stored = self.tensors[tensor]
        if stored.shape == shape:
            return tensor
        if stored.data is not None:
            return self.constant(stored.data.reshape(shape), stored.name, stored.quant)
        index = self.producer(tensor)
        if index is not None and self.nodes[index].op == "RESHAPE":
            return self.reshaped(self.nodes[index].inputs[0], shape)
        return self.emit("RESHAPE", [tensor], shape, quant=stored.quant)

    def transposed(self, tensor: int, order: Sequence[int]) -> int:
        """A stored tensor with its dimension order[i] as dimension i."""
        key = (tensor, tuple(order))
        if key[1] == identity(len(key[1])):
            return tensor
        if key not in self._orders:
            self._orders[key] = self._transpose(tensor, key[1])
        return self._orders[key]

    def _transpose(self, tensor: int, order: tuple[int, ...]) -> int:
        stored = self.tensors[tensor]
        shape = tuple(stored.shape[i] for i in order)
        long = [i for i in order if stored.shape[i] > 1]
        if long == sorted(long):
            return self.reshaped(tensor, shape)
        if stored.dtype not in _TURNED:
            raise Unsupported(f"a transposed {stored.dtype.value}")
        if len(order) <= _MOST_TURNED:
            return self.emit("TRANSPOSE", [tensor], shape, TransposeAttrs(order), quant=stored.quant)
        # Neighbours that stay together are one dimension.
        runs = [[long[0]]]
        for i in long[1:]:
            between = range(runs[-1][-1] + 1, i)
            if i > runs[-1][-1] and all(stored.shape[k] == 1 for k in between):
                runs[-1].append(i)
            else:
                runs.append([i])
        inner = sorted(runs)
        sizes = [prod(stored.shape[i] for i in run) for run in inner]
        turned = tuple(inner.index(run) for run in runs)
        joined = self.reshaped(tensor, sizes)
        moved = self.emit(
            "TRANSPOSE", [joined], [sizes[i] for i in turned], TransposeAttrs(turned), quant=stored.quant
        )
        return self.reshaped(moved, shape)

    def stored(self, value: OnnxValue, order: Sequence[int] | None = None) -> int:
        """The tensor of a value with its dimensions in `order`, by default ONNX's own."""
        order = identity(value.rank) if order is None else tuple(order)
        if value.data is not None:
            return self.constant(np.transpose(value.data, order), value.name)
        if value.columns is not None:
            raise Unsupported("a flattened image outside of a fully connected layer")
        return self.transposed(value.tensor, [value.order.index(i) for i in order])

    def is_free(self, value: OnnxValue, order: Sequence[int]) -> bool:
        """Whether `stored` in that order moves nothing."""
        if value.data is not None:
            return True
        long = [i for i in order if value.shape[i] > 1]
        return long == [i for i in value.order if value.shape[i] > 1]
