"""DEPTH_TO_SPACE and SPACE_TO_DEPTH, NHWC: channels as blocks of block x block pixels, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from harness.ir.graph import Attrs, Graph, Node, Tensor
from harness.ir.operators.moves import Move, dense, loops
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import MAX_WINDOW, OperatorDraft, Read, Reading, TfliteForm, Writing, damaged
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType


@dataclass(frozen=True)
class BlockAttrs(Attrs):
    """DEPTH_TO_SPACE and SPACE_TO_DEPTH: `block` is the side of a block in pixels."""

    block: int


def _verify(v: View, deep: Tensor, wide: Tensor) -> None:
    block = v.attrs(BlockAttrs).block
    v.need(len(deep.shape) == len(wide.shape) == 4 and block >= 1, f"has blocks of {block} in {list(deep.shape)}")
    batch, height, width, depth = wide.shape
    whole = height % block == 0 and width % block == 0
    v.need(whole, f"has blocks of {block} in an image of {height} x {width}")
    v.shape(deep, (batch, height // block, width // block, depth * block * block))
    v.moved(deep, wide)


def _verify_depth_to_space(v: View) -> None:
    _verify(v, v.x(), v.y())


def _verify_space_to_depth(v: View) -> None:
    _verify(v, v.y(), v.x())


def depth_to_space(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """Channels spread over blocks of pixels."""
    block, (batch, height, width, depth) = cast(BlockAttrs, op.attrs).block, op.x.shape
    split = array(inputs, 0).reshape(batch, height, width, block, block, depth // block**2)
    return (np.ascontiguousarray(split.transpose(0, 1, 3, 2, 4, 5)).reshape(op.y.shape),)


def space_to_depth(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """Blocks of pixels gathered into channels."""
    block, (batch, height, width, depth) = cast(BlockAttrs, op.attrs).block, op.x.shape
    split = array(inputs, 0).reshape(batch, height // block, block, width // block, block, depth)
    return (np.ascontiguousarray(split.transpose(0, 1, 3, 2, 4, 5)).reshape(op.y.shape),)


def _moves(graph: Graph, node: Node) -> tuple[Move, ...]:
    block = cast(BlockAttrs, node.attrs).block
    x, y = graph.tensors[node.inputs[0]].shape, graph.tensors[node.outputs[0]].shape
    deep, wide = (x, y) if x[3] > y[3] else (y, x)
    depth = wide[3]
    split = (deep[0], deep[1], deep[2], block, block, depth)
    of_deep = dense(split)
    b, h, w, c = dense(wide)
    of_wide = (b, h * block, w * block, h, w, c)
    order = (0, 1, 3, 2, 4, 5)
    counts, deep_steps, wide_steps = ([part[i] for i in order] for part in (split, of_deep, of_wide))
    both = (deep_steps, wide_steps) if deep is x else (wide_steps, deep_steps)
    return (Move(loops(counts, *both)),)


def _changes_nothing(graph: Graph, node: Node) -> bool:
    return cast(BlockAttrs, node.attrs).block == 1


def _read(op: Reading) -> Read:
    op.count(1)
    block = op.integer(4)
    if not 1 <= block <= MAX_WINDOW:
        raise damaged(f"{op.place}: {op.name} with blocks of {block}")
    return op.ids(0), BlockAttrs(block)


def _write(to: Writing, node: Node) -> OperatorDraft:
    options = "DepthToSpace" if node.op == "DEPTH_TO_SPACE" else "SpaceToDepth"
    return OperatorDraft(node.op, node.inputs, node.outputs, options, {"BlockSize": cast(BlockAttrs, node.attrs).block})


OPERATORS = (
    Operator(
        "DEPTH_TO_SPACE",
        _verify_depth_to_space,
        depth_to_space,
        attrs=BlockAttrs,
        types=same(DType.FLOAT32, DType.INT8),
        tflite=TfliteForm(5, _write, _read, options=94),
        changes_nothing=_changes_nothing,
        moves=_moves,
    ),
    Operator(
        "SPACE_TO_DEPTH",
        _verify_space_to_depth,
        space_to_depth,
        attrs=BlockAttrs,
        types=same(DType.FLOAT32, DType.INT8),
        tflite=TfliteForm(26, _write, _read, options=19),
        changes_nothing=_changes_nothing,
        moves=_moves,
    ),
)
