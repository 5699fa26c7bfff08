"""What convolutions and pools share: their rule, their padding in a file, and the elements that a window meets."""

from __future__ import annotations

import numpy as np

from harness.errors import GraphError
from harness.ir.graph import ConvAttrs, Pads, PoolAttrs, Tensor, same_pads
from harness.ir.operators.operands import Operands
from harness.ir.operators.view import View
from harness.quantization.fixedpoint import Ints

Pair = tuple[int, int]
"""(height, width)."""


def verify_window(v: View, kernel: Pair, attrs: ConvAttrs | PoolAttrs, dilation: Pair) -> None:
    """Spatial size of the output of a convolution or pool."""
    x, y, p = v.x(), v.y(), attrs.pads
    v.need(len(x.shape) == 4 and len(y.shape) == 4, f"reads {list(x.shape)} and writes {list(y.shape)}, not NHWC")
    pads = ((p.top, p.bottom), (p.left, p.right))
    for i, (before, after) in enumerate(pads):
        k, s, d = kernel[i], attrs.stride[i], dilation[i]
        v.need(min(before, after) >= 0 and min(k, s, d) >= 1, "has a negative padding, or a zero kernel or stride")
        span = x.shape[1 + i] + before + after - ((k - 1) * d + 1)
        v.need(span >= 0, f"has a kernel larger than its padded input {list(x.shape)}")
        v.need(span // s + 1 == y.shape[1 + i], f"gives {span // s + 1} rows or columns, '{y.name}' is {list(y.shape)}")
    v.need(x.shape[0] == y.shape[0], "changes the batch size")
    v.clamp(attrs.clamp)


def padding_number(x: Tensor, y: Tensor, kernel: Pair, attrs: ConvAttrs | PoolAttrs) -> int:
    """The padding as a file says it: 0 for SAME, 1 for VALID.

    Raises:
        GraphError: it is neither.
    """
    dilation = attrs.dilation if isinstance(attrs, ConvAttrs) else (1, 1)
    size, out = (x.shape[1], x.shape[2]), (y.shape[1], y.shape[2])
    reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    valid = tuple((n - r) // s + 1 for n, r, s in zip(size, reach, attrs.stride, strict=True))
    if attrs.pads == Pads() and out == valid:
        return 1
    same = tuple(-(-n // s) for n, s in zip(size, attrs.stride, strict=True))
    if attrs.pads == same_pads(size, kernel, attrs.stride, dilation) and out == same:
        return 0
    raise GraphError(
        f"padding {attrs.pads} into '{y.name}' is neither SAME nor VALID",
        hint="write the graph before passes have merged PAD into it",
    )


def padded(x: Ints, pads: Pads, kernel: Pair, op: Operands, stride: Pair, fill: int) -> Ints:
    """NHWC x with its padding, and with whatever the last window reaches beyond it."""
    need = [(o - 1) * s + k for o, s, k in zip(op.y.shape[1:3], stride, kernel, strict=True)]
    bottom = max(pads.bottom, need[0] - x.shape[1] - pads.top, 0)
    right = max(pads.right, need[1] - x.shape[2] - pads.left, 0)
    return np.pad(x, ((0, 0), (pads.top, bottom), (pads.left, right), (0, 0)), constant_values=fill)


def tap(x: Ints, dy: int, dx: int, stride: Pair, out: tuple[int, ...]) -> Ints:
    """The elements that tap (dy, dx) of a kernel meets: [batch, out height, out width, channels]."""
    height, width = out[1:3]
    return x[:, dy : dy + (height - 1) * stride[0] + 1 : stride[0], dx : dx + (width - 1) * stride[1] + 1 : stride[1]]
