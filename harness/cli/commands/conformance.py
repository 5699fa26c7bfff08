"""The command `tinyhil conformance`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import terminal
from harness.cli.options import (
    BoardOption,
    JsonOption,
    OptimizeOption,
    OracleOption,
    ProbeOption,
)
from harness.compiler.goals import parse_overrides
from harness.errors import Category
from harness.version import DEFAULT_BOARD


def conformance(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder with models, or a model.")],
    board: BoardOption = DEFAULT_BOARD,
    oracle: OracleOption = None,
    vectors: Annotated[int, typer.Option(min=1, max=1000, help="Random vectors of a model without input files.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Of the random vectors.")] = 0,
    optimize: OptimizeOption = None,
    probe: ProbeOption = None,
    refusals: Annotated[
        bool, typer.Option("--refusals/--no-refusals", help="Let models pass that are refused; else they fail.")
    ] = True,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="DIR", help="Write conformance.json and conformance.md there.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run every model of a folder, many to an image, and tell by operator what is exact, refused or wrong.

    Beside NAME.tflite may lie NAME_input0.npy, .csv or .bin, and NAME_golden0 (or _output0) for what should come out.
    Exit code 1 where an output is wrong or a model cannot be judged.
    """
    from harness.report import conformance as report_of
    from harness.validate.conformance.prepared import SuiteSettings
    from harness.validate.conformance.running import run_suite
    from harness.validate.conformance.suite import find_cases
    from harness.validate.options import check_choice

    if oracle is not None:
        check_choice("oracle", oracle)
    if report:
        report_of.check_folder(report)
    settings = SuiteSettings(oracle or "tflm", vectors, seed)
    goals = parse_overrides(optimize, None, None).goals
    cases = find_cases(path)
    with terminal.progress(as_json, f"{len(cases)} models on {board}") as tell:
        result = run_suite(cases, board, settings, goals, probe=probe, progress=tell)
    passed = result.passes(refusals=refusals)
    content = report_of.document(result, str(path), passed=passed)
    written = report_of.write(report, content) if report else ()
    if as_json:
        terminal.print_json(content)
    else:
        terminal.show_table(report_of.operators(content))
        terminal.show_table(report_of.models(content))
        terminal.print_text(report_of.summary(content))
        terminal.print_lines(*(f"Report: {one}" for one in written))
    raise typer.Exit(0 if passed else Category.CHECK.value)
