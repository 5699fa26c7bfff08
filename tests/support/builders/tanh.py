"""TANH."""

from __future__ import annotations

from harness.ir.graph import NoAttrs
from harness.quantization.types import Quantization
from tests.support.builders.common import anything
from tests.support.draft import Draft

OUTPUT = Quantization((1 / 128,), (0,))


def tanh(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x)
    return draft.node("TANH", (x,), (draft.tensor(draft.shape(x), OUTPUT),), NoAttrs())


BUILDERS = {"TANH": tanh}
