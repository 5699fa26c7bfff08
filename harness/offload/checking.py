"""Outputs of a compiled model against TFLM's of the model as it was: a run is a validation as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.build.progress import Progress
from harness.errors import CommandStreamError, OracleError, OracleMissingError, TinyhilError
from harness.frontends.tflite.reader import load
from harness.ir.graph import Graph
from harness.offload.compilation import NpuCompilation
from harness.offload.subject import NpuSubject
from harness.oracle import MEMORY_LIMIT, TIME_LIMIT_S, open_oracle
from harness.quantization.types import Array
from harness.validate import vectors
from harness.validate.card import FileVectors, RandomVectors
from harness.validate.differences import TensorDiff, output_diffs

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


def check_outputs(
    subject: NpuSubject, compilation: NpuCompilation, asked: RandomVectors | FileVectors, tell: Progress
) -> OutputCheck:
    """Runs the compiled model on vectors, in the simulator and by the specifications of what is left to the CPU.

    Raises:
        VectorsError: the vectors do not fit the model.
        CommandStreamError: the NPU cannot carry out a command.
    """
    if not compilation.simulated:
        return _unchecked("the accelerator is not simulated")
    try:
        compiled = load(compilation.file, name=subject.path.stem)
    except CommandStreamError:
        raise
    except TinyhilError as error:
        return _unchecked(f"what is left to the CPU is not run: {error.message}")
    given = vectors.load(asked, compiled, Path.cwd())
    rows = _outputs("spec", compiled, given.inputs, tell)[1]
    if subject.compiled:
        return OutputCheck(len(given), "", (), "the model before Vela is not known, so outputs are not compared")
    if subject.graph is None:
        return OutputCheck(len(given), "", (), f"no reference: {subject.unread}")
    notes = []
    for name in REFERENCES:
        try:
            reference, expected = _outputs(name, subject.graph, given.inputs, tell)
        except (OracleMissingError, OracleError) as error:
            notes.append(f"{name}: {error.message}")
            continue
        return OutputCheck(len(given), reference, output_diffs(subject.graph, expected, rows), "; ".join(notes))
    return OutputCheck(len(given), "", (), "no reference: " + "; ".join(notes))


def _outputs(
    name: str, graph: Graph, inputs: Sequence[Sequence[Array]], tell: Progress
) -> tuple[str, list[tuple[Array, ...]]]:
    """(oracle and version, outputs by vector)."""
    rows = []
    isolated = name != "spec"  # the file is not trusted, and TFLM may abort
    with open_oracle(name, graph, isolated=isolated, time_limit_s=TIME_LIMIT_S, memory_limit=MEMORY_LIMIT) as session:
        for number, row in enumerate(inputs):
            tell(f"run by {name}", number, len(inputs))
            rows.append(session.invoke(row).outputs)
        return session.version, rows


def _unchecked(why: str) -> OutputCheck:
    return OutputCheck(0, "", (), why)
