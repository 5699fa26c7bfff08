"""Verdicts: what the board computed against what the reference computed, one check at a time.

Differences are counted in LSB: steps of the quantized value, or units in the last place of a float (0 means the same
bits). A budget is only ever compared with a measurement of its own unit; where the board measures another one,
the check says "not measured here" and neither passes nor fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt

from harness.errors import UnitError
from harness.quantization.types import Array
from harness.units import Quantity
from harness.validate.card import Tolerance
from harness.validate.metrics import Metrics


class Status(Enum):
    """Outcome of one check."""

    PASS = "pass"
    FAIL = "fail"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Element:
    """One differing element: of which vector, where in the tensor, and both values in the tensor's own units."""

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

    def within(self, tolerance: Tolerance) -> bool:
        """Whether no element is further off than allowed."""
        return self.max_lsb <= tolerance.max_lsb


@dataclass(frozen=True)
class LayerDiff:
    """Difference of one output tensor of one layer.

    Attributes:
        layer: index in Plan.layers; name and op are the layer's.
        output: which of the layer's outputs.
    """

    layer: int
    name: str
    op: str
    output: int
    diff: TensorDiff


@dataclass(frozen=True)
class CheckResult:
    """One check: its name as in the card, how it ended, in one sentence, and its figures."""

    name: str
    status: Status
    summary: str
    figures: Mapping[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Opinion:
    """A second reference, reported beside the one that gates; `outputs` is the board against it."""

    oracle: str
    version: str
    outputs: tuple[TensorDiff, ...]


@dataclass(frozen=True)
class Verdict:
    """All checks of one model on one board.

    Attributes:
        outputs: per model output.
        metrics: per model output; None where the reference was not compared.
        layers: per compared layer output.
        uncompared: names of layers whose output has no counterpart in the model file.
        first_layer: the first differing layer, or None.
        confusion: confusion matrix over labelled vectors, rows right, columns predicted, or None.
        accuracy: share of labelled vectors classified right by (board, reference), or None.
    """

    checks: tuple[CheckResult, ...]
    outputs: tuple[TensorDiff, ...]
    metrics: tuple[Metrics, ...]
    layers: tuple[LayerDiff, ...] = ()
    uncompared: tuple[str, ...] = ()
    first_layer: LayerDiff | None = None
    confusion: tuple[tuple[int, ...], ...] | None = None
    accuracy: tuple[float, float] | None = None

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(check.status is not Status.FAIL for check in self.checks)

    @property
    def max_lsb(self) -> int:
        """Largest difference over all outputs."""
        return max((diff.max_lsb for diff in self.outputs), default=0)


# --- differences -----------------------------------------------------------------------------------------------------


def lsb_difference(expected: Array, got: Array) -> npt.NDArray[np.int64]:
    """got - expected in LSB, elementwise.

    For floats the difference of the ordered bit patterns, so that 1 is the next representable number and -0.0 lies one
    step under 0.0.
    """
    if expected.dtype == np.float32:
        return _ordered(got) - _ordered(expected)
    return got.astype(np.int64) - expected.astype(np.int64)


def _ordered(values: Array) -> npt.NDArray[np.int64]:
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.int32).astype(np.int64)
    ordered: npt.NDArray[np.int64] = np.where(bits < 0, -(bits & 0x7FFFFFFF) - 1, bits)
    return ordered


def compare_tensor(
    name: str, expected: Sequence[Array], got: Sequence[Array], kept: Sequence[int] | None = None
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
    elements = differing = max_lsb = vectors_differing = 0
    histogram: dict[int, int] = {}
    first: Element | None = None
    for vector, (want, have) in enumerate(zip(expected, got, strict=True)):
        if want.dtype != have.dtype or want.size != have.size:
            raise UnitError(
                f"{name}: the reference has {want.dtype}[{want.size}], the board {have.dtype}[{have.size}]",
                hint="this is a mistake in tinyhil's mapping of tensors; please report it with the model",
            )
        delta = lsb_difference(want, have.reshape(want.shape))
        elements += want.size
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
    return TensorDiff(name, elements, differing, max_lsb, tuple(sorted(frequent)), first, vectors_differing, channels)


def first_difference(layers: Sequence[LayerDiff], *, sequence: bool) -> LayerDiff | None:
    """The layer where things first go wrong.

    Layers run in order, so the first differing one is the cause. In a sequence of a model with states an error lives on
    into the next vector's early layers: there the earliest vector comes first, then the layer.
    """
    wrong = [(diff, diff.diff.first) for diff in layers]
    found = [(diff, first.vector) for diff, first in wrong if first is not None]
    if not found:
        return None
    return min(found, key=lambda item: (item[1] if sequence else 0, item[0].layer, item[0].output))[0]


# --- checks ----------------------------------------------------------------------------------------------------------


def check_outputs(outputs: Sequence[TensorDiff], tolerance: Tolerance, vectors: int, oracle: str) -> CheckResult:
    """The check of the model's outputs against the reference."""
    bad = [diff for diff in outputs if not diff.within(tolerance)]
    figures = {
        "vectors": vectors,
        "max_lsb": max((d.max_lsb for d in outputs), default=0),
        "differing": sum(d.differing for d in outputs),
        "elements": sum(d.elements for d in outputs),
    }
    if not bad:
        how = "bit for bit" if figures["max_lsb"] == 0 else f"within {figures['max_lsb']} LSB"
        return CheckResult("outputs", Status.PASS, f"{vectors} vectors equal {oracle} {how}", figures)
    return CheckResult(
        "outputs", Status.FAIL, f"{describe(bad[0])} (allowed: {_allowed(tolerance)}, against {oracle})", figures
    )


def check_layers(
    layers: Sequence[LayerDiff],
    first: LayerDiff | None,
    tolerance: Tolerance,
    vectors: int,
    oracle: str,
    uncompared: Sequence[str] = (),
    hidden: int = 0,
) -> CheckResult:
    """The check of every layer's output; the summary shows the first differing layer by itself.

    `hidden` is the number of operators whose output never exists as a whole, and is compared by what comes of it.
    """
    bad = [diff for diff in layers if not diff.diff.within(tolerance)]
    if not layers:
        why = f"not measured here: {oracle} has no tensor of any layer" if uncompared else "no layer to compare"
        return CheckResult("layers", Status.NOT_MEASURED, why)
    figures = {
        "vectors": vectors,
        "layers": len({diff.layer for diff in layers}),
        "differing_layers": len({diff.layer for diff in layers if diff.diff.differing}),
        "uncompared": len(uncompared),
        "hidden_operators": hidden,
        "narrowed_layers": len({diff.layer for diff in layers if diff.diff.channels}),
        "max_lsb": max((d.diff.max_lsb for d in layers), default=0),
    }
    if not bad:
        how = "bit for bit" if figures["max_lsb"] == 0 else f"within {figures['max_lsb']} LSB"
        text = f"{figures['layers']} layers equal {oracle} {how} over {vectors} vectors"
        text += _narrowed(layers) + _hidden(hidden)
        return CheckResult("layers", Status.PASS, text + _uncompared(uncompared, oracle), figures)
    shown = first or bad[0]
    text = f"first differing layer: {shown.layer} {shown.name} ({shown.op}): {describe(shown.diff)}"
    text += f" (allowed: {_allowed(tolerance)}, against {oracle})"
    return CheckResult("layers", Status.FAIL, text + _hidden(hidden) + _uncompared(uncompared, oracle), figures)


def _narrowed(layers: Sequence[LayerDiff]) -> str:
    """What was compared of layers that lost channels."""
    counts = [diff.diff.channels for diff in layers if diff.diff.channels]
    if not counts:
        return ""
    left, of = sum(c[0] for c in counts), sum(c[1] for c in counts)
    return f"; {len(counts)} of them in the {left:,} of {of:,} channels left (the others are constant or unused)"


def _hidden(count: int) -> str:
    return f"; {count} operators are computed row by row within them, their outputs never exist whole" if count else ""


def _uncompared(names: Sequence[str], oracle: str) -> str:
    """What a check of layers must not be silent about: an earlier layer may differ unseen."""
    if not names:
        return ""
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return f"; not compared, as {oracle} has no tensor for it: {shown}"


def check_accuracy(board: float, reference: float, minimum: float, vectors: int) -> CheckResult:
    """The check of the share of labelled vectors classified right."""
    passed = board >= minimum
    return CheckResult(
        "accuracy",
        Status.PASS if passed else Status.FAIL,
        f"{board:.2%} of {vectors} labelled vectors right, {'at least' if passed else 'less than'} {minimum:.2%}",
        {"accuracy": board, "reference": reference, "min": minimum, "vectors": vectors},
    )


def check_memory(overrun: int, reads_unwritten: bool) -> CheckResult:
    """The check that the model keeps to its arena and never depends on what lay there before."""
    figures: dict[str, float | int | str] = {"overrun": overrun, "reads_unwritten": int(reads_unwritten)}
    if overrun:
        return CheckResult("memory", Status.FAIL, f"{overrun:,} bytes written behind the arena's end", figures)
    if reads_unwritten:
        text = "outputs change with what lay in the arena before: bytes are read that were never written"
        return CheckResult("memory", Status.FAIL, text, figures)
    return CheckResult("memory", Status.PASS, "keeps to its arena, reads only what it wrote", figures)


def check_budget(name: str, limit: Quantity, measured: Quantity | None, why: str = "") -> CheckResult:
    """The check of one budget; `measured` is None where this board cannot tell, and `why` says so.

    Raises:
        UnitError: the two are of different units.
    """
    if measured is None:
        return CheckResult(name, Status.NOT_MEASURED, f"not measured here: {why}", {"limit": limit.value})
    unit = limit.unit.value
    figures: dict[str, float | int | str] = {"measured": measured.value, "limit": limit.value, "unit": unit}
    if measured <= limit:
        share = measured.ratio(limit)
        return CheckResult(name, Status.PASS, f"{measured.value:,} of {limit.value:,} {unit} ({share:.0%})", figures)
    over = (measured - limit).value
    text = f"{measured.value:,} {unit}, {over:,} over the budget of {limit.value:,}"
    return CheckResult(name, Status.FAIL, text, figures)


def describe(diff: TensorDiff) -> str:
    """A tensor's difference in words: how much, and the first element."""
    if diff.first is None:
        return f"{short_name(diff.name)}: no difference"
    first = diff.first
    place = ", ".join(str(i) for i in first.index)
    return (
        f"{short_name(diff.name)}: {diff.differing:,} of {diff.elements:,} elements differ, up to {diff.max_lsb} LSB; "
        f"vector {first.vector}, element [{place}]: expected {first.expected}, got {first.got}"
    )


def short_name(tensor: str) -> str:
    """A tensor's name for people: converters join the names of everything they fused with semicolons."""
    name = tensor.partition(";")[0]
    return name if len(name) <= 48 else f"...{name[-45:]}"


def _allowed(tolerance: Tolerance) -> str:
    return "exact" if tolerance.max_lsb == 0 else f"{tolerance.max_lsb} LSB"
