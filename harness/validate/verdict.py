"""From measurement and reference to the verdict: makes every check that a card asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from harness.compiler.plan import Plan
from harness.ir.graph import Graph
from harness.quantization.types import Array
from harness.units import Quantity, Unit
from harness.validate import checks as compare
from harness.validate import metrics
from harness.validate.card import Card
from harness.validate.checks import CheckResult, LayerDiff, TensorDiff, Verdict
from harness.validate.reference import Reference
from harness.validate.vectors import Vectors

if TYPE_CHECKING:
    from harness.boards import Resolved
    from harness.build import Image
    from harness.validate.measurement import Measurement

Rows: TypeAlias = Sequence[Sequence[Array]]


def make_verdict(
    card: Card,
    resolved: Resolved,
    graph: Graph,
    plan: Plan,
    given: Vectors,
    reference: Reference,
    image: Image,
    measurement: Measurement,
) -> Verdict:
    """All checks of `card` on what was measured; layers are compared over the vectors the reference has tensors for."""
    outputs = output_diffs(graph, reference.outputs, measurement.outputs)
    layers, uncompared = _layer_diffs(plan, reference, measurement)
    first = compare.first_difference(layers, sequence=bool(graph.states))
    classes = [given.labels is not None or metrics.is_classifier(graph, t) for t in graph.outputs]
    real = _real(graph, reference.outputs, measurement.outputs)
    accuracy, confusion = _classified(graph, given, *real[0])
    checks: list[CheckResult] = []
    if card.checks.outputs is not None:
        checks.append(compare.check_outputs(outputs, card.checks.outputs, len(given), reference.oracle))
    if card.checks.layers is not None:
        compared = len(reference.tensors)
        hidden = sum(layer.hidden for layer in plan.layers)
        checks.append(
            compare.check_layers(layers, first, card.checks.layers, compared, reference.oracle, uncompared, hidden)
        )
    if card.checks.accuracy is not None and accuracy is not None:
        checks.append(compare.check_accuracy(*accuracy, card.checks.accuracy.min, len(given)))
    checks.append(compare.check_memory(measurement.arena_overrun, measurement.reads_unwritten))
    checks += _budget_checks(card, resolved, image, measurement)
    return Verdict(
        checks=tuple(checks),
        outputs=outputs,
        metrics=tuple(
            metrics.metrics(want, have, classes=kind) for (want, have), kind in zip(real, classes, strict=True)
        ),
        layers=layers,
        uncompared=uncompared,
        first_layer=first,
        confusion=confusion,
        accuracy=accuracy,
    )


def output_diffs(graph: Graph, expected: Rows, got: Rows) -> tuple[TensorDiff, ...]:
    """Difference of every model output; rows are [vector][output]."""
    return tuple(
        compare.compare_tensor(graph.tensors[tensor].name, [row[o] for row in expected], [row[o] for row in got])
        for o, tensor in enumerate(graph.outputs)
    )


def _layer_diffs(
    plan: Plan, reference: Reference, measurement: Measurement
) -> tuple[tuple[LayerDiff, ...], tuple[str, ...]]:
    """Every layer output that has a counterpart in the model file against it, and the names of layers without."""
    diffs: list[LayerDiff] = []
    uncompared: list[str] = []
    if not reference.tensors or measurement.layer_outputs is None:
        return (), ()
    for layer in plan.layers:
        for output, tensor in enumerate(layer.outputs):
            made = plan.graph.tensors[tensor]
            source = made.source
            if source is None or any(source not in tensors for tensors in reference.tensors):
                uncompared.append(layer.name)
                continue
            expected = [tensors[source] for tensors in reference.tensors]
            got = [vector[layer.index][output] for vector in measurement.layer_outputs]
            diff = compare.compare_tensor(made.name, expected, got, made.kept)
            diffs.append(LayerDiff(layer.index, layer.name, layer.op, output, diff))
    return tuple(diffs), tuple(dict.fromkeys(uncompared))


def _real(graph: Graph, expected: Rows, got: Rows) -> list[tuple[metrics.Reals, metrics.Reals]]:
    """Per output: the reference's and the board's real numbers, [vectors, ...]."""
    found = []
    for o, t in enumerate(graph.outputs):
        tensor = graph.tensors[t]
        want = metrics.dequantize([row[o] for row in expected], tensor)
        found.append((want, metrics.dequantize([row[o] for row in got], tensor)))
    return found


def _classified(
    graph: Graph, given: Vectors, want: metrics.Reals, have: metrics.Reals
) -> tuple[tuple[float, float] | None, tuple[tuple[int, ...], ...] | None]:
    """Accuracy of (board, reference) and the board's confusion matrix, from the first output; None without labels."""
    if given.labels is None:
        return None, None
    right: npt.NDArray[np.int64] = given.labels.astype(np.int64)
    count = metrics.class_count(graph.tensors[graph.outputs[0]])
    seen = metrics.classify(have)
    accuracy = (metrics.accuracy(seen, right), metrics.accuracy(metrics.classify(want), right))
    return accuracy, tuple(tuple(row) for row in metrics.confusion(seen, right, count))


def flash_of(image: Image) -> int:
    """Bytes of flash of the network itself: its code, weights and kernels, without the test harness around it."""
    return sum(image.sizes.groups[group].flash for group in ("model", "kernels") if group in image.sizes.groups)


def _budget_checks(card: Card, resolved: Resolved, image: Image, measurement: Measurement) -> list[CheckResult]:
    from harness.boards.backends import find_backend

    measures_memory = find_backend(resolved.runs_on.backend).measures_memory
    here = f"{resolved.runs_on.name} measures {measurement.unit.value if measurement.unit else 'no time'}"
    foreign = f"{resolved.runs_on.name} runs native code of this machine"
    checks = []
    for name, limit in card.budget(resolved.asked.name).limits().items():
        if name in ("instructions", "cycles"):
            unit, total = Unit(name), measurement.total
            told = None if total is None or measurement.unit is not unit else Quantity(total, unit)
            checks.append(compare.check_budget(name, Quantity(limit, unit), told, here))
            continue
        bytes_ = {"arena": measurement.arena_high, "stack": measurement.stack_high, "flash": flash_of(image)}[name]
        told = None if name != "arena" and not measures_memory else Quantity(bytes_, Unit.BYTES)
        checks.append(compare.check_budget(name, Quantity(limit, Unit.BYTES), told, foreign))
    return checks
