"""A firmware without a model, but with a slot in RAM for one that the host sends while it runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.elf.sizes import SectionSizes
from harness.errors import DoesNotFitError
from harness.runtimes.forms import FormedImage, ModelPlace
from harness.runtimes.relocatable import FOLDERS

if TYPE_CHECKING:
    from harness.build import BuildOptions, Image
    from harness.build.progress import Progress
    from harness.compiler.emit.package import Package
    from harness.hardware.board import Board, Placement
    from harness.link.client import Client
    from harness.runtimes.base import SourceRuntime

SLOT_ALIGN = 32
_TABLES = 5_000
"""Bytes of RAM for what the firmware tells of a model: layers, tensors."""


@dataclass(frozen=True)
class SlotSizes:
    """Bytes of RAM for a file, with its weights where they are apart, and for the arena."""

    file: int
    arena: int


def own_sizes(board: Board, placement: Placement | None = None) -> SlotSizes:
    """What a board has room for: three quarters of what the arena's region has left for files, the rest for arenas."""
    from harness.build.fit import HARNESS, only_placement

    where = (placement or board.placement or only_placement(board)).regions
    region = board.region(where["arena"])
    free = 0 if region is None else region.size
    free -= HARNESS + _TABLES if where["data"] == where["arena"] else 0
    free -= board.stack_size + 2048 if where["stack"] == where["arena"] else 0
    if free < 4 * SLOT_ALIGN:
        raise DoesNotFitError(
            f"{board.name} has no RAM for a slot", hint="take a board with more, or put the file into its flash"
        )
    file = free * 3 // 4 // SLOT_ALIGN * SLOT_ALIGN
    return SlotSizes(file, (free - file) // SLOT_ALIGN * SLOT_ALIGN)


def slot_image(
    board: Board,
    options: BuildOptions,
    sizes: SlotSizes,
    *,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> Image:
    """A firmware with a slot; arguments and errors as harness.build.build_image."""
    from harness.build import build_image
    from harness.compiler.emit.templates import render
    from harness.version import __version__

    models = render("slot_models.c.j2", version=__version__, slot=sizes.file, arena=sizes.arena)
    defines = (*options.defines, "HIL_INSTALLS")
    own = replace(options, model_list=models, folders=(*options.folders, *FOLDERS), defines=defines)
    return build_image([], board, own, cache_dir=cache_dir, progress=progress)


@dataclass(frozen=True, eq=False)
class SlotForm:
    """A file in the slot of a firmware that runs; see harness.runtimes.forms.Form.

    Attributes:
        file, weights: NAME.bin, and NAME_weights.bin where they are apart.
        weights_align: of the weights' address.
        sizes: of the firmware; None for what the board has room for.
    """

    file: bytes
    weights: bytes = b""
    weights_align: int = 4
    sizes: SlotSizes | None = None

    name = "installed"
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
        """See Form; the firmware is the same for every file."""
        del runtime
        sizes = self.sizes or own_sizes(board, options.placement)
        self.check_room(sizes, package.plan.arena_size, board.name)
        image = slot_image(board, options, sizes, cache_dir=cache_dir, progress=progress)
        network = SectionSizes(rodata=len(self.file) + len(self.weights), bss=image.sizes.arena)
        sized = replace(image.sizes, groups={**image.sizes.groups, "model": network, "kernels": SectionSizes()})
        image = replace(image, packages=(package.plan.name,), sizes=sized)
        return FormedImage(image, (ModelPlace("slot", package),), prepare=self.install)

    def install(self, client: Client, progress: Progress) -> None:
        """Sends the file to the device, and has it installed."""
        client.install(self.file, self.weights, weights_align=self.weights_align, progress=progress)

    def check_room(self, sizes: SlotSizes, arena: int, board: str) -> None:
        """Checks that a file has room in a firmware.

        Raises:
            DoesNotFitError: it has not.
        """
        size = len(self.file) + (len(self.weights) + self.weights_align if self.weights else 0)
        if size > sizes.file:
            raise DoesNotFitError(
                f"the file has {size:,} bytes, and the slot of the firmware for {board} {sizes.file:,}",
                hint="give the slot more of the RAM: --slot BYTES --arena BYTES",
            )
        if arena > sizes.arena:
            raise DoesNotFitError(
                f"the model's arena has {arena:,} bytes, and the firmware for {board} has {sizes.arena:,}",
                hint="give the arena more of the RAM: --slot BYTES --arena BYTES",
            )
