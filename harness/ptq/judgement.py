"""Which of two schemes is better, so that few vectors do not decide by chance.

Noise behind a SOFTMAX is that of the few vectors whose class is in doubt, and how their values happen to be rounded.
But the float network tells what is right for any input. So schemes are judged by all vectors, kept back or not, and by
more that lie between two of them; powers of signal and noise are summed over all before they become dB.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from harness.compression.noise import open_reference, ratio_db
from harness.compression.stacks import Floats, forward
from harness.ir.graph import Graph
from harness.ptq.calibration import CalibrationData, DataPart
from harness.ptq.evaluation import integer_inputs, reals_of
from harness.ptq.quantizer import QuantizedModel
from harness.quantization.types import Array
from harness.validate import classification

COPIES = 4
"""Vectors between two others, for each that is given."""
MOST_BETWEEN = 1024
"""Of all of them: of many given vectors fewer are needed."""
_SHARE = 0.5
"""Largest share of the other vector."""
_CHUNK = 32
"""Vectors whose activations are in memory at once."""


@dataclass(frozen=True, eq=False)
class Trueness:
    """Vectors with what the float network makes of them.

    Attributes:
        part: the vectors; without labels where they lie between others.
        outputs: stacks of the float network's outputs.
    """

    part: DataPart
    outputs: tuple[Array, ...]


@dataclass(frozen=True)
class Judgement:
    """A quantized network over all vectors and those between them.

    Attributes:
        sqnr: dB of the worst output.
        accuracy, float_accuracy: share of given vectors whose class is right, and of the float network; 0 without
            labels.
        count: of vectors with labels.
    """

    sqnr: float
    accuracy: float
    float_accuracy: float
    count: int

    @property
    def chance(self) -> float:
        """A difference of accuracies that says nothing: one vector, or 0.5 %."""
        return max(1 / max(self.count, 1), 0.005)

    @property
    def rightness(self) -> float:
        """Accuracy as far as it is not beyond the float network's, which is luck."""
        return min(self.accuracy, self.float_accuracy)


def references(graph: Graph, data: CalibrationData) -> tuple[Trueness, ...]:
    """What schemes for a float network are judged by; of one that keeps states, the sequences as they are."""
    parts = [data.fitted, data.held] if data.holds_back else [data.fitted]
    given = [Trueness(part, _outputs(graph, part, whole=bool(graph.states))) for part in parts]
    if graph.states:
        return tuple(given)
    columns = zip(*(part.inputs for part in parts), strict=True)
    more = between(DataPart(tuple(np.concatenate(stacks) for stacks in columns), None))
    return (*given, Trueness(more, _outputs(graph, more, whole=False)))


def between(part: DataPart) -> DataPart:
    """Vectors on the lines from every one to COPIES others, at most half of the way; always the same ones."""
    rng, count = np.random.default_rng(0), len(part)
    ends = [(index, other) for _ in range(COPIES) for index, other in enumerate(rng.permutation(count))]
    shares = rng.uniform(0, _SHARE, len(ends)).astype(np.float32)
    kept = np.linspace(0, len(ends) - 1, min(len(ends), MOST_BETWEEN)).astype(np.int64)
    near, far = (np.array(column)[kept] for column in zip(*ends, strict=True))
    return DataPart(tuple(_moved(stack[near], stack[far], shares[kept]) for stack in part.inputs), None)


def _moved(near: Array, far: Array, shares: npt.NDArray[np.float32]) -> Array:
    """Real numbers between; integers, which have none between, as they are."""
    if near.dtype.kind != "f":
        return near
    here, there = cast(Floats, near), cast(Floats, far)
    return here + shares.reshape(-1, *([1] * (near.ndim - 1))) * (there - here)


def _outputs(graph: Graph, part: DataPart, *, whole: bool) -> tuple[Array, ...]:
    """Of a float network; `whole`: the vectors are one sequence."""
    size = len(part) if whole else _CHUNK
    chunks = [tuple(stack[at : at + size] for stack in part.inputs) for at in range(0, len(part), size)]
    made = [[stacks[t] for t in graph.outputs] for stacks in (forward(graph, chunk) for chunk in chunks)]
    return tuple(np.concatenate(column) for column in zip(*made, strict=True))


def judge(quantized: QuantizedModel, known: Sequence[Trueness]) -> Judgement:
    """The quantized network by TFLM.

    Raises:
        OracleError: TFLM refuses the file.
    """
    power, noise = (np.zeros(len(quantized.graph.outputs)) for _ in range(2))
    right, wanted, labelled = 0.0, 0.0, 0
    for true in known:
        made = list(_computed(quantized, true.part))
        for place, (float_output, output) in enumerate(zip(true.outputs, made, strict=True)):
            exact = float_output.astype(np.float64)
            power[place] += np.square(exact).sum()
            noise[place] += np.square(exact - output.astype(np.float64)).sum()
        if true.part.labels is not None:
            right += _right(made[0], true.part.labels)
            wanted += _right(true.outputs[0], true.part.labels)
            labelled += len(true.part)
    worst = min(ratio_db(float(p), float(n)) for p, n in zip(power, noise, strict=True))
    return Judgement(worst, right / max(labelled, 1), wanted / max(labelled, 1), labelled)


def _computed(quantized: QuantizedModel, part: DataPart) -> Iterator[Array]:
    """Stacks of the quantized network's outputs as real numbers."""
    graph = quantized.graph
    with open_reference(graph) as session:
        rows = [session.invoke(inputs).outputs for inputs in integer_inputs(graph, part)]
    for t, column in zip(graph.outputs, zip(*rows, strict=True), strict=True):
        yield reals_of(graph, t, np.stack(column))


def _right(outputs: Array, labels: npt.NDArray[np.int64]) -> float:
    """Vectors whose class is right."""
    classes = classification.classify(cast(npt.NDArray[np.float64], outputs.astype(np.float64)))
    return classification.accuracy(classes, labels) * len(labels)
