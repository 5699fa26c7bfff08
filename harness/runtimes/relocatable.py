"""The form `relocatable`: a file that runs at any address, in the firmware at several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.runtimes.forms import FormedImage, ModelPlace

if TYPE_CHECKING:
    from harness.build import BuildOptions, Image
    from harness.build.progress import Progress
    from harness.compiler.emit.package import Package
    from harness.compiler.plan import Plan
    from harness.hardware.board import Board, Placement
    from harness.relocatable.make import Relocatable
    from harness.runtimes.base import SourceRuntime

FOLDERS = ("relocatable", "movable")
"""Of firmware/: the runtime of such files, and what makes models of a firmware of them."""

RUNTIME_BYTES = 4_000
"""Bytes of flash that these take."""

LIBRARY = "compiler's library in the file"
"""Its entry among the objects of an image's sizes."""

_WORDS_A_LINE = 8


@dataclass(frozen=True)
class Spot:
    """An address for a file in an image.

    Attributes:
        name: for people.
        suffix: of the model's name there.
        align: the address is a multiple of this, and of no more.
        copied: it is copied to RAM, and runs there.
    """

    name: str
    suffix: str
    align: int
    copied: bool = False


SPOTS = (Spot("flash", "", 8), Spot("flash, 4 mod 8", "_by_4", 4), Spot("RAM", "_in_ram", 8, copied=True))


@dataclass(frozen=True, eq=False)
class FilePackage:
    """A file at one address as the builder sees it; see harness.build.sources.PackageSources."""

    plan: Plan
    files: Mapping[str, str]
    sources: tuple[str, ...]
    glue: str
    constant_bytes: int
    shared: tuple[str, ...] = ()


class RelocatableForm:
    """See harness.runtimes.forms.Form."""

    name = "relocatable"
    movable = True

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
        from harness.relocatable.make import make_relocatable

        made = make_relocatable(package.plan, cache_dir=cache_dir, progress=progress)
        spots, notes = roomy(made, board, options.placement or board.placement)
        packages = [file_package(package.plan, made, spot) for spot in spots]
        own = replace(options, folders=(*options.folders, *FOLDERS))
        image = runtime.image(packages, board, own, cache_dir=cache_dir, progress=progress)  # type: ignore[arg-type]
        places = tuple(ModelPlace(spot.name, each) for spot, each in zip(spots, packages, strict=True))
        return FormedImage(_sized(image, made, package), places, notes)


RELOCATABLE = RelocatableForm()


def roomy(made: Relocatable, board: Board, placement: Placement | None) -> tuple[tuple[Spot, ...], tuple[str, ...]]:
    """(the spots that a board has room for, a note on each other one); the first is always among them."""
    chosen: list[Spot] = []
    notes: list[str] = []
    for spot in SPOTS:
        why = _in_the_way(made, board, placement, [*chosen, spot])
        if why and chosen:
            notes.append(f"not run at the address '{spot.name}': {why}")
        else:
            chosen.append(spot)
    return tuple(chosen), tuple(notes)


def _in_the_way(made: Relocatable, board: Board, placement: Placement | None, spots: Sequence[Spot]) -> str:
    from harness.build.fit import HARNESS, only_placement

    size, model = len(made.file), made.model
    if spots[-1].align < model.align:
        return f"{model.name}.bin needs an address that is a multiple of {model.align}"
    if not board.memory:
        return ""
    where = (placement or board.placement or only_placement(board)).regions
    flash = max((r for r in board.memory if r.kind == "flash"), key=lambda r: r.size, default=None)
    ram = board.region(where["arena"])
    in_flash = HARNESS + RUNTIME_BYTES + sum(size for spot in spots if not spot.copied)
    if flash is not None and in_flash > flash.size:
        return f"{flash.name} of {board.name} has {flash.size:,} bytes, and would hold {in_flash:,}"
    in_ram = model.arena_bytes + sum(size for spot in spots if spot.copied)
    in_ram += HARNESS if where["data"] == where["arena"] else 0
    in_ram += board.stack_size if where["stack"] == where["arena"] else 0
    if ram is not None and in_ram > ram.size:
        return f"{ram.name} of {board.name} has {ram.size:,} bytes, and would hold {in_ram:,}"
    return ""


def file_package(plan: Plan, made: Relocatable, spot: Spot) -> FilePackage:
    """A file at a spot, with what the firmware's runtime is told of it: read from the file itself."""
    name = plan.name + spot.suffix
    symbol = plan.name if spot.copied else name  # what is copied is the first one
    sources = {} if spot.copied else {f"{name}_file.S": file_source(symbol, made.file, spot.align)}
    return FilePackage(
        plan=replace(plan, name=name),
        files=sources,
        sources=tuple(sources),
        glue=glue(name, symbol, made.file, plan, copied=spot.copied),
        constant_bytes=0 if spot.copied else len(made.file),
    )


def file_source(symbol: str, data: bytes, align: int) -> str:
    """Assembly that holds a file at an address that is a multiple of `align`, 4 or 8, and of no more than 4 for 4."""
    words = [f"0x{int.from_bytes(data[at : at + 4], 'little'):08x}" for at in range(0, len(data), 4)]
    lines = [f".word {', '.join(words[at : at + _WORDS_A_LINE])}" for at in range(0, len(words), _WORDS_A_LINE)]
    head = [
        f'.section .rodata.{symbol}_file,"a",%progbits', ".balign 8", *([".word 0"] if align == 4 else []),
        f".global {symbol}_file", f".type {symbol}_file, %object", f"{symbol}_file:",
    ]  # fmt: skip
    return "\n".join([*head, *lines, f".size {symbol}_file, . - {symbol}_file", ""])


def glue(name: str, symbol: str, file: bytes, plan: Plan, *, copied: bool) -> str:
    """Text of NAME_hil.c: the hil_model of a file, by the tables that it holds; layers are named by the plan."""
    from harness.compiler.emit.templates import render
    from harness.relocatable.format import Region, read
    from harness.version import __version__

    model = read(file, f"{name}.bin")
    tensors = {"model_inputs": model.inputs, "model_outputs": model.outputs}
    tables = [(table, [Region(t.offset, t.bytes) for t in held]) for table, held in tensors.items() if held]
    layers = []
    for layer, regions in zip(plan.layers, model.layers, strict=True):
        table = f"outputs_{layer.index}" if regions else "NULL"
        layers.append({"name": layer.name, "table": table, "count": len(regions)})
        tables += [(table, list(regions))] if regions else []
    return render(
        "movable_glue.c.j2",
        name=name,
        symbol=symbol,
        version=__version__,
        copied=copied,
        size=len(file),
        tables=tables,
        layers=layers,
        sha256=", ".join(f"0x{byte:02x}" for byte in bytes.fromhex(model.model_sha256)),
        arena_size=model.arena_bytes,
        arena_align=model.arena_align,
        inputs=len(model.inputs),
        outputs=len(model.outputs),
    )


def _sized(image: Image, made: Relocatable, package: Package) -> Image:
    """The image, whose network takes what one file takes, wherever it lies."""
    from harness.elf.sizes import SectionSizes
    from harness.relocatable.library import library_bytes

    sizes = image.sizes
    library = SectionSizes(library_bytes(made.elf, package.plan.name, package.files))
    network = SectionSizes(len(made.file) - made.constant_bytes, made.constant_bytes, 0, sizes.arena)
    whole = {**sizes.groups, "model": network, "kernels": SectionSizes()}
    return replace(image, sizes=replace(sizes, groups=whole, objects={**sizes.objects, LIBRARY: library}))
