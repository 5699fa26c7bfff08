"""A case made ready: imported, compiled, with its vectors and what its outputs should be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harness.errors import Category, InputError, ModelFileError, TinyhilError, VectorsError
from harness.ir.graph import Graph, Tensor
from harness.quantization.types import Array
from harness.validate.conformance.arrays import read_values
from harness.validate.conformance.outcome import ModelOutcome, ModelStatus
from harness.validate.conformance.suite import Case
from harness.validate.conformance.ulp import largest_ulp
from harness.validate.reference import Reference, References
from harness.validate.vectors import Vectors, from_arrays, random_vectors

if TYPE_CHECKING:
    from harness.compiler.emit.package import Package
    from harness.compiler.goals import Goals
    from harness.hardware.target import Target

GOLDEN = "golden files"


@dataclass(frozen=True)
class SuiteSettings:
    """How a suite is run.

    Attributes:
        oracle: the reference of models without golden files.
        count, seed: of the random vectors of models without input files.
    """

    oracle: str = "tflm"
    count: int = 3
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Prepared:
    """A case that can run.

    Attributes:
        case, graph, package, vectors: the model and what it is given.
        expected: [vector][output]; None for an output without a golden file where others have one.
        reference: the oracle's results; None where golden files stand for them.
    """

    case: Case
    graph: Graph
    package: Package
    vectors: Vectors
    expected: tuple[tuple[Array | None, ...], ...]
    reference: Reference | None

    def outcome(self, status: ModelStatus, reason: str = "", concerned: Sequence[str] = ()) -> ModelOutcome:
        """What became of it."""
        found = names_of(self.graph)
        source = self.reference.oracle if self.reference else GOLDEN
        return ModelOutcome(self.case.name, found, tuple(concerned) or found, status, reason, source, len(self.vectors))


def names_of(graph: Graph) -> tuple[str, ...]:
    """Names of the operators in a graph's file."""
    return tuple(sorted(set(graph.source_ops) or {node.op for node in graph.nodes}))


def prepare(case: Case, number: int, target: Target, goals: Goals, settings: SuiteSettings) -> Prepared | ModelOutcome:
    """The case made ready; where that fails, what became of it.

    `number` makes the names of models in one image differ.

    Raises:
        TinyhilError: a tool is missing, which concerns all cases.
    """
    from harness import frontends
    from harness.compiler.compile import compile_graph
    from harness.compiler.emit.package import emit

    try:
        graph = frontends.load(case.model)
        name = f"c{number:04d}_{graph.name}"
        package = emit(compile_graph(graph, core=target, name=name, goals=goals))
    except ModelFileError as error:
        return ModelOutcome(case.name, (), (), ModelStatus.ERROR, told(error).replace(f"{case.model}: ", ""))
    except InputError as error:
        return refused(case, error)
    try:
        vectors = _vectors(case, graph, settings)
        goldens = {n: read_values(path, _output(graph, n, path)) for n, path in case.goldens().items()}
        if goldens:
            return Prepared(case, graph, package, vectors, _golden_rows(case, graph, goldens, len(vectors)), None)
        tensors = len(vectors) if largest_ulp(graph) else 0
        reference = References().get(settings.oracle, graph, vectors, count=len(vectors), tensors=tensors)
        return Prepared(case, graph, package, vectors, reference.outputs, reference)
    except TinyhilError as error:
        if error.category is Category.TOOL:
            raise
        return ModelOutcome(case.name, names_of(graph), names_of(graph), ModelStatus.ERROR, told(error))


def told(error: TinyhilError) -> str:
    """What an error says, with the line of its details that tells most: a compiler's first error, else the last."""
    details = error.details.strip().splitlines()
    line = next((line for line in details if "error:" in line), details[-1] if details else "")
    return f"{error.stage}: {error.message}" + (f": {line.strip()}" if line else "")


def refused(case: Case, error: TinyhilError) -> ModelOutcome:
    """The outcome of a model that is not compiled; it counts for the operators that the error names, or for all."""
    found = _operators_of_file(case)
    named = tuple(op for op in found if re.search(rf"(?<![\w]){re.escape(op)}(?![\w])", error.message))
    reason = error.message.removeprefix(f"{case.model}: ")
    return ModelOutcome(case.name, found, named or found, ModelStatus.REFUSED, reason)


def _operators_of_file(case: Case) -> tuple[str, ...]:
    """Names of the operators in a file that may not be one that is compiled; none where it cannot be read."""
    from harness.files.reading import read_regular
    from harness.frontends.tflite.schema import read_model

    try:
        subgraphs = read_model(read_regular(case.model, 64 << 20), case.name)
    except (TinyhilError, OSError):
        return ()
    return tuple(sorted({op.custom or op.name for subgraph in subgraphs for op in subgraph.operators}))


def _vectors(case: Case, graph: Graph, settings: SuiteSettings) -> Vectors:
    files = case.inputs()
    if not files and case.goldens() and graph.inputs:
        raise VectorsError(
            f"{case.model}: golden files without input files", hint=f"add {case.model.stem}_input0.npy, .csv or .bin"
        )
    if not files:
        return random_vectors(graph, settings.count if graph.inputs else 1, settings.seed)
    missing = [n for n in range(len(graph.inputs)) if n not in files]
    surplus = [files[n] for n in files if n >= len(graph.inputs)]
    if missing or surplus:
        what = f"no file for input {missing[0]}" if missing else f"{surplus[0].name} is of no input"
        raise VectorsError(
            f"{case.model}: {what}; the model has {len(graph.inputs)}", hint="give one file for each, counted from 0"
        )
    columns = [read_values(files[n], graph.tensors[t]) for n, t in enumerate(graph.inputs)]
    if len({len(column) for column in columns}) > 1:
        counts = ", ".join(f"{files[n].name} {len(column)}" for n, column in enumerate(columns))
        raise VectorsError(f"{case.model}: different numbers of vectors: {counts}", hint="give as many for each input")
    return from_arrays([list(row) for row in zip(*columns, strict=True)], graph, case.name)


def _output(graph: Graph, number: int, path: Path) -> Tensor:
    if number >= len(graph.outputs):
        raise VectorsError(f"{path}: the model has {len(graph.outputs)} outputs", hint="they are counted from 0")
    return graph.tensors[graph.outputs[number]]


def _golden_rows(
    case: Case, graph: Graph, goldens: dict[int, Array], count: int
) -> tuple[tuple[Array | None, ...], ...]:
    for number, values in goldens.items():
        if len(values) != count:
            raise VectorsError(
                f"{case.model}: golden output {number} is of {len(values)} vectors, the inputs of {count}",
                hint="give as many for each",
            )
    outputs = range(len(graph.outputs))
    return tuple(tuple(goldens[n][v] if n in goldens else None for n in outputs) for v in range(count))


def same(ours: Array, theirs: Array | None) -> bool:
    """Whether an output is what it should be, bit for bit; but NaN is NaN, whose bits are each machine's own."""
    return theirs is None or (ours.size == theirs.size and not unequal(ours, theirs).any())


def unequal(ours: Array, theirs: Array) -> npt.NDArray[np.bool_]:
    """[elements]: which are not the same."""
    one, other = np.ascontiguousarray(ours).reshape(-1), np.ascontiguousarray(theirs).reshape(-1)
    if one.dtype != np.float32 or other.dtype != np.float32:
        return np.asarray(one != other)
    return np.asarray((one.view(np.uint32) != other.view(np.uint32)) & ~(np.isnan(one) & np.isnan(other)))
