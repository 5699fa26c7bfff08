"""The protocol of runtimes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from harness.units import Unit

if TYPE_CHECKING:
    from harness.build import BuildOptions, Image
    from harness.build.progress import Progress
    from harness.compiler.emit.package import Package
    from harness.compiler.goals import Goals
    from harness.ethosu.counts import StreamCounts
    from harness.hardware.board import Board
    from harness.hardware.target import Target
    from harness.ir.graph import Graph
    from harness.quantization.types import Array


@dataclass(frozen=True)
class Measures:
    """What can be measured of a model with this runtime; anything else is reported as not measured.

    Attributes:
        layer_outputs: the output of each layer, right after the layer.
        layer_times: the time of each layer; that of the whole inference always is.
        arena: bytes of the arena that are used.
        stack: bytes of stack of an inference.
        flash: bytes of flash of the network, without the harness.
        arena_contents: where `arena` is, also which bytes of it are written, and what lies behind its end.
    """

    layer_outputs: bool = True
    layer_times: bool = True
    arena: bool = True
    stack: bool = True
    flash: bool = True
    arena_contents: bool = True

    @property
    def arena_bytes(self) -> bool:
        """Whether it is known which bytes of the arena are written, and what lies behind its end."""
        return self.arena and self.arena_contents


class Runtime(Protocol):
    """A way to compute a model on a board: a SourceRuntime or a ProgramRuntime."""

    @property
    def name(self) -> str:
        """The runtime's name, as in Options.runtime."""

    @property
    def measures(self) -> Measures:
        """What can be measured with it."""


@runtime_checkable
class SourceRuntime(Runtime, Protocol):
    """A runtime that makes sources of a model, and an image that speaks tinyhil's protocol (docs/protocol.md)."""

    def package(self, graph: Graph, target: Target, name: str, goals: Goals) -> Package:
        """The model as sources, with the plan of its layers and arena.

        Args:
            graph: the model as imported.
            target: the core to compile for.
            name: of the model; the package's name is made from it.
            goals: what to optimize for, and budgets.

        Raises:
            CompileError: the model cannot be compiled for the target.
            BudgetError: no compilation keeps to the budgets.
        """

    def image(
        self,
        packages: Sequence[Package],
        board: Board,
        options: BuildOptions,
        *,
        cache_dir: Path | None = None,
        progress: Progress | None = None,
    ) -> Image:
        """An image for `board` that holds these packages; arguments and errors as harness.build.build_image."""


@dataclass(frozen=True, eq=False)
class ProgramRun:
    """What a program that takes model files showed of a model.

    Attributes:
        outputs: [vector][output of the model].
        unit: of `total` and `operators`; None where no time is measured.
        total: one inference on the first vector; None where it is not measured.
        operators: of each operator of the model file, in its order; they add up to `total`. Others where the file was
            changed for the program, as a model of uint8 is; none where `total` is not measured.
        arena: bytes of the arena that are used.
        stack: bytes of stack of an inference; None where it is not measured.
        flash: bytes of the program's code and constants, without the model file.
        stack_size: bytes that the program keeps for its stack.
        program: the file that ran.
        build_id: identifies it.
        title: what reports call it.
        machine: what it ran on.
        npu: the command streams of one inference, where an NPU ran them.
        notes: what the run could not tell, for the report.
    """

    outputs: tuple[tuple[Array, ...], ...]
    unit: Unit | None
    total: int | None
    operators: tuple[int, ...]
    arena: int
    stack: int | None
    flash: int
    stack_size: int
    program: Path
    build_id: str
    title: str
    machine: str
    npu: tuple[StreamCounts, ...] = ()
    notes: tuple[str, ...] = ()


@runtime_checkable
class ProgramRuntime(Runtime, Protocol):
    """A runtime with a program that is there already and takes model files as they are."""

    def refusal(self, board: Board) -> str:
        """Why it does not run on a board, as the end of a sentence; "" where it does."""

    def run(
        self,
        graph: Graph,
        board: Board,
        vectors: Sequence[Sequence[Array]],
        *,
        program: Path | None = None,
        cache_dir: Path | None = None,
        progress: Progress | None = None,
    ) -> ProgramRun:
        """Runs a model over vectors in order, from initial states; from the cache where the same has run before.

        Args:
            graph: the model as imported, with the bytes of its file.
            board: one that it does not refuse.
            vectors: [vector][input], of the graph's shapes and types; at least one.
            program: the file to run instead of the one that is installed.
            cache_dir: as harness.build.build_image.
            progress: told of every vector.

        Raises:
            ToolError: the program, or what runs it, is not installed.
            TinyhilError: the program does not take the model, or fails.
        """
