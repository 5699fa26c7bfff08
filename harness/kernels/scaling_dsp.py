"""How kernels for the DSP extension get from sums to int8: forms per channel, and the clamp that saturation is not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from harness.kernels.base import Call, Out
from harness.kernels.context import Context
from harness.kernels.quantized_layer import QuantizedLayer, quantized_layer
from harness.kernels.requant_linear import SCALE_BITS
from harness.quantization.fixedpoint import Ints, wrap32
from harness.quantization.types import Clamp

DSP = frozenset({"dsp"})


@dataclass(frozen=True, eq=False)
class SaturatingRequant:
    """How each channel of a layer gets from its sum to int8, for kernels that saturate and leave narrower clamps.

    Attributes:
        linear: bool; channels in the two-instruction form (requant_linear.py), whose sums are 2**SCALE_BITS larger.
        start: int32; what a channel's sum starts with: bias with the input's zero point folded in, and offset.
        multiplier, addend, shift, left: int32; of requant_linear.py or requant.py.
    """

    linear: npt.NDArray[np.bool_]
    start: Ints
    multiplier: Ints
    addend: Ints
    shift: Ints
    left: Ints


def depthwise_requant(context: Context, *, folded: bool = True, together: int = 1) -> SaturatingRequant | None:
    """Constants of every channel of a DEPTHWISE_CONV_2D, or None when a channel has no exact form here.

    Args:
        context: of the layer.
        folded: whether sums are of the input as it is; else of the input less its zero point.
        together: groups of so many channels, the last group being the last so many, have one form.
    """
    return _saturating(quantized_layer(context), folded, together)


@lru_cache(maxsize=256)
def _saturating(layer: QuantizedLayer, folded: bool, together: int) -> SaturatingRequant | None:
    found = layer.linear
    one_line = _all_or_none(found.exact, together)
    base = layer.folded_bias if folded else layer.bias
    multiplier, start = found.multiplier.astype(np.int64), wrap32((base << SCALE_BITS) + found.offset)
    addend, shift, doublings = (np.zeros_like(start) for _ in range(3))
    left = np.flatnonzero(~one_line)
    if left.size:
        rest = layer.rounded(left, steep=True)
        if rest is None:
            return None
        multiplier[left], addend[left], shift[left] = rest.multiplier, rest.addend, rest.shift
        start[left], doublings[left] = wrap32(base[left]), rest.left
    return SaturatingRequant(one_line, start, multiplier, addend, shift, doublings)


def _all_or_none(flags: npt.NDArray[np.bool_], together: int) -> npt.NDArray[np.bool_]:
    """The flags, cleared in every group where one is; the last group may overlap the one before."""
    ends = [min(end, len(flags)) for end in range(together, len(flags) + together, together)]
    kept = flags.copy()
    # Once more for the last one but one, which the last may have changed.
    for end in (*ends, *ends[-2:]):
        kept[max(end - together, 0) : end] &= kept[max(end - together, 0) : end].all()
    return kept


def clamped(context: Context, calls: tuple[Call, ...], clamp: Clamp) -> tuple[Call, ...]:
    """The calls, and the one that clamps where saturation to its type does not."""
    if clamp == context.output().dtype.range:
        return calls
    shape = {"count": context.output().elements, "clamp_min": clamp[0], "clamp_max": clamp[1]}
    return (*calls, Call("clamp_s8_dsp", (Out(),), shape))


def clamp_loops(context: Context, clamp: Clamp) -> dict[str, float]:
    """Loops of the call that `clamped` adds."""
    there = clamp != context.output().dtype.range
    return {"clamp": float(there), "clamp_word": there * context.output().elements / 4}
