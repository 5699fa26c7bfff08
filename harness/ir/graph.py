"""Graph: a network between the frontends and the compiler.

Everything is frozen. A tensor's id is its index in Graph.tensors. What a file gives as constant operands (shapes,
axes, paddings) is resolved into attributes by the frontend; a node's inputs are data and weights only. Padding is
explicit and a fused activation is a clamp in quantized units, so that passes can merge both without knowing where they
came from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

from harness.errors import GraphError
from harness.quantization.types import Array, DType, Quantization, Rounding

ABSENT = -1
"""Tensor id of an optional input that is not there."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """A value in the graph: an activation, or a constant when `data` is there.

    Attributes:
        shape: elements per dimension; () is a scalar.
        data: read-only array of `shape` and `dtype`, or None.
        source: index in subgraph 0 of the model file; None for what a pass made.
        kept: which channels of the file's tensor are left, as indices along its last dimension; None: all.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType
    quant: Quantization | None = None
    data: Array | None = None
    source: int | None = None
    kept: tuple[int, ...] | None = None

    @property
    def elements(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """Size in bytes."""
        return self.elements * self.dtype.size

    def left_of(self, whole: Array) -> Array:
        """The channels of the file's tensor `whole` that this tensor still has, see `kept`."""
        return whole if self.kept is None else whole[..., list(self.kept)]

    @property
    def q(self) -> Quantization:
        """The quantization, which must be there.

        Raises:
            GraphError: the tensor is not quantized.
        """
        if self.quant is None:
            raise GraphError(
                f"tensor '{self.name}' has no quantization parameters",
                hint="quantize the model fully to int8 (post-training quantization with int8 inputs and outputs)",
            )
        return self.quant


@dataclass(frozen=True)
class ArenaPlace:
    """Where a tensor must lie: `offset` bytes from the beginning of a block of the arena, one of the graph's."""

    block: int
    offset: int


@dataclass(frozen=True)
class Attrs:
    """Attributes of a node besides its tensors: the base class for those of every operator."""

    @property
    def places(self) -> tuple[ArenaPlace, ...]:
        """Where inputs, outputs and states, in this order, must lie; () where they may lie anywhere."""
        return ()

    @property
    def blocks(self) -> Mapping[int, tuple[int, int]]:
        """The first byte that the node uses of every block of the arena, by its number, and the byte after the last."""
        return {}

    @property
    def graphs(self) -> tuple[Graph, ...]:
        """Graphs of its own that the node runs: bodies of IF and WHILE."""
        return ()


@dataclass(frozen=True)
class NoAttrs(Attrs):
    """Of operators that their tensors define: RESHAPE, SQUEEZE, EXPAND_DIMS, LOGISTIC, TANH, RELU, QUANTIZE, ..."""


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes:
        op: TensorFlow Lite's builtin operator name, such as "CONV_2D".
        inputs: tensor ids, ABSENT for an optional one that is not there.
        outputs: tensor ids.
        states: indices into Graph.states of those that it reads or changes, in the operator's order.
        rounding: how integers are made of its results, of an operator that has several (Operator.roundings).
        sources: operator indices in subgraph 0 of the file that this node computes (several after fusing).
    """

    op: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attrs: Attrs
    sources: tuple[int, ...] = ()
    states: tuple[int, ...] = ()
    rounding: Rounding = Rounding.TFLM


@dataclass(frozen=True, eq=False)
class State:
    """What lives from one inference to the next; `initial` has its shape and dtype.

    A variable, which READ_VARIABLE and ASSIGN_VARIABLE copy, or what an operator keeps for itself, such as SVDF.
    """

    name: str
    dtype: DType
    initial: Array
    quant: Quantization | None = None

    @property
    def bytes(self) -> int:
        """Size in bytes."""
        return int(self.initial.size) * self.dtype.size


@dataclass(frozen=True, eq=False)
class Graph:
    """A network: nodes in execution order over tensors.

    Attributes:
        inputs, outputs: tensor ids in the file's order.
        states: what lives from one inference to the next, referred to by Node.states.
        model: the bytes of the file this came from (what an oracle is given); of a uint8 model those of the int8 one.
        original: the bytes of the file itself, where that is no .tflite, for oracles of its own format.
        sha256: of the file, hexadecimal; identifies the model everywhere.
        source_ops: operator name of every operator of subgraph 0 of the file, by index.
        removed: (operator index in the file, why) of operators that passes took out.
        labels: per output the names of its classes, along its last axis: text of others; () for an output without.
        notes: what the frontend decided that the file leaves open, such as sizes, for people.
    """

    name: str
    tensors: tuple[Tensor, ...]
    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    states: tuple[State, ...] = ()
    model: bytes = b""
    original: bytes = b""
    sha256: str = ""
    source_ops: tuple[str, ...] = ()
    removed: tuple[tuple[int, str], ...] = ()
    labels: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def follows_tflm(self) -> bool:
        """Whether every operator rounds as TFLM does: else TFLM, and others that run its file, give other numbers."""
        return all(node.rounding is Rounding.TFLM for node in self.nodes)

    def labels_of(self, output: int) -> tuple[str, ...]:
        """Names of the classes of an output, by its number; () where they are not known."""
        return self.labels[output] if output < len(self.labels) else ()

    def producers(self) -> Mapping[int, int]:
        """Index of the node that writes each tensor."""
        return self._producers

    def consumers(self) -> Mapping[int, Sequence[int]]:
        """Indices of the nodes that read each tensor, in order."""
        return self._consumers

    def places(self) -> Mapping[int, ArenaPlace]:
        """Tensors that must lie at a place, since a node says so; by the first that does."""
        return self._places

    def state_places(self) -> Mapping[int, ArenaPlace]:
        """The same of states, by their number."""
        found: dict[int, ArenaPlace] = {}
        for node in self.nodes:
            behind = node.attrs.places[len(node.inputs) + len(node.outputs) :]
            found.update(zip(node.states, behind, strict=False))
        return found

    @cached_property
    def _places(self) -> dict[int, ArenaPlace]:
        found: dict[int, ArenaPlace] = {}
        for node in self.nodes:
            for t, place in zip((*node.inputs, *node.outputs), node.attrs.places, strict=False):
                if self.tensors[t].data is None:
                    found.setdefault(t, place)
        return found

    @cached_property
    def _producers(self) -> dict[int, int]:
        return {t: i for i, node in enumerate(self.nodes) for t in node.outputs}

    @cached_property
    def _consumers(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for i, node in enumerate(self.nodes):
            for t in dict.fromkeys(node.inputs):
                if t != ABSENT:
                    found.setdefault(t, []).append(i)
        return found
