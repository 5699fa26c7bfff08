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
from harness.kernels.context import Context
from harness.kernels.discovery import all_kernels
from harness.quantization.types import DType
from tests.support.builders import BUILDERS
from tests.support.generated import random_graph

INT8_ONLY = sorted(
    name for name in BUILDERS if all(types.x is types.y is DType.INT8 for types in OPERATORS[name].types)
)


def of_type(graph: Graph, dtype: DType) -> Graph:
    """The graph with activations of another type."""
    tensors = tuple(t if t.data is not None else replace(t, dtype=dtype) for t in graph.tensors)
    return replace(graph, tensors=tensors)


@pytest.mark.parametrize("name", INT8_ONLY)
def test_a_type_beyond_the_policy_has_no_kernel(name: str) -> None:
    graph = random_graph(np.random.default_rng(4), op=name)
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
