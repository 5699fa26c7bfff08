"""What several benchmarks share."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.table import Table

from tests.support.models import find_model
from tests.support.paths import FIXTURES

MLPERF = ("kws", "vww", "ic", "ad", "sww")


def mlperf_models() -> dict[str, Path]:
    """The MLPerf Tiny models that are there, by short name."""
    found = {name: find_model(f"mlperftiny_{name}_int8") for name in MLPERF}
    return {name: path for name, path in found.items() if path is not None}


def some_model() -> Path:
    """kws where it is, else the digits fixture."""
    return mlperf_models().get("kws", FIXTURES / "digits.tflite")


def table(title: str, *columns: str) -> Table:
    """An empty table whose columns are right-aligned, but for the first."""
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for index, column in enumerate(columns):
        made.add_column(column, justify="right" if index else "left", no_wrap=True)
    return made
