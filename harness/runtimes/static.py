"""The form `static`: the package is linked into the firmware."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.runtimes.forms import DEFAULT_FORM, FormedImage, ModelPlace

if TYPE_CHECKING:
    from harness.build import BuildOptions
    from harness.build.progress import Progress
    from harness.compiler.emit.package import Package
    from harness.hardware.board import Board
    from harness.runtimes.base import SourceRuntime


class Static:
    """See harness.runtimes.forms.Form."""

    name = DEFAULT_FORM
    movable = False

    def image(
        self,
        runtime: SourceRuntime,
        package: Package,
        board: Board,
        options: BuildOptions,
        *,
        cache_dir: Path | None = None,
        progress: Progress | None = None,
    ) -> FormedImage:
        """See Form."""
        made = runtime.image([package], board, options, cache_dir=cache_dir, progress=progress)
        return FormedImage(made, (ModelPlace("linked", package),))


STATIC = Static()
