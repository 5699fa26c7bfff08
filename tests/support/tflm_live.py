"""Arm's program of TFLM for the tests: installed by scripts/setup.sh where the package index has it."""

from __future__ import annotations

import pytest

from harness.errors import ToolError
from harness.runtimes.tflm.runner import TflmRunner, find_runner


def tflm_runner() -> TflmRunner:
    """The program; skips the test where it is not installed."""
    try:
        return find_runner()
    except ToolError as error:
        pytest.skip(f"{error.message}: {error.hint}")
