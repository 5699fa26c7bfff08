"""Bytes of the arena that kernels of TFLM with CMSIS-NN take besides tensors: while they run, and for good.

Sources: arm_*_get_buffer_size* of CMSIS-NN, and Prepare() of TFLM's kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TypeAlias

from harness.tflm.layer import SIZES, TflmLayer
from harness.tflm.loops import HELIUM
from harness.tflm.loops.base import VECTOR, ceiling, window
from harness.tflm.loops.convolution import is_convolution, is_one_row
from harness.tflm.loops.depthwise import is_depthwise

ALIGNMENT = 16
_INT32 = 4
_COLUMNS = 4
"""Columns that a convolution gathers with Helium; without, two of int16."""

_CHANNELS_AT_ONCE = 124
_GATES = 8
"""Of an LSTM: four of its input, four of its hidden state."""

_Sizes: TypeAlias = tuple[int, ...]


def aligned(size: int) -> int:
    """A size as the arena has it."""
    return ceiling(size, ALIGNMENT) * ALIGNMENT


def while_running(layer: TflmLayer, core: str) -> _Sizes:
    """Buffers that a kernel takes while it runs, in bytes."""
    rule = _SCRATCH.get(layer.op)
    return () if rule is None or not layer.sound else tuple(size for size in rule(layer, core in HELIUM) if size > 0)


def per_channel(layer: TflmLayer, core: str) -> int:
    """Bytes that a kernel keeps for its channels: a multiplier and a shift for each, or sums of weights."""
    if layer.op in ("CONV_2D", "DEPTHWISE_CONV_2D") and layer.types[0] in ("int8", "int16"):
        return 2 * aligned(_INT32 * (layer.output[-1] if layer.output else 0))
    if layer.op == "FULLY_CONNECTED" and layer.types == ("int8", "int8", "int8") and len(layer.input(1)) == 2:
        outputs, depth = layer.input(1)
        if len(layer.output) > 2 and depth % 4 == 0:
            return 2 * aligned(_INT32 * outputs)
        return aligned(_INT32 * outputs) * ((core in HELIUM) + 2 * layer.per_channel)
    if layer.op == "UNIDIRECTIONAL_SEQUENCE_LSTM" and layer.types[0] == "int8":
        return _GATES * aligned(_INT32 * sum(layer.input(2)[:1]))
    if layer.op == "SVDF" and layer.types[0] == "int8" and core in HELIUM:
        return aligned(_INT32 * sum(layer.input(1)[:1]))
    return 0


def _convolution(layer: TflmLayer, mve: bool) -> _Sizes:
    if layer.types[0] not in ("int8", "int16") or not is_convolution(layer):
        return ()
    _, height, width, depth = layer.input(1)
    over = window(layer, (height, width))
    inner = height * width * layer.input(0)[3]
    if layer.types[0] == "int16":
        return (2 * inner * 2,)
    alone = height == width == 1 and over.rows.before == over.columns.before == 0
    if alone and layer.dilation == (1, 1) and depth == layer.input(0)[3]:
        return ()
    if mve and is_one_row(layer):
        return (inner + over.columns.before * depth,)
    return (_columns(inner, mve),)


def _columns(inner: int, mve: bool) -> int:
    return _COLUMNS * ceiling(inner, VECTOR) * VECTOR if mve else 2 * ceiling(inner, 4) * 4 * 2


def _depthwise(layer: TflmLayer, mve: bool) -> _Sizes:
    if layer.types[0] not in ("int8", "int16") or not is_depthwise(layer):
        return ()
    _, height, width, outputs = layer.input(1)
    batches, _, _, channels = layer.input(0)
    plain = batches == 1 and layer.dilation == (1, 1)
    kernel = height * width
    if layer.types[0] == "int16":
        return (2 * channels * kernel,) if outputs == channels and plain else ()
    if mve and channels == 1 and outputs > 1:
        return (_columns(kernel, mve) + kernel * outputs,)
    if outputs != channels or not plain:
        return ()
    if mve:
        return (_COLUMNS * _CHANNELS_AT_ONCE * kernel,)
    over = window(layer, (height, width))
    if (height, width) == (3, 3) and over.rows.before <= 1 and over.columns.before <= 1:
        return ()
    return (2 * channels * kernel,)


def _pooling(layer: TflmLayer, mve: bool) -> _Sizes:
    if layer.types[0] != "int8" or not layer.output:
        return ()
    return () if mve else (_INT32 * layer.output[-1],)


def _svdf(layer: TflmLayer, mve: bool) -> _Sizes:
    if layer.types[0] != "int8" or len(layer.input(2)) != 2:
        return ()
    batches, features = layer.input(0)[0], layer.input(2)[0]
    units = layer.output[-1] if layer.output else 0
    return (_INT32 * batches * features, _INT32 * batches * units)


def _lstm(layer: TflmLayer, mve: bool) -> _Sizes:
    hidden = layer.input(2)[0] if len(layer.input(2)) == 2 else 0
    first, second, _ = layer.input(0) if len(layer.input(0)) == 3 else (0, 0, 0)
    batches = second if layer.time_major else first
    return (2 * batches * hidden,) * 4


def _mean(layer: TflmLayer, mve: bool) -> _Sizes:
    return (_INT32 * layer.elements,)


_SCRATCH: dict[str, Callable[[TflmLayer, bool], _Sizes]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "AVERAGE_POOL_2D": _pooling,
    "SVDF": _svdf,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
    "MEAN": _mean,
    "SUM": _mean,
}


STATES = {"SVDF": (4,), "UNIDIRECTIONAL_SEQUENCE_LSTM": (18, 19)}
"""Positions of inputs that are states, which the planner does not place."""


def states(layer: TflmLayer) -> int:
    """Bytes that a layer keeps from one inference to the next, in the arena."""
    if layer.op == "SVDF" and len(layer.inputs) > 4:
        return aligned(prod(layer.input(4)) * (2 if layer.state == "int16" else 1))
    if layer.op == "UNIDIRECTIONAL_SEQUENCE_LSTM" and len(layer.inputs) > 19:
        return aligned(prod(layer.input(18)))
    if layer.op == "ASSIGN_VARIABLE":
        return aligned(prod(layer.input(1)) * SIZES.get(layer.types[1], 1))
    return 0
