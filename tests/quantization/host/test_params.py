"""The constants that compiler and specification share."""

from __future__ import annotations

import subprocess
import sys
from math import exp

import numpy as np
import pytest

from harness.errors import GraphError
from harness.ir.graph import NoAttrs, Tensor
from harness.ir.operators import OPERATORS
from harness.ir.operators.softmax import SoftmaxAttrs
from harness.oracle import open_oracle
from harness.quantization import params
from harness.quantization.types import DType, Quantization
from tests.support.draft import Draft


def tensor(scale: float, zero_point: int = 0, shape: tuple[int, ...] = (1, 4), dtype: DType = DType.INT8) -> Tensor:
    return Tensor("t", shape, dtype, Quantization((float(np.float32(scale)),), (zero_point,)))


def channels(*scales: float) -> Tensor:
    return Tensor("w", (len(scales), 2), DType.INT8, Quantization(scales, (0,) * len(scales), 0))


def real(m: int, shift: int) -> float:
    return m * 2.0 ** (shift - 31)


def test_convolution_has_one_multiplier_per_channel_either_way() -> None:
    x, y = tensor(0.5), tensor(0.25, shape=(1, 3))
    for w, wanted in ((channels(0.5, 0.25, 2.0), [1.0, 0.5, 4.0]), (tensor(0.125, shape=(3, 2)), [0.25] * 3)):
        m, shift = params.conv_params(x, w, y)
        assert [real(int(a), int(b)) for a, b in zip(m, shift, strict=True)] == wanted
        assert m.dtype == shift.dtype == np.int32


def test_fully_connected_multiplies_scales_in_double() -> None:
    x, w, y = tensor(0.1), tensor(0.3, shape=(2, 4)), tensor(1.0, shape=(1, 2))
    m, shift = params.fully_connected_params(x, w, y)
    product = float(np.float32(0.1)) * float(np.float32(0.3))
    assert real(int(m[0]), int(shift[0])) == pytest.approx(product, rel=2**-31)
    assert product != pytest.approx(float(np.float32(0.1) * np.float32(0.3)), rel=2**-31)
    per_channel = params.fully_connected_params(x, channels(float(np.float32(0.3)), 0.5), y)
    assert int(per_channel[0][0]) == int(m[0])


def test_add_scales_both_operands_against_the_larger() -> None:
    found = params.add_params(tensor(0.5), tensor(0.25), tensor(1.0))
    assert real(found.a.m, found.a.shift) == 0.5
    assert real(found.b.m, found.b.shift) == 0.25
    assert real(found.y.m, found.y.shift) == 2.0**-20
    with pytest.raises(GraphError, match="too small for input scales"):
        params.add_params(tensor(1.0), tensor(1.0), tensor(2.0**-20))


@pytest.mark.parametrize("count", [1, 2, 3, 49, 1000])
def test_mean_folds_the_count_into_the_multiplier(count: int) -> None:
    found = params.mean_params(tensor(0.5), tensor(0.25), count)
    assert real(found.m, found.shift) == pytest.approx(2 / count, rel=1e-8)
    assert params.mean_params(tensor(0.5), tensor(0.25), 1) == params.requantize_params(tensor(0.5), tensor(0.25))


def test_softmax_table_is_exp_and_ends_in_zeros() -> None:
    table = params.softmax_exp_table(tensor(0.5), 1.0)
    assert table.shape == (256,)
    kept = -params.softmax_params(tensor(0.5), 1.0).diff_min
    assert kept == 31
    assert not table[kept + 1 :].any()
    wanted = [exp(-0.5 * d) for d in range(kept + 1)]
    np.testing.assert_allclose(table[: kept + 1] / 2.0**31, wanted, atol=2e-7)


def test_extreme_scales_are_refused_by_name() -> None:
    with pytest.raises(GraphError, match="multiplier"):
        params.conv_params(tensor(1e30), channels(1.0, 1.0, 1.0, 1.0), tensor(1e-9))
    with pytest.raises(GraphError, match="too small"):
        params.softmax_params(tensor(1e-9), 1.0)
    with pytest.raises(GraphError, match="type int16"):
        OPERATORS["QUANTIZE"].byte_table(tensor(0.1, dtype=DType.INT16), tensor(0.1), NoAttrs())
    with pytest.raises(GraphError, match="no table for SOFTMAX"):
        OPERATORS["SOFTMAX"].byte_table(tensor(0.1), tensor(0.1), SoftmaxAttrs(1.0))


TABLES = [
    ("LOGISTIC", tensor(0.05, 3), tensor(1 / 256, -128)),
    ("LOGISTIC", tensor(3.0, -100), tensor(1 / 256, -128)),
    ("RELU", tensor(0.1, 20), tensor(0.07, -128)),
    ("RELU6", tensor(0.05, -20), tensor(0.05, -20)),
    ("QUANTIZE", tensor(0.1, 20), tensor(0.03, -5)),
    ("QUANTIZE", tensor(0.1, 20), tensor(0.1, 148, dtype=DType.UINT8)),
    ("QUANTIZE", tensor(0.1, 7, dtype=DType.UINT8), tensor(0.2, -3)),
    ("QUANTIZE", tensor(0.1, 7), tensor(0.001, 0, dtype=DType.INT16)),
    ("DEQUANTIZE", tensor(0.1, 7), Tensor("y", (1, 4), DType.FLOAT32)),
    ("DEQUANTIZE", tensor(0.1, 7, dtype=DType.UINT8), Tensor("y", (1, 4), DType.FLOAT32)),
]


@pytest.mark.parametrize(("op", "x", "y"), TABLES)
def test_tables_hold_what_tflm_computes_for_every_input(op: str, x: Tensor, y: Tensor) -> None:
    draft = Draft(np.random.default_rng(0))
    index = draft.input((256,), x.quant, x.dtype)
    draft.node(op, (index,), (draft.tensor((256,), y.quant, y.dtype),), NoAttrs())
    low, high = x.dtype.range
    every = np.arange(low, high + 1).astype(x.dtype.numpy)
    expected = open_oracle("tflm", draft.finish("table", (1,))).invoke([every]).outputs[0]
    table = OPERATORS[op].byte_table(x, y, NoAttrs())
    assert table.dtype == expected.dtype
    np.testing.assert_array_equal(table, expected)


def test_softmax_of_large_flat_rows_is_zero_probability_where_tflm_gives_up() -> None:
    draft = Draft(np.random.default_rng(0))
    x = draft.input((1, 600), Quantization((0.01,), (0,)))
    y = draft.tensor((1, 600), Quantization((1 / 256,), (-128,)))
    draft.node("SOFTMAX", (x,), (y,), SoftmaxAttrs(1.0))
    graph = draft.finish("flat", (y,))
    assert (open_oracle("spec", graph).invoke([np.zeros((1, 600), np.int8)]).outputs[0] == -128).all()


def test_the_constants_need_no_interpreter() -> None:
    code = (
        "import sys, harness.quantization.params; "
        "print([m for m in sys.modules if m.startswith(('tflite', 'ai_edge'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
