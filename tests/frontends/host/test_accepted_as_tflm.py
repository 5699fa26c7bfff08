"""What TFLM accepts is accepted, and computed as TFLM does: by the specification, and by generated code on the host."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import GraphError, UnsupportedModelError
from harness.frontends.tflite import reader
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.ir.graph import Graph
from harness.ir.interpreter import run
from harness.ir.operators.tflite import OperatorDraft
from harness.oracle import open_oracle
from harness.quantization.types import Quantization
from tests.support.compiled import check_on_board
from tests.support.generated import random_inputs

Q = Quantization((0.5,), (3,))
OUT = Quantization((1.0,), (-2,))


def read(main: SubgraphDraft, *operators: OperatorDraft) -> Graph:
    main.operators.extend(operators)
    return reader.load(serialize([main]))


def tensors(*shapes: tuple[int, ...], quant: Quantization | None = Q) -> list[TensorDraft]:
    return [TensorDraft(f"t{i}", shape, "int8", quant) for i, shape in enumerate(shapes)]


def check(*graphs: Graph, board: str = "host") -> None:
    """TFLM, the specification and generated code on the board agree on every byte."""
    for graph in graphs:
        with open_oracle("tflm", graph, isolated=True) as oracle:
            for vector in random_inputs(graph, np.random.default_rng(7), 5):
                wanted = oracle.invoke(vector).outputs
                for ours, theirs in zip(run(graph, vector).outputs, wanted, strict=True):
                    np.testing.assert_array_equal(ours, theirs, err_msg=graph.name)
    assert check_on_board(list(graphs), board) > 0


# --- quantized_dimension of biases -----------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [-1, 1, 3, 77])
@pytest.mark.parametrize("op", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"])
def test_a_bias_may_say_any_quantized_dimension(op: str, axis: int) -> None:
    scales = tuple(0.01 * (1 + i) for i in range(4))
    weights = {"CONV_2D": (4, 1, 1, 4), "DEPTHWISE_CONV_2D": (1, 1, 1, 4), "FULLY_CONNECTED": (4, 4)}[op]
    x, y = ((2, 4), (2, 4)) if op == "FULLY_CONNECTED" else ((1, 3, 3, 4), (1, 3, 3, 4))
    main = SubgraphDraft("main", (0,), (1,), tensors(x, y))
    rng = np.random.default_rng(1)
    channels = Quantization(scales, (0,) * 4, 3 if op == "DEPTHWISE_CONV_2D" else 0)
    w = main.constant("w", rng.integers(-99, 99, weights).astype(np.int8), channels)
    quant = Quantization(tuple(0.5 * s for s in scales), (0,) * 4, axis)
    b = main.constant("b", rng.integers(-99, 99, 4).astype(np.int32), quant)
    options = {"CONV_2D": "Conv2D", "DEPTHWISE_CONV_2D": "DepthwiseConv2D", "FULLY_CONNECTED": "FullyConnected"}[op]
    fields = {} if op == "FULLY_CONNECTED" else {"StrideH": 1, "StrideW": 1, "Padding": 1}
    fields |= {"DepthMultiplier": 1} if op == "DEPTHWISE_CONV_2D" else {}
    check(read(main, OperatorDraft(op, (0, w, b), (1,), options, fields)))


# --- one tensor twice ------------------------------------------------------------------------------------------------


def test_one_tensor_may_be_several_outputs() -> None:
    twice = read(
        SubgraphDraft("main", (0,), (1, 1, 2, 1), tensors((2, 3), (2, 3), (2, 3))),
        OperatorDraft("ADD", (0, 0), (1,), "Add"),
        OperatorDraft("ADD", (1, 0), (2,), "Add"),
    )
    given = read(
        SubgraphDraft("main", (0,), (0, 1, 0), tensors((2, 3), (2, 3))), OperatorDraft("ADD", (0, 0), (1,), "Add")
    )
    main = SubgraphDraft("main", (0,), (1, 2, 2), tensors((2, 3), (2, 3)))
    main.constant("c", np.arange(6, dtype=np.int8).reshape(2, 3), Q)
    check(twice, given, read(main, OperatorDraft("ADD", (0, 2), (1,), "Add")))


def test_of_one_tensor_that_is_several_inputs_the_last_value_counts() -> None:
    main = SubgraphDraft("main", (0, 1, 0), (2,), tensors((2, 3), (2, 3), (2, 3)))
    check(read(main, OperatorDraft("ADD", (0, 1), (2,), "Add")))


# --- ADD and MUL of many dimensions ----------------------------------------------------------------------------------

PAIRS = [
    ((2, 1, 3, 1, 2), (2, 1, 3, 1, 2)),
    ((2, 3, 1, 2, 2, 3), (2, 3, 1, 2, 2, 3)),
    ((1, 3, 2, 3, 2, 3), (3,)),
    ((2, 3, 1, 3, 2), (1, 3, 2, 1, 2)),
    ((2, 1, 3, 1, 2, 1), (1, 3, 1, 2, 1, 3)),
    ((1, 3, 1, 2, 1, 5), (2, 1, 3, 1, 2, 1)),
    ((3, 2, 3, 2, 3, 2), (1,)),
]


def binary(op: str, a: tuple[int, ...], b: tuple[int, ...], constant: bool) -> Graph:
    y = tuple(int(n) for n in np.broadcast_shapes(a, b))
    quant = Quantization((1.0 if op == "ADD" else 30.0,), (-2,))
    main = SubgraphDraft("main", (0,), (1,), [TensorDraft("a", a, "int8", Q), TensorDraft("y", y, "int8", quant)])
    if constant:
        other = main.constant("b", np.random.default_rng(0).integers(-128, 128, b).astype(np.int8), OUT)
    else:
        other = main.add(TensorDraft("b", b, "int8", OUT))
        main.inputs = (0, other)
    return read(main, OperatorDraft(op, (0, other), (1,), op.title()))


@pytest.mark.parametrize("op", ["ADD", "MUL"])
def test_add_and_mul_take_six_dimensions(op: str) -> None:
    check(*(binary(op, a, b, constant) for a, b in PAIRS for constant in (False, True)))


def test_seven_dimensions_are_refused_with_what_would_help() -> None:
    with pytest.raises(GraphError, match="more than 6 dimensions") as caught:
        binary("ADD", (2,) * 7, (2,) * 7, False)
    assert "reshape both operands" in caught.value.hint


# --- LOGISTIC of tiny scales -----------------------------------------------------------------------------------------


def logistic(scale: float) -> Graph:
    main = SubgraphDraft("main", (0,), (1,), tensors((256,), (256,), quant=Quantization((scale,), (3,))))
    main.tensors[1] = TensorDraft("y", (256,), "int8", Quantization((1 / 256,), (-128,)))
    return read(main, OperatorDraft("LOGISTIC", (0,), (1,)))


def test_logistic_of_tiny_scales_is_tflms() -> None:
    scales = [factor * 2.0**-power for power in (26, 27, 28, 29, 30, 31, 40, 57) for factor in (1.0, 1.5)]
    check(*(logistic(float(np.float32(scale))) for scale in scales))


def test_a_scale_that_leaves_tflms_integers_is_refused_with_what_would_help() -> None:
    with pytest.raises(GraphError, match=r"outside 2\^-58 to 2\^30") as caught:
        logistic(2.0**-59)
    assert "calibrate" in caught.value.hint


# --- bytes that are only moved ---------------------------------------------------------------------------------------


def moving(quants: tuple[Quantization | None, Quantization | None]) -> list[Graph]:
    """Operators that move bytes, from a tensor of the first to one of the second quantization."""
    found = []
    for op, x, y, operands, options, fields in (
        ("PAD", (2, 3), (4, 3), [[[1, 1], [0, 0]]], "Pad", {}),
        ("STRIDED_SLICE", (4, 3), (2, 3), [[0, 0], [4, 3], [2, 1]], "StridedSlice", {}),
        ("RESHAPE", (4, 3), (3, 4), [[3, 4]], "Reshape", {"NewShape": (3, 4)}),
        ("SPLIT_V", (4, 3), (4, 3), [[4], 0], "SplitV", {"NumSplits": 1}),
        ("CONCATENATION", (2, 3), (4, 3), [], "Concatenation", {"Axis": 0}),
        ("EXPAND_DIMS", (4, 3), (4, 1, 3), [1], "ExpandDims", {}),
        ("SQUEEZE", (4, 1, 3), (4, 3), [], "Squeeze", {"SqueezeDims": (1,)}),
    ):
        drafts = [TensorDraft(name, s, "int8", q) for name, s, q in zip("xy", (x, y), quants, strict=True)]
        main = SubgraphDraft("main", (0,), (1,), drafts)
        extra = [main.constant(f"operand {i}", values) for i, values in enumerate(operands)]
        if op == "CONCATENATION" and quants[0] != quants[1]:
            continue  # TFLM refuses it
        inputs = (0, 0) if op == "CONCATENATION" else (0, *extra)
        found.append(read(main, OperatorDraft(op, inputs, (1,), options, fields)))
    return found


@pytest.mark.parametrize("quants", [(None, None), (Q, None), (None, Q)])
def test_bytes_that_are_only_moved_need_no_quantization(quants) -> None:
    check(*moving(quants))


# --- weights with a zero point ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("zero_point", [3, -43, 127, -128])
@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("shape", [(1, 12), (3, 12), (1, 2, 3, 6)])
def test_fully_connected_takes_weights_with_a_zero_point(zero_point: int, narrow: bool, shape: tuple[int, ...]) -> None:
    rows = int(np.prod(shape)) // 12
    main = SubgraphDraft("main", (0,), (1,), tensors(shape, (rows, 5)))
    low, high = (max(zero_point - 100, -128), min(zero_point + 100, 127)) if narrow else (-128, 127)
    data = np.random.default_rng(3).integers(low, high + 1, (5, 12)).astype(np.int8)
    data[0, :2] = low, high
    w = main.constant("w", data, Quantization((0.02,), (zero_point,)))
    b = main.constant("b", np.arange(-2, 3).astype(np.int32) * 1000, Quantization((0.01,), (0,)))
    check(read(main, OperatorDraft("FULLY_CONNECTED", (0, w, b), (1,), "FullyConnected")))


# --- what stays refused ----------------------------------------------------------------------------------------------


def test_a_shrunk_axis_of_negative_stride_is_refused_since_tflm_writes_nothing() -> None:
    main = SubgraphDraft("main", (0,), (1,), tensors((4,), ()))
    operands = [main.constant(f"operand {i}", [value]) for i, value in enumerate((-1, 0, -1))]
    operator = OperatorDraft("STRIDED_SLICE", (0, *operands), (1,), "StridedSlice", {"ShrinkAxisMask": 1})
    with pytest.raises(UnsupportedModelError, match="TFLM computes nothing.*with a stride of 1"):
        read(main, operator)
