"""Portable kernels execute no more instructions than TFLM's reference kernels, on any layer of the recorded models."""

from __future__ import annotations

import numpy as np
import pytest

from harness import frontends
from harness.boards import find_board, open_session
from harness.build import BuildOptions, build_image
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.kernels.discovery import all_kernels
from harness.units import Unit
from harness.validate.baselines import by_layer, find
from harness.validate.measurement import measure
from tests.support.generated import random_inputs
from tests.support.models import real_model
from tests.support.scale import scaled

PORTABLE = {type(kernel).__name__ for kernel in all_kernels() if not kernel.features}
MODELS = [
    *("mlperftiny_kws_int8", "tflm_micro_speech_quantized", "mlperftiny_sww_int8"),
    *("mlperftiny_ad_int8", "mlperftiny_ic_int8", "mlperftiny_vww_int8"),
]


@pytest.mark.parametrize("board", ["mps2-an386", "mps2-an500", "mps3-an547"])
@pytest.mark.parametrize("name", MODELS[: scaled(2, len(MODELS))])
def test_no_layer_is_slower_than_tflms_reference_kernel(name: str, board: str) -> None:
    graph = frontends.load(real_model(name))
    target = find_board(board)
    package = emit(compile_graph(graph, core=target.core, prefer=PORTABLE))
    image = build_image([package], target, BuildOptions(link="fast"))
    vectors = random_inputs(graph, np.random.default_rng(0), 1)
    with open_session(target, image) as session:
        ours = measure(session, image, package, vectors, layers=False).layer_ticks
    assert ours is not None
    record = find(graph.sha256, target.core, "reference", Unit.INSTRUCTIONS)
    assert record is not None
    compared = 0
    for row in by_layer(record, package.plan):
        if row.layer is None:
            continue
        kernel = package.plan.steps[row.layer].kernel
        assert not kernel.features, f"{type(kernel).__name__} is not portable"
        assert ours[row.layer] <= row.value, package.plan.layers[row.layer].name
        compared += 1
    assert compared == len(package.plan.layers)
