"""Variables of every element type: what was assigned is read at the next inference, as in TFLM from the first on."""

from __future__ import annotations

import numpy as np
import pytest

from harness.frontends.tflite import reader
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.ir.graph import Graph, NoAttrs, State
from harness.ir.operators.tflite import OperatorDraft
from harness.oracle import open_oracle
from harness.quantization.types import DType, Quantization
from tests.support.compiled import VECTORS, check_on_board
from tests.support.draft import QUANTIZED, Draft, values

SHAPE = (1, 2, 3)


def delay(dtype: DType) -> Graph:
    """Gives the input of the step before."""
    draft = Draft(np.random.default_rng(0))
    quant = Quantization((0.5,), (0 if dtype is DType.INT16 else 3,)) if dtype in QUANTIZED else None
    x, y = draft.input(SHAPE, quant, dtype), draft.tensor(SHAPE, quant, dtype)
    draft.states.append(State("last", dtype, values(draft.rng, SHAPE, dtype), quant))
    draft.node("READ_VARIABLE", (), (y,), NoAttrs(), (0,))
    draft.node("ASSIGN_VARIABLE", (x,), (), NoAttrs(), (0,))
    return draft.finish("delay", (y,))


def assert_tflm_agrees(graph: Graph, dtype: DType) -> None:
    rng = np.random.default_rng(1)
    with open_oracle("spec", graph) as spec, open_oracle("tflm", graph) as tflm:
        for _ in range(3):
            vector = [values(rng, graph.tensors[graph.inputs[0]].shape, dtype)]
            np.testing.assert_array_equal(spec.invoke(vector).outputs[0], tflm.invoke(vector).outputs[0])


@pytest.mark.parametrize("dtype", DType)
def test_what_was_assigned_is_read_at_the_next_inference(dtype: DType) -> None:
    assert_tflm_agrees(delay(dtype), dtype)


@pytest.mark.parametrize("dtype", DType)
@pytest.mark.parametrize("zero_point", [3, -7])
def test_what_nobody_initialized_starts_as_in_tflm(dtype: DType, zero_point: int) -> None:
    quant = Quantization((0.5,), (abs(zero_point) if dtype is DType.UINT8 else zero_point,))
    kind = quant if dtype in QUANTIZED else None
    tensors = [TensorDraft(name, SHAPE, dtype.value, kind) for name in ("x", "y")]
    main = SubgraphDraft("main", (0,), (1,), [*tensors, TensorDraft("handle", (), "resource")])
    main.operators += [
        OperatorDraft("VAR_HANDLE", (), (2,), "VarHandle", {"Container": "", "SharedName": "memory"}),
        OperatorDraft("READ_VARIABLE", (2,), (1,)),
        OperatorDraft("ASSIGN_VARIABLE", (2, 0), ()),
    ]
    assert_tflm_agrees(reader.load(serialize([main])), dtype)


def test_generated_code_carries_every_type() -> None:
    graphs = [delay(dtype) for dtype in DType]
    assert check_on_board(graphs, "host", sanitize=True) == len(graphs) * VECTORS
