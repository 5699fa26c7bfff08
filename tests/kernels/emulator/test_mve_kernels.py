"""Every MVE kernel but those of convolutions over its whole domain equals the specification, on QEMU."""

from __future__ import annotations

import numpy as np
import pytest

from harness.compiler.compile import compile_graph
from harness.ir.graph import Graph
from harness.kernels import (
    fully_connected_mve,
    movement_mve,
    quantization,
)
from harness.kernels.fully_connected_mve import FullyConnectedUniformS8Mve
from harness.kernels.numbers import SCALED, SCALED_TYPES
from harness.kernels.quantization import QuantizeIntegersMve
from harness.quantization.types import DType
from tests.support.compiled import VECTORS, check_on_board
from tests.support.draft import Rng, between, chance, pick
from tests.support.generated import random_graph
from tests.support.layers import (
    binary_layer,
    copy_layer,
    fully_connected_layer,
    mean_layer,
    pool_layer,
)
from tests.support.mve import BOARD, check, drawn_depth, layers_of, where_it_applies
from tests.support.scale import scaled
from tests.support.typed import combinations, typed_graphs

QUANTIZES = next(k for k in quantization.KERNELS if isinstance(k, QuantizeIntegersMve))
_COPIED = ("CONCATENATION", "SPLIT", "SPLIT_V", "STRIDED_SLICE", "PAD")


@pytest.mark.parametrize("op", ["LOGISTIC", "TANH"])
def test_functions_of_int16(op: str) -> None:
    halves = [found for found in combinations() if found[0] == op and found[1].x is DType.INT16]
    check(typed_graphs(halves, seed=5, each=scaled(20, 300)), "SigmoidS16Mve", "sigmoid_s16_mve")


def test_slopes_of_int16() -> None:
    ops = ("ABS", "LEAKY_RELU", "RELU", "RELU6")
    halves = [found for found in combinations() if found[0] in ops and found[1].x is DType.INT16]
    assert {op for op, *_ in halves} == set(ops)
    check(typed_graphs(halves, seed=7, each=scaled(3, 100)), "UnaryS16Mve", "unary_s16_mve")


def test_quantize_from_integer_to_integer() -> None:
    kinds = [found for found in combinations() if found[0] == "QUANTIZE" and found[1] in QuantizeIntegersMve.types]
    graphs = typed_graphs(kinds, seed=8, each=scaled(1, 60))
    check(where_it_applies(graphs, QUANTIZES), "QuantizeIntegersMve", "quantize_integers_mve")


@pytest.mark.parametrize("op", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
def test_pools_of_int16(op: str) -> None:
    halves = [found for found in combinations() if found[0] == op and found[1].x is DType.INT16]
    check(typed_graphs(halves, seed=9, each=scaled(15, 150)), "PoolS16Mve", "pool_s16_mve")


def test_fully_connected() -> None:
    rng = np.random.default_rng(5)
    graphs = []
    for _ in range(scaled(40, 600)):
        depth = pick(rng, 8, 16, 64, 80, between(rng, 1, 120))
        graphs.append(fully_connected_layer(rng, pick(rng, 1, 1, 2, 3), depth, between(rng, 1, 21)))
    check(graphs, "FullyConnectedS8Mve", "fully_connected_s8_mve")


def test_fully_connected_of_one_multiplier() -> None:
    rng = np.random.default_rng(34)
    graphs = []
    for _ in range(scaled(130, 1500)):
        depth = pick(rng, between(rng, 1, 140), 16 * between(rng, 1, 9), between(rng, 128, 700))
        rows, relu = pick(rng, 1, 1, 2, 3), chance(rng, 0.5)
        graphs.append(fully_connected_layer(rng, rows, depth, between(rng, 8, 25), relu=relu))
    (kernel,) = (k for k in fully_connected_mve.KERNELS if isinstance(k, FullyConnectedUniformS8Mve))
    found = where_it_applies(graphs, kernel)
    assert len(found) > scaled(15, 200)
    check(found, "FullyConnectedUniformS8Mve", "fully_connected_uniform_s8_mve")


def test_fully_connected_of_rows() -> None:
    rng = np.random.default_rng(6)
    graphs = [
        fully_connected_layer(rng, between(rng, 2, 5), drawn_depth(rng), between(rng, 4, 21))
        for _ in range(scaled(20, 200))
    ]
    check(graphs, "FullyConnectedRowsS8Mve", "conv_1x1_s8_mve")


def _binary_layers(rng: Rng, op: str, count: int) -> list[Graph]:
    graphs = []
    for _ in range(count):
        shape = tuple(between(rng, 1, 9) for _ in range(between(rng, 1, 4)))
        if chance(rng, 0.3):
            shape = (*shape[:2], 8 * between(rng, 1, 4) + between(rng, 0, 7))
        other = tuple(1 if chance(rng, 0.4) else n for n in shape) if chance(rng, 0.5) else shape
        pair = (shape, other) if chance(rng, 0.5) else (other, shape)
        graphs.append(binary_layer(rng, op, pair, equal=chance(rng, 0.2)))
    return graphs


def test_add_linear() -> None:
    graphs = _binary_layers(np.random.default_rng(9), "ADD", scaled(40, 600))
    linear = [graph for graph in graphs if layers_of(graph, "AddLinearS8Mve")[0].kernel == "add_linear_s8_mve"]
    assert len(linear) > len(graphs) / 2
    check(linear, "AddLinearS8Mve", "add_linear_s8_mve")


@pytest.mark.parametrize("op", ["ADD", "MUL"])
def test_scaled_binary(op: str) -> None:
    check(_binary_layers(np.random.default_rng(10), op, scaled(30, 500)), "ScaledBinaryMve", "scaled_binary_mve")


def test_scaled_binary_of_every_operator_and_type() -> None:
    kinds = [(op, types) for op, types in combinations() if op in SCALED and types in SCALED_TYPES]
    assert len(kinds) >= 14
    check(typed_graphs(kinds, seed=23, each=scaled(4, 30)), "ScaledBinaryMve", "scaled_binary_mve")


def _pool_layers(op: str, seed: int) -> list[Graph]:
    rng = np.random.default_rng(seed)
    graphs = []
    for _ in range(scaled(30, 400)):
        image = (pick(rng, 1, 2), between(rng, 1, 9), between(rng, 1, 9), pick(rng, 16, between(rng, 1, 50)))
        kernel = pick(rng, (2, 2), image[1:3], (between(rng, 1, 5), between(rng, 1, 5)))
        graphs.append(pool_layer(rng, op, image, kernel, (between(rng, 1, 3), between(rng, 1, 3))))
    return graphs


def test_average_pool() -> None:
    large = [pool_layer(np.random.default_rng(1), "AVERAGE_POOL_2D", (1, 20, 256, 3), (20, 256), (1, 1))]
    check(_pool_layers("AVERAGE_POOL_2D", 13) + large, "AveragePoolS8Mve", "average_pool_s8_mve")


def test_max_pool() -> None:
    check(_pool_layers("MAX_POOL_2D", 14), "MaxPoolS8Mve", "max_pool_s8_mve")


def test_mean() -> None:
    rng = np.random.default_rng(15)
    graphs = []
    for _ in range(scaled(30, 500)):
        shape = tuple(between(rng, 1, 6) for _ in range(between(rng, 1, 3))) + (pick(rng, 16, between(rng, 2, 50)),)
        axes = tuple(a for a in range(len(shape) - 1) if chance(rng, 0.5)) or (between(rng, 0, len(shape) - 2),)
        graphs.append(mean_layer(rng, shape, axes))
    check(graphs, "MeanS8Mve", "mean_s8_mve")


def _of_bytes(rng: Rng, op: str) -> Graph:
    """A graph of the operator, from int8 to int8."""
    while True:
        graph = random_graph(rng, op)
        if all(graph.tensors[i].dtype is DType.INT8 for i in (*graph.inputs, *graph.outputs)):
            return graph


@pytest.mark.parametrize("op", ["LOGISTIC", "RELU", "RELU6"])
def test_tables(op: str) -> None:
    rng = np.random.default_rng(16)
    check([_of_bytes(rng, op) for _ in range(scaled(10, 100))], "Lut8Mve", "lut_8_mve")


def test_softmax() -> None:
    rng = np.random.default_rng(19)
    check([_of_bytes(rng, "SOFTMAX") for _ in range(scaled(30, 300))], "SoftmaxS8Mve", "softmax_s8_mve")


def test_copies() -> None:
    """Of every kind, with runs of all lengths; variables are read and written by graphs of kind STATE."""
    rng = np.random.default_rng(18)
    graphs = [copy_layer(rng, op) for op in _COPIED for _ in range(scaled(8, 80))]
    graphs += [random_graph(rng, "STATE") for _ in range(scaled(8, 80))]
    prefer = {type(kernel).__name__ for kernel in movement_mve.KERNELS}
    plans = [compile_graph(graph, core="cortex-m55", prefer=prefer) for graph in graphs]
    found = {layer.kernel for plan in plans for layer in plan.layers}
    assert {"move_mve", "copy_rows_mve", "strided_copy_mve"} <= found
    assert check_on_board(graphs, BOARD, prefer=prefer) == len(graphs) * VECTORS
