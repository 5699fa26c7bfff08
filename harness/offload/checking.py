"""Outputs of a compiled model against TFLM's of the model as it was: a run is a validation as well."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import OracleError, OracleMissingError
from harness.ir.graph import Graph
from harness.offload.compilation import NpuCompilation
from harness.offload.subject import NpuSubject
from harness.oracle import open_oracle
from harness.oracle.isolated import MEMORY_LIMIT, TIME_LIMIT_S
from harness.quantization.types import Array
from harness.validate import vectors
from harness.validate.card import FileVectors, RandomVectors
from harness.validate.differences import Rows, TensorDiff, output_diffs

if TYPE_CHECKING:
    from harness.build.progress import Progress

REFERENCES = ("tflm", "spec")
"""The first that is there and takes the model is the reference."""


@dataclass(frozen=True)
class OutputCheck:
    """Whether the compiled model computes what the model does.

    Attributes:
        vectors: number of vectors that were run.
        reference: the oracle and its version; "" where there was none.
        outputs: difference of each output; () where nothing was compared.
        note: why nothing was run or compared; "" where it was.
    """

    vectors: int
    reference: str
    outputs: tuple[TensorDiff, ...]
    note: str

    @property
    def compared(self) -> bool:
        """Whether there was a reference."""
        return bool(self.outputs)

    @property
    def differing(self) -> tuple[TensorDiff, ...]:
        """The outputs that are not exact."""
        return tuple(diff for diff in self.outputs if diff.differing)


class OutputChecker:
    """Checks compilations of one model; the reference runs once for all of them."""

    def __init__(self, subject: NpuSubject, asked: RandomVectors | FileVectors, tell: Progress) -> None:
        self._subject = subject
        self._asked = asked
        self._tell = tell
        self._known: dict[str, OutputCheck] = {}
        self._expected: Future[tuple[str, Rows, str]] | None = None

    def begin(self, pool: Executor) -> None:
        """Runs the reference meanwhile: it is a process of its own."""
        if self._subject.graph is not None and not self._subject.compiled:
            self._expected = pool.submit(self._reference, self._subject.graph)

    def check(self, compilation: NpuCompilation) -> OutputCheck:
        """Runs a compiled model in the simulator, and what is left to the CPU by the specifications of operators.

        Raises:
            VectorsError: the vectors do not fit the model.
            CommandStreamError: the NPU cannot carry out a command.
        """
        if not compilation.simulated:
            return _unchecked("the accelerator is not simulated")
        key = sha256(compilation.file).hexdigest()
        if key not in self._known:
            self._known[key] = self._check(compilation)
        return self._known[key]

    def _check(self, compilation: NpuCompilation) -> OutputCheck:
        subject = self._subject
        if not subject.compiled and subject.graph is None:
            return _unchecked(f"nothing to compare with: {subject.unread}")
        compiled, why = compilation.read
        if compiled is None:
            return _unchecked(f"what is left to the CPU is not run: {why}")
        given = vectors.load(self._asked, compiled, Path.cwd())
        rows = self._outputs("spec", compiled, given.inputs)[1]
        if subject.graph is None or subject.compiled:
            return OutputCheck(len(given), "", (), "the model before Vela is not known, so outputs are not compared")
        if self._expected is None:
            self._expected = Future()
            self._expected.set_result(self._reference(subject.graph))
        reference, expected, note = self._expected.result()
        diffs = output_diffs(subject.graph, expected, rows) if reference else ()
        return OutputCheck(len(given), reference, diffs, note)

    def _reference(self, graph: Graph) -> tuple[str, Rows, str]:
        """(oracle and version, outputs by vector, what others said that did not do it)."""
        inputs = vectors.load(self._asked, graph, Path.cwd()).inputs
        notes = []
        for name in REFERENCES:
            try:
                version, rows = self._outputs(name, graph, inputs)
            except (OracleMissingError, OracleError) as error:
                notes.append(f"{name}: {error.message}")
            else:
                return version, rows, "; ".join(notes)
        return "", (), "no reference: " + "; ".join(notes)

    def _outputs(self, name: str, graph: Graph, inputs: Sequence[Sequence[Array]]) -> tuple[str, Rows]:
        isolated = name != "spec"  # the file is not trusted, and TFLM may abort
        rows = []
        with open_oracle(
            name, graph, isolated=isolated, time_limit_s=TIME_LIMIT_S, memory_limit=MEMORY_LIMIT
        ) as session:
            for number, row in enumerate(inputs):
                self._tell(f"run by {name}", number, len(inputs))
                rows.append(session.invoke(row).outputs)
            return session.version, rows


def _unchecked(why: str) -> OutputCheck:
    return OutputCheck(0, "", (), why)
