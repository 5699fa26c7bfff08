"""Reference: an oracle's outputs and tensors for given vectors, computed once and kept in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.build.progress import Progress
from harness.ir.graph import Graph
from harness.quantization.types import Array
from harness.validate.vectors import Vectors

TIME_LIMIT_S = 300.0
"""Of an oracle, for loading a model and for each inference."""
MEMORY_LIMIT = 2 << 30
"""Of an oracle for a model, bytes beyond its libraries."""


@dataclass(frozen=True, eq=False)
class Reference:
    """An oracle's results.

    Attributes:
        oracle, version: the oracle's name, and the version of its package.
        outputs: [vector][model output].
        tensors: [vector], for the first vectors: tensors by index in subgraph 0 of the model file.
        tensors_of: what these are from, where not from the oracle alone.
    """

    oracle: str
    version: str
    outputs: tuple[tuple[Array, ...], ...]
    tensors: tuple[Mapping[int, Array], ...]
    tensors_of: str = ""


class References:
    """Runs oracles and keeps their results, which all boards that a model runs on share."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str, int, int], Reference] = {}

    def get(
        self,
        oracle: str,
        graph: Graph,
        vectors: Vectors,
        *,
        count: int,
        tensors: int,
        progress: Progress | None = None,
    ) -> Reference:
        """The results of `oracle` for the first `count` vectors, with all tensors of the first `tensors` of them.

        For a model with states the vectors are one sequence that starts from the initial states. `progress` is called
        with ("oracle NAME", done, total).

        Raises:
            OracleMissingError: the oracle's package is not installed.
            OracleError: it refuses the model.
        """
        key = (oracle, graph.sha256, vectors.sha256, count, tensors)
        if key not in self._known:
            self._known[key] = _run(oracle, graph, vectors, count, tensors, progress)
        return self._known[key]


def _run(
    oracle: str, graph: Graph, vectors: Vectors, count: int, tensors: int, progress: Progress | None
) -> Reference:
    from harness.oracle import open_oracle

    with open_oracle(
        oracle, graph, isolated=True, time_limit_s=TIME_LIMIT_S, memory_limit=MEMORY_LIMIT
    ) as session:
        session.reset()
        results = []
        for index, inputs in enumerate(vectors.inputs[:count]):
            results.append(session.invoke(inputs, tensors=index < tensors))
            if progress:
                progress(f"oracle {oracle}", index + 1, count)
        return Reference(
            oracle=session.name,
            version=session.version,
            outputs=tuple(result.outputs for result in results),
            tensors=tuple(result.tensors for result in results[:tensors]),
        )
