"""SignalWindow and SignalFftAutoScale, the custom operators before a Fourier transform of audio.

Source: tensorflow/tflite-micro, signal/src/window.cc, fft_auto_scale.cc and max_abs.cc.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from harness.ir.graph import Attrs, NoAttrs, Node
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, Types, same
from harness.ir.operators.tflite import CUSTOM, OperatorDraft, Read, Reading, TfliteForm, Writing, custom_form
from harness.ir.operators.view import View
from harness.quantization.fixedpoint import Ints
from harness.quantization.types import Array, DType

MOST_SHIFT = 31


@dataclass(frozen=True)
class WindowAttrs(Attrs):
    """Bits by which products with the window are shifted right."""

    shift: int


def _verify_window(v: View) -> None:
    x, weights = v.x(), v.x(1)
    v.need(len(x.shape) >= 1, "has a scalar input")
    v.shape(weights, x.shape[-1:])
    v.shape(v.y(), x.shape)
    shift = v.attrs(WindowAttrs).shift
    v.need(0 <= shift <= MOST_SHIFT, f"shifts by {shift}")


def window(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SignalWindow: every row times the window, shifted right and saturated."""
    product = array(inputs, 0).astype(np.int64) * array(inputs, 1).astype(np.int64)
    return (np.clip(product >> cast(WindowAttrs, op.attrs).shift, -32768, 32767).astype(np.int16),)


def _verify_scale(v: View) -> None:
    v.need(len(v.x().shape) == 1, f"has an input of shape {list(v.x().shape)}, not of one dimension")
    v.shape(v.y(), v.x().shape)
    v.need(v.y(1).elements == 1, f"gives one number, '{v.y(1).name}' has shape {list(v.y(1).shape)}")


def auto_scale(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SignalFftAutoScale: all numbers shifted left as far as the largest allows, and by how many bits.

    Zeros stay as they are. -32768 has no magnitude in 16 bits, and what follows it counts anew: then numbers may leave
    16 bits, and wrap.
    """
    x = array(inputs, 0).astype(np.int64)
    largest = _magnitude(x)
    shift = 15 - largest.bit_length() if largest > 0 else 0
    return (x << shift).astype(np.int16), np.full(op.outs[1].shape, shift, np.int32)


def _magnitude(x: Ints) -> int:
    """The largest magnitude as int16; that of -32768 is -32768, below which everything is larger."""
    lowest = np.flatnonzero(x == -32768)
    if not len(lowest):
        return int(np.abs(x).max())
    largest = -32768
    for value in map(int, x[lowest[-1] + 1 :]):
        largest = value if value > largest else max(largest, -value)
    return largest


def _read_scale(op: Reading) -> Read:
    op.count(1, outputs=2)
    op.custom()
    return op.ids(0), NoAttrs()


def write_without_options(to: Writing, node: Node) -> OperatorDraft:
    """A custom operator without options."""
    return OperatorDraft(node.op, node.inputs, node.outputs)


OPERATORS = (
    Operator(
        "SignalWindow",
        _verify_window,
        window,
        attrs=WindowAttrs,
        inputs=(2, 2),
        types=same(DType.INT16),
        tflite=custom_form(WindowAttrs, 2, "shift"),
    ),
    Operator(
        "SignalFftAutoScale",
        _verify_scale,
        auto_scale,
        outputs=(2, 2),
        types=(Types(DType.INT16, DType.INT16, aside=((1, DType.INT32),)),),
        tflite=TfliteForm(CUSTOM, write_without_options, _read_scale, version=1),
    ),
)
