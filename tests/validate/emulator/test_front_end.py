"""An audio front end on emulated cores: every layer is TFLM's, over both links."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.validate.card import RandomVectors, card_for_model
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.support.front_end import front_end


@pytest.mark.parametrize("board", ["mps2-an386", "mps3-an547"])
def test_it_is_exact_on_every_layer(board: str, tmp_path: Path) -> None:
    path = tmp_path / "ear.tflite"
    path.write_bytes(front_end().model)
    outcome = Workbench().validate(card_for_model(path), board, Options(vectors=RandomVectors(random=14), opinions=()))
    assert outcome.passed, outcome.explain()
    assert outcome.link_check is not None and outcome.link_check.layers == len(outcome.plan.layers)
