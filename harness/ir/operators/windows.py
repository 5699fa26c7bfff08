"""Convolutions and pools: verifier rule, padding in a file, and the elements under each tap of the kernel."""

from __future__ import annotations

from typing import TypeVar, cast

import numpy as np

from harness.errors import GraphError
from harness.ir.graph import Tensor
from harness.ir.operators.operands import Operands
from harness.ir.operators.view import View
from harness.ir.window import ConvAttrs, Pads, PoolAttrs, padding_of, window_fault
from harness.quantization.types import Array

_Values = TypeVar("_Values", bound=Array)

Pair = tuple[int, int]
"""(height, width)."""

PADDINGS = ("SAME", "VALID")
"""Paddings by their number in a file."""


def verify_window(v: View, kernel: Pair, attrs: ConvAttrs | PoolAttrs) -> None:
    """Checks the output's height and width, and the clamp, of a convolution or pool."""
    fault = window_fault(v.x(), v.y(), kernel, attrs)
    if fault is not None:
        raise v.error(fault)
    v.clamp(attrs.clamp)


def padding_number(x: Tensor, y: Tensor, kernel: Pair, attrs: ConvAttrs | PoolAttrs) -> int:
    """The padding's number in a file: 0 for SAME, 1 for VALID.

    Raises:
        GraphError: it is neither.
    """
    padding = padding_of(x, y, kernel, attrs)
    if padding is None:
        raise GraphError(
            f"padding {attrs.pads} into '{y.name}' is neither SAME nor VALID",
            hint="write the graph before passes have merged PAD into it",
        )
    return PADDINGS.index(padding)


def padded(x: _Values, pads: Pads, kernel: Pair, op: Operands, stride: Pair, fill: int) -> _Values:
    """NHWC x with its padding of `fill`, extended to the end of the last window."""
    need = [(o - 1) * s + k for o, s, k in zip(op.y.shape[1:3], stride, kernel, strict=True)]
    bottom = max(pads.bottom, need[0] - x.shape[1] - pads.top, 0)
    right = max(pads.right, need[1] - x.shape[2] - pads.left, 0)
    return cast(_Values, np.pad(x, ((0, 0), (pads.top, bottom), (pads.left, right), (0, 0)), constant_values=fill))


def tap(x: _Values, dy: int, dx: int, stride: Pair, out: tuple[int, ...]) -> _Values:
    """The elements under tap (dy, dx) of the kernel: [batch, out height, out width, channels]."""
    height, width = out[1:3]
    rows, columns = (height - 1) * stride[0] + 1, (width - 1) * stride[1] + 1
    return cast(_Values, x[:, dy : dy + rows : stride[0], dx : dx + columns : stride[1]])
