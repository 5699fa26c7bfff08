"""Models compiled by Vela, as our C on the emulated Corstone-300, against TFLM on the models that Vela was given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from harness.boards import load_boards, open_session, resolve
from harness.boards.session import open_client
from harness.build import BuildOptions, build_image
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import Package, emit
from harness.errors import OptionError
from harness.ethosu.vela import VelaOptions
from harness.frontends.tflite.reader import load
from harness.ir.graph import Graph
from harness.npu.compiling import for_npu
from harness.oracle import open_oracle
from harness.quantization.types import Array, DType
from harness.validate.measurement import measure
from tests.support.generated import random_inputs
from tests.support.models import real_model
from tests.support.npu_graphs import npu_graphs
from tests.support.scale import scaled
from tests.support.typed import combinations, typed_graphs
from tests.support.vela import ACCELERATORS, compiled_or_refused
from tests.support.vela_differs import vela_differs

BOARD = "mps3-an547"
MLPERF = ("kws", "ad", "ic", "vww", "sww")
OTHERS = (
    *("armzoo_ds_cnn_quantized", "mww_v2_vad", "st_gmp_wl_24_int8", "tflm_audio_preprocessor_int8"),
    *("tflm_hello_world_int8", "tflm_keyword_scrambled_8bit", "tflm_micro_speech_quantized", "tflm_person_detect"),
    *("tflm_trained_lstm_int8", "tinymaix_mnist_resnet_q", "arm_yolo_fastest_192_face_v4"),
)


def reference(model: Graph, vectors: Sequence[Sequence[Array]], oracle: str) -> list[tuple[Array, ...]]:
    with open_oracle(oracle, model) as session:
        session.reset()
        return [session.invoke(vector).outputs for vector in vectors]


def check(models: Sequence[tuple[Graph, Graph]], count: int, oracle: str = "tflm") -> None:
    """Pairs of a model and what Vela made of it, all in one image, compute the same on `count` vectors."""
    board = load_boards()[BOARD]
    packages: list[Package] = [
        emit(compile_graph(graph, core=board.core, name=f"m{i:02d}_{graph.name}"))
        for i, (_, graph) in enumerate(models)
    ]
    image = build_image(packages, board, BuildOptions(link="fast", unity=True))
    with open_session(resolve(BOARD), image) as session:
        client = open_client(session, image)
        for (model, graph), package in zip(models, packages, strict=True):
            vectors = random_inputs(model, np.random.default_rng(len(graph.nodes)), count)
            ran = measure(session, image, package, vectors, layers=False, profile=False, client=client)
            for number, wanted in enumerate(reference(model, vectors, oracle)):
                for ours, theirs in zip(ran.outputs[number], wanted, strict=True):
                    np.testing.assert_array_equal(ours, theirs, err_msg=f"{package.plan.name}, vector {number}")
        assert session.npu_runs(), "the NPU was not asked"


def compiled(names: Sequence[str], accelerator: str) -> list[tuple[Graph, Graph]]:
    models = [load(real_model(name)) for name in names]
    return [(model, for_npu(model, VelaOptions(accelerator))) for model in models]


@pytest.mark.parametrize("accelerator", ACCELERATORS)
def test_mlperf_tiny_on_every_accelerator(accelerator: str) -> None:
    """All five on the one that is used most, two of them on the others."""
    some = MLPERF if accelerator == "ethos-u55-128" else MLPERF[:2]
    names = [f"mlperftiny_{name}_int8" for name in scaled(some, MLPERF)]
    check(compiled(names, accelerator), scaled(1, 20))


def test_models_of_others_with_operators_on_the_core() -> None:
    check(compiled(scaled(OTHERS[:6], OTHERS), "ethos-u55-256"), scaled(2, 20))


ON_THE_NPU = (
    *("ABS", "ADD", "AVERAGE_POOL_2D", "BATCH_MATMUL", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "EXPAND_DIMS"),
    *("FULLY_CONNECTED", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL"),
    *("PACK", "PAD", "PRELU", "QUANTIZE", "RELU", "RELU6", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "SLICE"),
    *("SOFTMAX", "SPLIT", "STRIDED_SLICE", "SUB", "TANH", "TRANSPOSE", "TRANSPOSE_CONV", "UNPACK"),
)


def test_single_operators_of_int8_and_int16() -> None:
    """One network of each operator and type, in one image, against TFLM."""
    wanted = [c for c in combinations() if c[0] in ON_THE_NPU and c[1].x in (DType.INT8, DType.INT16)]
    models = []
    for number, graph in enumerate(typed_graphs(wanted[:: scaled(6, 1)], seed=19, each=1)):
        accelerator = ACCELERATORS[number % len(ACCELERATORS)]
        if vela_differs(graph) or compiled_or_refused(graph.model, accelerator) is None:
            continue
        try:
            models.append((graph, for_npu(graph, VelaOptions(accelerator))))
        except OptionError as error:
            assert "leaves every operator to the core" in error.message, error.message
    assert len(models) >= scaled(6, 40)
    check(models, scaled(2, 20))


@pytest.mark.parametrize("part", range(scaled(1, 5)))
def test_random_networks_with_operators_on_the_core_in_between(part: int) -> None:
    """Against what the compiled file says, which Vela makes other than the model now and then."""
    check([(found.graph, found.graph) for found in npu_graphs(700 + part, scaled(8, 20))], 2, "spec")
