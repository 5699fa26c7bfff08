"""UNIDIRECTIONAL_SEQUENCE_LSTM."""

from __future__ import annotations

import numpy as np

from harness.frontends.tflite.states import initial_of
from harness.ir.graph import State
from harness.ir.operators.lstm import LstmAttrs
from harness.quantization.types import DType, Quantization
from tests.support.builders.common import flattened
from tests.support.draft import Draft, between, chance, log_uniform, pick, quantization


def lstm(draft: Draft, x: int | None = None, units: int = 0) -> int:
    """`units`: how many, 0: few."""
    rng = draft.rng
    attrs = LstmAttrs(0.0 if chance(rng, 0.6) else log_uniform(rng, 0.05, 9), chance(rng, 0.3))
    if x is None:
        batch, time = pick(rng, 1, 1, 2), between(rng, 1, 5)
        kind = pick(rng, DType.INT8, DType.INT8, DType.INT16, DType.FLOAT32)
        x = draft.input((*((time, batch) if attrs.time_major else (batch, time)), between(rng, 1, 40)), dtype=kind)
    x = flattened(draft, x, (1,))
    first, second, depth = draft.shape(x)
    batch = second if attrs.time_major else first
    units = units or between(rng, 1, 21)
    kind = draft.tensors[x].dtype
    if kind is DType.FLOAT32:
        return _float(draft, x, units, attrs)
    wide = kind is DType.INT16
    unit = 2.0**-15 if wide else 2.0**-7
    hidden = quantization(rng, kind, pick(rng, unit, log_uniform(rng, unit / 4, unit * 4)))
    scale = 2.0 ** between(rng, -15, -8)
    if chance(rng, 0.2):
        scale = float(np.float32(scale * rng.uniform(0.75, 1.35)))
    cell = Quantization((scale,), (0,))
    gain = pick(rng, 0.1, 0.1, 1, 4)
    fed = [_weights(draft, units, depth, draft.quant(x), gain, wide=wide) for _ in range(4)]
    back = [_weights(draft, units, units, hidden, gain, wide=wide) for _ in range(4)]
    biases = []
    for w in fed:
        scale = float(np.float32(draft.quant(x).scale) * np.float32(draft.quant(w).scale))
        most = 2**44 if wide else 2**29
        data = np.clip(np.round(rng.normal(0, log_uniform(rng, 0.1, 4), units) / scale), -most, most)
        biases.append(draft.constant(data.astype(np.int64 if wide else np.int32), Quantization((scale,), (0,))))
    number = len(draft.states)
    for name, dtype, quant in (("hidden", kind, hidden), ("cell", DType.INT16, cell)):
        held = initial_of((batch, units), dtype, quant)
        draft.states.append(State(f"t{len(draft.tensors)}/{name}", dtype, held, quant))
    y = draft.tensor((first, second, units), hidden, kind)
    inputs = (x, *fed, *back, *biases)
    return draft.node("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, (y,), attrs, (number, number + 1))


def _float(draft: Draft, x: int, units: int, attrs: LstmAttrs) -> int:
    rng = draft.rng
    first, second, depth = draft.shape(x)
    gain = pick(rng, 0.3, 1, 3)
    constants = [rng.normal(0, gain / np.sqrt(n), (units, n)) for n in (*[depth] * 4, *[units] * 4)]
    constants += [rng.normal(0, gain, units) for _ in range(4)]
    weights = [draft.constant(data.astype(np.float32), None) for data in constants]
    number, shape = len(draft.states), (second if attrs.time_major else first, units)
    for name in ("hidden", "cell"):
        held = initial_of(shape, DType.FLOAT32, None)
        draft.states.append(State(f"t{len(draft.tensors)}/{name}", DType.FLOAT32, held))
    y = draft.tensor((first, second, units), None, DType.FLOAT32)
    return draft.node("UNIDIRECTIONAL_SEQUENCE_LSTM", (x, *weights), (y,), attrs, (number, number + 1))


def _weights(draft: Draft, units: int, depth: int, quant: Quantization, gain: float, *, wide: bool) -> int:
    """Such that sums are about as large as `gain`: small, or spanning the gates, or saturating them."""
    rng = draft.rng
    data = np.clip(np.round(rng.normal(0, log_uniform(rng, 5, 90), (units, depth))), -128, 127)
    deviation = (float(np.abs(data).mean()) + 1) * 75 * np.sqrt(depth) * quant.scale * (256 if wide else 1)
    scale = float(np.float32(log_uniform(rng, gain / 3, gain * 2) / deviation))
    return draft.constant(data.astype(np.int8), Quantization((scale,), (0,)))


BUILDERS = {"UNIDIRECTIONAL_SEQUENCE_LSTM": lstm}
