"""TABLE: a function of one byte by lookup; only passes make it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from harness.ir.graph import Attrs
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import BYTES, Operator
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.types import Array


def _verify(v: View) -> None:
    x, y, values = v.x(), v.y(), v.attrs(TableAttrs).values
    v.shape(y, x.shape)
    low, high = y.dtype.range
    v.need(len(values) == 256 and low <= min(values) <= max(values) <= high, "has a table of other values")


@dataclass(frozen=True)
class TableAttrs(Attrs):
    """TABLE, which passes make: any function of one byte; `values` are its 256 results from the lowest input on."""

    values: tuple[int, ...]


def table(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """TABLE: the result of every byte, looked up."""
    values = np.array(cast(TableAttrs, op.attrs).values, op.y.dtype.numpy)
    return (values[array(inputs, 0).astype(np.int64) - op.x.dtype.range[0]],)


OPERATORS = (
    Operator(
        "TABLE",
        _verify,
        table,
        attrs=TableAttrs,
        types=BYTES,
        traits=frozenset({Trait.ELEMENTWISE, Trait.BYTE_FUNCTION, Trait.ROW_BY_ROW}),
    ),
)
