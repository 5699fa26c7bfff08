"""Sigmoid and tanh of int16 by table equal TFLM's LOGISTIC and TANH for every input."""

from __future__ import annotations

import numpy as np
import pytest

from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.ir.operators.tflite import OperatorDraft
from harness.oracle.tflm import TflmInterpreter
from harness.quantization.sigmoid16 import sigmoid16, tanh16
from harness.quantization.types import Quantization

EVERY = np.arange(-(1 << 15), 1 << 15).astype(np.int16).reshape(1, -1)


def tflm(op: str, scale: float) -> np.ndarray:
    x = TensorDraft("x", EVERY.shape, "int16", Quantization((scale,), (0,)))
    y = TensorDraft("y", EVERY.shape, "int16", Quantization((2.0**-15,), (0,)))
    main = SubgraphDraft("main", (0,), (1,), [x, y], [OperatorDraft(op, (0,), (1,))])
    (made,), _ = TflmInterpreter(serialize([main])).invoke([EVERY], [])
    return made.ravel()


def test_sigmoid_of_every_int16() -> None:
    np.testing.assert_array_equal(sigmoid16(EVERY.ravel().astype(np.int64)), tflm("LOGISTIC", 2.0**-12))


@pytest.mark.parametrize("left", [0, 1, 3])
def test_tanh_of_every_int16(left: int) -> None:
    ours = tanh16(EVERY.ravel().astype(np.int64), 3 << left)
    np.testing.assert_array_equal(ours, tflm("TANH", 2.0 ** (left - 12)))
