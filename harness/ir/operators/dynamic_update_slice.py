"""DYNAMIC_UPDATE_SLICE: a tensor with a slice replaced, at a place known at run time. Inputs: it, the slice, where."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import NoAttrs
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, Types
from harness.ir.operators.tflite import Read, Reading, TfliteForm, write_plain
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

MOST_DIMENSIONS = 6
"""That TFLM takes (dynamic_update_slice.cc)."""


def _verify(v: View) -> None:
    x, update, start, y = v.x(), v.x(1), v.x(2), v.y()
    v.need(len(x.shape) <= MOST_DIMENSIONS, f"has {len(x.shape)} dimensions; TFLM takes {MOST_DIMENSIONS}")
    fits = len(update.shape) == len(x.shape) and all(u <= n for u, n in zip(update.shape, x.shape, strict=True))
    v.need(fits, f"puts {list(update.shape)} into {list(x.shape)}")
    v.need(start.shape == (len(x.shape),), f"has starts {list(start.shape)} for {len(x.shape)} dimensions")
    v.shape(y, x.shape)
    v.moved(x, update, y)


def dynamic_update_slice(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The first input with the second at the start, which is moved to where all of it is inside."""
    y, update = array(inputs, 0).copy(), array(inputs, 1)
    room = np.subtract(y.shape, update.shape)
    start = np.minimum(np.maximum(array(inputs, 2).astype(np.int64), 0), room)
    y[tuple(slice(s, s + n) for s, n in zip(start.tolist(), update.shape, strict=True))] = update
    return (y,)


def _read(op: Reading) -> Read:
    op.count(3)
    return op.ids(0, 1, 2), NoAttrs()


OPERATORS = (
    Operator(
        "DYNAMIC_UPDATE_SLICE",
        _verify,
        dynamic_update_slice,
        inputs=(3, 3),
        types=tuple(
            Types(x, x, apart=((2, start),))
            for x in (DType.FLOAT32, DType.INT8, DType.INT32)
            for start in (DType.INT32, DType.INT64)
        ),
        traits=frozenset({Trait.ONE_SCALE}),
        tflite=TfliteForm(151, write_plain, _read, version=1),
    ),
)
