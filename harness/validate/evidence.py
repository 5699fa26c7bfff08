"""Evidence: the results of a run and of the reference that checks compare."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harness.compiler.plan import Plan
from harness.ir.graph import Graph
from harness.validate import classification
from harness.validate.differences import LayerDiff, TensorDiff, first_difference, layer_diffs, output_diffs
from harness.validate.metrics import OutputPair
from harness.validate.reference import Reference
from harness.validate.vectors import Vectors

if TYPE_CHECKING:
    from harness.boards import Resolved
    from harness.build import Image
    from harness.runtimes.base import Runtime
    from harness.validate.float_model import FloatModel
    from harness.validate.measurement import Measurement
    from harness.validate.places import PlaceRun


@dataclass(frozen=True, eq=False)
class Evidence:
    """One run of a model on a board with the reference's results; properties are computed once.

    Attributes:
        graph: the model as imported; `plan.graph` is what ran.
        float_model: the card's, with its accuracy; None without.
        places: what it showed at each of its addresses; the first is `measurement`.
        classes: whether labels are the classes of output 0; else they say which vectors its score should find.
    """

    resolved: Resolved
    runtime: Runtime
    graph: Graph
    plan: Plan
    vectors: Vectors
    reference: Reference
    image: Image
    measurement: Measurement
    classes: bool = True
    float_model: FloatModel | None = None
    places: tuple[PlaceRun, ...] = ()

    @cached_property
    def outputs(self) -> tuple[TensorDiff, ...]:
        """Difference of each model output."""
        return output_diffs(self.graph, self.reference.outputs, self.measurement.outputs)

    @property
    def layers(self) -> tuple[LayerDiff, ...]:
        """Difference of each layer output that the reference has a tensor for."""
        return self._layers[0]

    @property
    def uncompared(self) -> tuple[str, ...]:
        """Names of layers whose output has no counterpart in the model file."""
        return self._layers[1]

    @cached_property
    def _layers(self) -> tuple[tuple[LayerDiff, ...], tuple[str, ...]]:
        return layer_diffs(self.plan, self.reference.tensors, self.measurement.layer_outputs)

    @property
    def first_layer(self) -> LayerDiff | None:
        """The first layer with a difference; None if there is none."""
        return first_difference(self.layers, sequence=bool(self.graph.states))

    @cached_property
    def pairs(self) -> tuple[OutputPair, ...]:
        """The reference's and the board's values of each model output, as real numbers."""
        found = []
        for output, tensor_id in enumerate(self.graph.outputs):
            tensor = self.graph.tensors[tensor_id]
            want = classification.dequantize([row[output] for row in self.reference.outputs], tensor)
            have = classification.dequantize([row[output] for row in self.measurement.outputs], tensor)
            classes = self._labels is not None or classification.is_classifier(self.graph, tensor_id)
            found.append(OutputPair(want, have, classes))
        return tuple(found)

    @cached_property
    def input_values(self) -> classification.Reals:
        """The first input of every vector, as real numbers."""
        first = [row[0] for row in self.vectors.inputs]
        return classification.dequantize(first, self.graph.tensors[self.graph.inputs[0]])

    @cached_property
    def accuracy(self) -> tuple[float, float] | None:
        """(board, reference): share of labelled vectors classified correctly by output 0; None without labels."""
        right = self._labels
        if right is None:
            return None
        reference, board = (classification.classify(side) for side in (self.pairs[0].reference, self.pairs[0].board))
        return classification.accuracy(board, right), classification.accuracy(reference, right)

    @cached_property
    def confusion(self) -> tuple[tuple[int, ...], ...] | None:
        """The board's confusion matrix: labels by predicted classes; None without labels."""
        right = self._labels
        if right is None:
            return None
        count = classification.class_count(self.graph.tensors[self.graph.outputs[0]])
        matrix = classification.confusion(classification.classify(self.pairs[0].board), right, count)
        return tuple(tuple(row) for row in matrix)

    @property
    def _labels(self) -> npt.NDArray[np.int64] | None:
        labels = self.vectors.labels if self.classes else None
        return None if labels is None else labels.astype(np.int64)
