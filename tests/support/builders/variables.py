"""READ_VARIABLE and ASSIGN_VARIABLE."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import NoAttrs, State
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from tests.support.builders.common import anything
from tests.support.draft import QUANTIZED, Draft, chance, pick, values


def _variable(draft: Draft, x: int) -> int:
    """A variable of x's shape and type: a new one, or one that the graph has."""
    rng, tensor = draft.rng, draft.tensors[x]
    known = {i for node in draft.nodes if has(node, Trait.COPIES_STATE) for i in node.states}
    alike = [
        i
        for i in sorted(known)
        if (draft.states[i].initial.shape, draft.states[i].dtype, draft.states[i].quant)
        == (tensor.shape, tensor.dtype, tensor.quant)
    ]
    if alike and chance(rng, 0.7):
        return pick(rng, *alike)
    still = tensor.q.zero_point if tensor.dtype in QUANTIZED else 0
    initial = np.full(tensor.shape, still) if chance(rng, 0.4) else values(rng, tensor.shape, tensor.dtype)
    state = State(f"t{len(draft.tensors)}/variable", tensor.dtype, initial.astype(tensor.dtype.numpy), tensor.quant)
    draft.states.append(state)
    return len(draft.states) - 1


def _read(draft: Draft, x: int, state: int) -> int:
    y = draft.like(x, draft.shape(x))
    return draft.node("READ_VARIABLE", (), (y,), NoAttrs(), (state,))


def _assign(draft: Draft, x: int, state: int) -> None:
    draft.node("ASSIGN_VARIABLE", (x,), (), NoAttrs(), (state,))


def read(draft: Draft, x: int | None = None) -> int:
    """What was assigned an inference ago, and now and then once more what is now."""
    x = anything(draft, x, kind="READ_VARIABLE")
    state = _variable(draft, x)
    y = _read(draft, x, state)
    _assign(draft, x, state)
    return _read(draft, x, state) if chance(draft.rng, 0.3) else y


def assign(draft: Draft, x: int | None = None) -> int:
    """What has just been assigned; now and then something else is assigned thereafter."""
    x = anything(draft, x, kind="ASSIGN_VARIABLE")
    state = _variable(draft, x)
    before = _read(draft, x, state)
    _assign(draft, x, state)
    y = _read(draft, x, state)
    if chance(draft.rng, 0.3):
        _assign(draft, before, state)
    return y


BUILDERS = {"READ_VARIABLE": read, "ASSIGN_VARIABLE": assign}
