"""What `tinyhil analyze` expects without running, against what the fixture models execute."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from harness.cli.app import app
from harness.validate.card import RandomVectors
from harness.validate.profile import profile_model
from tests.support.paths import FIXTURES

BOARDS = ("mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547")


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("model", ["digits", "residual", "stream"])
def test_expected_is_what_is_executed(model: str, board: str) -> None:
    """Tiny models that nothing was fitted on: 15 % in all; a layer by itself 50 %, as compilers decide where code is
    inlined into layers, and small ones 1 % of the model. `make bench` prints the error of every MLPerf Tiny layer.
    """
    path = FIXTURES / f"{model}.tflite"
    result = CliRunner().invoke(app, ["analyze", str(path), "--board", board, "--json"])
    assert result.exit_code == 0, result.output
    expected = json.loads(result.stdout)["expected"]
    estimate = profile_model(path, board, vectors=RandomVectors(random=1)).estimate
    for figure, executed in (
        ("instructions", [layer.instructions.value for layer in estimate.layers]),
        ("cycles", [layer.cycles.value for layer in estimate.layers]),
    ):
        told = [layer[figure]["value"] for layer in expected]
        assert sum(told) == pytest.approx(sum(executed), rel=0.15), figure
        for ours, theirs, layer in zip(told, executed, estimate.layers, strict=True):
            assert ours == pytest.approx(theirs, rel=0.5, abs=0.01 * sum(executed)), f"{figure} of {layer.name}"
    assert {layer["basis"] for layer in expected} == {"fitted"}
