"""Oracle sessions: run a model; give its outputs and, where the oracle can, its intermediate tensors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from harness.ir.graph import Graph
from harness.ir.interpreter import check_inputs
from harness.ir.operators import operator_of
from harness.quantization.types import Array

Tensors = dict[int, Array]


@dataclass(frozen=True)
class OracleResult:
    """Results of one inference.

    Attributes:
        outputs: the model's outputs in its order.
        tensors: activations by tensor index in subgraph 0 of the model file (Tensor.source); empty if not asked for.
    """

    outputs: tuple[Array, ...]
    tensors: Mapping[int, Array] = field(default_factory=dict)


class Interpreter(ABC):
    """An interpreter with a model loaded; states are kept from one inference to the next."""

    version: str

    @abstractmethod
    def invoke(self, inputs: Sequence[Array], sources: Sequence[int]) -> tuple[tuple[Array, ...], Tensors]:
        """Runs an inference; returns the outputs, and those of the tensors `sources` that the interpreter keeps.

        Raises:
            OracleError: the interpreter failed.
        """

    @abstractmethod
    def reset(self) -> None:
        """Set all states back to their initial values."""

    def close(self) -> None:  # noqa: B027 - most have nothing to release
        """Release what is held outside this process; idempotent."""


class OracleSession:
    """A named oracle for one model. A context manager.

    Attributes:
        name: "tflm", "litert-ref", "litert" or "spec".
        version: of the package that computes, such as "tflite-micro 0.dev20260101".
    """

    def __init__(self, name: str, graph: Graph, interpreter: Interpreter) -> None:
        self.name = name
        self.version = interpreter.version
        self._graph = graph
        self._interpreter = interpreter
        self._sources = [t.source for t in graph.tensors if t.source is not None and t.data is None]
        self._unwritten = [node for node in graph.nodes if operator_of(node).unwritten is not None]

    def invoke(self, inputs: Sequence[Array], *, tensors: bool = False) -> OracleResult:
        """Run one inference; `inputs` have the model's own shapes and types, in its order.

        Raises:
            VectorsError: the inputs do not fit the model.
            OracleError: the interpreter failed.
        """
        check_inputs(self._graph, inputs)
        if not self._unwritten:
            return OracleResult(*self._interpreter.invoke(inputs, self._sources if tensors else ()))
        outputs, found = self._written(*self._interpreter.invoke(inputs, self._sources))
        return OracleResult(outputs, found if tensors else {})

    def _written(self, outputs: tuple[Array, ...], tensors: Tensors) -> tuple[tuple[Array, ...], Tensors]:
        """The same, without what the interpreter left in memory behind what it wrote (Operator.unwritten)."""
        graph, written = self._graph, list(outputs)
        settled: Tensors = {}
        for node in self._unwritten:
            sources = [graph.tensors[t].source for t in node.outputs]
            known = [tensors[source] for source in sources if source in tensors]
            change = operator_of(node).unwritten
            if change is None or len(known) < len(sources):
                continue
            for t, source, values in zip(node.outputs, sources, change(known), strict=True):
                if source is not None:
                    settled[source] = values
                for place in (i for i, output in enumerate(graph.outputs) if output == t):
                    written[place] = values
        return tuple(written), {**tensors, **settled}

    def reset(self) -> None:
        """Set all states back to their initial values."""
        self._interpreter.reset()

    def close(self) -> None:
        """End the session; idempotent."""
        self._interpreter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
