"""Relocatable models at three addresses on every core: instructions and flash beside the form that is linked."""

from __future__ import annotations

import argparse
import fnmatch
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from harness.errors import TinyhilError
from harness.validate.workbench import Workbench
from tests.bench.common import table
from tests.support.moved import CORES, everything, moved, price_of


def run(console: Console, arguments: Sequence[str] = ()) -> None:
    """Print a row per model and core; `--model PATTERN` and `--core CORE` choose."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench relocatable")
    parser.add_argument("--model", default="*")
    parser.add_argument("--core", default="*")
    chosen = parser.parse_args(arguments)
    columns = ("model", "core", "instructions", "more", "%", "flash B", "tables B", "library B", "addresses", "verdict")
    made = table("Relocatable", *columns)
    bench = Workbench()
    with tempfile.TemporaryDirectory() as folder:
        for model in everything(Path(folder)):
            if not fnmatch.fnmatch(model.name, chosen.model):
                continue
            for core in fnmatch.filter(CORES, chosen.core):
                try:
                    outcome = moved(bench, model, core)
                except TinyhilError as error:
                    row = (model.name, core, *[""] * 7, f"{error.code}: {error.message[:60]}")
                else:
                    price = price_of(outcome)
                    time = (f"{price.static:,}", f"{price.more:+,}", f"{price.share:.3%}")
                    flash = (f"{price.flash:+,}", f"{price.tables:,}", f"{price.library:,}")
                    verdict = "pass" if outcome.passed else "FAIL"
                    row = (model.name, core, *time, *flash, str(price.addresses), verdict)
                made.add_row(*row)
                print(*row, sep="\t", flush=True)
    console.print(made)
