"""Every operator with an integer form is quantized, TFLM takes the file, and the numbers are those of the floats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compression.stacks import forward
from harness.errors import ModelFileError, UnsupportedModelError, VectorsError
from harness.frontends.tflite.reader import load
from harness.ir.graph import Graph
from harness.ir.interpreter import run
from harness.ir.operators import OPERATORS
from harness.ptq.calibration import DataPart
from harness.ptq.evaluation import evaluate
from harness.ptq.quantizer import Quantizer
from harness.ptq.scales import ScalesError
from harness.ptq.scheme import CANDIDATES, scheme_of
from harness.quantization.types import Array, DType
from tests.support.builders import BUILDERS
from tests.support.float_twin import float_twin
from tests.support.generated import random_graph
from tests.support.paths import FIXTURES
from tests.support.scale import scaled

STATEFUL = ("SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM")
_INT8 = sorted(
    name
    for name, operator in OPERATORS.items()
    if name in BUILDERS
    and (not operator.stateful or name in STATEFUL)
    and name != "DYNAMIC_FULLY_CONNECTED"  # whose int8 form has an int32 bias of run time
    and {(t.x, t.y) for t in operator.types} >= {(DType.INT8, DType.INT8), (DType.FLOAT32, DType.FLOAT32)}
)
DECIDED = {"ARG_MAX", "ARG_MIN", "EQUAL", "NOT_EQUAL", "CUMSUM", "SOFTMAX"}
"""Operators whose outputs a little noise decides, or in whose sums and exponentials it grows."""
LARGEST = 1e3
"""Of constants: beyond, what is near 0 and lost decides over outputs that are limited to -1 and 1."""
SCHEMES = (
    *CANDIDATES,
    *map(scheme_of, ("mse+16x8+bias", "min-max+fc-channels", "mse+w4+weights+bias", "min-max+per-tensor")),
)
_NEEDS_POSITIVE = {"RSQRT"}
_LEAST_DB = 12.0
"""A scale or zero point that is wrong gives less; few levels over large sums give little more."""


def _floats(graph: Graph) -> Graph | None:
    """The float twin; None where nothing of it is float."""
    try:
        twin = load(float_twin(graph), name=graph.name)
    except (ModelFileError, UnsupportedModelError):  # PADV2 of a value that is no whole number
        return None
    return twin if any(twin.tensors[t].dtype is DType.FLOAT32 for t in twin.inputs) else None


def _inputs(graph: Graph, rng: np.random.Generator, count: int = 8) -> tuple[Array, ...]:
    return tuple(
        rng.uniform(-1, 1, (count, *tensor.shape)).astype(np.float32)
        if tensor.dtype is DType.FLOAT32
        else np.zeros((count, *tensor.shape), tensor.dtype.numpy)
        for tensor in (graph.tensors[t] for t in graph.inputs)
    )


@pytest.mark.parametrize("name", sorted(set(_INT8) - _NEEDS_POSITIVE))
@settings(max_examples=scaled(2, 200), deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scheme=st.sampled_from(SCHEMES))
def test_every_operator_is_quantized_and_tflm_agrees(name: str, seed: int, scheme: object) -> None:
    rng = np.random.default_rng(seed)
    graph = _floats(random_graph(rng, op=name))
    if graph is None:
        return
    inputs = _inputs(graph, rng)
    try:
        made = Quantizer(graph, inputs).quantize(scheme)  # type: ignore[arg-type]
    except ScalesError as error:  # a layer clamps at 1 what is a million
        assert "overflow" in error.message or "too small" in error.message
        return
    found = evaluate(made, forward(made.source, inputs), DataPart(inputs, None))
    assert found.oracle.startswith("tflm")
    decided = {node.op for node in made.graph.nodes} & DECIDED
    wanted = [made.source.tensors[t] for t in made.source.outputs]
    constants = [tensor.data for tensor in graph.tensors if tensor.data is not None]
    decided |= {"constants"} if any(np.abs(data.astype(np.float64)).max() > LARGEST for data in constants) else set()
    for tensor, decibels in zip(wanted, found.sqnr, strict=True):
        signal = forward(made.source, inputs)[made.source.outputs[wanted.index(tensor)]]
        if tensor.dtype is DType.FLOAT32 and not decided and np.abs(signal).max() > 1e-3:
            assert decibels > (0 if {"kl", "w4"} & set(made.scheme.name.split("+")) else _LEAST_DB)


@settings(max_examples=scaled(20, 1000), deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_many_inputs_at_once_are_as_each_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    name = _INT8[seed % len(_INT8)]
    graph = _floats(random_graph(rng, op=name))
    if graph is None:
        return
    inputs = _inputs(graph, rng, 3)
    stacks = forward(graph, inputs)
    for index in range(3):
        outputs = run(graph, [stack[index] for stack in inputs]).outputs
        for t, output in zip(graph.outputs, outputs, strict=True):
            np.testing.assert_allclose(stacks[t][index], output, rtol=2e-5, atol=1e-5 * (1 + np.abs(output).max()))


def test_the_same_data_give_the_same_file() -> None:
    graph = load(float_twin(load(FIXTURES / "digits.tflite")), name="digits")
    inputs = _inputs(graph, np.random.default_rng(1), 16)
    scheme = scheme_of("mse+equalised+bias+adaptive")
    first, second = (Quantizer(graph, inputs).quantize(scheme).file for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", sorted(_NEEDS_POSITIVE))
def test_data_outside_of_an_operator_are_named(name: str) -> None:
    graph = _floats(random_graph(np.random.default_rng(0), op=name))
    assert graph is not None
    inputs = tuple(-np.ones((8, *graph.tensors[t].shape), np.float32) for t in graph.inputs)
    with pytest.raises(VectorsError, match=f"{name} into .* no finite number"):
        Quantizer(graph, inputs).quantize(scheme_of("min-max"))


@pytest.mark.parametrize("name", ["SIN", "EXP", "DIV", "L2_POOL_2D"])
def test_operators_without_an_integer_form_stay_floats(name: str) -> None:
    graph = _floats(random_graph(np.random.default_rng(0), op=name))
    assert graph is not None
    inputs = _inputs(graph, np.random.default_rng(0))
    made = Quantizer(graph, inputs).quantize(scheme_of("mse"))
    assert made.floats == {name: 1}
    assert "DEQUANTIZE" in {node.op for node in made.graph.nodes}
    assert {made.graph.tensors[t].dtype for t in made.graph.inputs} == {DType.INT8}
    assert evaluate(made, forward(made.source, inputs), DataPart(inputs, None)).worst_sqnr > _LEAST_DB


@pytest.mark.parametrize("name", ["READ_VARIABLE", "ASSIGN_VARIABLE"])
def test_operators_with_states_are_named(name: str) -> None:
    graph = _floats(random_graph(np.random.default_rng(0), op=name))
    assert graph is not None
    with pytest.raises(UnsupportedModelError, match=rf"not quantized: .*{name} \(keeps a state"):
        Quantizer(graph, _inputs(graph, np.random.default_rng(0))).quantize(scheme_of("min-max"))


def test_a_quantized_model_is_refused() -> None:
    graph = load(FIXTURES / "digits.tflite")
    with pytest.raises(UnsupportedModelError, match="nothing of float32"):
        Quantizer(graph, [np.zeros((1, *graph.tensors[graph.inputs[0]].shape), np.int8)]).quantize(scheme_of("min-max"))
