"""What the layers of a compiled network should write on a board, in bytes, from the reference's tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.compiler.plan import Plan
from harness.link.compare import ExpectedLayers
from harness.quantization.types import Array


def expected_layers(plan: Plan, tensors: Sequence[Mapping[int, Array]]) -> list[ExpectedLayers] | None:
    """For each vector what every layer should write; None where a tensor has another type or size than the plan's.

    Args:
        plan: the layers that run.
        tensors: per vector the reference's tensors, by their index in the model file.
    """
    made = [[plan.graph.tensors[tensor] for tensor in layer.outputs] for layer in plan.layers]
    rows: list[ExpectedLayers] = []
    for known in tensors:
        row: list[list[bytes | None]] = []
        for layer in made:
            right = [None if t.source is None or t.source not in known else t.left_of(known[t.source]) for t in layer]
            for tensor, values in zip(layer, right, strict=True):
                if values is not None and (values.dtype != tensor.dtype.numpy or values.nbytes != tensor.bytes):
                    return None  # which the comparison tells of, once all was fetched
            row.append([None if values is None else np.ascontiguousarray(values).tobytes() for values in right])
        rows.append(row)
    return rows
