"""What several benchmarks share."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.table import Table

from tests.support.models import model_folders

MLPERF = ("kws", "vww", "ic", "ad", "sww")


def mlperf_models() -> dict[str, Path]:
    """The MLPerf Tiny models that are there, by short name."""
    found = {}
    for name in MLPERF:
        for folder in model_folders():
            path = folder / f"mlperftiny_{name}_int8.tflite"
            if path.is_file():
                found.setdefault(name, path)
    return found


def some_model() -> Path:
    """kws where it is, else the digits fixture."""
    return mlperf_models().get("kws", FIXTURES / "digits.tflite")


def table(title: str, *columns: str) -> Table:
    """An empty table whose columns are right-aligned, but for the first."""
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for index, column in enumerate(columns):
        made.add_column(column, justify="right" if index else "left", no_wrap=True)
    return made
