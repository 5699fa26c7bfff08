"""Files with constants in fewer bits, as TFLM reads them: int4 tensors, or indices that TFLM_DECODE looks up.

What the second are made of is told in decoding.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from harness.errors import OptionError
from harness.frontends.tflite.compressed import DECODE
from harness.frontends.tflite.decoding import HEADER, MOST_BITS, ONE_TABLE
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, halves, serialize
from harness.frontends.tflite.writer import draft
from harness.ir.graph import Graph
from harness.ir.operators import has
from harness.ir.operators.tflite import OperatorDraft
from harness.ir.operators.traits import Trait
from harness.quantization.shared_values import SharedValues, is_int4, shared_values
from harness.quantization.types import Array, DType

MOST_VALUES = 1 << MOST_BITS
"""Of a table."""


def with_narrow(graph: Graph, weights: Collection[int], metadata: Mapping[str, bytes] | None = None) -> bytes:
    """The file of a graph, in which weights of four bits are int4: of int8 layers, for which TFLM unpacks them."""
    subgraphs = draft(graph)
    main = subgraphs[0]
    for t in sorted(weights):
        tensor = graph.tensors[t]
        assert tensor.data is not None
        if is_int4(tensor.data) and _is_plain(graph, t):
            main.tensors[t] = TensorDraft(tensor.name, tensor.shape, "int4", tensor.quant, halves(tensor.data))
    return serialize(subgraphs, metadata)


def _is_plain(graph: Graph, t: int) -> bool:
    """Whether only int8 layers read some weights; in fully connected ones TFLM takes int4 with one scale alone."""
    if len(graph.tensors[t].shape) == 2 and graph.tensors[t].q.per_channel:
        return False
    readers = [graph.nodes[i] for i in graph.consumers().get(t, [])]
    return all(has(node, Trait.WEIGHTS) and graph.tensors[node.inputs[0]].dtype is DType.INT8 for node in readers)


def with_decode(graph: Graph, weights: Collection[int], metadata: Mapping[str, bytes] | None = None) -> bytes:
    """The file of a graph, in which weights are indices that an operator before each reader looks up.

    Raises:
        OptionError: none of them has few enough values.
    """
    subgraphs = draft(graph)
    main = subgraphs[0]
    made = 0
    for t in sorted(weights):
        made += _encode(main, t, graph)
    if not made:
        raise OptionError(
            f"{graph.name}: no weights have {MOST_VALUES} values or fewer, which TFLM_DECODE could look up",
            hint="--compress medium, or leave --tflm-decode out",
        )
    return serialize(subgraphs, metadata)


def _encode(main: SubgraphDraft, t: int, graph: Graph) -> bool:
    """Exchanges a constant for indices; False where that takes no fewer bytes."""
    tensor, whole = graph.tensors[t], main.tensors[t]
    assert tensor.data is not None
    several = tensor.quant is not None and tensor.quant.per_channel
    axes = (None, 0) if several and tensor.q.axis == 0 else (None,)
    found = [(shared, axis) for axis in axes if (shared := shared_values(tensor.data, MOST_VALUES, axis))]
    encoded = [(_packed(shared), _ancillary(shared, axis, several)) for shared, axis in found]
    if not encoded:
        return False
    indices, ancillary = min(encoded, key=lambda pair: pair[0].size + pair[1].size)
    if indices.size + ancillary.size >= tensor.bytes:
        return False
    main.tensors[t] = TensorDraft(whole.name, indices.shape, "uint8", None, indices)
    table = main.add(TensorDraft(f"{whole.name}_ancillary", ancillary.shape, "uint8", None, ancillary))
    operators = []
    for operator in main.operators:
        if t in operator.inputs:  # what is decoded lives until the next operator has run
            out = main.add(replace(whole, name=f"{whole.name}_decoded", data=None))
            operators.append(OperatorDraft(DECODE, (t, table), (out,)))
            operator = replace(operator, inputs=tuple(out if i == t else i for i in operator.inputs))
        operators.append(operator)
    main.operators[:] = operators
    return True


def _bits(shared: SharedValues) -> int:
    size: int = shared.tables.shape[1]
    return max((size - 1).bit_length(), 1)


def _packed(shared: SharedValues) -> Array:
    """Indices without gaps, the most significant bit first."""
    bits = _bits(shared)
    flat = shared.indices.reshape(-1)
    apart = (flat[:, None] >> np.arange(bits - 1, -1, -1, dtype=np.uint8)) & 1
    return np.packbits(apart.reshape(-1).astype(np.uint8))


def _ancillary(shared: SharedValues, axis: int | None, several: bool) -> Array:
    """The header, and the tables behind it; what a table lacks to the largest one is 0.

    several: the tensor has several scales. TFLM (tflite-micro of October 2026) then goes one table on for each of them,
    though the header says that there is but one: 0 steps further it finds the same.
    """
    tables = shared.tables.copy()
    for table, count in zip(tables, shared.counts, strict=True):
        table[count:] = 0
    head = np.zeros(HEADER, np.uint8)
    head[1] = head[4] = 1
    head[5] = (ONE_TABLE if axis is None else axis) << 4 | _bits(shared)
    head[6] = 0 if axis is None and several else tables.shape[1]
    return np.concatenate([head, np.ascontiguousarray(tables).reshape(-1).view(np.uint8)])
