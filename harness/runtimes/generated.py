"""The runtime `tinyhil`: C generated for the model, with the kernels that it uses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.runtimes.base import Measures

if TYPE_CHECKING:
    from harness.build import BuildOptions, Image
    from harness.build.progress import Progress
    from harness.compiler.emit.package import Package
    from harness.compiler.goals import Goals
    from harness.hardware.board import Board
    from harness.hardware.target import Target
    from harness.ir.graph import Graph


class GeneratedC:
    """See harness.runtimes.base.Runtime."""

    name = "tinyhil"
    measures = Measures()

    def package(self, graph: Graph, target: Target, name: str, goals: Goals) -> Package:
        """See Runtime."""
        from harness.compiler.compile import compile_graph
        from harness.compiler.emit.package import emit

        return emit(compile_graph(graph, core=target, name=name, goals=goals))

    def image(
        self,
        packages: Sequence[Package],
        board: Board,
        options: BuildOptions,
        *,
        cache_dir: Path | None = None,
        progress: Progress | None = None,
    ) -> Image:
        """See Runtime."""
        from harness.build import build_image

        return build_image(packages, board, options, cache_dir=cache_dir, progress=progress)


GENERATED_C = GeneratedC()
