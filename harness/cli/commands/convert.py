"""The command `tinyhil convert`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import terminal
from harness.cli.options import JsonOption
from harness.errors import OptionError, OutputError

if TYPE_CHECKING:
    from harness.ir.graph import Graph


def convert(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="An .onnx file.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The .tflite to write.")],
    dim: Annotated[
        list[str] | None,
        typer.Option("--dim", metavar="NAME=N", help="Size of a dimension that the file leaves open; repeatable."),
    ] = None,
    channels_last: Annotated[
        bool,
        typer.Option("--channels-last", help="Inputs and outputs as NHWC (NWC), which saves their TRANSPOSE."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the .tflite that an ONNX model is computed as, with sizes for what the file leaves open."""
    from harness.files.writing import write_whole
    from harness.frontends.onnx.frontend import file_bytes
    from harness.frontends.onnx.reader import read

    if output.suffix.lower() != ".tflite":
        raise OptionError(f"{output} is no name of a .tflite", hint=f"-o {output.stem}.tflite")
    if model.suffix.lower() != ".onnx":
        raise OptionError(f"{model} is no .onnx file", hint="tinyhil convert MODEL.onnx -o MODEL.tflite")
    data, sizes = file_bytes(model), _sizes(dim or [])
    graph = read(data, str(model), model.stem, sizes, images_last=channels_last, folder=model.parent)
    try:
        write_whole(output, graph.model)
    except OSError as error:
        raise OutputError(f"{output}: {error.strerror or error}", hint="write elsewhere") from error
    if as_json:
        terminal.print_json(_document(graph, output))
        return
    terminal.print_lines(f"{output}  {len(graph.model):,} B")
    terminal.print_text(_summary(graph))
    for note in graph.notes:
        terminal.say(note)


def _sizes(given: list[str]) -> dict[str, int]:
    """The sizes by name.

    Raises:
        OptionError: an entry is not NAME=N.
    """
    sizes = {}
    for entry in given:
        name, equals, number = entry.rpartition("=")
        if not equals or not name or not number.isascii() or not number.isdigit() or not 0 < int(number) <= 1 << 24:
            raise OptionError(f"--dim {entry} is no NAME=N", hint="for example --dim sequence=64")
        sizes[name] = int(number)
    return sizes


def _shape(graph: Graph, t: int) -> str:
    tensor = graph.tensors[t]
    return f"{tensor.name} {tensor.dtype.value}{list(tensor.shape)}"


def _summary(graph: Graph) -> str:
    ins, outs = ([_shape(graph, t) for t in ids] for ids in (graph.inputs, graph.outputs))
    return f"{len(graph.source_ops)} operators; {', '.join(ins)} -> {', '.join(outs)}"


def _document(graph: Graph, output: Path) -> dict[str, object]:
    return {
        "kind": "conversion",
        "file": str(output),
        "bytes": len(graph.model),
        "operators": list(graph.source_ops),
        "inputs": [_shape(graph, t) for t in graph.inputs],
        "outputs": [_shape(graph, t) for t in graph.outputs],
        "notes": list(graph.notes),
    }
