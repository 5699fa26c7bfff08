"""Comparison: differences in LSB, the first differing layer, and what each check says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UnitError
from harness.ir.graph import Graph, NoAttrs, Node, Tensor
from harness.quantization.types import DType, Quantization
from harness.units import Quantity, Unit
from harness.validate.card import Tolerance
from harness.validate.checks import Status
from harness.validate.checks.accuracy import check_accuracy
from harness.validate.checks.budgets import check_budget
from harness.validate.checks.layers import check_layers
from harness.validate.checks.memory import check_memory
from harness.validate.checks.outputs import check_outputs
from harness.validate.differences import (
    LayerDiff,
    TensorDiff,
    compare_tensor,
    describe,
    first_difference,
    lsb_difference,
    output_diffs,
    step_of,
)
from harness.validate.verdict import Verdict

EXACT = Tolerance(max_lsb=0)


def int8(*values: int) -> np.ndarray:
    return np.array(values, np.int8)


def test_equal_tensors_have_no_difference():
    diff = compare_tensor("y", [int8(1, 2), int8(3, 4)], [int8(1, 2), int8(3, 4)])
    assert (diff.elements, diff.differing, diff.max_lsb, diff.histogram, diff.first) == (4, 0, 0, (), None)


def test_difference_is_counted_and_its_first_element_shown():
    want = [np.zeros((1, 2, 3), np.int8)] * 3
    got = [want[0], want[0].copy(), want[0].copy()]
    got[1][0, 1, 2] = -128
    got[2][0, 0, 0] = 5
    got[2][0, 0, 1] = 5
    diff = compare_tensor("y", want, got)
    assert diff.differing == 3
    assert diff.elements == 18
    assert diff.vectors_differing == 2
    assert diff.max_lsb == 128
    assert diff.histogram == ((-128, 1), (5, 2))
    assert (diff.first.vector, diff.first.index, diff.first.expected, diff.first.got) == (1, (0, 1, 2), 0, -128)
    assert "vector 1, element [0, 1, 2]: expected 0, got -128" in describe(diff)


def test_channels_that_are_left_are_compared_and_found_at_their_place_in_the_file():
    want = [np.arange(12, dtype=np.int8).reshape(1, 3, 4)]
    got = [want[0][..., [1, 3]].copy()]
    diff = compare_tensor("y", want, got, (1, 3))
    assert (diff.elements, diff.differing, diff.channels) == (6, 0, (2, 4))
    layer = LayerDiff(0, "conv_2d_00", "CONV_2D", 0, diff)
    check = check_layers([layer], None, EXACT, 1, "tflm")
    assert "1 of them in the 2 of 4 channels left" in check.summary and check.figures["narrowed_layers"] == 1
    got[0][0, 2, 1] += 1
    diff = compare_tensor("y", want, got, (1, 3))
    assert (diff.differing, diff.first.index, diff.first.expected, diff.first.got) == (1, (0, 2, 3), 11, 12)


def test_extremes_do_not_wrap():
    assert lsb_difference(int8(-128), int8(127)).tolist() == [255]
    wide = np.array([-(2**31)], np.int32), np.array([2**31 - 1], np.int32)
    assert lsb_difference(*wide).tolist() == [2**32 - 1]


def test_float_steps_are_representable_neighbours():
    one = np.array([1.0, 0.0, -1.0], np.float32)
    next_up = np.nextafter(one, np.float32(np.inf))
    assert lsb_difference(one, next_up).tolist() == [1, 1, 1]
    assert lsb_difference(np.array([0.0], np.float32), np.array([-0.0], np.float32)).tolist() == [-1]


@given(st.floats(width=32, allow_nan=False), st.floats(width=32, allow_nan=False))
def test_float_difference_is_ordered_and_antisymmetric(a, b):
    one, two = np.array([a], np.float32), np.array([b], np.float32)
    forward, back = int(lsb_difference(one, two)[0]), int(lsb_difference(two, one)[0])
    assert forward == -back
    if a != b:
        assert (forward > 0) == (b > a)


def test_a_merged_reshape_compares_by_elements_and_another_type_is_refused():
    assert compare_tensor("y", [np.zeros((2, 2), np.int8)], [np.zeros(4, np.int8)]).differing == 0
    with pytest.raises(UnitError):
        compare_tensor("y", [int8(1)], [np.array([1], np.uint8)])
    with pytest.raises(UnitError):
        compare_tensor("y", [int8(1)], [int8(1, 2)])


def layer(index: int, *vectors_wrong: int, vectors: int = 4) -> LayerDiff:
    want = [int8(0, 0)] * vectors
    got = [int8(0, 7) if i in vectors_wrong else int8(0, 0) for i in range(vectors)]
    return LayerDiff(index, f"conv_{index}", "CONV_2D", 0, compare_tensor(f"t{index}", want, got))


def test_first_differing_layer_is_the_first_in_order():
    assert first_difference([layer(0), layer(1)], sequence=False) is None
    assert first_difference([layer(0), layer(1, 3), layer(2, 0, 3)], sequence=False).layer == 1


def test_in_a_sequence_the_earliest_vector_comes_first():
    # Layer 2 went wrong at step 0; the state carried it into layer 1 of step 1.
    assert first_difference([layer(0), layer(1, 1), layer(2, 0, 1)], sequence=True).layer == 2


def test_layers_check_names_layer_element_and_values():
    layers = [layer(0), layer(1, 2), layer(2, 2)]
    check = check_layers(layers, layers[1], EXACT, 4, "tflm")
    assert check.status is Status.FAIL
    assert "first differing layer: 1 conv_1 (CONV_2D)" in check.summary
    assert "vector 2, element [1]: expected 0, got 7" in check.summary
    assert check.figures["differing_layers"] == 2
    assert check_layers(layers, layers[1], Tolerance(max_lsb=7), 4, "tflm").status is Status.PASS


@pytest.mark.parametrize("wrong", [None, 2])
def test_layers_check_is_never_silent_about_layers_it_could_not_compare(wrong):
    last = layer(5, wrong) if wrong else layer(5)
    unseen = [f"conv_{i}" for i in range(5)]
    check = check_layers([last], last if wrong else None, EXACT, 4, "litert", unseen)
    assert check.status is (Status.FAIL if wrong else Status.PASS)
    assert "not compared, as litert has no tensor for it: conv_0, conv_1, conv_2, conv_3 and 1 more" in check.summary
    assert check_layers([], None, EXACT, 4, "litert", unseen).status is Status.NOT_MEASURED


def test_outputs_check_allows_what_the_card_allows():
    diff = compare_tensor("y", [int8(0)], [int8(2)])
    assert check_outputs([diff], Tolerance(max_lsb=2), 1, "tflm").status is Status.PASS
    failed = check_outputs([diff], Tolerance(max_lsb=1), 1, "tflm")
    assert failed.status is Status.FAIL
    assert "allowed: 1 LSB" in failed.summary


def test_budgets():
    hundred = Quantity(100, Unit.BYTES)
    assert check_budget("arena", hundred, hundred).status is Status.PASS
    over = check_budget("arena", hundred, Quantity(101, Unit.BYTES))
    assert over.status is Status.FAIL
    assert "1 over the budget of 100" in over.summary
    elsewhere = check_budget("cycles", Quantity(4_000_000, Unit.CYCLES), None, "mps2-an500 measures instructions")
    assert elsewhere.status is Status.NOT_MEASURED
    assert elsewhere.summary == "not measured here: mps2-an500 measures instructions"


def test_memory_and_accuracy():
    assert check_memory(0, False).status is Status.PASS
    assert check_memory(4, False).status is Status.FAIL
    assert check_memory(0, True).status is Status.FAIL
    assert check_accuracy(0.9, 0.9, 0.9, 10).status is Status.PASS
    assert check_accuracy(0.89, 0.9, 0.9, 10).status is Status.FAIL


def test_a_verdict_fails_with_any_failed_check_and_not_with_unmeasured_ones():
    good = check_memory(0, False)
    unmeasured = check_budget("cycles", Quantity(1, Unit.CYCLES), None, "x")
    assert Verdict((good, unmeasured), (), ()).passed
    assert not Verdict((good, check_memory(1, False)), (), ()).passed


def test_histogram_keeps_the_most_frequent_differences():
    got = [np.arange(-128, 128).astype(np.int8)]
    diff = compare_tensor("y", [np.zeros(256, np.int8)], got)
    assert len(diff.histogram) == 64
    assert isinstance(diff, TensorDiff)


def dequantized(*between: str) -> Graph:
    """An int8 input of scale 0.25, dequantized, and then moved by some operators."""
    quant = Quantization((0.25,), (3,))
    tensors = [Tensor("x", (1, 4), DType.INT8, quant), *(Tensor(f"t{i}", (1, 4), DType.FLOAT32) for i in range(9))]
    names = ("DEQUANTIZE", *between)
    nodes = [Node(op, (i,), (i + 1,), NoAttrs()) for i, op in enumerate(names)]
    return Graph("g", tuple(tensors), tuple(nodes), (0,), (len(names),))


@pytest.mark.parametrize("between", [(), ("RESHAPE",), ("RESHAPE", "SQUEEZE")])
def test_float_outputs_differ_in_steps_of_their_scale(between):
    graph = dequantized(*between)
    assert step_of(graph, graph.outputs[0]) == 0.25
    want = np.array([[0.0, 1.0, -1.0, 5.0]], np.float32)
    got = np.array([[-0.0, 1.25, -32.75, np.nextafter(np.float32(5), np.float32(6))]], np.float32)
    (diff,) = output_diffs(graph, [[want]], [[got]])
    assert (diff.differing, diff.max_lsb) == (4, 127)
    assert diff.histogram == ((-127, 1), (-1, 1), (1, 2))


def test_float_outputs_without_a_scale_or_not_finite_differ_in_representable_numbers():
    one, two = np.array([1.0], np.float32), np.array([np.nan], np.float32)
    assert lsb_difference(one, np.nextafter(one, np.float32(2)))[0] == 1
    assert lsb_difference(one, two, 0.25)[0] == lsb_difference(one, two)[0] != 0
    assert lsb_difference(two, two, 0.25)[0] == 0
    quantized = Graph("g", (Tensor("x", (1,), DType.FLOAT32),), (), (0,), (0,))
    assert step_of(quantized, 0) is None
