"""Floats that are no number, infinite, or near the ends: the specification makes of them what TFLM does."""

from __future__ import annotations

import numpy as np
import pytest

from harness.oracle import open_oracle
from harness.validate.conformance.ulp import first_beyond
from tests.support.generated import random_inputs
from tests.support.odd_floats import ODD, OPERATORS_OF_FLOATS, float_graphs
from tests.support.scale import scaled


@pytest.mark.parametrize("name", OPERATORS_OF_FLOATS)
def test_odd_floats_become_what_they_become_in_tflm(name: str) -> None:
    for number, graph in enumerate(float_graphs(name, 31, scaled(4, 100))):
        vectors = random_inputs(graph, np.random.default_rng(number), 3, ODD)
        with open_oracle("tflm", graph) as tflm, np.errstate(all="ignore"):
            beyond = first_beyond(graph, [tflm.invoke(vector, tensors=True).tensors for vector in vectors])
        assert beyond is None, f"graph {number}: {beyond}"


def test_almost_every_operator_of_floats_is_asked() -> None:
    asked = {name for name in OPERATORS_OF_FLOATS if float_graphs(name, 31, 1)}
    assert set(OPERATORS_OF_FLOATS) - asked == {"QUANTIZE", "TFLite_Detection_PostProcess"}
