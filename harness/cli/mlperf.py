"""The command `tinyhil mlperf`; a part of cli.py."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.version import DEFAULT_BOARD


def mlperf(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A .tflite file.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="ELF", help="The image, ready to be flashed.")],
    board: Annotated[
        str,
        typer.Option(
            "--board", "-b", metavar="BOARD", envvar="TINYHIL_BOARD", help="Board; `tinyhil boards` lists them."
        ),
    ] = DEFAULT_BOARD,
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
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Build firmware that speaks MLPerf Tiny's serial language (EnergyRunner)."""
    from harness.boards import find_board
    from harness.build import BuildOptions, build_image
    from harness.cli import terminal
    from harness.cycles.targets import target_of
    from harness.mlperf.firmware import Interface, copy_image, language
    from harness.validate.workbench import Workbench, check_choice

    check_choice("link", link)
    target = find_board(board)
    bench = Workbench()
    package = bench.package(bench.graph(model), target_of(target))
    spoken = language(package, Interface(model_id, load, results))
    with terminal.progress(as_json, f"{package.plan.name} for {target.name}") as tell:
        image = build_image([package], target, BuildOptions(link=link, language=spoken), progress=tell)
    copy_image(image.elf, output)
    total = image.sizes.total
    ram = total.ram + image.sizes.stack
    if as_json:
        terminal.print_json(
            {
                "kind": "mlperf",
                "model": package.plan.name,
                "board": target.name,
                "link": image.link,
                "build_id": image.build_id,
                "elf": str(output),
                "flash": total.flash,
                "ram": ram,
            }
        )
        return
    parts = f"arena {image.sizes.arena:,} B, stack {image.sizes.stack:,} B"
    terminal.print_lines(
        f"{output}  {target.name}, {image.link}, build {image.build_id}",
        f"flash {total.flash:,} B, RAM {ram:,} B, of which {parts}",
    )
