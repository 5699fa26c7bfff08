"""The command `tinyhil tflm`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import terminal
from harness.cli.options import JsonOption, ModelArgument
from harness.errors import OptionError


def tflm(
    model: ModelArgument,
    core: Annotated[
        list[str] | None,
        typer.Option(
            "--core",
            metavar="CORE",
            help="Core, repeatable; of one the layers too. Default: all that are known.",
            show_default=False,
        ),
    ] = None,
    look_up: Annotated[
        bool, typer.Option("--look-up/--estimate", help="Take records of models and layers, or estimate all.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Tell what TensorFlow Lite Micro takes for a model, without running it: recorded, looked up or estimated."""
    import hashlib

    from harness.frontends.tflite.legacy import as_int8
    from harness.frontends.tflite.reader import read_file
    from harness.report import tflm_figures as report
    from harness.tflm.figures import figures, refusal
    from harness.tflm.records import cores

    asked = core or list(cores())
    for name in asked:
        if why := refusal(name):
            raise OptionError(why, hint=f"name one of these: {', '.join(cores())}")
    data, place = read_file(model), str(model)
    sha256, given = hashlib.sha256(data).hexdigest(), as_int8(data, place)
    found = [figures(given, sha256, name, look_up=look_up, place=place) for name in dict.fromkeys(asked)]
    document = report.document(model.stem, place, sha256, found)
    if as_json:
        terminal.print_json(document)
        return
    for table in report.tables(document, layers=len(found) == 1):
        terminal.show_table(table)
