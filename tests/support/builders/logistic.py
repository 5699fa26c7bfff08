"""LOGISTIC."""

from __future__ import annotations

from harness.ir.graph import NoAttrs
from harness.quantization.types import DType
from tests.support.builders.common import PROBABILITY, WIDE_OUTPUT, sigmoid_input
from tests.support.draft import Draft


def logistic(draft: Draft, x: int | None = None) -> int:
    x = sigmoid_input(draft, x, "LOGISTIC")
    dtype = draft.tensors[x].dtype
    quant = {DType.FLOAT32: None, DType.INT16: WIDE_OUTPUT}.get(dtype, PROBABILITY)
    return draft.node("LOGISTIC", (x,), (draft.tensor(draft.shape(x), quant, dtype),), NoAttrs())


BUILDERS = {"LOGISTIC": logistic}
