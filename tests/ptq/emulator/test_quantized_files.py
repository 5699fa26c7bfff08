"""What `tinyhil quantize` writes: TFLM loads it, and on every core the generated C equals it layer by layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.frontends import load as load_any
from harness.frontends.tflite.reader import load
from harness.ir.graph import Graph
from harness.ir.interpreter import run
from harness.oracle import open_oracle
from harness.ptq.calibration import random_calibration
from harness.ptq.mixed import PrecisionWishes, mixed
from harness.ptq.quantizer import Quantizer
from harness.ptq.scales import ScalesError
from harness.ptq.scheme import CANDIDATES, Scheme, scheme_of
from harness.ptq.search import search
from harness.quantization.types import Array
from harness.validate.card import RandomVectors, card_for_model
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.support.compiled import VECTORS, check_on_board
from tests.support.float_twin import float_twin
from tests.support.generated import random_graph, random_inputs
from tests.support.models import find_model
from tests.support.packaged import mltk_models
from tests.support.paths import FIXTURES
from tests.support.scale import scaled

BOARDS = ("host", "mps2-an386", "mps2-an500", "mps3-an547")
SCHEMES = (
    *CANDIDATES,
    *map(
        scheme_of,
        (
            "percentile-99.9",
            "kl",
            "mse+16x8+bias+adaptive",
            "min-max+16x8+equalised",
            "mse+w4+weights+bias+adaptive",
            "min-max+per-tensor",
            "mse+fc-channels+bias",
        ),
    ),
)
SMALL = ("digits", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "SVDF")
SMALL += ("UNIDIRECTIONAL_SEQUENCE_LSTM", "CONCATENATION", "ADD", "SIN")
REAL = ("mlperftiny_kws_float32", "mlperftiny_ic_float32", "mlperftiny_ad_float32", "tinymaix_mnist_dw_f")
_EVERY = len(SMALL) * len(SCHEMES)


def _network(name: str, seed: int) -> Graph:
    """A small float network."""
    if name == "digits":
        return load(float_twin(load(FIXTURES / "digits.tflite")), name=name)
    while True:
        graph = load(float_twin(random_graph(np.random.default_rng([seed, len(name)]), op=name)), name=name)
        if any(graph.tensors[t].dtype.numpy == np.float32 for t in graph.inputs):
            return graph
        seed += 1000


def _quantized(name: str, scheme: Scheme, seed: int) -> Graph | None:
    """None where no scales hold what was drawn."""
    graph = _network(name, seed)
    given = random_calibration(graph).fitted.inputs
    try:
        made = Quantizer(graph, given).quantize(scheme)
    except ScalesError:
        return None
    return load(made.file, name=f"{name}_{seed}".lower())


def _pairs(first: int, count: int) -> list[Graph]:
    """Networks and schemes in turn, such that all of both come early."""
    found = []
    for number in range(first, first + count):
        scheme = SCHEMES[(number + number // len(SCHEMES)) % len(SCHEMES)]
        graph = _quantized(SMALL[number % len(SMALL)], scheme, number)
        if graph is not None:
            found.append(graph)
    assert len(found) > count * 0.7
    return found


def _equal_in_tflm(graph: Graph) -> None:
    """TFLM's outputs of all layers are the specification's."""
    states = None
    with open_oracle("tflm", graph) as session:
        for inputs in random_inputs(graph, np.random.default_rng(1), VECTORS):
            wanted, theirs = run(graph, inputs, states), session.invoke(inputs, tensors=True)
            states = wanted.states
            for ours, other in zip(wanted.outputs, theirs.outputs, strict=True):
                _alike(ours, other, "outputs")
            for t, values in wanted.tensors.items():
                source = graph.tensors[t].source
                if source in theirs.tensors:
                    _alike(values, theirs.tensors[source], graph.tensors[t].name)


def _alike(ours: Array, theirs: Array, where: str) -> None:
    """Integers equal; operators that stay floats are not the same bits in every mathematical library."""
    if ours.dtype == np.float32:
        np.testing.assert_allclose(ours, theirs, 1e-5, 1e-6, err_msg=where)
    else:
        np.testing.assert_array_equal(ours, theirs, where)


@pytest.mark.parametrize("part", range(scaled(1, _EVERY // 20)))
@pytest.mark.parametrize("board", BOARDS[: scaled(3, 4)])
def test_every_scheme_computes_the_same_on_every_core(board: str, part: int) -> None:
    """All small networks by all schemes in the long run: 200."""
    count = scaled(4, 20)
    graphs = _pairs(scaled(BOARDS.index(board), part) * count, count)
    for graph in graphs:
        _equal_in_tflm(graph)
    assert check_on_board(graphs, board) == len(graphs) * VECTORS


@pytest.mark.parametrize("board", BOARDS[: scaled(1, 4)])
def test_a_mix_of_precisions_validates_layer_by_layer(board: str, tmp_path: Path) -> None:
    graph = _network("digits", 0)
    found = search(graph, random_calibration(graph), [scheme_of("min-max+bias")])
    assert found.best.evaluation is not None
    wide = mixed(found, PrecisionWishes(min_sqnr=found.best.evaluation.worst_sqnr + 1)).model
    small = mixed(found, PrecisionWishes(max_size=len(found.model.file) - 400)).model
    for name, model in (("wide", wide), ("small", small)):
        _validated(tmp_path / f"{name}.tflite", model.file, board, 3)


@pytest.mark.skipif(scaled(True, False), reason="a part of the long suite: TINYHIL_LONG=1")
@pytest.mark.parametrize("name", [*REAL, *(f"mltk {name}" for name in mltk_models())])
def test_real_networks_validate_layer_by_layer(name: str, tmp_path: Path) -> None:
    """The long run only: by three schemes, on every core."""
    path = find_model(name)
    if name.startswith("mltk "):
        graph = load(mltk_models()[name.removeprefix("mltk ")], name="mltk")
    elif path is None:
        pytest.skip(f"{name}.tflite is in none of the folders: set TINYHIL_MODELS")
    else:
        graph = load_any(path, floats=True)
    data = random_calibration(graph)
    quantizer = Quantizer(graph, tuple(stack[:16] for stack in data.fitted.inputs))
    for number, scheme in enumerate(("mse+equalised+bias+adaptive", "min-max+16x8", "mse+w4+weights+bias")):
        made = quantizer.quantize(scheme_of(scheme))
        for board in BOARDS:
            _validated(tmp_path / f"s{number}.tflite", made.file, board, 2)


def _validated(path: Path, content: bytes, board: str, count: int) -> None:
    """By the validate room against TFLM, layers compared."""
    path.write_bytes(content)
    card = card_for_model(path).model_copy(update={"vectors": RandomVectors(random=count)})
    outcome = Workbench().validate(card, board, Options(link="fast", opinions=()))
    assert outcome.passed, outcome.explain()
    assert outcome.verdict.layers and outcome.verdict.uncompared == ()
