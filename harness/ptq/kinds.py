"""Which integers stand for each float tensor: one type for all, or some layers in int16 and some with int4 weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harness.ir.graph import Graph
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


def planned(graph: Graph, usual: DType, wide: frozenset[int]) -> tuple[Graph, Kinds]:
    """The network with copies where a layer of one type reads, or the network gives, what another type writes."""
    kinds = Kinds(usual)
    for tensor in sorted(wide):
        kinds = kinds.with_tensor(tensor, DType.INT16)
    for tensor in sorted(wide | set(graph.inputs) | {t for node in graph.nodes for t in node.outputs}):
        graph, kinds = _copied(graph, kinds, tensor, wide)
    for node in graph.nodes:
        for t in roles(graph, node).data:
            if graph.tensors[t].data is not None and wide & set(node.outputs):
                kinds = kinds.with_tensor(t, DType.INT16)
    return graph, kinds


def _copied(graph: Graph, kinds: Kinds, tensor: int, wide: frozenset[int]) -> tuple[Graph, Kinds]:
    """The network in which all that want a tensor in another type than it has read a copy."""
    if graph.tensors[tensor].dtype is not FLOAT:
        return graph, kinds
    own = kinds.of(tensor)
    other = kinds.usual if own is not kinds.usual else DType.INT16
    readers = {
        index
        for index in graph.consumers().get(tensor, ())
        if (DType.INT16 if wide & set(graph.nodes[index].outputs) else kinds.usual) is other
        and tensor in roles(graph, graph.nodes[index]).data
        and not _only_copies(graph, index)
    }
    given = tensor in graph.outputs and other is kinds.usual
    if other is own or not (readers or given):
        return graph, kinds
    copy = len(graph.tensors)
    graph = requantized_copy(graph, tensor, readers)
    if given:
        graph = replace(graph, outputs=tuple(copy if t == tensor else t for t in graph.outputs))
    return graph, Kinds(kinds.usual, {**kinds.others, copy: other})


def _only_copies(graph: Graph, index: int) -> bool:
    """Whether a node requantizes and does nothing else, as those that were put in before."""
    operator = operator_of(graph.nodes[index])
    return operator.has(Trait.SAME_VALUES) and not operator.one_scale
