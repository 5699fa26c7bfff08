"""The numpy specifications of the operators as an oracle; runs the Graph, not a file."""

from __future__ import annotations

from collections.abc import Sequence

from harness.ir.graph import Graph
from harness.ir.interpreter import run
from harness.oracle.oracle import Oracle
from harness.oracle.session import Interpreter, Tensors
from harness.quantization.types import Array


class SpecInterpreter(Interpreter):
    """Runs a Graph by harness.ir.interpreter."""

    version = "tinyhil"

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._states: list[Array] = []
        self.reset()

    def invoke(self, inputs: Sequence[Array], sources: Sequence[int]) -> tuple[tuple[Array, ...], Tensors]:
        """See Interpreter; keeps every tensor."""
        done = run(self._graph, inputs, self._states)
        self._states = done.states
        by_source = {self._graph.tensors[i].source: array for i, array in done.tensors.items()}
        return done.outputs, {source: by_source[source] for source in sources if source in by_source}

    def reset(self) -> None:
        """See Interpreter."""
        self._states = [state.initial for state in self._graph.states]


SPECIFICATION = Oracle(interpret_graph=SpecInterpreter)
