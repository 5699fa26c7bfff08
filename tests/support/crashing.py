"""Models that the importer takes and TFLM does not survive."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from harness.frontends.tflite.flatbuffer import FlatTable
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.ir.operators.tflite import OperatorDraft
from harness.quantization.types import Quantization
from tests.support.graft import SUBGRAPHS, element, graft

X = Quantization((0.1,), (0,))


def _two_subgraphs(main: SubgraphDraft) -> tuple[bytes, int, int]:
    """A file with a second subgraph, and where it holds the offsets of the two."""
    data = serialize([main, SubgraphDraft("other")])
    root = FlatTable.root(data, "test")
    return data, element(root, SUBGRAPHS, 0), element(root, SUBGRAPHS, 1)


def _one_operator(op: OperatorDraft, *tensors: TensorDraft) -> SubgraphDraft:
    main = SubgraphDraft("main", (0,), (1,))
    for tensor in tensors:
        main.add(tensor)
    main.operators.append(op)
    return main


def empty_second_subgraph() -> bytes:
    """The second subgraph has no field at all."""
    relu = OperatorDraft("RELU", (0,), (1,))
    main = _one_operator(relu, TensorDraft("x", (1, 8), "int8", X), TensorDraft("y", (1, 8), "int8", X))
    data, _, second = _two_subgraphs(main)
    return graft(data, second, "SubGraph", {})


def same_subgraph_twice() -> bytes:
    """The second subgraph is the table of the first, which has a MEAN."""
    mean = OperatorDraft("MEAN", (0, 2), (1,), "Reducer", {"KeepDims": True})
    main = _one_operator(
        mean,
        TensorDraft("x", (1, 4, 4, 8), "int8", X),
        TensorDraft("y", (1, 1, 1, 8), "int8", X),
        TensorDraft("axes", (2,), "int32", data=np.array([1, 2], np.int32)),
    )
    data, first, second = _two_subgraphs(main)
    target = first + int.from_bytes(data[first : first + 4], "little")
    return data[:second] + (target - second).to_bytes(4, "little") + data[second + 4 :]


CRASHING: Mapping[str, Callable[[], bytes]] = {
    "empty_second_subgraph": empty_second_subgraph,
    "same_subgraph_twice": same_subgraph_twice,
}
"""By name: makes the file of a model on which TFLM crashes while it loads it."""


def long_softmax() -> bytes:
    """TFLM takes it, and aborts over equal inputs, such as zeros."""
    softmax = OperatorDraft("SOFTMAX", (0,), (1,), "Softmax", {"Beta": 1.0})
    one = Quantization((1 / 256,), (-128,))
    tensors = TensorDraft("x", (1, 600), "int8", X), TensorDraft("y", (1, 600), "int8", one)
    return serialize([_one_operator(softmax, *tensors)])
