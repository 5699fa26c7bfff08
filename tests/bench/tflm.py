"""TFLM's estimates against models that were not fitted, and `--make`, which fits them anew.

    python -m tests.bench tflm
    python -m tests.bench tflm --make RECORD.json.gz [FOLDER...]

RECORD is a measured record of layers (harness/data/tflm/figures.json.gz names the build); FOLDERs hold .tflite files of
models in it, whose tensors' lifetimes are needed for the arena.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from harness.resources import data
from harness.tflm import records
from tests.bench.tflm_data import files_in, make, record, write
from tests.bench.tflm_models import (
    HeldOut,
    arena_parts,
    flash_parts,
    held_out,
    left_out,
    stack_errors,
    write_costs,
)

_WORST = 3


def run(console: Console) -> None:
    """Print, for each core, how far estimates are from models that were not fitted."""
    found = {core: held_out(core) for core in records.cores()}
    console.print(_table("Instructions of integer models", {c: _known(models, True) for c, models in found.items()}))
    console.print(_table("Instructions of float32 models", {c: _known(models, False) for c, models in found.items()}))
    for core, models in found.items():
        console.print(f"{core}: not known {', '.join(one.name for one in models if one.error is None)}")
    for title, parts in (("Arena", arena_parts), ("Flash", flash_parts)):
        console.print(_table(title, {core: left_out(parts(core)) for core in found}))
    console.print(_table("Stack", {core: stack_errors(core) for core in found}))


def _known(models: Sequence[HeldOut], integers: bool) -> list[tuple[str, float]]:
    return [(one.name, one.error) for one in models if one.error is not None and integers is (one.kind != "float32")]


def _table(title: str, errors: dict[str, list[tuple[str, float]]]) -> Table:
    table = Table(title=f"{title}, models that were not fitted", title_justify="left")
    for name in ("core", "models", "median", "9 of 10 within", "worst", "within 5 %", "the worst"):
        table.add_column(name, justify="left" if name in ("core", "the worst") else "right")
    for core, found in errors.items():
        sizes = np.array([abs(error) for _, error in found])
        worst = sorted(found, key=lambda one: -abs(one[1]))[:_WORST]
        table.add_row(
            core,
            str(len(found)),
            f"{np.median(sizes):.2%}",
            f"{np.quantile(sizes, 0.9):.2%}",
            f"{sizes.max():.2%}",
            f"{np.mean(sizes <= 0.05):.0%}",
            ", ".join(f"{name} {error:+.1%}" for name, error in worst),
        )
    return table


def main(console: Console, options: Sequence[str]) -> None:
    """`--make RECORD [FOLDER...]`: write harness/data/tflm anew; without options what `run` prints."""
    if not options:
        run(console)
        return
    if len(options) < 2 or options[0] != "--make":
        raise SystemExit("python -m tests.bench tflm [--make RECORD.json.gz [FOLDER...]]")
    source, *folders = map(Path, options[1:])
    write(make(record(source), files_in(folders)), data("tflm", "figures.json.gz"))
    write_costs(data("tflm", "costs.json"))
    console.print(f"{data('tflm')}: {len(records.layers()):,} layers, {len(records.models()):,} models")
