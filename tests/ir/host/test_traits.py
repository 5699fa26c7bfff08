"""Every operator keeps what its traits promise, and no operator is left out of what a trait gives it."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.compiler.choice import candidates
from harness.compiler.fusion.rows import can_fuse_rows, rows_of, slice_rows
from harness.hardware.target import Target
from harness.ir.graph import Graph, Node, Tensor
from harness.ir.interpreter import run
from harness.ir.operators import OPERATORS, names_with
from harness.ir.operators.operands import Operands
from harness.ir.operators.traits import Trait
from harness.kernels.context import Context
from harness.passes import optimize
from harness.passes.channel_values import known_channels
from harness.passes.fold_constants import fold_constants
from harness.quantization.types import DType, Quantization
from tests.support.builders import BUILDERS, BYTE_FUNCTIONS
from tests.support.draft import Draft, between
from tests.support.generated import random_graph, random_inputs
from tests.support.paths import REPOSITORY
from tests.support.scale import scaled

SEEDS = st.integers(0, 2**32 - 1)
MADE_BY_PASSES = {"TABLE"}
WRITTEN_BY_OTHERS = {"PADV2": "PAD", "READ_VARIABLE": "STATE", "ASSIGN_VARIABLE": "STATE"}
WRITTEN_BY_VELA = {"ethos-u"}
"""Operators whose instances are random models that Vela compiles: tests/npu."""


def with_trait(*traits: Trait) -> list[str]:
    """Operators with all of the traits that generated graphs can have."""
    return sorted(frozenset.intersection(*map(names_with, traits)) & BUILDERS.keys())


def only_node(graph: Graph, op: str) -> Node:
    return next(node for node in graph.nodes if node.op == op)


def test_every_operator_is_generated_or_made_by_a_pass() -> None:
    assert set(OPERATORS) == set(BUILDERS) | MADE_BY_PASSES | set(WRITTEN_BY_OTHERS) | WRITTEN_BY_VELA


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_every_operator_is_whole(name: str) -> None:
    operator = OPERATORS[name]
    assert operator.stateful == (operator.states != 0), "states are read or changed"
    assert not operator.has(Trait.COPIES_STATE) or operator.states == 1
    assert operator.types and operator.verify
    assert (operator.tflite is None) == (name in MADE_BY_PASSES)
    assert (operator.channel_axis is None) == (not operator.has(Trait.WEIGHTS))
    assert all((types.weights is None) == (not operator.has(Trait.WEIGHTS)) for types in operator.types)
    if operator.has(Trait.BYTE_FUNCTION):
        assert operator.has(Trait.ELEMENTWISE), "a function of one byte is elementwise"
        assert operator.has(Trait.ROW_BY_ROW), "and so computed row by row"
    if operator.has(Trait.CHANNELS_APART):
        assert operator.has(Trait.WEIGHTS)
    if operator.has(Trait.SAME_BYTES):
        assert operator.has(Trait.SAME_VALUES)


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_every_operator_has_a_kernel_on_a_core_without_extensions(name: str) -> None:
    for seed in range(20):
        graph = random_graph(np.random.default_rng(seed), op=name)
        left = fold_constants(graph)  # shapes and what follows from them need none
        for node in left.nodes:
            assert candidates(Context(left, node, Target("cortex-m0plus")))


@pytest.mark.parametrize("name", with_trait(Trait.ELEMENTWISE))
@settings(max_examples=scaled(10, 200), deadline=None)
@given(seed=SEEDS)
def test_elementwise_operators_take_no_notice_of_the_place(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, op=name)
    (given_array,) = random_inputs(graph, rng, 1)[0]
    order = rng.permutation(given_array.size)
    shuffled = given_array.reshape(-1)[order].reshape(given_array.shape)
    straight, moved = (run(graph, [x]).outputs[0].reshape(-1) for x in (given_array, shuffled))
    np.testing.assert_array_equal(straight[order], moved)


@pytest.mark.parametrize("name", with_trait(Trait.PAIRWISE))
@settings(max_examples=scaled(4, 60), deadline=None)
@given(seed=SEEDS)
def test_pairwise_operators_take_no_notice_of_the_place(name: str, seed: int) -> None:
    """Elements in another order, both operands broadcast to one shape, give results in that order."""
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, op=name)
    node = only_node(graph, name)
    y = graph.tensors[node.outputs[0]]
    made = run(graph, random_inputs(graph, rng, 1)[0]).tensors
    values = [made[t] if graph.tensors[t].data is None else graph.tensors[t].data for t in node.inputs]
    order = rng.permutation(y.elements)
    flat = [np.broadcast_to(v, y.shape).reshape(-1)[order] for v in values]
    tensors = [replace(graph.tensors[t], shape=(y.elements,), data=None) for t in node.inputs]
    with np.errstate(all="ignore"):
        operands = Operands(tensors, [replace(y, shape=(y.elements,))], node.attrs)
        (ours,) = OPERATORS[name].values(flat, operands)
    np.testing.assert_array_equal(ours, made[node.outputs[0]].reshape(-1)[order])


@pytest.mark.parametrize("name", BYTE_FUNCTIONS)
def test_functions_of_one_byte_become_one_table(name: str) -> None:
    """Two in a row are one layer, which computes what both did."""
    fused = 0
    for seed in range(30):
        draft = Draft(np.random.default_rng(seed))
        x = draft.input((1, 5, 3, 2), Quantization((0.05,), (3,)))
        mid = BUILDERS[name](draft, x)
        graph = draft.finish("pair", (BUILDERS["LOGISTIC"](draft, mid),))
        optimized = optimize(graph)
        assert len(optimized.nodes) == 1, f"seed {seed}"
        fused += optimized.nodes[0].op == "TABLE"
        for vector in random_inputs(graph, np.random.default_rng(seed), 3):
            np.testing.assert_array_equal(run(optimized, vector).outputs[0], run(graph, vector).outputs[0])
    assert fused, "never a table"


@pytest.mark.parametrize("name", BYTE_FUNCTIONS)
def test_functions_of_one_byte_are_tables_of_their_specification(name: str) -> None:
    operator = OPERATORS[name]
    draft = Draft(np.random.default_rng(1))
    draft.finish("one", (BUILDERS[name](draft, draft.input((256,), Quantization((0.05,), (3,)))),))
    x, y = draft.tensors[0], draft.tensors[draft.nodes[0].outputs[0]]
    every = np.arange(-128, 128).astype(np.int8)
    (wanted,) = operator.values([every], Operands([x], [y], draft.nodes[0].attrs))
    np.testing.assert_array_equal(operator.byte_table(x, y, draft.nodes[0].attrs), wanted)


@pytest.mark.parametrize("name", with_trait(Trait.ROW_BY_ROW))
@settings(max_examples=scaled(10, 200), deadline=None)
@given(seed=SEEDS)
def test_row_by_row_operators_are_computed_a_few_rows_at_a_time(name: str, seed: int) -> None:
    draft = Draft(np.random.default_rng(seed))
    height = between(draft.rng, 2, 9)
    # from the lowest value on: RSQRT's builder puts nothing before it
    x = draft.input((1, height, between(draft.rng, 1, 4), between(draft.rng, 1, 5)), Quantization((0.05,), (-128,)))
    graph = draft.finish("rows", (BUILDERS[name](draft, x),))
    (node,) = graph.nodes
    assert can_fuse_rows(graph, node)
    first = between(draft.rng, 0, height - 1)
    end = between(draft.rng, first + 1, height)
    cut, alone = slice_rows(graph, node, first, end)
    top, bottom = rows_of(graph, node).needed(first, end)
    vector = random_inputs(graph, draft.rng, 1)[0][0]
    (rows,) = run(replace(cut, nodes=(alone,)), [vector[:, top:bottom]]).outputs
    np.testing.assert_array_equal(rows, run(graph, [vector]).outputs[0][:, first:end])


@pytest.mark.parametrize("name", sorted({*BYTE_FUNCTIONS, *with_trait(Trait.ELEMENTWISE, Trait.SAME_VALUES)}))
def test_constant_channels_go_through_elementwise_operators(name: str) -> None:
    draft = Draft(np.random.default_rng(5))
    x = draft.input((1, 4, 4, 3), Quantization((0.05,), (3,)))
    w = draft.constant(np.zeros((4, 1, 1, 3), np.int8), Quantization((0.1,), (0,)))
    bias = draft.constant(np.array([900, -300, 5, 0], np.int32), Quantization((float(np.float32(0.005)),), (0,)))
    y = draft.tensor((1, 4, 4, 4), Quantization((0.05,), (-3,)))
    made = draft_convolution(draft, (x, w, bias), y)
    graph = draft.finish("constant", (BUILDERS[name](draft, made),))
    known = known_channels(graph)[graph.nodes[-1].outputs[0]]
    assert known.mask.all()
    vector = random_inputs(graph, np.random.default_rng(0), 1)[0]
    outputs = run(graph, vector).outputs[0]
    np.testing.assert_array_equal(outputs, np.broadcast_to(known.values, outputs.shape))


def draft_convolution(draft: Draft, inputs: tuple[int, ...], y: int) -> int:
    from harness.ir.window import ConvAttrs, Pads

    return draft.node("CONV_2D", inputs, (y,), ConvAttrs((1, 1), (1, 1), Pads(), (-128, 127)))


@pytest.mark.parametrize("name", with_trait(Trait.SAME_BYTES))
@settings(max_examples=scaled(10, 200), deadline=None)
@given(seed=SEEDS)
def test_same_bytes_are_the_same_bytes_and_cost_nothing(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, op=name)
    (x,) = random_inputs(graph, rng, 1)[0]
    (y,) = run(graph, [x]).outputs
    assert x.tobytes() == y.tobytes()


@pytest.mark.parametrize("name", with_trait(Trait.PRODUCT))
@settings(max_examples=scaled(20, 300), deadline=None)
@given(seed=SEEDS)
def test_a_product_with_the_zero_point_is_the_zero_point(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, op=name)
    node = only_node(graph, name)
    operands: list[Tensor] = [graph.tensors[t] for t in node.inputs]
    y = graph.tensors[node.outputs[0]]
    assume(y.dtype is DType.INT8)  # of wider types channels are not reasoned about
    free = replace(node.attrs, clamp=y.dtype.range)
    values = [rng.integers(-128, 128, t.shape).astype(np.int8) for t in operands]
    values[seed % 2][...] = operands[seed % 2].q.zero_point
    (made,) = OPERATORS[name].values(values, Operands(operands, [y], free))
    assert (made == y.q.zero_point).all()


@pytest.mark.parametrize("name", with_trait(Trait.CHANNELS_APART))
@settings(max_examples=scaled(10, 200), deadline=None)
@given(seed=SEEDS)
def test_channels_apart_stay_apart(name: str, seed: int) -> None:
    """Another value in one input channel changes the output channels that come from it, and no other."""
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, op=name)
    (x,) = random_inputs(graph, rng, 1)[0]
    channel = int(rng.integers(x.shape[-1]))
    other = x.copy()
    other[..., channel] = ~other[..., channel]
    before, after = (run(graph, [given_array]).outputs[0] for given_array in (x, other))
    times = before.shape[-1] // x.shape[-1]
    rest = np.delete(np.arange(before.shape[-1]), np.arange(channel * times, (channel + 1) * times))
    np.testing.assert_array_equal(before[..., rest], after[..., rest])


@pytest.mark.parametrize("name", with_trait(Trait.AVERAGES))
def test_the_average_of_one_value_is_that_value(name: str) -> None:
    for seed in range(20):
        graph = random_graph(np.random.default_rng(seed), op=name)
        node = only_node(graph, name)
        x, y = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
        same = replace(y, quant=x.quant)
        free = replace(node.attrs, clamp=y.dtype.range) if hasattr(node.attrs, "clamp") else node.attrs
        (made,) = OPERATORS[name].values([np.full(x.shape, 17, np.int8)], Operands([x], [same], free))
        assert (made == 17).all()


@pytest.mark.parametrize("name", with_trait(Trait.PROBABILITIES))
def test_probabilities_lie_between_none_and_all(name: str) -> None:
    made = [random_graph(np.random.default_rng(seed), op=name) for seed in range(8)]
    outputs = [graph.tensors[only_node(graph, name).outputs[0]] for graph in made]
    assert any(y.dtype is DType.INT8 for y in outputs)
    for y in outputs:
        if y.dtype is not DType.FLOAT32:
            low, high = ((bound - y.q.zero_point) * y.q.scale for bound in y.dtype.range)
            # int16 of int16 leaves its negative half unused
            assert (low == 0 or y.q.zero_point == 0) and 0.99 < high <= 1.0001


@pytest.mark.parametrize("room", ["passes", "compiler", "kernels", "validate"])
def test_nobody_asks_for_operators_by_a_list_of_names(room: str) -> None:
    """Traits and classes of attributes are; a pass may name the operator that it makes, a kernel the one it is for."""
    names = "|".join(OPERATORS)
    several = re.compile(rf'"(?:{names})",\s*"(?:{names})"|\.op (?:==|!=) "(?:{names})"|\.op (?:not )?in \(')
    for code in ('"ADD", "MUL"', 'node.op == "ADD"', 'node.op != "PAD"', "node.op in (", "node.op not in ("):
        assert several.search(code), "it would be found"
    files = sorted((REPOSITORY / "harness" / room).rglob("*.py"))
    assert len(files) >= 10
    for path in files:
        found = several.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{path.relative_to(REPOSITORY)}: {found.group() if found else ''}"
