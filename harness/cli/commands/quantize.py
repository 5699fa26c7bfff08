"""The command `tinyhil quantize`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from harness.cli import terminal
from harness.cli.options import JsonOption
from harness.cli.outputs import write_output
from harness.errors import OptionError

if TYPE_CHECKING:
    from harness.ir.graph import Graph
    from harness.ptq.calibration import CalibrationData
    from harness.report.document import Document


_OutputOption: TypeAlias = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="The .tflite file to write.")
]
_DataOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="FILE",
        help="Inputs to find ranges on: .npz with input_0 ... and perhaps labels, or .wav; or `random`.",
    ),
]
_SchemeOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--scheme",
        metavar="SCHEME",
        help="auto, the best of thirteen over all of the data, or parts joined by +: tinyhil docs ptq.",
    ),
]
_CountOption: TypeAlias = Annotated[
    int | None, typer.Option("--count", metavar="N", min=1, help="Take the first N vectors of the data.")
]
_MaxSizeOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--max-size", metavar="BYTES", help="Largest file: weights of 4 bits where they cost least."),
]
_MinSqnrOption: TypeAlias = Annotated[
    float | None,
    typer.Option("--min-sqnr", metavar="DB", help="Least SQNR: 16-bit layers where they help most."),
]
_ReportOption: TypeAlias = Annotated[
    Path | None, typer.Option("--report", metavar="FILE.html", help="Write pictures of every layer there.")
]


def quantize(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A float .tflite or .onnx file.", show_default=False)],
    output: _OutputOption,
    data: _DataOption = None,
    scheme: _SchemeOption = "auto",
    count: _CountOption = None,
    max_size: _MaxSizeOption = None,
    min_sqnr: _MinSqnrOption = None,
    report: _ReportOption = None,
    layers: Annotated[bool, typer.Option("--layers", help="Show every layer's error, and what would help.")] = False,
    board: Annotated[
        str | None, typer.Option("--board", "-b", metavar="BOARD", help="Tell the expected time on this board.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Quantize a float model to int8 (or 16x8) by the scheme that does best on your data."""
    from harness.compiler.goals import parse_bytes
    from harness.frontends import load
    from harness.ptq.layers import layer_errors
    from harness.ptq.mixed import PrecisionWishes, mixed
    from harness.ptq.search import schemes_of, search
    from harness.report.ptq import quantization_document

    wishes = PrecisionWishes(parse_bytes(max_size, "max-size") if max_size else None, min_sqnr)
    schemes = schemes_of(scheme)
    if output.exists() and not force:
        raise OptionError(f"{output} is there already", hint="name another file, or give --force")
    graph = load(model, floats=True)
    given = _data(data, graph, count)
    with terminal.progress(as_json, f"quantize {graph.name}") as tell:
        found = mixed(search(graph, given, schemes, tell), wishes, tell)
        errors = layer_errors(found.model, found.floats, given.held)
    document = quantization_document(found, given, model, output, errors, _expected(found.model.graph, board))
    write_output(output, found.model.file)
    if report is not None:
        from harness.report.html.ptq import render

        write_output(report, render(document))
    _show(document, layers=layers, as_json=as_json)


def _show(document: Document, *, layers: bool, as_json: bool) -> None:
    from harness.report import ptq as tables

    if as_json:
        terminal.print_json(document)
        return
    terminal.show_table(tables.schemes(document))
    if layers or any(layer["hint"] for layer in document["layers"]):
        terminal.show_table(tables.layers(document))
    terminal.print_text(*tables.summary(document))


def _data(name: str | None, graph: Graph, count: int | None) -> CalibrationData:
    from harness.ptq.calibration import RANDOM, calibration_from, random_calibration

    if name is None:
        raise OptionError(
            "quantizing needs data: ranges of activations are those of real inputs",
            hint="--data X.npz, some hundred inputs as input_0 (numpy.savez); `--data random` gives a model that only "
            "shows size and speed",
        )
    return random_calibration(graph) if name == RANDOM else calibration_from(Path(name), graph, count)


def _expected(graph: Graph, board: str | None) -> Document | None:
    """The time that a board or part would take, by the cost model."""
    if board is None:
        return None
    from harness.fit import Wishes, fit_all, known_parts
    from harness.fit.catalogue import find_part

    part = find_part(board, known_parts(None))
    (found,) = fit_all(graph, {part.name: part}, Wishes())
    time = found.modes[0].time if found.modes else None
    if time is None:
        why = found.refused or found.untimed
        raise OptionError(f"no time is expected on {part.name}: {why}", hint="name another board, or leave --board out")
    return {"board": part.name, "cycles": round(time.cycles.value), "seconds": time.expected_s}
