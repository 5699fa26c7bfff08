"""Multipliers of UNIDIRECTIONAL_SEQUENCE_LSTM. Source: tensorflow/lite/micro/kernels/lstm_eval_common.cc."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.quantization.fixedpoint import quantize_multiplier
from harness.quantization.params import Multiplier
from harness.quantization.types import Quantization, Quantized

GATE_SCALE = 2.0**-12
"""Of a gate's sum, before its sigmoid or tanh, which gives Q0.15."""

_UNIT = 2.0**-15


@dataclass(frozen=True)
class LstmParams:
    """Constants of an LSTM; gates in the order input, forget, cell, output.

    Attributes:
        inputs, recurrent: by gate, sums to GATE_SCALE.
        forget: forget gate * cell state to the cell state.
        added: input gate * cell gate to the cell state.
        hidden: output gate * tanh(cell state) to the hidden state.
        tanh_multiplier, tanh_right: of the cell state, see sigmoid16.tanh16.
        clip: largest magnitude of the cell state, 0: any.
    """

    inputs: tuple[Multiplier, ...]
    recurrent: tuple[Multiplier, ...]
    forget: Multiplier
    added: Multiplier
    hidden: Multiplier
    tanh_multiplier: int
    tanh_right: int
    clip: int


def lstm_params(
    x: Quantized, weights: Sequence[Quantized], hidden: Quantization, cell: Quantization, clip: float
) -> LstmParams:
    """`weights`: four of the inputs, then four recurrent ones. Scales are multiplied in double.

    For its tanh the cell state's scale is taken to the nearest power of two, as TFLM does.
    """
    held, kept, fed = (float(np.float32(q.scale)) for q in (hidden, cell, x.q))
    products = [(held if i >= 4 else fed) * float(np.float32(w.q.scale)) / GATE_SCALE for i, w in enumerate(weights)]
    factors = tuple(Multiplier(*quantize_multiplier(real)) for real in products)
    left = round(float(np.log2(kept))) + 12
    limit = int(min(float(np.float32(clip)) / kept, 32767.0)) if clip > 0 else 0
    return LstmParams(
        factors[:4],
        factors[4:],
        Multiplier(*quantize_multiplier(_UNIT * kept / kept)),
        Multiplier(*quantize_multiplier(_UNIT * _UNIT / kept)),
        Multiplier(*quantize_multiplier(_UNIT * _UNIT / held)),
        3 << max(left, 0),
        max(-left, 0),
        limit,
    )
