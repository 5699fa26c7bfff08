"""The protocol of runtimes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from harness.build import BuildOptions, Image
    from harness.build.progress import Progress
    from harness.compiler.emit.package import Package
    from harness.compiler.goals import Goals
    from harness.hardware.board import Board
    from harness.hardware.target import Target
    from harness.ir.graph import Graph


@dataclass(frozen=True)
class Measures:
    """What can be measured of a model with this runtime; anything else is reported as not measured.

    Attributes:
        layer_outputs: the output of each layer, right after the layer.
        layer_times: the time of each layer; that of the whole inference always is.
        arena: which bytes of the arena are written, and what lies behind its end.
        stack: bytes of stack of an inference.
        flash: bytes of flash of the network, without the harness.
    """

    layer_outputs: bool = True
    layer_times: bool = True
    arena: bool = True
    stack: bool = True
    flash: bool = True


class Runtime(Protocol):
    """A way to compute a model on a board. Its images speak tinyhil's protocol (docs/protocol.md)."""

    @property
    def name(self) -> str:
        """The runtime's name, as in Options.runtime."""

    @property
    def measures(self) -> Measures:
        """What can be measured with it."""

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
