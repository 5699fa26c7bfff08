"""UNIDIRECTIONAL_SEQUENCE_LSTM in plain C."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, cast

import numpy as np

from harness.ir.operators import OPERATORS
from harness.ir.operators.lstm import BIASES, CELL, HIDDEN, RECURRENT, WEIGHTS, LstmAttrs, lstm_sizes
from harness.kernels.base import Call, ConstantTable, Float, In, Kernel, Lowered, Out, StateOf, packed
from harness.kernels.context import Context
from harness.kernels.convolution import quads_beside
from harness.kernels.work import Reuse, Work
from harness.quantization.fixedpoint import Ints, upper_bits
from harness.quantization.lstm import LstmParams, lstm_params
from harness.quantization.params import Multiplier
from harness.quantization.sigmoid16 import sigmoid_table
from harness.quantization.types import DType, Quantization

Scale: TypeAlias = Callable[[str, Multiplier], dict[str, int]]
"""Name of a factor in the C shape, and the factor -> the fields of lstm_s8_factor."""

_NAME = "UNIDIRECTIONAL_SEQUENCE_LSTM"


def as_it_is(name: str, factor: Multiplier) -> dict[str, int]:
    """A factor for hil_requantize."""
    return {"multiplier": factor.m, "shift": factor.shift, "half": 0}


class LstmS8Portable(Kernel):
    """int8 with a cell state of int16, unit by unit: the four gates of a unit at a time."""

    ops = frozenset({_NAME})
    types = tuple(t for t in OPERATORS[_NAME].types if t.x is DType.INT8)
    function = "lstm_s8_portable"
    activation = "int8_t"
    scale = staticmethod(as_it_is)

    def lower(self, context: Context) -> Lowered:
        fed, back = gates(context, WEIGHTS), gates(context, RECURRENT)
        rows = [self.rows(weights) for weights in (fed, back)]
        tables = [self.pack(part) for part in rows]
        quads = [4 * table.size // len(part) for table, part in zip(tables, rows, strict=True)]
        starts = self.start_table(context)
        arguments = (
            In(ctype=self.activation),
            self.weights("weights", tables[0]),
            self.weights("recurrent", tables[1]),
            starts,
            sigmoid_constant(),
            StateOf(HIDDEN, self.activation),
            StateOf(CELL, "int16_t"),
            Out(ctype=self.activation),
        )
        shape = fields(context, self.scale) | {"in_quad": quads[0], "back_quad": quads[1]}
        return Lowered(self.function, (Call(self.function, arguments, shape),))

    def rows(self, weights: Ints) -> Ints:
        """Weights [4, units, taps] as rows [4 * n, taps]: a unit's four gates side by side."""
        return weights.transpose(1, 0, 2).reshape(-1, weights.shape[2])

    def starts(self, fed: Ints, back: Ints) -> Ints:
        """What sums [4, units] start with, as the kernel reads it."""
        return np.concatenate([fed.T, back.T], axis=1)

    def start_table(self, context: Context) -> ConstantTable:
        """What every sum starts with."""
        return ConstantTable("starts", "int32_t", packed(self.starts(*starts_of(context)), "int32"))

    def pack(self, weights: Ints) -> Ints:
        """Rows of weights as the kernel reads them, four at a time."""
        return quads_beside(weights)

    def weights(self, name: str, values: Ints) -> ConstantTable:
        """The table of packed weights."""
        return ConstantTable(name, "int8_t", packed(values, "int8"))

    def work(self, context: Context) -> Work:
        rows = context.output().elements
        depth, units = context.input().shape[-1], context.output().shape[-1]
        weights = Reuse("weights", 4 * units * (depth + units), rows / units)
        return Work({"unit": rows, "tap": rows * (depth + units), "step": rows // units}, (weights,))


class LstmS16Portable(LstmS8Portable):
    """int16 with int8 weights and int64 biases, unit by unit."""

    types = tuple(t for t in OPERATORS[_NAME].types if t.x is DType.INT16)
    function = "lstm_s16_portable"
    activation = "int16_t"

    def start_table(self, context: Context) -> ConstantTable:
        """The biases: there are no zero points."""
        return ConstantTable("biases", "int64_t", packed(gates(context, BIASES).T, "int64"))


class LstmF32Portable(Kernel):
    """float32, unit by unit."""

    ops = frozenset({_NAME})
    types = tuple(t for t in OPERATORS[_NAME].types if t.x is DType.FLOAT32)

    def lower(self, context: Context) -> Lowered:
        attrs = cast(LstmAttrs, context.node.attrs)
        fed, back, biases = (
            np.stack([np.asarray(context.input(first + i).data) for i in range(4)])
            for first in (WEIGHTS, RECURRENT, BIASES)
        )
        arguments = (
            In(ctype="float"),
            ConstantTable("weights", "float", packed(fed.transpose(1, 2, 0), "float32")),
            ConstantTable("recurrent", "float", packed(back.transpose(1, 2, 0), "float32")),
            ConstantTable("biases", "float", packed(biases.T, "float32")),
            StateOf(HIDDEN, "float"),
            StateOf(CELL, "float"),
            Out(ctype="float"),
            Float(attrs.clip),
        )
        return Lowered("lstm_f32_portable", (Call("lstm_f32_portable", arguments, sizes(context)),))

    def work(self, context: Context) -> Work:
        rows = context.output().elements
        depth, units = context.input().shape[-1], context.output().shape[-1]
        weights = Reuse("weights", 16 * units * (depth + units), rows / units)
        return Work({"unit": rows, "tap": rows * (depth + units), "step": rows // units}, (weights,))


def sigmoid_constant() -> ConstantTable:
    """TFLM's points of the sigmoid, one table for all layers of a model."""
    return ConstantTable("sigmoid", "uint16_t", packed(np.append(sigmoid_table(), 65535), "uint16"))


def gates(context: Context, first: int) -> Ints:
    """Weights [4, units, taps] from input `first` on."""
    return np.stack([np.asarray(context.input(first + i).data).astype(np.int64) for i in range(4)])


def quants(context: Context) -> tuple[Quantization, Quantization]:
    """Of the hidden and the cell state."""
    hidden, cell = (context.graph.states[context.node.states[i]].quant for i in (HIDDEN, CELL))
    assert hidden is not None and cell is not None
    return hidden, cell


def starts_of(context: Context) -> tuple[Ints, Ints]:
    """What the sums over inputs, and those over hidden values, start with, [4, units] each: zero points folded in."""
    zero = context.input().q.zero_point
    fed = gates(context, BIASES) - zero * gates(context, WEIGHTS).sum(axis=2)
    return fed, -quants(context)[0].zero_point * gates(context, RECURRENT).sum(axis=2)


def largest_sum(context: Context, most: int) -> int:
    """A bound of the magnitude of every sum of a gate, and of its parts, over activations of magnitude `most`."""
    fed, back = starts_of(context)
    sums = (
        np.abs(starts) + most * np.abs(gates(context, first)).sum(axis=2)
        for starts, first in ((fed, WEIGHTS), (back, RECURRENT))
    )
    return int(max(bound.max() for bound in sums))


def params_of(context: Context) -> LstmParams:
    """The layer's multipliers."""
    attrs = cast(LstmAttrs, context.node.attrs)
    weights = [context.input(i) for i in range(WEIGHTS, BIASES)]
    return lstm_params(context.input(), weights, *quants(context), attrs.clip)


def factors_of(params: LstmParams) -> dict[str, Multiplier]:
    """The layer's factors, by the names that the C shapes have for them."""
    fed = {f"fed[{i}]": factor for i, factor in enumerate(params.inputs)}
    back = {f"back[{i}]": factor for i, factor in enumerate(params.recurrent)}
    return {**fed, **back, "forget": params.forget, "added": params.added, "hidden": params.hidden}


def has_wide_factors(params: LstmParams) -> bool:
    """Whether `wide` holds for the factors of sums."""
    return all(-16 <= factor.shift <= 0 for factor in (*params.inputs, *params.recurrent))


def wide(factor: Multiplier) -> dict[str, int]:
    """The factor of 64-bit sums that fit 32 bits, as one number m: TFLM's product is (sum * m + 2^30) >> 31.

    TFLM has (sum * r + 2^(n - 1)) >> n, r the upper 15 bits and n = 15 - shift: the same for m = r * 2^(31 - n).
    """
    return {"multiplier": upper_bits(factor.m) << (16 + factor.shift), "shift": 0, "half": 0}


def sizes(context: Context) -> dict[str, int]:
    """The fields of a shape that say how many there are, and how far apart."""
    attrs = cast(LstmAttrs, context.node.attrs)
    batches, steps, depth = lstm_sizes(context.input().shape, attrs)
    units = context.output().shape[-1]
    shape = {"batches": batches, "steps": steps, "in_n": depth, "units": units}
    for name, size in (("x", depth), ("y", units)):
        shape[f"{name}_batch"] = size if attrs.time_major else size * steps
        shape[f"{name}_step"] = size * batches if attrs.time_major else size
    return shape


def fields(context: Context, scale: Scale) -> dict[str, int]:
    """The fields of lstm_s8_shape, without the sizes of packed weights."""
    params, shape = params_of(context), sizes(context)
    for name, factor in factors_of(params).items():
        shape |= {f"{name}.{key}": value for key, value in scale(name, factor).items()}
    low, high = (-params.clip, params.clip) if params.clip else DType.INT16.range
    return {
        **shape,
        "hidden_zero": quants(context)[0].zero_point,
        "tanh_multiplier": params.tanh_multiplier,
        "tanh_right": params.tanh_right,
        "clip_min": low,
        "clip_max": high,
    }


KERNELS: tuple[Kernel, ...] = (LstmS8Portable(), LstmS16Portable(), LstmF32Portable())
