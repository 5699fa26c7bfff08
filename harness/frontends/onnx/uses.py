"""What of an ONNX graph is known before any node is lowered: how often names are read, operators written out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from harness.frontends.onnx.lowering import lowerings
from harness.quantization.types import Array

if TYPE_CHECKING:
    import onnx


def expanded(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with operators that have no lowering, but a definition by others, replaced by that."""
    import onnx
    from onnx import inliner

    known = lowerings()
    wanted = set()
    for node in model.graph.node:
        if node.domain in ("", "ai.onnx") and node.op_type not in known and onnx.defs.has(node.op_type):
            wanted.add((node.domain, node.op_type))
    if not wanted:
        return model
    try:
        return inliner.inline_selected_functions(model, sorted(wanted), inline_schema_functions=True)
    except Exception:  # then they are refused by name
        return model


def uses_of(graph: onnx.GraphProto, constants: Mapping[str, Array]) -> Mapping[str, int]:
    """How often each name is read; "NAME@fully_connected": as the input of a layer with constant weights."""
    found: Counter[str] = Counter(entry.name for entry in graph.output)
    fixed = set(constants)
    for node in graph.node:
        found.update(name for name in node.input if name)
        found.update(_captured(node))
        if node.op_type in ("Constant", "DequantizeLinear", "Transpose") and all(i in fixed for i in node.input if i):
            fixed.update(node.output)
        if node.op_type in ("Gemm", "MatMul") and len(node.input) > 1 and node.input[1] in fixed:
            turned = any(a.name == "transA" and a.i for a in node.attribute)
            if not turned and node.input[0] != node.input[1]:
                found[f"{node.input[0]}@fully_connected"] += 1
    return found


def _captured(node: onnx.NodeProto) -> Iterator[str]:
    """Names that the graphs of a node's attributes read."""
    for attribute in node.attribute:
        for graph in [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]:
            yield from (entry.name for entry in graph.output)
            for inner in graph.node:
                yield from (name for name in inner.input if name)
                yield from _captured(inner)
