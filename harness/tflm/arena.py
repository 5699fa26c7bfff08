"""The arena of TensorFlow Lite Micro: tensors and buffers as its greedy planner places them, and its records.

Source: tensorflow/lite/micro/memory_planner/greedy_memory_planner.cc: the largest first, each at the first gap among
those that live at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.tflm.loops import measured_as
from harness.tflm.reading import TflmModel
from harness.tflm.scratch import aligned, per_channel, states, while_running


@dataclass(frozen=True)
class PlannedBuffer:
    """A buffer of `size` bytes that lives from operator `first` to operator `last`."""

    size: int
    first: int
    last: int


def placed_bytes(buffers: Sequence[PlannedBuffer]) -> int:
    """Bytes of a plan, as TFLM's greedy planner makes it."""
    found: list[tuple[int, PlannedBuffer]] = []
    highest = 0
    for buffer in sorted(reversed(buffers), key=lambda one: -one.size):  # of one size the last first
        start = 0
        for other_start, other in found:
            if other.first > buffer.last or other.last < buffer.first:
                continue
            if other_start - start >= buffer.size:
                break
            start = max(start, other_start + other.size)
        found.append((start, buffer))
        found.sort(key=lambda one: one[0])
        highest = max(highest, start + buffer.size)
    return highest


def planned(model: TflmModel, core: str) -> int:
    """Bytes of tensors and of what kernels take while they run, as the planner places them."""
    buffers = [PlannedBuffer(aligned(tensor.bytes), tensor.first, tensor.last) for tensor in model.tensors]
    for place, layer in enumerate(model.layers):
        buffers += [PlannedBuffer(aligned(size), place, place) for size in while_running(layer, core)]
    return placed_bytes(buffers)


def kept(model: TflmModel, core: str) -> int:
    """Bytes of what kernels keep for good: constants of channels, states."""
    return sum(per_channel(layer, core) + states(layer) for layer in model.layers)


def counts(model: TflmModel) -> dict[str, int]:
    """What TFLM keeps records of: the model, its ends, tensors, and each operator of a kind."""
    found = {"model": 1, "end": model.ends, "tensor": model.count}
    for layer in model.layers:
        op = measured_as(layer.op)
        found[op] = found.get(op, 0) + 1
    return found
