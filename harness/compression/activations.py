"""What layers read while a network runs over vectors, as real numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from harness.compression.noise import open_reference
from harness.compression.stacks import Floats, Stacks
from harness.ir.graph import Graph
from harness.quantization.params import real_values
from harness.quantization.types import Array

MOST_VECTORS = 128
MOST_BYTES = 384 << 20
"""Of all stacks, which are in memory at once."""

Vectors = Sequence[Sequence[Array]]
"""[vector][input], of the model's own shapes and types."""


@dataclass(frozen=True, eq=False)
class CompressionData:
    """Vectors that weights are found on.

    Attributes:
        name: of the file.
        sha256: of the inputs, hexadecimal.
        vectors: at most MOST_VECTORS of them, evenly spread over the file.
        indices: their places in the file.
        whole: how many are there.
    """

    name: str
    sha256: str
    vectors: Vectors
    indices: tuple[int, ...]
    whole: int

    @property
    def unseen(self) -> tuple[int, ...]:
        """Places of the vectors that nothing was found on."""
        return tuple(sorted(set(range(self.whole)) - set(self.indices)))


def spread(name: str, sha256: str, vectors: Vectors) -> CompressionData:
    """Two thirds of the vectors, or as many as are of use."""
    count = len(vectors)
    seen = np.flatnonzero(np.arange(count) % 3 != 2)
    if len(seen) > MOST_VECTORS:
        seen = seen[np.linspace(0, len(seen) - 1, MOST_VECTORS).astype(np.int64)]
    places = tuple(int(i) for i in seen)
    return CompressionData(name, sha256, [vectors[i] for i in places], places, count)


def activations(graph: Graph, tensors: Collection[int], vectors: Vectors) -> Stacks:
    """Stacks of some tensors of a graph, float32: [vectors, *shape]; over fewer of the vectors where they are large.

    None of tensors that the reference does not show, or with NaN or infinity.

    Raises:
        OracleError: the reference cannot compute the model.
    """
    each = sum(4 * graph.tensors[t].elements for t in tensors)
    few = list(vectors[: max(MOST_BYTES // max(each, 1), 4)])
    places = {t: i for i, t in enumerate(graph.inputs)}
    found: dict[int, list[Array]] = {t: [] for t in tensors}
    with open_reference(graph, isolated=True) as session:
        for inputs in few:
            made = session.invoke(inputs, tensors=True).tensors
            for t in list(found):
                source = graph.tensors[t].source
                value = inputs[places[t]] if t in places else made.get(-1 if source is None else source)
                if value is None:
                    del found[t]  # nothing says what it is
                else:
                    found[t].append(_real(graph, t, value))
    stacks = {t: np.stack(values) for t, values in found.items()}
    return {t: stack for t, stack in stacks.items() if np.isfinite(stack).all()}


def _real(graph: Graph, t: int, value: Array) -> Floats:
    tensor = graph.tensors[t]
    shaped = np.asarray(value).reshape(tensor.shape)
    real: npt.NDArray[np.generic] = shaped if tensor.quant is None else real_values(shaped, tensor.quant)
    return cast(Floats, real.astype(np.float32))
