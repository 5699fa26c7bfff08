"""IF and WHILE over small networks, whose loops count down from a number known at run time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from harness.ir.activations import activation_clamp
from harness.ir.graph import Graph, NoAttrs, Tensor
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.control import IfAttrs, WhileAttrs
from harness.ir.operators.joining import ConcatAttrs
from harness.ir.operators.strided_slice import SliceAttrs
from harness.quantization.types import DType
from tests.support.builders.common import anything, numbers_below
from tests.support.builders.fully_connected import fully_connected
from tests.support.builders.logistic import BUILDERS as LOGISTIC
from tests.support.builders.relu import BUILDERS as RELU
from tests.support.builders.tanh import BUILDERS as TANH
from tests.support.draft import Draft, Rng, between, chance, pick, quantization

Layers = Callable[[Draft, list[int]], tuple[int, ...]]
"""(draft, inputs) -> outputs."""

_FUNCTIONS = (RELU["RELU"], RELU["RELU6"], TANH["TANH"], LOGISTIC["LOGISTIC"])


def _within(rng: Rng, name: str, outer: Draft, inputs: Sequence[int], layers: Layers) -> Graph:
    """A graph over tensors like those of another."""
    draft = Draft(rng)
    given = []
    for t in inputs:
        given.append(draft.tensor(outer.shape(t), outer.tensors[t].quant, outer.tensors[t].dtype))
    outputs = layers(draft, given)
    tensors = tuple(replace(tensor, source=None) for tensor in draft.tensors)
    return Graph(name, tensors, tuple(draft.nodes), tuple(given), outputs)


def _network(draft: Draft, x: int, like: Tensor) -> int:
    """A few layers of int8 from x to a tensor like another."""
    rng = draft.rng
    for _ in range(between(rng, 0, 2)):
        x = pick(rng, *_FUNCTIONS)(draft, x)
    if draft.shape(x) != like.shape:
        flat = draft.like(x, (1, prod(draft.shape(x))))
        draft.node("RESHAPE", (x,), (flat,), NoAttrs())
        x = fully_connected(draft, flat)
        wanted = prod(like.shape)
        while prod(draft.shape(x)) != wanted:
            x = _widened(draft, x, wanted)
        shaped = draft.like(x, like.shape)
        x = draft.node("RESHAPE", (x,), (shaped,), NoAttrs())
    y = draft.tensor(like.shape, like.quant, like.dtype)
    return draft.node("QUANTIZE", (x,), (y,), NoAttrs())


def _widened(draft: Draft, x: int, wanted: int) -> int:
    """x cut to `wanted` elements, or joined with itself."""
    size = prod(draft.shape(x))
    if size > wanted:
        y = draft.like(x, (1, wanted))
        return draft.node("STRIDED_SLICE", (x,), (y,), SliceAttrs((0, 0), (1, 1), (1, wanted)))
    y = draft.like(x, (1, 2 * size))
    return draft.node("CONCATENATION", (x, x), (y,), ConcatAttrs(1, (-128, 127)))


def _int8(draft: Draft, x: int | None) -> int:
    x = anything(draft, x)
    if draft.tensors[x].dtype is DType.INT8:
        return x
    return draft.input(draft.shape(x))


def if_(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = _int8(draft, x)
    if chance(rng, 0.15):
        condition = draft.constant(np.array([chance(rng, 0.5)]), None)
    else:
        condition = draft.input((1,) if chance(rng, 0.7) else (), dtype=DType.BOOL)
    inputs = [x]
    if chance(rng, 0.5):
        inputs.append(draft.input((between(rng, 1, 5),), dtype=pick(rng, DType.INT32, DType.FLOAT32, DType.INT8)))
    shape = draft.shape(x) if chance(rng, 0.4) else (1, between(rng, 1, 9))
    outputs = [draft.like(x, shape) if shape == draft.shape(x) else draft.tensor(shape, quantization(rng))]
    through = len(inputs) > 1 and chance(rng, 0.5)
    if through:
        outputs.append(draft.like(inputs[1], draft.shape(inputs[1])))
    like = draft.tensors[outputs[0]]
    still = shape == draft.shape(x) and chance(rng, 0.3)

    def layers(inner: Draft, given: list[int]) -> tuple[int, ...]:
        return (_network(inner, given[0], like), *([given[1]] if through else []))

    def nothing(inner: Draft, given: list[int]) -> tuple[int, ...]:
        return (given[0], *([given[1]] if through else []))

    graphs = [_within(rng, name, draft, inputs, layers) for name in ("then", "else")]
    if still:
        graphs[between(rng, 0, 1)] = _within(rng, "still", draft, inputs, nothing)
    return draft.node("IF", (condition, *inputs), tuple(outputs), IfAttrs(*graphs))


def while_(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = _int8(draft, x)
    left = numbers_below(draft, (1,), between(rng, 1, 5))
    inputs = (left, x)
    outputs = tuple(draft.like(t, draft.shape(t)) for t in inputs)
    like = draft.tensors[x]

    def condition(inner: Draft, given: list[int]) -> tuple[int, ...]:
        nothing = inner.constant(np.array([0], np.int32), None)
        holds = inner.tensor((1,), None, DType.BOOL)
        return (inner.node("GREATER", (given[0], nothing), (holds,), NoAttrs()),)

    def body(inner: Draft, given: list[int]) -> tuple[int, ...]:
        step = inner.constant(np.array([-1], np.int32), None)
        fewer = inner.tensor((1,), None, DType.INT32)
        inner.node("ADD", (given[0], step), (fewer,), BinaryAttrs(activation_clamp("NONE", inner.tensors[fewer])))
        return (fewer, _network(inner, given[1], like))

    graphs = (_within(rng, "condition", draft, inputs, condition), _within(rng, "body", draft, inputs, body))
    draft.node("WHILE", inputs, outputs, WhileAttrs(*graphs))
    return outputs[1]


BUILDERS = {"IF": if_, "WHILE": while_}
