"""Differences between what the board computed and what the reference computed, tensor by tensor.

They are counted in LSB: steps of the quantized value, for a float of what it was dequantized from (0: the same bits).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from harness.compiler.plan import Plan
from harness.errors import UnitError
from harness.ir.graph import Graph
from harness.quantization.types import Array, DType
from harness.validate.card import Tolerance
from harness.validate.names import shorten
from harness.validate.rounding import EXACT, Allowance, allowances

Rows: TypeAlias = Sequence[Sequence[Array]]
"""[vector][output]."""

_MOST_STEPS = float(1 << 53)


@dataclass(frozen=True)
class Element:
    """A differing element: number of the vector, index in the tensor, and both values as stored in the tensor."""

    vector: int
    index: tuple[int, ...]
    expected: float
    got: float


@dataclass(frozen=True)
class TensorDiff:
    """Difference of one tensor over all compared vectors.

    Attributes:
        elements: elements compared, all vectors together.
        differing: how many of them differ.
        max_lsb: the largest difference in LSB.
        histogram: (got - expected in LSB, number of elements), sorted; at most the 64 most frequent.
        first: the first differing element in the first differing vector, or None; its place in the file's tensor.
        vectors_differing: number of vectors with any difference.
        near: elements that differ by no more than the reference's C library may (harness/validate/rounding.py); they
            are not among those that differ.
        channels: (channels compared, channels of the file's tensor), the last dimension, where the compiler dropped
            constant or unused ones; None where it kept all.
    """

    name: str
    elements: int
    differing: int
    max_lsb: int
    histogram: tuple[tuple[int, int], ...]
    first: Element | None
    vectors_differing: int
    channels: tuple[int, int] | None = None
    near: int = 0

    def within(self, tolerance: Tolerance) -> bool:
        """Whether no element differs by more than the tolerance."""
        return self.max_lsb <= tolerance.max_lsb


@dataclass(frozen=True)
class LayerDiff:
    """Difference of one output tensor of one layer.

    Attributes:
        layer: index in Plan.layers; name and op are the layer's.
        output: index among the layer's outputs.
    """

    layer: int
    name: str
    op: str
    output: int
    diff: TensorDiff


def lsb_difference(expected: Array, got: Array, step: float | None = None) -> npt.NDArray[np.int64]:
    """got - expected in LSB, elementwise.

    For floats in multiples of `step`, rounded, and at least 1 where a bit differs. Without a step, and where a number
    is not finite, it is the difference of the ordered bit patterns, so that 1 is the next representable number and -0.0
    lies one step under 0.0.
    """
    if expected.dtype != np.float32:
        return got.astype(np.int64) - expected.astype(np.int64)
    bits = _ordered(got) - _ordered(expected)
    if not step:
        return bits
    with np.errstate(all="ignore"):
        steps = (got.astype(np.float64) - expected.astype(np.float64)) / step
    sound = np.isfinite(steps) & (np.abs(steps) < _MOST_STEPS)
    whole = np.rint(np.where(sound, steps, 0)).astype(np.int64)
    told: npt.NDArray[np.int64] = np.where(sound, np.where(whole == 0, np.sign(bits), whole), bits)
    return told


def step_of(graph: Graph, tensor: int) -> float | None:
    """The step of a float tensor's values: the scale of what it was dequantized from; None where nothing says."""
    producers = graph.producers()
    if graph.tensors[tensor].dtype is not DType.FLOAT32:
        return None
    while tensor in producers:
        tensor = graph.nodes[producers[tensor]].inputs[0]
        made = graph.tensors[tensor]
        if made.dtype is not DType.FLOAT32:
            return None if made.quant is None or made.quant.per_channel else made.quant.scale
    return None


def _ordered(values: Array) -> npt.NDArray[np.int64]:
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.int32).astype(np.int64)
    ordered: npt.NDArray[np.int64] = np.where(bits < 0, -(bits & 0x7FFFFFFF) - 1, bits)
    return ordered


def compare_tensor(
    name: str,
    expected: Sequence[Array],
    got: Sequence[Array],
    kept: Sequence[int] | None = None,
    step: float | None = None,
    allowance: Allowance = EXACT,
) -> TensorDiff:
    """Compare one tensor over vectors; `got[i]` may have another shape with the same elements (a merged reshape).

    `kept` are the channels of `expected` that `got` has, None for all.

    Raises:
        UnitError: the two have different types or numbers of elements: they are not the same tensor.
    """
    channels = None
    if kept is not None and expected:
        channels = (len(kept), expected[0].shape[-1])
        expected = [want[..., list(kept)] for want in expected]
    elements = differing = max_lsb = vectors_differing = near = 0
    histogram: dict[int, int] = {}
    first: Element | None = None
    for vector, (want, have) in enumerate(zip(expected, got, strict=True)):
        if want.dtype != have.dtype or want.size != have.size:
            raise UnitError(
                f"{name}: the reference has {want.dtype}[{want.size}], the board {have.dtype}[{have.size}]",
                hint="this is a mistake in tinyhil's mapping of tensors; please report it with the model",
            )
        delta = lsb_difference(want, have.reshape(want.shape), step)
        elements += want.size
        if allowance != EXACT and delta.any():
            close = allowance.covers(want, have.reshape(want.shape)) & (delta != 0)
            near += int(np.count_nonzero(close))
            delta = np.where(close, 0, delta)
        wrong = int(np.count_nonzero(delta))
        if not wrong:
            continue
        differing += wrong
        vectors_differing += 1
        max_lsb = max(max_lsb, int(np.abs(delta).max()))
        steps, counts = np.unique(delta[delta != 0], return_counts=True)
        for step, count in zip(steps, counts, strict=True):
            histogram[int(step)] = histogram.get(int(step), 0) + int(count)
        if first is None:
            index = tuple(int(i) for i in np.unravel_index(int(np.flatnonzero(delta)[0]), want.shape))
            place = index if kept is None else (*index[:-1], kept[index[-1]])
            first = Element(vector, place, want[index].item(), have.reshape(want.shape)[index].item())
    frequent = sorted(histogram.items(), key=lambda item: -item[1])[:64]
    kept_steps = tuple(sorted(frequent))
    return TensorDiff(name, elements, differing, max_lsb, kept_steps, first, vectors_differing, channels, near)


def first_difference(layers: Sequence[LayerDiff], *, sequence: bool) -> LayerDiff | None:
    """The first layer with a difference; None if there is none.

    Layers run in order, so the first differing one is the cause. With `sequence`, for a model with states, an error
    persists into earlier layers of later vectors: there the earliest vector is taken first, then the layer.
    """
    wrong = [(diff, diff.diff.first) for diff in layers]
    found = [(diff, first.vector) for diff, first in wrong if first is not None]
    if not found:
        return None
    return min(found, key=lambda item: (item[1] if sequence else 0, item[0].layer, item[0].output))[0]


def output_diffs(graph: Graph, expected: Rows, got: Rows) -> tuple[TensorDiff, ...]:
    """Difference of every model output; rows are [vector][output]."""
    allowed = allowances(graph)
    return tuple(
        compare_tensor(
            graph.tensors[tensor].name,
            [row[o] for row in expected],
            [row[o] for row in got],
            step=step_of(graph, tensor),
            allowance=allowed.get(tensor, EXACT),
        )
        for o, tensor in enumerate(graph.outputs)
    )


def layer_diffs(
    plan: Plan,
    expected: Sequence[Mapping[int, Array]],
    got: Sequence[Sequence[Sequence[Array | None]]] | None,
) -> tuple[tuple[LayerDiff, ...], tuple[str, ...]]:
    """(differences of layer outputs from their tensors in the model file, names of layers without such a tensor).

    Args:
        plan: the layers that ran.
        expected: per vector the reference's tensors, by their index in the model file.
        got: [vector][layer][output of the layer]; None if none were fetched. Only outputs without a tensor in the
            reference may be None.
    """
    diffs: list[LayerDiff] = []
    uncompared: list[str] = []
    if not expected or got is None:
        return (), ()
    allowed = allowances(plan.graph)
    for layer in plan.layers:
        for output, tensor in enumerate(layer.outputs):
            made = plan.graph.tensors[tensor]
            source = made.source
            if source is None or any(source not in tensors for tensors in expected):
                uncompared.append(layer.name)
                continue
            wanted = [tensors[source] for tensors in expected]
            here = [made_here for vector in got if (made_here := vector[layer.index][output]) is not None]
            step, allowance = step_of(plan.graph, tensor), allowed.get(tensor, EXACT)
            diff = compare_tensor(made.name, wanted, here, made.kept, step, allowance)
            diffs.append(LayerDiff(layer.index, layer.name, layer.op, output, diff))
    return tuple(diffs), tuple(dict.fromkeys(uncompared))


def describe(diff: TensorDiff, among: Iterable[str] = ()) -> str:
    """A tensor's difference in words: elements, largest difference, and the first element.

    `among` are names of tensors that its own must not be mistaken for.
    """
    name = shorten((diff.name, *among))[diff.name]
    if diff.first is None:
        near = f", {diff.near:,} of {diff.elements:,} elements near as C libraries are" if diff.near else ""
        return f"{name}: no difference{near}"
    first = diff.first
    place = ", ".join(str(i) for i in first.index)
    return (
        f"{name}: {diff.differing:,} of {diff.elements:,} elements differ, up to {diff.max_lsb} LSB; "
        f"vector {first.vector}, element [{place}]: expected {first.expected}, got {first.got}"
    )
