"""A model that computes something else on the board is caught, and the layer where it begins is named."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.card import load_card
from harness.compare import Status
from harness.emit import Package
from harness.pipeline import Options, Workbench

CARD = Path(__file__).resolve().parents[2] / "fixtures" / "digits.hil.yaml"
SABOTAGED = 2


class _Sabotaged(Workbench):
    """Compiles models with one wrong number among the biases of one layer."""

    def package(self, *arguments: object, **named: object) -> Package:
        package = super().package(*arguments, **named)  # type: ignore[arg-type]
        name = f"{package.plan.name}_weights.c"
        layer = package.plan.layers[SABOTAGED].name
        array = re.search(rf"{layer}_bias\[\d+\] = {{\s*(-?\d+),", package.files[name])
        assert array is not None, package.files[name][:2000]
        text = package.files[name]
        changed = text[: array.start(1)] + str(int(array[1]) + 4000) + text[array.end(1) :]
        return replace(package, files={**package.files, name: changed})


@pytest.mark.parametrize("board", ["host", "mps2-an500"])
def test_the_first_differing_layer_is_named(board: str) -> None:
    card = load_card(CARD)
    outcome = _Sabotaged().validate(card, board, Options(link="fast", opinions=()))
    assert not outcome.passed
    statuses = {check.name: check.status for check in outcome.verdict.checks}
    assert statuses["layers"] is Status.FAIL
    first = outcome.verdict.first_layer
    assert first is not None and first.layer == SABOTAGED
    assert first.name == outcome.plan.layers[SABOTAGED].name
    assert first.diff.first is not None and first.diff.first.expected != first.diff.first.got
    assert first.diff.first.index[-1] == 0, "only the first channel's bias is wrong"
    assert first.diff.max_lsb > 0 and first.diff.histogram
    assert first.name in outcome.explain()
    exact = [layer for layer in outcome.verdict.layers if layer.layer < SABOTAGED]
    assert exact and all(layer.diff.differing == 0 for layer in exact)
