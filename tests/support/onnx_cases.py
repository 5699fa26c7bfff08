"""ONNX's own backend tests (onnx.backend.test), in memory, and what the frontend makes of each."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from harness.errors import TinyhilError
from harness.frontends.onnx.reader import read
from harness.ir.graph import Graph
from harness.ir.interpreter import run

ROUNDED = {"test_averagepool_2d_ceil_last_window_starts_on_pad": 1e-3}
"""Cases whose expected results stand in onnx's source with four digits, and the tolerance that they name themselves."""

TOLERANCE = 1e-5
"""Of float32 results: |difference| <= TOLERANCE * (1 + |expected|)."""


@dataclass(frozen=True)
class Outcome:
    """What became of a case: "pass", "refused" with the reason, or "wrong" with the difference."""

    name: str
    op: str
    result: str
    why: str = ""


@cache
def cases() -> tuple[Any, ...]:
    """All node cases of the installed onnx, those whose models and data are tensors."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(collect_testcases(None))


def operator_of(case: Any) -> str:
    """The operator that a case is about; of one of several operators "(several)"."""
    nodes = case.model.graph.node
    return str(nodes[0].op_type) if len(nodes) == 1 else "(several)"


def fixed(case: Any, given: list[Any]) -> tuple[bytes, list[Any]]:
    """The model with inputs of integers that are operands (axes, shapes, bounds) as constants, and the other inputs.

    Networks of trained models have them so; the cases have them as inputs, since they have no constants.
    """
    import onnx

    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    names = [entry.name for entry in model.graph.input]
    operands = _operands(model)
    left = []
    for name, value in zip(names, given, strict=False):
        if name in operands and isinstance(value, (np.ndarray, np.generic)):
            model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(value), name))
        else:
            left.append(value)
    return model.SerializeToString(), left


_OPERANDS = {
    "Reshape": (1,), "Expand": (1,), "Tile": (1,), "Slice": (1, 2, 3, 4), "Squeeze": (1,), "Unsqueeze": (1,),
    "Pad": (1, 2, 3), "Clip": (1, 2), "Split": (1,), "Resize": (1, 2, 3), "Upsample": (1,), "Gather": (1,),
    "GatherElements": (1,), "GatherND": (1,), "Pow": (1,), "CumSum": (1,), "OneHot": (1, 2), "TopK": (1,),
    "Conv": (1, 2), "ConvTranspose": (1, 2), "BatchNormalization": (1, 2, 3, 4), "InstanceNormalization": (1, 2),
    "GroupNormalization": (1, 2), "LSTM": (1, 2, 3, 4, 5, 6, 7), "GRU": (1, 2, 3, 4, 5), "RNN": (1, 2, 3, 4, 5),
    "QuantizeLinear": (1, 2), "DequantizeLinear": (1, 2), "QLinearConv": (1, 2, 3, 4, 5, 6, 7, 8),
    "QLinearMatMul": (1, 2, 3, 4, 5, 6, 7), "Dropout": (1, 2), "Trilu": (1,), "CenterCropPad": (1,),
    "AffineGrid": (1,), "ReverseSequence": (1,),
    "ScatterND": (1,), "ScatterElements": (1,), "Compress": (1,), "ConvInteger": (1, 2, 3), "MatMulInteger": (1, 2, 3),
}  # fmt: skip


def _operands(model: Any) -> set[str]:
    """Names of inputs that are operands of the only node that reads them."""
    found = set()
    for node in model.graph.node:
        wanted = _OPERANDS.get(node.op_type, ())
        if node.op_type.startswith("Reduce"):
            wanted = (1,)
        found.update(node.input[i] for i in wanted if i < len(node.input) and node.input[i])
    return found


def outcome(case: Any) -> Outcome:
    """Runs a case by the specification."""
    op = operator_of(case)
    refused = ""
    for inputs, expected in case.data_sets:
        try:
            data, given = fixed(case, list(inputs))
            graph = read(data, case.name, case.name)
            made = run(graph, _as_given(graph, given)).outputs
        except TinyhilError as error:
            refused = error.message
            continue
        wrong = difference(made, expected, ROUNDED.get(case.name, TOLERANCE))
        if wrong:
            return Outcome(case.name, op, "wrong", wrong)
    return Outcome(case.name, op, "refused", refused) if refused else Outcome(case.name, op, "pass")


def _as_given(graph: Graph, given: list[Any]) -> list[Any]:
    """The inputs in the types that the graph has: int64 as int32."""
    wanted = [graph.tensors[t].dtype.numpy for t in graph.inputs]
    return [np.asarray(value).astype(dtype) for value, dtype in zip(given, wanted, strict=True)]


def difference(made: Any, expected: Any, tolerance: float = TOLERANCE) -> str:
    """What is wrong with outputs; "" where nothing is."""
    for number, (got, want) in enumerate(zip(made, expected, strict=False)):
        if want is None:
            continue
        want = np.asarray(want)
        if got.shape != want.shape:
            return f"output {number}: shape {list(got.shape)}, not {list(want.shape)}"
        if got.dtype != want.dtype and not (got.dtype == np.int32 and want.dtype == np.int64):
            return f"output {number}: {got.dtype}, not {want.dtype}"
        if want.dtype == np.float32:
            if not np.allclose(got, want, rtol=tolerance, atol=tolerance, equal_nan=True):
                return f"output {number}: off by {np.nanmax(np.abs(got - want)):g}"
        elif not np.array_equal(got, want):
            return f"output {number}: {int((got != want).sum())} of {want.size} differ"
    return ""
