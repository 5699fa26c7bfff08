"""The command `tinyhil mlperf`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import terminal
from harness.cli.options import BoardOption, JsonOption, ModelArgument
from harness.version import DEFAULT_BOARD

if TYPE_CHECKING:
    from harness.build import Image


def mlperf(
    model: ModelArgument,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="ELF", help="The image, ready to be flashed.")],
    board: BoardOption = DEFAULT_BOARD,
    model_id: Annotated[
        str, typer.Option("--model-id", metavar="NAME", help="What `profile` tells: kws01, vww01, ic01 or ad01.")
    ] = "",
    load: Annotated[
        str,
        typer.Option(
            "--load", metavar="TYPE", help="What the host loads: tensor (the input's own bytes), uint8 or float32."
        ),
    ] = "tensor",
    results: Annotated[
        str,
        typer.Option(
            "--results", metavar="FORM", help="What `results` tells: real, tensor (integers) or error (mean squared)."
        ),
    ] = "real",
    link: Annotated[
        str, typer.Option("--link", metavar="LINK", help="uart, or fast for the board's quickest.")
    ] = "uart",
    as_json: JsonOption = False,
) -> None:
    """Build firmware that speaks MLPerf Tiny's serial language (EnergyRunner)."""
    from harness.boards import find_board
    from harness.build import BuildOptions, build_image
    from harness.cycles.targets import target_of
    from harness.mlperf.firmware import Interface, copy_image, language
    from harness.validate.link_check import link_to_build
    from harness.validate.npu import check_npu
    from harness.validate.options import check_choice
    from harness.validate.workbench import Workbench

    check_choice("link", link)
    target = find_board(board)
    bench = Workbench()
    graph = bench.graph(model)
    check_npu(graph, target)
    package = bench.package(graph, target_of(target))
    spoken = language(package, Interface(model_id, load, results))
    with terminal.progress(as_json, f"{package.plan.name} for {target.name}") as tell:
        options = BuildOptions(link=link_to_build(link, target), language=spoken)
        image = build_image([package], target, options, progress=tell)
    copy_image(image.elf, output)
    document = _document(package.plan.name, image, output)
    if as_json:
        terminal.print_json(document)
        return
    parts = f"arena {image.sizes.arena:,} B, stack {image.sizes.stack:,} B"
    terminal.print_text(
        f"{output}  {image.board}, {image.link}, build {image.build_id}",
        f"flash {document['flash']:,} B, RAM {document['ram']:,} B, of which {parts}",
    )


def _document(model: str, image: Image, output: Path) -> dict[str, Any]:
    return {
        "kind": "mlperf",
        "model": model,
        "board": image.board,
        "link": image.link,
        "build_id": image.build_id,
        "elf": str(output),
        "flash": image.sizes.total.flash,
        "ram": image.sizes.total.ram + image.sizes.stack,
    }
