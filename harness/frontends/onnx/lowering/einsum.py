"""Einsum of two operands, as attention is written in Keras: dimensions in order, then one product of matrices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np

from harness.frontends.onnx.lowering.matmul import fully_connected, product
from harness.frontends.onnx.moving import reshaped
from harness.frontends.onnx.network import Network
from harness.frontends.onnx.node import Lowering, OnnxNode, Unsupported, must_be
from harness.frontends.onnx.value import OnnxValue
from harness.quantization.types import DType

_EQUATION = re.compile(r"([A-Za-z]+),([A-Za-z]+)->([A-Za-z]*)")


def _permuted(net: Network, x: OnnxValue, letters: str, wanted: str) -> OnnxValue:
    """A value whose dimensions have these letters, with them in another order."""
    order = [letters.index(letter) for letter in wanted]
    if order == list(range(x.rank)):
        return x
    shape = tuple(x.shape[i] for i in order)
    if x.data is not None:
        return replace(x, shape=shape, data=np.ascontiguousarray(x.data.transpose(order)), integers=None)
    if x.columns is not None:
        raise Unsupported("a flattened image transposed")
    return net.made(shape, x.tensor, [order.index(i) for i in x.order], x.dtype)


def _einsum(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    equation = node.text("equation").replace(" ", "")
    found = _EQUATION.fullmatch(equation)
    if found is None or len(node.inputs) != 2:
        raise Unsupported(f"equation {equation}")
    a, b, (left, right, out) = node.value(0), node.value(1), found.groups()
    if a.data is not None:  # weights are the right operand
        a, b, left, right = b, a, right, left
    must_be(a, DType.FLOAT32)
    must_be(b, DType.FLOAT32)
    sizes = dict(zip(left + right, a.shape + b.shape, strict=False))
    fits = len(left) == a.rank and len(right) == b.rank
    same = fits and all(sizes[k] == n for k, n in zip(left + right, a.shape + b.shape, strict=True))
    if not same or any(len(set(letters)) != len(letters) for letters in (left, right, out)):
        raise Unsupported(f"equation {equation}")
    batch = "".join(k for k in out if k in left and k in right)
    inner = "".join(k for k in left if k in right and k not in out)
    rows, columns = ("".join(k for k in out if k in one and k not in batch) for one in (left, right))
    if sorted(batch + inner + rows) != sorted(left) or sorted(batch + inner + columns) != sorted(right):
        raise Unsupported(f"equation {equation}")  # sums over a dimension of one operand alone

    def size(letters: str) -> int:
        return prod(sizes[k] for k in letters)

    def shape(letters: str) -> tuple[int, ...]:
        return tuple(sizes[k] for k in letters)

    x = _permuted(net, a, left, batch + rows + inner)
    if b.data is not None and not batch and rows and inner:
        weights = _permuted(net, b, right, columns + inner)
        assert weights.data is not None
        x = reshaped(net, x, (*shape(rows), size(inner)))
        kernel = weights.data.reshape(size(columns), size(inner))
        y = fully_connected(net, x, b, kernel, None, None)
    else:
        x = reshaped(net, x, (size(batch), size(rows), size(inner)))
        w = reshaped(net, _permuted(net, b, right, batch + inner + columns), (size(batch), size(inner), size(columns)))
        y = product(net, x, w)
    y = reshaped(net, y, shape(batch + rows + columns))
    return (_permuted(net, y, batch + rows + columns, out),)


LOWERINGS = {"Einsum": Lowering(_einsum, (12,))}
