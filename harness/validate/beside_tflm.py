"""TensorFlow Lite Micro beside tinyhil: its records, and where its program runs on the board what it does there now.

It never changes a verdict. Where the program's outputs differ from the reference kernels', a note says whose fault
it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import OptionError, TinyhilError, ToolError
from harness.ir.graph import Graph
from harness.quantization.types import Array
from harness.runtimes import RUNTIMES, TFLM, ProgramRun, ProgramRuntime
from harness.validate.baselines import KERNEL_SETS, Baseline, KernelSet, find
from harness.validate.differences import output_diffs
from harness.validate.tflm_faults import whose_fault
from harness.validate.verdict import Opinion

if TYPE_CHECKING:
    from harness.build.progress import Progress
    from harness.hardware.board import Board
    from harness.units import Unit

LIVE_VECTORS = 8
"""As many of the first vectors TFLM's program runs, to see whether it computes what its reference kernels do."""

_KERNELS: KernelSet = "cmsis-nn"


@dataclass(frozen=True, eq=False)
class BesideTflm:
    """TFLM's figures for a run of tinyhil.

    Attributes:
        baselines: by kernel set, measured now or recorded.
        opinions: the differences of tinyhil's outputs from those of TFLM's program; none where it did not run.
        notes: why it did not, or whose fault a difference is.
    """

    baselines: tuple[Baseline, ...]
    opinions: tuple[Opinion, ...] = ()
    notes: tuple[str, ...] = ()


def beside_tflm(
    graph: Graph,
    board: Board,
    unit: Unit | None,
    vectors: Sequence[Sequence[Array]],
    reference: Sequence[Sequence[Array]],
    outputs: Sequence[Sequence[Array]],
    *,
    most: int = LIVE_VECTORS,
    program: Path | None = None,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> BesideTflm:
    """TFLM's records for a model on a board, and its program's figures where that runs there.

    Args:
        graph: the model as imported.
        board: that ran.
        unit: of tinyhil's figures.
        vectors: the inputs; reference, outputs: the oracle's outputs for them, and tinyhil's.
        most: vectors that TFLM's program runs.
        program: TFLM's program, as given by the option.
        cache_dir: as harness.build.build_image.
        progress: told of its vectors.

    Raises:
        OptionError: the program that the option names is not there.
    """
    found = {kernels: find(graph.sha256, board.core, kernels, unit) for kernels in KERNEL_SETS if unit}
    recorded = {kernels: baseline for kernels, baseline in found.items() if baseline is not None}
    runtime = RUNTIMES.get(TFLM)
    if not isinstance(runtime, ProgramRuntime) or runtime.refusal(board):
        return BesideTflm(tuple(recorded.values()))
    count = min(len(vectors), most)
    try:
        run = runtime.run(
            graph, board, vectors[:count], program=program, cache_dir=cache_dir, progress=progress
        )
    except OptionError:
        raise
    except ToolError as error:
        return BesideTflm(tuple(recorded.values()), notes=(f"no live TFLM: {error.message}: {error.hint}",))
    except TinyhilError as error:
        return BesideTflm(tuple(recorded.values()), notes=(f"no live TFLM: {error.message}",))
    live = live_baseline(run, graph, board)
    if live is not None and unit is live.unit:
        recorded[_KERNELS] = live
    given = output_diffs(graph, run.outputs, outputs[:count])
    theirs = output_diffs(graph, reference[:count], run.outputs)
    ours = output_diffs(graph, reference[:count], outputs[:count])
    return BesideTflm(
        tuple(recorded[kernels] for kernels in KERNEL_SETS if kernels in recorded),
        (Opinion("tflm live", run.title, given),),
        whose_fault(graph, ours, theirs),
    )


def live_baseline(run: ProgramRun, graph: Graph, board: Board) -> Baseline | None:
    """What TFLM's program did, as a record is; None where it measured no time."""
    if run.unit is None or run.total is None or run.stack is None:
        return None
    whole = len(run.operators) == len(graph.source_ops)
    return Baseline(
        model=graph.name,
        sha256=graph.sha256,
        core=board.core,
        machine=run.machine,
        kernels=_KERNELS,
        unit=run.unit,
        total=run.total,
        layers=tuple(zip(graph.source_ops, run.operators, strict=True)) if whole else (),
        arena=run.arena,
        stack=run.stack,
        flash=run.flash + len(graph.model),
        build=run.title,
        live=True,
    )
