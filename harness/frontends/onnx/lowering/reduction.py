"""Reductions over dimensions, ArgMax and ArgMin, and CumSum."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from harness.frontends.onnx.arithmetic import Arithmetic
from harness.frontends.onnx.moving import part_of, reshaped
from harness.frontends.onnx.network import Network
from harness.frontends.onnx.node import Lower, Lowering, OnnxNode, Unsupported, axes_of, axis_of, must_be
from harness.frontends.onnx.value import OnnxValue, identity
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.mean import MeanAttrs
from harness.ir.operators.reduce import ArgAttrs, ReduceAttrs
from harness.ir.operators.reverse import ReverseAttrs
from harness.ir.operators.running import CumsumAttrs
from harness.quantization.types import DType


def without(order: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    """The order of the dimensions that are left without some."""
    left = sorted(i for i in order if i not in axes)
    return tuple(left.index(i) for i in order if i not in axes)


def reduced(net: Network, op: str, x: OnnxValue, axes: Sequence[int], *, keep: bool) -> OnnxValue:
    """A reduction over ONNX's dimensions `axes`."""
    must_be(x, DType.FLOAT32)
    if not axes:
        return x
    order = x.order or identity(x.rank)
    tensor = net.stored(x, order)
    places = tuple(sorted(order.index(a) for a in axes))
    shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if keep or i not in axes)
    new_order = order if keep else without(order, axes)
    attrs = (MeanAttrs if op == "MEAN" else ReduceAttrs)(places, keep)
    return net.made(shape, net.emit(op, [tensor], [shape[i] for i in new_order], attrs), new_order)


def axes_from(node: OnnxNode, rank: int, since: int) -> tuple[int, ...]:
    """Axes of a reduction: an attribute before opset `since`, an input from then on; all where there are none."""
    if node.version < since:
        found = node.integers("axes")
        nothing = False
    else:
        found = node.numbers(1, "axes")
        nothing = node.integer("noop_with_empty_axes") != 0
    if found is None or len(found) == 0:
        return () if nothing else identity(rank)
    return axes_of(found, rank)


def _reduction(op: str, before: str = "", after: str = "", since: int = 18) -> Lower:
    """Of the elements by an Arithmetic method `before`, and of the result by `after`."""

    def lower(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
        x = node.value(0)
        must_be(x, DType.FLOAT32)
        axes, keep = axes_from(node, x.rank, since), node.integer("keepdims", 1) != 0
        math = Arithmetic(net)
        if before:
            x = getattr(math, before)(x)
        y = reduced(net, op, x, axes, keep=keep)
        return (getattr(math, after)(y) if after else y,)

    return lower


def _log_sum_exp(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    """Less the largest, which no exponential overflows of."""
    x = node.value(0)
    must_be(x, DType.FLOAT32)
    axes, keep = axes_from(node, x.rank, 18), node.integer("keepdims", 1) != 0
    math = Arithmetic(net)
    if not axes:
        raise Unsupported("no axes")
    most = reduced(net, "REDUCE_MAX", x, axes, keep=True)
    summed = reduced(net, "SUM", math.exp(math.sub(x, most)), axes, keep=True)
    y = math.add(math.log(summed), most)
    return (y if keep else reshaped(net, y, [n for i, n in enumerate(x.shape) if i not in axes]),)


def arg_along(net: Network, op: str, x: OnnxValue, axis: int, *, keep: bool, last: bool = False) -> OnnxValue:
    """ARG_MAX or ARG_MIN along one of ONNX's dimensions; of equal elements the first, or the last."""
    order = x.order or identity(x.rank)
    tensor, place = net.stored(x, order), order.index(axis)
    left = without(order, (axis,))
    shape = [n for i, n in enumerate(x.shape) if i != axis]
    stored = [shape[i] for i in left]
    if last:
        tensor = net.emit("REVERSE_V2", [tensor], net.tensors[tensor].shape, ReverseAttrs((place,)))
    y = net.emit(op, [tensor], stored, ArgAttrs(place), DType.INT32)
    if last:
        end = net.constant(np.array([x.shape[axis] - 1], np.int32))
        y = net.emit("SUB", [end, y], stored or (1,), BinaryAttrs(DType.INT32.range))
        y = net.reshaped(y, stored)
    made = net.made(shape, y, left, DType.INT64)
    return reshaped(net, made, [1 if i == axis else n for i, n in enumerate(x.shape)]) if keep else made


def _arg(op: str) -> Lower:
    def lower(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
        x = node.value(0)
        must_be(x, DType.FLOAT32)
        axis, keep = axis_of(node.integer("axis"), x.rank), node.integer("keepdims", 1) != 0
        return (arg_along(net, op, x, axis, keep=keep, last=node.integer("select_last_index") != 0),)

    return lower


def _product(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    """Slices multiplied one after another."""
    x = node.value(0)
    must_be(x, DType.FLOAT32)
    axes, keep = axes_from(node, x.rank, 18), node.integer("keepdims", 1) != 0
    if prod(x.shape[a] for a in axes) > _MOST_FACTORS:
        raise Unsupported(f"more than {_MOST_FACTORS} factors")
    math, y = Arithmetic(net), x
    for axis in axes:
        counts = [1 if i == axis else n for i, n in enumerate(y.shape)]
        starts = ([k if i == axis else 0 for i in range(y.rank)] for k in range(y.shape[axis]))
        parts = [part_of(net, y, start, [1] * y.rank, counts) for start in starts]
        y = parts[0]
        for part in parts[1:]:
            y = math.mul(y, part)
    return (y if keep else reshaped(net, y, [n for i, n in enumerate(x.shape) if i not in axes]),)


_MOST_FACTORS = 64


def _cumsum(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x = node.value(0)
    must_be(x, DType.FLOAT32)
    found = node.numbers(1, "axis")
    if found is None or len(found) != 1:
        raise Unsupported("no axis")
    axis, exclusive, reverse = axis_of(found[0], x.rank), node.integer("exclusive"), node.integer("reverse")
    order = x.order or identity(x.rank)
    tensor = net.stored(x, order)
    attrs = CumsumAttrs(order.index(axis), bool(exclusive), bool(reverse))
    return (net.made(x.shape, net.emit("CUMSUM", [tensor], net.tensors[tensor].shape, attrs), order),)


_PLAIN, _EXTREME = (1, 11, 13, 18), (1, 11, 12, 13, 18, 20)

LOWERINGS = {
    "ReduceSum": Lowering(_reduction("SUM", since=13), (1, 11, 13)),
    "ReduceMean": Lowering(_reduction("MEAN"), _PLAIN),
    "ReduceMax": Lowering(_reduction("REDUCE_MAX"), _EXTREME),
    "ReduceMin": Lowering(_reduction("REDUCE_MIN"), _EXTREME),
    "ReduceL1": Lowering(_reduction("SUM", "abs"), _PLAIN),
    "ReduceL2": Lowering(_reduction("SUM", "square", "sqrt"), _PLAIN),
    "ReduceSumSquare": Lowering(_reduction("SUM", "square"), _PLAIN),
    "ReduceLogSum": Lowering(_reduction("SUM", "", "log"), (*_PLAIN, 28)),
    "ReduceLogSumExp": Lowering(_log_sum_exp, (*_PLAIN, 28)),
    "ReduceProd": Lowering(_product, _PLAIN),
    "ArgMax": Lowering(_arg("ARG_MAX"), (1, 11, 12, 13)),
    "ArgMin": Lowering(_arg("ARG_MIN"), (1, 11, 12, 13)),
    "CumSum": Lowering(_cumsum, (11, 14)),
}
