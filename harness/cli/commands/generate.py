"""The command `tinyhil generate`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from harness.cli import terminal
from harness.cli.generated import APART, Generated, GeneratedPackage, GeneratedRelocatable, check_form
from harness.cli.options import (
    CompressOption,
    JsonOption,
    MaxArenaOption,
    MaxFlashOption,
    NpuOption,
    OptimizeOption,
    TargetArgument,
)
from harness.compiler.goals import parse_bytes, parse_overrides
from harness.errors import OptionError
from harness.version import DEFAULT_CORE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.build.progress import Progress
    from harness.compiler.emit.package import Package
    from harness.compiler.goals import Overrides
    from harness.compiler.plan import Plan
    from harness.hardware.target import Target


@dataclass(frozen=True)
class _Made:
    """What a package is to be, as options say it."""

    name: str | None
    overrides: Overrides
    npu: str | None
    compress: str | None
    scratch_apart: bool = False
    prefetch: int = 0


_NameOption: TypeAlias = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="Prefix of all symbols. Default: the file's name.")
]
_ForceOption: TypeAlias = Annotated[
    bool, typer.Option("--force", help="Write beside files of others, and over changed files of an older package.")
]


_RelocatableOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--relocatable",
        help="Write NAME.bin, code and weights that run at any address, instead of sources: tinyhil docs relocatable.",
    ),
]
_WeightsOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--weights",
        metavar="PLACE",
        help="Of relocatable models: inside, or apart in NAME_weights.bin, which may lie elsewhere. Default: inside.",
    ),
]


_ScratchOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--scratch",
        metavar="PLACE",
        help="What kernels use while they run: inside the arena, or apart, for a faster memory. Default: inside.",
    ),
]


_ForOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--for",
        metavar="ECOSYSTEM",
        help="Also write what zephyr, platformio, arduino or cmsis-pack expects; cmake and make are always there. "
        "Repeatable.",
    ),
]


_PrefetchOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--prefetch",
        metavar="BYTES",
        help="Weights that are read once are copied ahead by a hook of yours, into two buffers of at most so many.",
    ),
]


def generate(
    target: TargetArgument,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the C package.")],
    core: Annotated[
        str | None,
        typer.Option(
            "--core",
            metavar="CORE",
            help=f"cortex-m0plus, -m3, -m4, -m7, -m33, -m55, or host. Default: {DEFAULT_CORE}, or the board's.",
        ),
    ] = None,
    board: Annotated[
        str | None,
        typer.Option("--board", "-b", metavar="BOARD", help="Choose kernels for this board's core and flash."),
    ] = None,
    name: _NameOption = None,
    ecosystems: _ForOption = None,
    optimize: OptimizeOption = None,
    max_arena: MaxArenaOption = None,
    max_flash: MaxFlashOption = None,
    npu: NpuOption = None,
    compress: CompressOption = None,
    relocatable: _RelocatableOption = False,
    weights: _WeightsOption = None,
    scratch: _ScratchOption = None,
    prefetch: _PrefetchOption = None,
    force: _ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write the model as a package of C11 and assembly, with CMakeLists.txt and NAME.mk, for your own firmware.

    With --relocatable as one file of code and weights, NAME.bin, that a firmware runs at any address.

    A card (.hil.yaml) gives its model, what it is compiled for, and the names of its classes.
    """
    from harness.compiler.emit.folder import check_folder
    from harness.compiler.emit.wrappers import chosen

    if core is not None and board is not None:
        raise OptionError("--core and --board exclude each other", hint="a board has its core: give only --board")
    wanted = [one.strip() for given in ecosystems or [] for one in given.split(",")]
    check_form(relocatable, weights, scratch, wanted)
    chosen(wanted)  # a name that is not known is told before any work
    before = () if force else check_folder(output)
    if core is None and board is None:
        terminal.say(f"no --core or --board given: made for {DEFAULT_CORE}, and for no core with less")
    overrides = parse_overrides(optimize, max_arena, max_flash)
    room = parse_bytes(prefetch, "prefetch") if prefetch else 0
    made_as = _Made(name, overrides, npu, compress, scratch == APART, room)
    with terminal.progress(as_json) as tell:
        flat, compressed = _compiled(target, core, board, made_as, tell)
        made = GeneratedRelocatable.of(flat.plan, weights, tell) if relocatable else GeneratedPackage.of(flat, wanted)
    paths = made.write(output, force=force)
    for line in _changes(name, made.plan.name, before, output):
        terminal.say(line)
    _tell(made, paths, output, compressed, as_json)


def _compiled(
    target: Path, core: str | None, board: str | None, made: _Made, tell: Progress
) -> tuple[Package, list[str]]:
    """The package of a model or card; and what of it was compressed."""
    from harness.boards.registry import find_board
    from harness.cycles.targets import target_of
    from harness.hardware.target import Target
    from harness.npu.compiling import parse_npu
    from harness.report.compression import compressed_document, lines
    from harness.validate.card import NpuKeys, card_of, parse_compress
    from harness.validate.compressed import goals_of
    from harness.validate.npu import check_npu
    from harness.validate.options import compressing
    from harness.validate.workbench import Workbench

    bench = Workbench()
    keys = None if made.compress is None else parse_compress(made.compress, Path.cwd())
    card = compressing(card_of(target), keys)
    if made.npu is not None:
        card = card.model_copy(update={"npu": NpuKeys.of(parse_npu(made.npu))})
    goals = replace(goals_of(card, made.overrides), prefetch=made.prefetch)
    made_for = target_of(find_board(board)) if board is not None else Target(core or DEFAULT_CORE)
    if made.scratch_apart:
        made_for = replace(made_for, scratch_apart=True, scratch=None)
    compressed = bench.compressed(card, made_for, goals, tell)
    if compressed is None:
        graph = bench.compiled(card.model, None if card.npu is None else card.npu.options)
    else:
        graph = compressed.graph
    if board is not None:
        check_npu(graph, find_board(board))
    tell(f"compile {target.name}", 0, 0)
    flat = bench.package(card.labelled(graph), made_for, made.name, goals)
    told = [] if compressed is None else lines(compressed_document(compressed))
    return flat, [*told, *_copied_ahead(flat.plan, made_for)]


def _copied_ahead(plan: Plan, target: Target) -> list[str]:
    """What copies of weights are expected to gain."""
    from harness.compiler.ahead import copies, estimate_ahead

    if plan.prefetch_at is None:
        return []
    expected = estimate_ahead(plan, target)
    return [
        f"weights copied ahead in {len(copies(plan.steps))} parts: {expected.cycles:,.0f} expected cycles with a hook "
        f"{plan.name}_prefetch of yours, {expected.waited:,.0f} of them waiting for it; {expected.without:,.0f} without"
    ]


def _changes(asked: str | None, name: str, before: Sequence[str], output: Path) -> list[str]:
    """What happened that was not asked for: another name, and packages of other models that are gone."""
    renamed = [f"named {name}: '{asked}' is no name for C, or taken"] if asked not in (None, name) else []
    gone = ", ".join(old for old in before if old != name)
    return [*renamed, *([f"replaced package {gone} in {output}: each model has a folder of its own"] if gone else [])]


def _tell(made: Generated, paths: Sequence[Path], output: Path, compressed: Sequence[str], as_json: bool) -> None:
    if as_json:
        terminal.print_json(made.document(paths))
        return
    terminal.print_lines(*(f"{path}  {path.stat().st_size:,} B" for path in paths))
    terminal.print_text(_summary(made.plan), *compressed)
    terminal.print_lines(*made.usage(output))


def _summary(plan: Plan) -> str:
    return (
        f"{len(plan.layers)} layers for {plan.core}, optimized for {plan.goals.optimize}; "
        f"the caller provides an arena of {plan.arena_size:,} B"
        + (f" and {plan.scratch_size:,} B of scratch" if plan.scratch_apart else "")
    )
