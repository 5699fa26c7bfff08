"""How kernels for the DSP extension get from sums to int8: forms per channel, and the clamp that saturation is not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from harness.hardware.target import Target
from harness.ir.graph import ConvAttrs, Graph, Node
from harness.kernels.base import Call, Out
from harness.kernels.context import Context
from harness.kernels.requant import accumulator_range, requant
from harness.kernels.requant_linear import SCALE_BITS, linear
from harness.kernels.scale import channel_weights, exact_bias
from harness.quantization.fixedpoint import Ints, wrap32
from harness.quantization.params import conv_params
from harness.quantization.types import Clamp

INT8: Clamp = (-128, 127)
DSP = frozenset({"dsp"})


@dataclass(frozen=True)
class Scaling:
    """How each channel of a layer gets from its sum to int8, for kernels that saturate and leave narrower clamps.

    Attributes:
        linear: bool; channels in the two-instruction form (requant_linear.py), whose sums are 2**SCALE_BITS larger.
        start: int32; what a channel's sum starts with: bias with the input's zero point folded in, and offset.
        multiplier, addend, shift: int32; of requant_linear.py or requant.py.
    """

    linear: npt.NDArray[np.bool_]
    start: Ints
    multiplier: Ints
    addend: Ints
    shift: Ints

    def constants(self, channel: int) -> list[int]:
        """Start and multiplier of the linear form; else start, complement of the multiplier, addend and shift."""
        if self.linear[channel]:
            return [int(self.start[channel]), int(self.multiplier[channel])]
        rest = (~self.multiplier[channel], self.addend[channel], self.shift[channel])
        return [int(self.start[channel]), *map(int, rest)]


def depthwise_scaling(context: Context, *, folded: bool = True, together: int = 1) -> Scaling | None:
    """Constants of every channel of a DEPTHWISE_CONV_2D, or None when a channel has no exact form here.

    Args:
        context: of the layer.
        folded: whether sums are of the input as it is; else of the input less its zero point.
        together: groups of so many channels, the last group being the last so many, have one form.
    """
    return _depthwise_scaling(context.graph, context.node, context.target, folded, together)


@lru_cache(maxsize=256)
def _depthwise_scaling(graph: Graph, node: Node, target: Target, folded: bool, together: int) -> Scaling | None:
    context = Context(graph, node, target)
    attrs = node.attrs
    assert isinstance(attrs, ConvAttrs)
    weights, clamp = channel_weights(context), attrs.clamp
    y = context.output()
    raw = exact_bias(context)
    bias = raw - context.input().q.zero_point * weights.sum(axis=1)
    low, high = accumulator_range(weights, bias)
    m, shifts = conv_params(context.input(0), context.input(1), y)
    found = linear(m, shifts, y.q.zero_point, clamp, low, high)
    one_line = _all_or_none(found.exact, together)
    base = bias if folded else raw
    multiplier, start = found.multiplier.astype(np.int64), wrap32((base << SCALE_BITS) + found.offset)
    addend, shift = np.zeros_like(start), np.zeros_like(start)
    left = ~one_line
    if left.any():
        rest = requant(m[left], shifts[left], y.q.zero_point, clamp, low[left], high[left])
        if rest is None:
            return None
        multiplier[left], addend[left], shift[left] = rest.multiplier, rest.addend, rest.shift
        start[left] = wrap32(base[left])
    return Scaling(one_line, start, multiplier, addend, shift)


def _all_or_none(flags: npt.NDArray[np.bool_], together: int) -> npt.NDArray[np.bool_]:
    """The flags, cleared in every group where one is; the last group may overlap the one before."""
    ends = [min(end, len(flags)) for end in range(together, len(flags) + together, together)]
    kept = flags.copy()
    # Once more for the last one but one, which the last may have changed.
    for end in (*ends, *ends[-2:]):
        kept[max(end - together, 0) : end] &= kept[max(end - together, 0) : end].all()
    return kept


def clamped(context: Context, calls: tuple[Call, ...], clamp: Clamp) -> tuple[Call, ...]:
    """The calls, and the one that clamps where saturation to int8 does not."""
    if clamp == INT8:
        return calls
    shape = {"count": context.output().elements, "clamp_min": clamp[0], "clamp_max": clamp[1]}
    return (*calls, Call("clamp_s8_dsp", (Out(),), shape))


def clamp_loops(context: Context, clamp: Clamp) -> dict[str, float]:
    """Loops of the call that `clamped` adds."""
    there = clamp != INT8
    return {"clamp": float(there), "clamp_word": there * context.output().elements / 4}
