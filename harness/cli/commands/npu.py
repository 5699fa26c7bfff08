"""The command `tinyhil npu`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import terminal
from harness.cli.options import JsonOption, ModelArgument
from harness.errors import Category

if TYPE_CHECKING:
    from harness.report.document import Document


def npu(
    model: ModelArgument,
    accelerator: Annotated[
        str, typer.Option("--accelerator", "-a", metavar="NAME", help="Such as ethos-u55-128, or ethos-u65-512.")
    ] = "ethos-u55-128",
    system_config: Annotated[
        str, typer.Option("--system-config", metavar="NAME", help="Of Vela's configuration. Default: Vela's.")
    ] = "",
    memory_mode: Annotated[
        str, typer.Option("--memory-mode", metavar="NAME", help="Of Vela's configuration. Default: Vela's.")
    ] = "",
    optimise: Annotated[
        str, typer.Option("--optimise", metavar="HOW", help="Performance or Size.")
    ] = "Performance",
    config: Annotated[
        str, typer.Option("--config", metavar="FILE", help="Vela's configuration file, instead of Arm/vela.ini.")
    ] = "",
    vela: Annotated[
        str, typer.Option("--vela", metavar="PROGRAM", help="Another Vela than the one that is installed with tinyhil.")
    ] = "",
    clock: Annotated[
        str | None,
        typer.Option("--clock", metavar="FREQUENCY", help="Such as 500MHz. Default: the system configuration's."),
    ] = None,
    vectors: Annotated[
        str, typer.Option("--vectors", metavar="VECTORS", help="NAME.npz or .wav, or COUNT or COUNT:SEED for random ones.")
    ] = "4",
    as_json: JsonOption = False,
) -> None:
    """Run a model on a simulated Ethos-U: cycles and traffic by layer, memory, what stays on the CPU, exact outputs."""
    from harness.ethosu.vela import VelaOptions
    from harness.offload.running import NpuRequest, run_subject
    from harness.offload.subject import read_subject
    from harness.report import npu as report
    from harness.units import parse_amount
    from harness.validate.card import parse_vectors

    options = VelaOptions(accelerator, system_config, memory_mode, optimise, config, vela)
    clock_hz = parse_amount(clock, "Hz", "clock", "500MHz") if clock else None
    request = NpuRequest(options, parse_vectors(vectors, Path.cwd()), clock_hz)
    with terminal.progress(as_json, f"npu {model.stem}") as tell:
        run = run_subject(read_subject(model), request, tell)
    document = report.npu_document(run)
    _show(document, as_json)
    if not report.is_sound(document):
        raise typer.Exit(Category.CHECK.value)


def _show(document: Document, as_json: bool) -> None:
    from harness.report import npu as report
    from harness.report import npu_tables as tables

    if as_json:
        terminal.print_json(document)
        return
    terminal.show_table(tables.layers(document))
    terminal.print_text(*report.summary(document))
