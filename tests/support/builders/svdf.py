"""SVDF."""

from __future__ import annotations

import numpy as np

from harness.frontends.tflite.states import initial_of
from harness.ir.activations import activation_clamp
from harness.ir.graph import State
from harness.ir.operators.svdf import SvdfAttrs
from harness.quantization.types import DType, Quantization
from tests.support.builders.common import flattened
from tests.support.draft import Draft, between, chance, floats, log_uniform, pick, quantization


def svdf(draft: Draft, x: int | None = None, units: int = 0, memory: int = 0, rank: int = 0) -> int:
    """`units`, `memory` and `rank`: how many, 0: few."""
    rng = draft.rng
    if x is None:
        shape = (pick(rng, 1, 1, 2), between(rng, 1, 40))
        x = draft.input(shape, dtype=DType.FLOAT32 if chance(rng, 0.2) else DType.INT8)
    x = flattened(draft, x, ())
    batch, depth = draft.shape(x)
    rank = rank or pick(rng, 1, 1, 2, 3)
    units, memory = units or between(rng, 1, 9), memory or between(rng, 1, 12)
    if draft.tensors[x].dtype is DType.FLOAT32:
        return _float(draft, x, units, rank, memory)
    kind = pick(rng, DType.INT8, DType.INT16)
    weights = np.clip(np.round(rng.normal(0, log_uniform(rng, 2, 90), (units * rank, depth))), -128, 127)
    if kind is DType.INT8:
        time = np.clip(np.round(rng.normal(0, log_uniform(rng, 2, 90), (units * rank, memory))), -128, 127)
    else:
        time = np.clip(np.round(rng.normal(0, log_uniform(rng, 2, 9000), (units * rank, memory))), -32768, 32767)
    largest = 2.0 ** (7 if kind is DType.INT8 else 15)
    deviation = float(np.abs(weights).mean()) * 75 * np.sqrt(depth) + 1
    factor = min(log_uniform(rng, 0.05, 3) * largest / deviation, 2.0**14)
    held = quantization(rng, kind, log_uniform(rng, 2**-16, 2**-3))
    scale = Quantization((float(np.float32(factor * held.scale / draft.quant(x).scale)),), (0,))
    if kind is DType.INT16 and chance(rng, 0.9):
        held = Quantization(held.scales, (0,))
    number = len(draft.states)
    shape = (batch, units * rank * memory)
    draft.states.append(State(f"t{len(draft.tensors)}/state", kind, initial_of(shape, kind, held), held))
    spread = float(np.abs(time).mean()) * largest / 3 * np.sqrt(memory * rank) + 1
    quant = quantization(rng)
    times = Quantization((float(np.float32(log_uniform(rng, 15, 500) / spread * quant.scale / held.scale)),), (0,))
    product = float(np.float32(held.scale) * np.float32(times.scale))
    bias = np.clip(rng.normal(0, spread, units), -(2**31), 2**31 - 1).astype(np.int32)
    w = draft.constant(weights.astype(np.int8), scale)
    t = draft.constant(time.astype(kind.numpy), times)
    b = draft.constant(bias, Quantization((product,), (0,)))
    y = draft.tensor((batch, units), quant)
    return draft.node("SVDF", (x, w, t, b), (y,), SvdfAttrs(rank, (-128, 127)), (number,))


def _float(draft: Draft, x: int, units: int, rank: int, memory: int) -> int:
    rng = draft.rng
    batch, depth = draft.shape(x)
    shape = (batch, units * rank * memory)
    number = len(draft.states)
    draft.states.append(
        State(f"t{len(draft.tensors)}/state", DType.FLOAT32, initial_of(shape, DType.FLOAT32, None), None)
    )
    w = draft.constant(floats(rng, (units * rank, depth)), None)
    t = draft.constant(floats(rng, (units * rank, memory)), None)
    b = draft.constant(floats(rng, (units,)), None)  # TFLM crashes without a bias
    y = draft.tensor((batch, units), None, DType.FLOAT32)
    clamp = activation_clamp(pick(rng, "NONE", "RELU", "RELU6"), draft.tensors[y])
    return draft.node("SVDF", (x, w, t, b), (y,), SvdfAttrs(rank, clamp), (number,))


BUILDERS = {"SVDF": svdf}
