"""The command `tinyhil inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from harness.cli import terminal
from harness.cli.options import JsonOption
from harness.errors import Category, RelocatableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.relocatable.against import Answer
    from harness.relocatable.format import RelocatableModel, RelocatableTensor

_FileArgument: TypeAlias = Annotated[
    Path, typer.Argument(metavar="NAME.bin", help="A relocatable model.", show_default=False)
]
_WeightsFileOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--weights", metavar="FILE", help="The weights of a model that has them apart, if not beside it."),
]
_AgainstOption: TypeAlias = Annotated[
    Path | None, typer.Option("--against", metavar="FIRMWARE.elf", help="Tell whether it would run in this firmware.")
]


def inspect(
    file: _FileArgument,
    weights: _WeightsFileOption = None,
    against: _AgainstOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is in a relocatable model and what it needs, with its hashes checked; whether a firmware has that.

    Ends with exit code 1 where a firmware lacks something.
    """
    from harness.relocatable.against import findings
    from harness.relocatable.document import model_document
    from harness.relocatable.format import check_weights, read

    model = read(_bytes(file), str(file))
    found = _weights_of(model, file, weights)
    if found is not None:
        check_weights(model, _bytes(found), str(found))
    asked = () if against is None else findings(model, against)
    runs = all(finding.holds is not False for finding in asked)
    if as_json:
        terminal.print_json(
            {
                "kind": "relocatable-inspection",
                "file": str(file),
                **model_document(model),
                "weights_checked": None if found is None else str(found),
                "against": None if against is None else _document(against, asked, runs),
            }
        )
    else:
        terminal.print_text(*_lines(model, found))
        if against is not None:
            terminal.print_text(*_told(against, asked, runs))
    raise typer.Exit(0 if runs else Category.CHECK.value)


def _bytes(path: Path) -> bytes:
    from harness.files.reading import read_regular
    from harness.files.writing import reason
    from harness.relocatable.numbers import number

    try:
        return read_regular(path, number("BYTES_MAX"))
    except OSError as error:
        hint = "name a file NAME.bin that tinyhil generate --relocatable wrote"
        raise RelocatableError(f"{path}: {reason(error)}", hint=hint) from None


def _weights_of(model: RelocatableModel, file: Path, named: Path | None) -> Path | None:
    """The file of the weights to check: as named, or beside the model; None where there is none."""
    if named is not None or model.weights is None:
        return named
    beside = file.with_name(f"{file.stem}_weights{file.suffix}")
    return beside if beside.exists() else None


def _lines(model: RelocatableModel, weights: Path | None) -> list[str]:
    from harness.relocatable.numbers import FEATURES

    features = ", ".join(name for name in FEATURES if name in model.features)
    stack = f"{model.stack_bytes:,} B" if model.stack_bytes else "not known"
    needs = f" with {features}" if features else ""
    lines = [
        f"{model.name}: a relocatable model for {model.core}{needs}, by tinyhil {model.version}",
        f"model file    SHA-256 {model.model_sha256}",
        f"ABI           {model.abi}",
        f"file          {model.total_bytes:,} B, of these {model.code_bytes:,} B code and constants; "
        f"at any multiple of {model.align}",
        f"content       SHA-256 {model.body.sha256}, matches",
    ]
    if model.weights is not None:
        checked = f"matches {weights}" if weights is not None else "not checked: there is no such file beside it"
        lines += [
            f"weights       {model.weights.size:,} B apart, at any multiple of {model.weights_align}",
            f"weights       SHA-256 {model.weights.sha256}, {checked}",
        ]
    lines += [
        f"arena         {model.arena_bytes:,} B at a multiple of {model.arena_align}",
        f"context       {model.context_bytes} B",
        f"stack         {stack}",
        f"layers        {len(model.layers)}",
    ]
    lines += [f"input {number}       {_tensor(tensor)}" for number, tensor in enumerate(model.inputs)]
    return lines + [f"output {number}      {_tensor(tensor)}" for number, tensor in enumerate(model.outputs)]


def _tensor(tensor: RelocatableTensor) -> str:
    shape = "x".join(map(str, tensor.shape)) or "scalar"
    scale = ""
    if tensor.scale is not None:
        scale = f", scale {tensor.scale:g}, zero point {tensor.zero_point}"
        scale += " (of the first channel)" if tensor.per_channel else ""
    return f"{tensor.name}: {tensor.dtype.value} {shape}{scale}, {tensor.bytes:,} B at arena + {tensor.offset:,}"


def _told(firmware: Path, asked: Sequence[Answer], runs: bool) -> list[str]:
    marks = {True: "yes", False: "no", None: "?"}
    verdict = f"{firmware}: {'nothing speaks against it' if runs else 'it would not run there'}"
    return [verdict, *(f"{marks[finding.holds]:4}{finding.name:10}{finding.text}" for finding in asked)]


def _document(firmware: Path, asked: Sequence[Answer], runs: bool) -> dict[str, object]:
    return {
        "firmware": str(firmware),
        "runs": runs,
        "findings": [{"name": one.name, "holds": one.holds, "text": one.text} for one in asked],
    }
