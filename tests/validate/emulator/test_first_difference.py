"""A model that computes something else on the board is caught, and the layer where it begins is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.compiler.emit.package import Package
from harness.ir.graph import Graph
from harness.passes.rewrite import with_tensors
from harness.validate.card import load_card
from harness.validate.checks import Status
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.support.paths import FIXTURES

CARD = FIXTURES / "digits.hil.yaml"
SABOTAGED = 2


class _Sabotaged(Workbench):
    """Compiles models with one wrong number among the biases of one layer."""

    def package(self, graph: Graph, *arguments: object, **named: object) -> Package:  # type: ignore[override]
        layer = super().package(graph, *arguments, **named).plan.layers[SABOTAGED]  # type: ignore[arg-type]
        node = next(node for node in graph.nodes if set(node.sources) & set(layer.sources))
        bias = graph.tensors[node.inputs[2]]
        assert bias.data is not None
        wrong = bias.data.copy()
        wrong[0] += 4000
        changed = with_tensors(graph, {node.inputs[2]: replace(bias, data=wrong)})
        # the workbench knows models by their hash
        return Workbench().package(changed, *arguments, **named)  # type: ignore[arg-type]


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
