"""The command `tinyhil fit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import terminal
from harness.cli.options import JsonOption, ModelArgument, OptimizeOption
from harness.errors import Category

if TYPE_CHECKING:
    from harness.report.document import Document

_MaxCyclesOption = Annotated[
    float | None, typer.Option("--max-cycles", metavar="N", min=1, help="Modelled cycles of an inference.")
]
_BudgetFlashOption = Annotated[
    str | None, typer.Option("--budget-flash", metavar="BYTES", help="Flash that the model may take, such as 64KiB.")
]
_MaxEnergyOption = Annotated[
    str | None, typer.Option("--max-energy", metavar="ENERGY", help="What an inference may take, such as 2mJ.")
]


def fit(
    model: ModelArgument,
    board: Annotated[
        list[str] | None,
        typer.Option(
            "--board",
            "-b",
            metavar="BOARD",
            help="Board or microcontroller, repeatable. Default: all.",
            show_default=False,
        ),
    ] = None,
    latency: Annotated[
        str | None, typer.Option("--latency", metavar="TIME", help="What an inference may take, such as 50ms.")
    ] = None,
    max_cycles: _MaxCyclesOption = None,
    max_energy: _MaxEnergyOption = None,
    budget_flash: _BudgetFlashOption = None,
    budget_ram: Annotated[
        str | None, typer.Option("--budget-ram", metavar="BYTES", help="RAM that arena and stack may take.")
    ] = None,
    optimize: OptimizeOption = None,
    parts: Annotated[
        Path | None, typer.Option("--parts", metavar="FILE", help="Further microcontrollers: tinyhil docs fit.")
    ] = None,
    prices: Annotated[
        Path | None, typer.Option("--prices", metavar="FILE", help="Prices of parts, by which the cheapest is told.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell which boards and microcontrollers a model fits, by how much, how fast it would be, and the cheapest."""
    from harness.compiler.goals import parse_bytes, parse_mode
    from harness.fit import Wishes, fit_all, known_parts
    from harness.fit.catalogue import find_part
    from harness.fit.prices import read_prices
    from harness.npu.compiling import refuse_npu
    from harness.report import fit as report
    from harness.units import parse_amount
    from harness.validate.workbench import Workbench

    wishes = Wishes(
        latency_s=parse_amount(latency, "s", "latency", "50ms") if latency else None,
        cycles=max_cycles,
        energy=parse_amount(max_energy, "J", "max-energy", "2mJ") if max_energy else None,
        max_flash=parse_bytes(budget_flash, "budget-flash") if budget_flash else None,
        max_ram=parse_bytes(budget_ram, "budget-ram") if budget_ram else None,
        **({"modes": (parse_mode(optimize),)} if optimize else {}),
    )
    known = known_parts(parts)
    chosen = {part.name: part for part in (find_part(name, known) for name in board)} if board else known
    priced = read_prices(prices) if prices else None
    graph = Workbench().graph(model)
    refuse_npu(graph, "no part is known to have one")
    with terminal.progress(as_json, f"fit {graph.name}") as tell:
        found = fit_all(graph, chosen, wishes, progress=tell)
    document = report.fit_document(graph, str(model), found, wishes, priced, tuple(chosen) if board else ())
    _show(document, as_json)
    if not report.is_met(document):
        raise typer.Exit(Category.CHECK.value)


def _show(document: Document, as_json: bool) -> None:
    from harness.report import fit as report

    if as_json:
        terminal.print_json(document)
        return
    terminal.show_table(report.compilations(document))
    terminal.show_table(report.parts(document))
    terminal.print_text(*report.summary(document))
