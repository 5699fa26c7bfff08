"""Which of two schemes is better, so that few vectors do not decide by chance.

Noise behind a SOFTMAX is that of the few vectors whose class is in doubt. But what a quantized network errs by before
the SOFTMAX hardly depends on the vector: each error is therefore put on all vectors that the float network answers
alike, and the noise behind it is the mean. Powers of signal and noise are those over all vectors, kept back or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from harness.compression.noise import open_reference, ratio_db, sqnr
from harness.compression.stacks import Floats, Stacks, computed
from harness.ir.graph import Graph, Node
from harness.ir.operators import operator_of
from harness.ptq.calibration import DataPart
from harness.ptq.evaluation import integer_inputs, reals_of
from harness.ptq.quantizer import QuantizedModel
from harness.validate import classification

ALIKE = 32
"""Vectors that an error is put on."""


@dataclass(frozen=True)
class Judgement:
    """A quantized network over all vectors.

    Attributes:
        sqnr: dB of the worst output, as above.
        accuracy, float_accuracy: share of vectors whose class is right, and of the float network; 0 without labels.
        count: of the vectors.
    """

    sqnr: float
    accuracy: float
    float_accuracy: float
    count: int

    @property
    def chance(self) -> float:
        """A difference of accuracies that says nothing: one vector, or 0.5 %."""
        return max(1 / self.count, 0.005)

    @property
    def rightness(self) -> float:
        """Accuracy as far as it is not beyond the float network's, which is luck."""
        return min(self.accuracy, self.float_accuracy)


def judge(quantized: QuantizedModel, parts: Sequence[tuple[Stacks, DataPart]]) -> Judgement:
    """The quantized network by TFLM; `parts` are vectors with the float network's activations over them.

    Raises:
        OracleError: TFLM refuses the file.
    """
    source = quantized.source
    bends = {t: node for node in source.nodes for t in node.outputs if t in source.outputs and _bends(node)}
    asked = set(source.outputs) | {node.inputs[0] for node in bends.values()}
    made = _joined([_made(quantized, part, asked) for _, part in parts])
    floats = _joined([{t: stacks[t] for t in asked if t in stacks} for stacks, _ in parts])
    found = [_sqnr(source, t, bends.get(t), floats, made) for t in source.outputs]
    labels = [part.labels for _, part in parts]
    accuracies = [_accuracy(stacks[source.outputs[0]], labels) for stacks in (made, floats)]
    return Judgement(min(found), accuracies[0], accuracies[1], sum(len(part) for _, part in parts))


def _bends(node: Node) -> bool:
    """Whether an output lies between limits of the operator's own: what it lacks then depends on where it lies."""
    return bool(operator_of(node).fixed_scales)


def _made(quantized: QuantizedModel, part: DataPart, asked: set[int]) -> Stacks:
    """Real numbers of the quantized network by tensor of the float one; of tensors that the interpreter keeps."""
    graph, outputs = quantized.graph, quantized.source.outputs
    known = {tensor.source: t for t, tensor in enumerate(graph.tensors) if tensor.data is None}
    inner = {t: known[t] for t in sorted(asked - set(outputs)) if t in known}
    rows: list[dict[int, npt.NDArray[np.generic]]] = []
    with open_reference(graph) as session:
        for inputs in integer_inputs(graph, part):
            result = session.invoke(inputs, tensors=bool(inner))
            rows.append({t: result.tensors[t] for t in inner if t in result.tensors})
            rows[-1] |= dict(zip(outputs, result.outputs, strict=True))
    ids = inner | dict(zip(outputs, graph.outputs, strict=True))
    return {t: reals_of(graph, ids[t], np.stack([row[t] for row in rows])) for t in rows[0]}


def _joined(parts: Sequence[Mapping[int, npt.NDArray[np.generic]]]) -> Stacks:
    return {t: np.concatenate([part[t] for part in parts]) for t in parts[0]}


def _sqnr(source: Graph, output: int, node: Node | None, floats: Stacks, made: Stacks) -> float:
    """dB of an output; `node` writes it, where that bends."""
    wanted = cast(Floats, floats[output])
    if node is None or node.inputs[0] not in made:
        return sqnr(wanted, made[output])
    x = floats[node.inputs[0]]
    errors = made[node.inputs[0]] - x
    others, noise = _alike(wanted), 0.0
    for column in others.T:
        (moved,) = computed(source, node, {node.inputs[0]: x + errors[column]})
        noise += float(np.square(wanted.astype(np.float64) - moved).sum())
    power = float(np.square(wanted.astype(np.float64)).sum())
    return ratio_db(power, noise / others.shape[1])


def _alike(outputs: Floats) -> npt.NDArray[np.intp]:
    """[vectors, at most ALIKE]: of each vector those whose outputs are the nearest, first itself."""
    rows = outputs.reshape(len(outputs), -1).astype(np.float64)
    squares = np.square(rows).sum(axis=1)
    apart = squares[:, None] + squares[None] - 2 * rows @ rows.T
    np.fill_diagonal(apart, -1)
    return cast(npt.NDArray[np.intp], np.argsort(apart, axis=1, kind="stable")[:, :ALIKE])


def _accuracy(outputs: npt.NDArray[np.generic], labels: Sequence[npt.NDArray[np.int64] | None]) -> float:
    known = [column for column in labels if column is not None]
    if len(known) < len(labels):
        return 0.0
    return classification.accuracy(classification.classify(outputs.astype(np.float64)), np.concatenate(known))
