"""Kernels are for the element types that they name, and for no others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.compiler.choice import candidates
from harness.errors import CompileError
from harness.hardware.target import Target
from harness.ir.graph import Graph
from harness.ir.operators import OPERATORS, operator_of
from harness.ir.operators.traits import Trait
from harness.kernels.context import Context
from harness.kernels.discovery import all_kernels
from harness.quantization.types import DType
from tests.support.builders import BUILDERS
from tests.support.generated import random_graph

INT8, INT16 = (DType.INT8, DType.INT8), (DType.INT16, DType.INT16)
WITHOUT_INT16 = sorted(
    name
    for name in BUILDERS
    if not OPERATORS[name].has(Trait.OF_SHAPE)  # never computed on a device
    and INT8 in (pairs := {(types.x, types.y) for types in OPERATORS[name].types}) and INT16 not in pairs
)


def of_type(graph: Graph, dtype: DType) -> Graph:
    """The graph with activations of another type."""
    tensors = tuple(t if t.data is not None else replace(t, dtype=dtype) for t in graph.tensors)
    return replace(graph, tensors=tensors)


def int8_graph(name: str) -> Graph:
    """A graph that ends in the operator, all of whose activations are int8."""
    rng = np.random.default_rng(4)
    while True:
        graph = random_graph(rng, op=name)
        if all(t.dtype is DType.INT8 for t in graph.tensors if t.data is None):
            return graph


@pytest.mark.parametrize("name", WITHOUT_INT16)
def test_a_type_beyond_the_policy_has_no_kernel(name: str) -> None:
    graph = int8_graph(name)
    node = graph.nodes[-1]
    for core in ("cortex-m0plus", "cortex-m7", "cortex-m55"):
        assert candidates(Context(graph, node, Target(core)))
        with pytest.raises(CompileError, match=f"no kernel computes {node.op} of int16"):
            candidates(Context(of_type(graph, DType.INT16), node, Target(core)))


def test_weights_of_another_type_have_none_either() -> None:
    graph = random_graph(np.random.default_rng(4), op="CONV_2D")
    (node,) = graph.nodes
    wide = replace(graph.tensors[node.inputs[1]], dtype=DType.INT16)
    tensors = tuple(wide if i == node.inputs[1] else t for i, t in enumerate(graph.tensors))
    assert operator_of(node).types_of(graph, node) in OPERATORS["CONV_2D"].types
    assert operator_of(node).types_of(replace(graph, tensors=tensors), node) is None


def test_every_kernel_computes_types_of_its_operators() -> None:
    for kernel in all_kernels():
        for name in kernel.ops:
            assert set(kernel.types) & set(OPERATORS[name].types), f"{type(kernel).__name__}: {name}"
