"""`import harness` is light, and gives the names that it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import harness
from tests.support.paths import FIXTURES


def test_every_promised_name_is_there() -> None:
    assert {"Workbench", "load", "load_card", "write_package", "Goals"} <= set(harness.__all__)
    for name in harness.__all__:
        assert getattr(harness, name).__name__ == name
    with pytest.raises(AttributeError, match="nonsense"):
        getattr(harness, "nonsense")  # noqa: B009


def test_importing_imports_nothing_heavy() -> None:
    code = "import harness, sys; print([m for m in ('numpy', 'rich', 'pydantic', 'pytest') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_docstrings_way_works(tmp_path: Path) -> None:
    bench = harness.Workbench()
    graph = harness.load(FIXTURES / "digits.tflite")
    harness.write_package(bench.package(graph, core="cortex-m4", goals=harness.Goals("ram")), tmp_path)
    assert {"digits.c", "digits.h", "digits_weights.c", "digits.json"} <= {p.name for p in tmp_path.iterdir()}
    assert bench.validate(harness.load_card(FIXTURES / "digits.hil.yaml"), "host").passed
