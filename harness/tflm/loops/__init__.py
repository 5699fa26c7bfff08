"""Which loops TensorFlow Lite Micro with CMSIS-NN runs for a layer, one family of operators a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from harness.tflm.layer import TflmLayer
from harness.tflm.loops import elementwise, moves, recurrent, windows
from harness.tflm.loops.base import Loops
from harness.tflm.loops.convolution import convolution, is_wrong
from harness.tflm.loops.dense import dense
from harness.tflm.loops.depthwise import depthwise

_Rule: TypeAlias = Callable[[TflmLayer, bool], Loops | None]

_RULES: dict[str, _Rule] = {
    "CONV_2D": convolution,
    "DEPTHWISE_CONV_2D": depthwise,
    "FULLY_CONNECTED": dense,
    "AVERAGE_POOL_2D": windows.pooling,
    "MAX_POOL_2D": windows.pooling,
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), windows.reduction),
    **dict.fromkeys(("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"), elementwise.binary),
    **dict.fromkeys(
        ("RELU", "RELU6", "LEAKY_RELU", "PRELU", "HARD_SWISH", "TANH", "LOGISTIC", "DEQUANTIZE"), elementwise.each
    ),
    "QUANTIZE": elementwise.quantize,
    "SOFTMAX": elementwise.softmax,
    "LOG_SOFTMAX": elementwise.softmax,
    "RESHAPE": moves.reshape,
    "CONCATENATION": moves.concatenation,
    "PAD": moves.pad,
    "STRIDED_SLICE": moves.strided_slice,
    "TRANSPOSE": moves.transpose,
    **dict.fromkeys(("SPLIT", "SPLIT_V"), moves.split),
    **dict.fromkeys(("PACK", "UNPACK"), moves.pack),
    **dict.fromkeys(("RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR"), moves.resize),
    **dict.fromkeys(("READ_VARIABLE", "ASSIGN_VARIABLE"), moves.variable),
    **dict.fromkeys(("VAR_HANDLE", "CALL_ONCE", "SHAPE"), moves.nothing),
    "SVDF": recurrent.svdf,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": recurrent.lstm,
}
AS_ANOTHER = {"PADV2": "PAD"}
"""Operators that TFLM computes by another's kernel."""

MUCH_LIKE = {"SQUEEZE": "RESHAPE", "EXPAND_DIMS": "RESHAPE"}
"""Operators that were never measured, and do about what another does."""

HELIUM = frozenset({"cortex-m55"})
"""Cores whose kernels use Helium."""

LSTM_FORGETS = "CMSIS-NN's int8 LSTM forgets its hidden state from one inference to the next"
ROW_IS_WRONG = "CMSIS-NN computes int8 convolutions of one row with a stride wrongly on this core"


def loops(layer: TflmLayer, core: str) -> Loops | None:
    """The loops of a layer on a core; None where they are not known."""
    rule = _RULES.get(measured_as(layer.op))
    return None if rule is None or not layer.sound else rule(layer, core in HELIUM)


def measured_as(op: str) -> str:
    """The operator whose measured figures stand for those of an operator."""
    return AS_ANOTHER.get(op) or MUCH_LIKE.get(op, op)


def known_fault(layer: TflmLayer, core: str) -> str:
    """What TFLM with CMSIS-NN computes wrongly in such a layer on a core; "" if nothing is known."""
    if not layer.sound:
        return ""
    if layer.op == "UNIDIRECTIONAL_SEQUENCE_LSTM" and recurrent.forgets(layer):
        return LSTM_FORGETS
    if layer.op == "CONV_2D" and is_wrong(layer, core in HELIUM):
        return ROW_IS_WRONG
    return ""
