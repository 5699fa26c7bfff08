"""TANH."""

from __future__ import annotations

from harness.ir.graph import NoAttrs
from harness.quantization.types import DType, Quantization
from tests.support.builders.common import WIDE_OUTPUT, sigmoid_input
from tests.support.draft import Draft

OUTPUT = Quantization((1 / 128,), (0,))


def tanh(draft: Draft, x: int | None = None) -> int:
    x = sigmoid_input(draft, x, "TANH")
    dtype = draft.tensors[x].dtype
    quant = {DType.FLOAT32: None, DType.INT16: WIDE_OUTPUT}.get(dtype, OUTPUT)
    return draft.node("TANH", (x,), (draft.tensor(draft.shape(x), quant, dtype),), NoAttrs())


BUILDERS = {"TANH": tanh}
