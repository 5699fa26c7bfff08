"""Which integers stand for each float tensor: one type for all, or some layers in int16 and some with int4 weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harness.ir.graph import Graph, Node
from harness.ir.operators import operator_of
from harness.ir.operators.traits import Trait
from harness.ptq.network import FLOAT, has_form, requantized_copy, roles
from harness.quantization.types import DType


@dataclass(frozen=True)
class LayerPlan:
    """Layers that differ from the scheme, each by the tensor of the prepared network that it writes.

    Attributes:
        wide: compute with int16 activations, between QUANTIZE operators.
        narrow: have weights of 4 bits.
    """

    wide: frozenset[int] = frozenset()
    narrow: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.wide or self.narrow)


AS_THE_SCHEME = LayerPlan()


@dataclass(frozen=True)
class Kinds:
    """The type of each float tensor.

    Attributes:
        usual: of all but
        others: these.
    """

    usual: DType
    others: Mapping[int, DType] = field(default_factory=dict)

    def of(self, tensor: int) -> DType:
        """Of one tensor."""
        return self.others.get(tensor, self.usual)

    def with_tensor(self, tensor: int, dtype: DType) -> Kinds:
        """The same, and the type of a tensor."""
        return self if dtype is self.usual else replace(self, others={**self.others, tensor: dtype})


def can_be_wide(graph: Graph, tensor: int) -> bool:
    """Whether the layer that writes a tensor has a form of int16."""
    index = graph.producers().get(tensor)
    return index is not None and has_form(graph, graph.nodes[index], DType.INT16)


def floating(graph: Graph, usual: DType) -> dict[int, DType]:
    """What layers without a form of integers write; they stay float32."""
    return {
        t: FLOAT for node in graph.nodes if not has_form(graph, node, usual) for t in node.outputs
    }


def planned(graph: Graph, usual: DType, special: Mapping[int, DType]) -> tuple[Graph, Kinds]:
    """The network with copies where a layer of one type reads what another type writes, or would give int16.

    Args:
        graph: the prepared network.
        usual: type of all layers but
        special: those that write these tensors.
    """
    kinds = Kinds(usual, dict(special))
    for tensor in sorted(set(graph.inputs) | {t for node in graph.nodes for t in node.outputs}):
        for wanted in (usual, DType.INT16, FLOAT):
            graph, kinds = _copied(graph, kinds, tensor, wanted)
    for node in graph.nodes:
        kind, own = _kind(node, kinds), roles(graph, node)
        constants = [t for t in own.data if graph.tensors[t].data is not None]
        weighted = [t for t in (own.weights, own.bias, *own.held) if t is not None and kind is FLOAT]
        for t in (*constants, *weighted):
            kinds = kinds.with_tensor(t, kind)
    return graph, kinds


def _kind(node: Node, kinds: Kinds) -> DType:
    """The type in which a node reads and computes."""
    return next((kinds.of(t) for t in node.outputs), kinds.usual)


def _copied(graph: Graph, kinds: Kinds, tensor: int, wanted: DType) -> tuple[Graph, Kinds]:
    """The network in which all that want a tensor in one type read a copy, where it has another."""
    if graph.tensors[tensor].dtype is not FLOAT or kinds.of(tensor) is wanted:
        return graph, kinds
    readers = {
        index
        for index in graph.consumers().get(tensor, ())
        if _kind(graph.nodes[index], kinds) is wanted
        and tensor in roles(graph, graph.nodes[index]).data
        and not _only_copies(graph, index)
    }
    given = tensor in graph.outputs and wanted is kinds.usual and kinds.of(tensor) is DType.INT16
    if not (readers or given):
        return graph, kinds
    copy = len(graph.tensors)
    graph = requantized_copy(graph, tensor, readers, "DEQUANTIZE" if wanted is FLOAT else "QUANTIZE")
    if given:
        graph = replace(graph, outputs=tuple(copy if t == tensor else t for t in graph.outputs))
    return graph, Kinds(kinds.usual, {**kinds.others, copy: wanted})


def _only_copies(graph: Graph, index: int) -> bool:
    """Whether a node requantizes and does nothing else, as those that were put in before."""
    operator = operator_of(graph.nodes[index])
    return operator.has(Trait.SAME_VALUES) and not operator.one_scale
