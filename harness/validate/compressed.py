"""A card's model compressed: what its weights are found on, and how far it is from the model before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from harness.compression.activations import CompressionData, spread
from harness.compression.levels import CompressionError
from harness.compression.network import CompressedModel, Compressor
from harness.compression.noise import sqnr
from harness.errors import BudgetError
from harness.validate import classification, vectors
from harness.validate.card import Card, FileVectors
from harness.validate.reference import Reference, References
from harness.validate.truth import labels_are_classes

if TYPE_CHECKING:
    from harness.build.progress import Progress
    from harness.compiler.goals import Goals, Overrides
    from harness.hardware.target import Target
    from harness.ir.graph import Graph
    from harness.validate.running import Subject
    from harness.validate.vectors import Vectors


@dataclass(frozen=True)
class FromOriginal:
    """How far the outputs of a compressed model are from those of the model before, both by one reference.

    Attributes:
        name: of the vectors.
        vectors: over so many of them.
        unseen: whether they are none of those that weights were found on.
        sqnr: of each output, in dB.
        max_abs: of each output, the largest difference of real numbers.
        accuracy: share of labelled vectors that the model before and the compressed one classify right; None without
            labels.
    """

    name: str
    vectors: int
    unseen: bool
    sqnr: tuple[float, ...]
    max_abs: tuple[float, ...]
    accuracy: tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class Compression:
    """A compressed model with its distance from the model before; None where nothing has changed."""

    model: CompressedModel
    error: FromOriginal | None


class CompressedModels:
    """Compresses the models of cards; each by each level once."""

    def __init__(self, package: Callable[..., object]) -> None:
        """package: compiles a graph for a target by goals; see harness.validate.workbench.Workbench.package."""
        self._package = package
        self._known: dict[tuple[object, ...], CompressedModel] = {}

    def get(
        self,
        card: Card,
        graph: Graph,
        target: Target,
        goals: Goals,
        tell: Progress | None = None,
    ) -> CompressedModel | None:
        """What the card's compression makes of its model; None where it wants none.

        Args:
            card: with the options applied.
            graph: its model.
            target: what it is compiled for.
            goals: with a budget of flash only the layers are compressed that it needs.
            tell: progress.

        Raises:
            CompressionError: it is to run on an NPU, or cannot be compressed.
            VectorsError: its data cannot be used.
        """
        if card.compress is None:
            return None
        if card.npu is not None:
            raise CompressionError(
                f"{graph.name} is to be compressed, and compiled for an NPU, whose compiler compresses weights itself",
                hint="leave --compress or --npu out",
            )
        level, data = card.compress.wanted, compression_data(card, graph)
        budget = None if goals.max_flash is None else (target, goals)
        key = (graph.sha256, graph.name, level.name, None if data is None else data.sha256, budget)
        if key not in self._known:
            compressor = Compressor(graph, level, data, tell)
            fits = partial(self._fits, target, goals)
            self._known[key] = compressor.model() if budget is None else compressor.within(fits)
        return self._known[key]

    def _fits(self, target: Target, goals: Goals, graph: Graph) -> bool:
        """Whether a model keeps the budgets."""
        try:
            self._package(graph, target, goals=goals)
        except BudgetError:
            return False
        return True


def compression_data(card: Card, graph: Graph) -> CompressionData | None:
    """The vectors that weights are found on: those that the card's compression names, else the card's own of a file.

    Raises:
        VectorsError: the file is missing, damaged or does not fit the model.
    """
    assert card.compress is not None
    given = card.compress.data or card.vectors
    if not isinstance(given, FileVectors):
        return None
    found = vectors.load(given, graph, card.base)
    return spread(found.name, found.sha256, found.inputs)


def goals_of(card: Card, overrides: Overrides) -> Goals:
    """What to compile for: of a compressed model without a budget of flash all kernels that read fewer bits."""
    goals = overrides.or_else(card.compile.overrides).goals
    return replace(goals, compress=True) if card.compress is not None and goals.max_flash is None else goals


def compression_of(
    card: Card, subject: Subject, reference: Reference, references: References, tell: Progress
) -> Compression | None:
    """What a card's model was compressed to, and how far it is from the model before; None where it was not."""
    made = subject.compressed
    if made is None:
        return None
    return Compression(made, _from_original(made, card, subject.vectors, reference, references, tell))


def judged(made: CompressedModel, card: Card, tell: Progress) -> FromOriginal | None:
    """How far a compressed model is from the model before, over the vectors of its compression, or the card's.

    Raises:
        VectorsError: the vectors cannot be used.
        OracleError: the card's oracle refuses the model.
    """
    assert card.compress is not None
    if made.graph is made.original:
        return None
    given = vectors.load(card.compress.data or card.vectors, made.original, card.base)
    references = References()
    reference = references.get(card.oracle, made.graph, given, count=len(given), tensors=0, progress=tell)
    return _from_original(made, card, given, reference, references, tell)


def _from_original(
    made: CompressedModel,
    card: Card,
    given: Vectors,
    reference: Reference,
    references: References,
    tell: Progress,
) -> FromOriginal | None:
    """How far a compressed model's outputs, those of `reference`, are from the outputs of the model before.

    Over the vectors that weights were not found on where some of them are such, and otherwise over all of them. None
    where the compressed model is the model before.
    """
    if made.graph is made.original:
        return None
    before = references.get(card.oracle, made.original, given, count=len(given), tensors=0, progress=tell)
    places = list(range(len(given)))
    data = made.data
    unseen = data is None or data.sha256 != given.sha256
    if data is not None and not unseen and data.unseen:
        places, unseen = list(data.unseen), True
    pairs = list(zip(_reals(made.original, before, places), _reals(made.graph, reference, places), strict=True))
    right = None
    if given.labels is not None and labels_are_classes(card):
        labels = given.labels.astype(np.int64)
        shares = [classification.accuracy(classification.classify(side), labels[places]) for side in pairs[0]]
        right = (shares[0], shares[1])
    return FromOriginal(
        given.name,
        len(places),
        unseen,
        tuple(sqnr(old, new) for old, new in pairs),
        tuple(float(np.abs(old - new).max(initial=0)) for old, new in pairs),
        right,
    )


def _reals(graph: Graph, reference: Reference, places: Sequence[int]) -> list[classification.Reals]:
    """[output]: stacks of real numbers of some vectors."""
    return [
        classification.dequantize([reference.outputs[i][output] for i in places], graph.tensors[t])
        for output, t in enumerate(graph.outputs)
    ]
