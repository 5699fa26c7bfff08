"""Audio cut into frames and joined, across inferences: SignalFramer, SignalOverlapAdd, SignalDelay, SignalStacker.

What they hold between inferences is their own, and no tensor of the file. Source: tensorflow/tflite-micro,
signal/micro/kernels/framer.cc, overlap_add.cc, delay.cc, stacker.cc and signal/src/circular_buffer.cc.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import cast

import numpy as np

from harness.ir.graph import Attrs, Node, State, Tensor
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, Types
from harness.ir.operators.tflite import CUSTOM, OperatorDraft, Read, Reading, TfliteForm, Unsupported, Writing, fresh
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

_STATEFUL = frozenset({Trait.READS_STATE, Trait.WRITES_STATE})
_MOST = 1 << 20
"""Largest frame, step, delay or context, in elements."""


def _held(v: View, shape: tuple[int, ...], i: int = 0) -> None:
    held = v.state(i).initial.shape
    v.need(held == shape, f"has a state of shape {list(held)}, not {list(shape)}")


# --- SignalFramer ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FramerAttrs(Attrs):
    """Samples of a frame, and from one frame to the next; whether zeros come before the first sample."""

    frame_size: int
    frame_step: int
    prefill: bool

    @property
    def kept(self) -> int:
        """Samples held from one step to the next; without prefill whole steps, of which the last is yet to be used."""
        steps = -(-self.frame_size // self.frame_step) * self.frame_step
        return (self.frame_size if self.prefill else steps) - self.frame_step

    @property
    def steps_before(self) -> int:
        """Steps that must come in before the first frame is whole."""
        return 0 if self.prefill else self.kept // self.frame_step


def _verify_framer(v: View) -> None:
    x, y, attrs = v.x(), v.y(), v.attrs(FramerAttrs)
    sound = 1 <= attrs.frame_step < attrs.frame_size <= _MOST
    v.need(sound, f"has frames of {attrs.frame_size} samples by steps of {attrs.frame_step}")
    v.need(len(x.shape) >= 1 and x.shape[-1] % attrs.frame_step == 0, f"has an input of shape {list(x.shape)}")
    v.shape(y, (*x.shape[:-1], x.shape[-1] // attrs.frame_step, attrs.frame_size))
    v.need(v.y(1).elements == 1, f"gives one answer, '{v.y(1).name}' has shape {list(v.y(1).shape)}")
    _held(v, (prod(x.shape[:-1]), attrs.kept))
    _held(v, (1,), 1)


def framer(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SignalFramer: frames of the last samples, and whether all of them were whole; others are zeros."""
    attrs = cast(FramerAttrs, op.attrs)
    rows = np.concatenate([op.held[0], array(inputs, 0).reshape(len(op.held[0]), -1)], axis=1)
    count = array(inputs, 0).shape[-1] // attrs.frame_step
    before = int(op.held[1][0])
    frames = np.zeros((len(rows), count, attrs.frame_size), np.int16)
    for i in range(count):
        if before + i >= attrs.steps_before:
            start = i * attrs.frame_step
            frames[:, i] = rows[:, start : start + attrs.frame_size]
    whole = before >= attrs.steps_before
    seen = min(before + count, attrs.steps_before)
    states = np.ascontiguousarray(rows[:, rows.shape[1] - attrs.kept :]), np.array([seen], np.int32)
    return frames.reshape(op.y.shape), np.full(op.outs[1].shape, whole), *states


def _framer_states(reads: Sequence[Tensor], writes: Sequence[Tensor], attrs: Attrs) -> tuple[State, ...]:
    kept = cast(FramerAttrs, attrs).kept
    name = writes[0].name
    held = fresh(f"{name}/samples", DType.INT16, (prod(reads[0].shape[:-1]), kept))
    return held, fresh(f"{name}/steps", DType.INT32, (1,))


def _read_framer(op: Reading) -> Read:
    op.count(1, outputs=2)
    size, step, prefill = op.custom("frame_size", "frame_step", "prefill")
    if not 1 <= step < size <= _MOST:
        raise Unsupported(f"frames of {size} samples by steps of {step}")
    return op.ids(0), FramerAttrs(size, step, bool(prefill))


def _write_framer(to: Writing, node: Node) -> OperatorDraft:
    attrs = cast(FramerAttrs, node.attrs)
    options = {"frame_size": attrs.frame_size, "frame_step": attrs.frame_step, "prefill": attrs.prefill}
    return OperatorDraft(node.op, node.inputs, node.outputs, custom=options)


# --- SignalOverlapAdd ------------------------------------------------------------------------------------------------

_NUMBERS = {DType.FLOAT32: 0, DType.INT16: 7}
"""Type of the numbers -> TensorFlow's number for it, the option T."""


@dataclass(frozen=True)
class OverlapAttrs(Attrs):
    """Samples from one frame to the next."""

    frame_step: int


def _verify_overlap(v: View) -> None:
    x, y, step = v.x(), v.y(), v.attrs(OverlapAttrs).frame_step
    v.need(len(x.shape) >= 2, f"has an input of shape {list(x.shape)}, not frames")
    v.need(1 <= step <= x.shape[-1], f"has frames of {x.shape[-1]} samples by steps of {step}")
    v.shape(y, (*x.shape[:-2], x.shape[-2] * step))
    _held(v, (prod(x.shape[:-2]), x.shape[-1]))


def overlap_add(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SignalOverlapAdd: frames summed where they overlap, saturated for int16."""
    x, step = array(inputs, 0), cast(OverlapAttrs, op.attrs).frame_step
    frames = x.reshape(len(op.held[0]), *x.shape[-2:])
    sums, parts = op.held[0], []
    for i in range(frames.shape[1]):
        if op.y.dtype is DType.INT16:
            sums = np.clip(sums.astype(np.int32) + frames[:, i].astype(np.int32), -32768, 32767).astype(np.int16)
        else:
            sums = (frames[:, i] + sums).astype(np.float32)  # type: ignore[operator]
        parts.append(sums[:, :step])
        sums = np.concatenate([sums[:, step:], np.zeros((len(sums), step), sums.dtype)], axis=1)
    return np.concatenate(parts, axis=1).reshape(op.y.shape), sums


def _overlap_states(reads: Sequence[Tensor], writes: Sequence[Tensor], attrs: Attrs) -> tuple[State, ...]:
    x = reads[0]
    return (fresh(f"{writes[0].name}/sums", x.dtype, (prod(x.shape[:-2]), x.shape[-1])),)


def _read_overlap(op: Reading) -> Read:
    op.count(1)
    kind, step = op.custom("T", "frame_step")
    if kind != _NUMBERS.get(op.input(0).dtype):
        raise Unsupported(f"a type T {kind} that is not its input's")
    if len(op.input(0).shape) < 2:
        raise Unsupported("an input that is no frames")
    return op.ids(0), OverlapAttrs(step)


def _write_overlap(to: Writing, node: Node) -> OperatorDraft:
    kind = _NUMBERS[to.graph.tensors[node.inputs[0]].dtype]
    options = {"T": kind, "frame_step": cast(OverlapAttrs, node.attrs).frame_step}
    return OperatorDraft(node.op, node.inputs, node.outputs, custom=options)


# --- SignalDelay -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DelayAttrs(Attrs):
    """Samples by which every row comes later."""

    delay_length: int


def _verify_delay(v: View) -> None:
    x, delay = v.x(), v.attrs(DelayAttrs).delay_length
    v.need(1 <= delay <= _MOST, f"delays by {delay} samples")
    v.need(len(x.shape) >= 1, "has a scalar input")
    v.shape(v.y(), x.shape)
    _held(v, (prod(x.shape[:-1]), delay))


def delay(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SignalDelay: every row goes on where the last inference's ended, some samples late."""
    x = array(inputs, 0)
    rows = np.concatenate([op.held[0], x.reshape(len(op.held[0]), -1)], axis=1)
    return rows[:, : x.shape[-1]].reshape(op.y.shape), np.ascontiguousarray(rows[:, x.shape[-1] :])


def _delay_states(reads: Sequence[Tensor], writes: Sequence[Tensor], attrs: Attrs) -> tuple[State, ...]:
    shape = (prod(reads[0].shape[:-1]), cast(DelayAttrs, attrs).delay_length)
    return (fresh(f"{writes[0].name}/samples", DType.INT16, shape),)


def _read_delay(op: Reading) -> Read:
    op.count(1)
    (length,) = op.custom("delay_length")
    if not 1 <= length <= _MOST:
        raise Unsupported(f"a delay of {length} samples")
    return op.ids(0), DelayAttrs(length)


def _write_delay(to: Writing, node: Node) -> OperatorDraft:
    options = {"delay_length": cast(DelayAttrs, node.attrs).delay_length}
    return OperatorDraft(node.op, node.inputs, node.outputs, custom=options)


# --- SignalStacker ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StackerAttrs(Attrs):
    """Frames of the past and of the future beside the one that is meant, and from one stack to the next."""

    left_context: int
    right_context: int
    step: int

    @property
    def frames(self) -> int:
        """Frames of a stack."""
        return self.left_context + 1 + self.right_context


def _verify_stacker(v: View) -> None:
    x, attrs = v.x(), v.attrs(StackerAttrs)
    least = min(attrs.left_context, attrs.right_context)
    v.need(least >= 0 and attrs.frames <= _MOST, f"stacks {attrs.left_context} and {attrs.right_context} frames")
    v.need(1 <= attrs.step <= attrs.frames, f"takes {attrs.step} frames from one stack of {attrs.frames} to the next")
    v.need(len(x.shape) == 1, f"has an input of shape {list(x.shape)}, not of one dimension")
    v.shape(v.y(), (x.elements * attrs.frames,))
    v.need(v.y(1).elements == 1, f"gives one answer, '{v.y(1).name}' has shape {list(v.y(1).shape)}")
    _held(v, (attrs.frames, x.elements))
    _held(v, (1,), 1)


def stacker(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SignalStacker: the last frames, the first one repeated before; and whether it is time for a stack, else zeros."""
    attrs, x = cast(StackerAttrs, op.attrs), array(inputs, 0).reshape(1, -1)
    frames, count = op.held[0], int(op.held[1][0])
    added = attrs.left_context + 1 if count < 0 else 1
    frames = np.concatenate([frames, *[x] * added])[-attrs.frames :]
    count = max(count, 0) + added
    whole = count >= attrs.frames
    stack = frames if whole else np.zeros_like(frames)
    count -= attrs.step if whole else 0
    answer = np.full(op.outs[1].shape, whole)
    return stack.reshape(op.y.shape), answer, frames, np.array([count], np.int32)


def _stacker_states(reads: Sequence[Tensor], writes: Sequence[Tensor], attrs: Attrs) -> tuple[State, ...]:
    shape = (cast(StackerAttrs, attrs).frames, reads[0].elements)
    name = writes[0].name
    held = fresh(f"{name}/frames", DType.INT16, shape)
    return held, fresh(f"{name}/count", DType.INT32, (1,), -1)


def _read_stacker(op: Reading) -> Read:
    op.count(1, outputs=2)
    channels, left, right, step = op.custom(
        "num_channels", "stacker_left_context", "stacker_right_context", "stacker_step"
    )
    if op.input(0).elements != channels:
        raise Unsupported(f"{channels} channels of shape {list(op.input(0).shape)}")
    if min(left, right) < 0 or left + right >= _MOST:
        raise Unsupported(f"stacks of {left} and {right} frames")
    return op.ids(0), StackerAttrs(left, right, step)


def _write_stacker(to: Writing, node: Node) -> OperatorDraft:
    attrs = cast(StackerAttrs, node.attrs)
    options = {
        "num_channels": to.graph.tensors[node.inputs[0]].elements,
        "stacker_left_context": attrs.left_context,
        "stacker_right_context": attrs.right_context,
        "stacker_step": attrs.step,
    }
    return OperatorDraft(node.op, node.inputs, node.outputs, custom=options)


_ANSWER = ((1, DType.BOOL),)
_COUNTED = (DType.INT16, DType.INT32)
OPERATORS = (
    Operator(
        "SignalFramer",
        _verify_framer,
        framer,
        attrs=FramerAttrs,
        outputs=(2, 2),
        states=2,
        types=(Types(DType.INT16, DType.INT16, states=_COUNTED, aside=_ANSWER),),
        traits=_STATEFUL,
        tflite=TfliteForm(CUSTOM, _write_framer, _read_framer, version=1, unnamed=_framer_states),
    ),
    Operator(
        "SignalOverlapAdd",
        _verify_overlap,
        overlap_add,
        attrs=OverlapAttrs,
        states=1,
        types=tuple(Types(dtype, dtype, states=(dtype,)) for dtype in _NUMBERS),
        traits=_STATEFUL,
        tflite=TfliteForm(CUSTOM, _write_overlap, _read_overlap, version=1, unnamed=_overlap_states),
    ),
    Operator(
        "SignalDelay",
        _verify_delay,
        delay,
        attrs=DelayAttrs,
        states=1,
        types=(Types(DType.INT16, DType.INT16, states=(DType.INT16,)),),
        traits=_STATEFUL,
        tflite=TfliteForm(CUSTOM, _write_delay, _read_delay, version=1, unnamed=_delay_states),
    ),
    Operator(
        "SignalStacker",
        _verify_stacker,
        stacker,
        attrs=StackerAttrs,
        outputs=(2, 2),
        states=2,
        types=(Types(DType.INT16, DType.INT16, states=_COUNTED, aside=_ANSWER),),
        traits=_STATEFUL,
        tflite=TfliteForm(CUSTOM, _write_stacker, _read_stacker, version=1, unnamed=_stacker_states),
    ),
)
