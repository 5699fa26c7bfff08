"""SVDF in plain C."""

from __future__ import annotations

from typing import cast

import numpy as np

from harness.ir.operators import OPERATORS
from harness.ir.operators.svdf import BIAS, TIME, WEIGHTS, SvdfAttrs
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, StateOf, packed
from harness.kernels.context import Context
from harness.kernels.convolution import quads_beside
from harness.kernels.work import Work
from harness.quantization.fixedpoint import Ints, wrap32
from harness.quantization.params import svdf_params
from harness.quantization.types import Array, DType

_TYPES = OPERATORS["SVDF"].types


def padded_rows(weights: Ints) -> Ints:
    """Rows of weights, to a multiple of four rows with zeros."""
    return np.pad(weights, ((0, -len(weights) % 4), (0, 0)))


class SvdfS8Portable(Kernel):
    """int8 with a state of int8: four filters at a time."""

    ops = frozenset({"SVDF"})
    types = tuple(t for t in _TYPES if t.states == (DType.INT8,))
    function = "svdf_s8_portable"
    state = DType.INT8

    def lower(self, context: Context) -> Lowered:
        weights, time = constant(context, WEIGHTS).astype(np.int64), constant(context, TIME).astype(np.int64)
        state = context.graph.states[context.node.states[0]].quant
        assert state is not None
        table = self.pack(padded_rows(weights))
        attrs = cast(SvdfAttrs, context.node.attrs)
        starts = -context.input().q.zero_point * weights.sum(axis=1)
        biases = _bias(context) - state.zero_point * time.reshape(len(time) // attrs.rank, -1).sum(axis=1)
        kind = f"{self.state.value}_t"
        arguments = (
            In(),
            self.weights("weights", table),
            ConstantTable("starts", "int32_t", packed(np.pad(wrap32(starts), (0, -len(starts) % 4)), "int32")),
            ConstantTable("time", kind, packed(time, self.state.value)),
            ConstantTable("biases", "int32_t", packed(np.pad(wrap32(biases), (0, -len(biases) % 4)), "int32")),
            StateOf(ctype=kind),
            Out(),
        )
        shape = self._shape(context) | {"quad": table.size // (-(-len(weights) // 4))}
        return Lowered(self.function, (Call(self.function, arguments, shape),))

    def pack(self, weights: Ints) -> Ints:
        """Weights as the kernel reads them, [4 * n, in]."""
        return quads_beside(weights)

    def weights(self, name: str, values: Ints) -> ConstantTable:
        """The table of packed weights."""
        return ConstantTable(name, "int8_t", packed(values, "int8"))

    def _shape(self, context: Context) -> dict[str, int]:
        x, y = context.input(), context.output()
        attrs = cast(SvdfAttrs, context.node.attrs)
        state = context.graph.states[context.node.states[0]].quant
        assert state is not None
        features, output = svdf_params(x, context.input(WEIGHTS), context.input(TIME), y, state)
        low, high = self.state.range
        return {
            **sizes(context),
            **{"features_multiplier": features.m, "features_shift": features.shift},
            **{"state_low": low, "state_high": high, "state_zero": state.zero_point},
            **{"out_multiplier": output.m, "out_shift": output.shift, "out_zero": y.q.zero_point},
            **{"clamp_min": attrs.clamp[0], "clamp_max": attrs.clamp[1]},
        }

    def work(self, context: Context) -> Work:
        batches, filters = context.input().shape[0], context.input(WEIGHTS).shape[0]
        rows = batches * filters
        quads = batches * -(-filters // 4)
        return Work(
            {
                "quad": quads,
                "tap": quads * context.input().shape[1],
                "filter": rows,
                "step": rows * context.input(TIME).shape[1],
                "unit": context.output().elements,
            }
        )


class SvdfS8S16Portable(SvdfS8Portable):
    """int8 with a state of int16."""

    types = tuple(t for t in _TYPES if t.states == (DType.INT16,))
    function = "svdf_s8_s16_portable"
    state = DType.INT16


class SvdfF32Portable(Kernel):
    """float32."""

    ops = frozenset({"SVDF"})
    types = tuple(t for t in _TYPES if t.x is DType.FLOAT32)

    def lower(self, context: Context) -> Lowered:
        attrs = cast(SvdfAttrs, context.node.attrs)
        (low, high), (lowest, highest) = attrs.clamp, DType.FLOAT32.range
        clamp = {
            **{"has_low": int(low != lowest), "low": low if low != lowest else 0},
            **{"has_high": int(high != highest), "high": high if high != highest else 0},
        }
        arguments = (
            In(ctype="float"),
            ConstantTable("weights", "float", packed(constant(context, WEIGHTS), "float32")),
            ConstantTable("time", "float", packed(constant(context, TIME), "float32")),
            ConstantTable("biases", "float", packed(_bias(context), "float32")),
            StateOf(ctype="float"),
            Out(ctype="float"),
        )
        shape = sizes(context) | clamp
        return Lowered("svdf_f32_portable", (Call("svdf_f32_portable", arguments, shape),))

    def work(self, context: Context) -> Work:
        rows = context.input().shape[0] * context.input(WEIGHTS).shape[0]
        taps, steps = context.input().shape[1], context.input(TIME).shape[1]
        return Work({"tap": rows * taps, "step": rows * steps, "filter": rows, "unit": context.output().elements})


def sizes(context: Context) -> dict[str, int]:
    """The fields of a shape that say how many there are."""
    x, time = context.input(), context.input(TIME)
    rank = cast(SvdfAttrs, context.node.attrs).rank
    filters, memory = time.shape
    return {"batches": x.shape[0], "in_n": x.shape[1], "filters": filters, "rank": rank, "memory": memory}


def constant(context: Context, index: int) -> Array:
    """The values of a constant input."""
    data = context.input(index).data
    assert data is not None
    return data


def _bias(context: Context) -> Array:
    bias = context.optional(BIAS)
    if bias is None or bias.data is None:
        return np.zeros(context.output().shape[1], np.int64)
    return bias.data if bias.dtype is DType.FLOAT32 else bias.data.astype(np.int64)


KERNELS: tuple[Kernel, ...] = (SvdfS8Portable(), SvdfS8S16Portable(), SvdfF32Portable())
