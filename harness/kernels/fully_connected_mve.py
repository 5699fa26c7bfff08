"""FULLY_CONNECTED, int8, on Armv8.1-M MVE."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from harness.ir.operators.operator import EITHER_ROUNDING
from harness.kernels.access_order import AccessOrder, rows
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch
from harness.kernels.context import Context
from harness.kernels.convolution_mve import (
    block_of,
    depth_of,
    gemm_loops,
    in_runs,
    is_one_by_one,
    packed_bytes,
    pairs,
)
from harness.kernels.mve import (
    EIGHT,
    FLOAT,
    GENERAL,
    LANES,
    MAX_CHANNELS,
    SIGNED,
    Int8s,
    Packing,
    gemm_form,
    layer_form,
    mve_requant,
    output_shape,
    pack_fully_connected,
    pack_gemm,
    pack_uniform,
    readable,
    split_depth,
)
from harness.kernels.mve_kernel import Loops, MveKernel
from harness.kernels.quantized_layer import QuantizedLayer, quantized_layer


class FullyConnectedS8Mve(MveKernel):
    """Fully connected layers, row by row.

    Attributes:
        function: in C.
        packing: of weights.
    """

    ops = frozenset({"FULLY_CONNECTED"})
    roundings = EITHER_ROUNDING
    function: ClassVar[str] = "fully_connected_s8_mve"
    packing: ClassVar[Packing] = "s8"

    def matrix(self, layer: QuantizedLayer) -> Int8s:
        """What is packed: the weights, or what stands for them, [channels, taps]."""
        return layer.weights.astype(np.int8)

    def sizes(self, context: Context) -> tuple[int, int, int]:
        """(rows, outputs, inputs of a row)."""
        channels, depth = context.input(1).shape
        return context.input().elements // depth, channels, depth

    def lower(self, context: Context) -> Lowered:
        layer, (count, channels, depth) = quantized_layer(context), self.sizes(context)
        weights, scale = self.matrix(layer), mve_requant(layer)
        steps, tail = split_depth(depth)
        fours = channels % 8 if channels % 8 <= 4 else 0
        shape = {"rows": count, "depth": depth, "steps": steps, "tail": tail}
        shape |= {"eights": channels - fours, "fours": fours, **output_shape(layer, scale.form)}
        scratch = self.scratch(context)
        table = ConstantTable("packed", "int32_t", pack_fully_connected(weights, scale, self.packing))
        arguments = (In(), table, Out(), Scratch() if scratch else Out())
        return Lowered(self.function, (Call(self.function, arguments, shape),), scratch)

    def access_order(self, context: Context) -> AccessOrder:
        _, channels, depth = self.sizes(context)
        return rows(context, depth, channels, block_of(channels, 8) if readable(depth) else None)

    def scratch(self, context: Context) -> int:
        _, _, depth = self.sizes(context)
        return 0 if readable(depth) else LANES * split_depth(depth)[0]

    def loops(self, context: Context) -> Loops:
        count, channels, depth = self.sizes(context)
        steps, tail = split_depth(depth)
        form = layer_form(context)
        eights, fours = count * (channels // 8 + (channels % 8 > 4)), count * (0 < channels % 8 <= 4)
        return {
            "row": count,
            "copied": 0 if readable(depth) else count * (10 + steps),
            "eight": eights,
            "four": fours,
            "step8": eights * steps,
            "step4": fours * steps,
            "round": (eights + fours) * -(-steps // 4),
            "tail8": eights * (tail > 0),
            "tail4": fours * (tail > 0),
            "general": (2 * eights + fours) * (form == GENERAL),
            "in_float": (2 * eights + fours) * (form == FLOAT),
        }

    def reads(self, context: Context) -> float:
        return self.loops(context)["row"]

    def flash(self, context: Context) -> int:
        _, channels, depth = self.sizes(context)
        steps, tail = split_depth(depth)
        form = layer_form(context)
        padded = -(-channels // 4) * 4 if 0 < channels % 8 <= 4 else -(-channels // 8) * 8
        weights = LANES * steps + 8 * (tail > 0)
        packed = weights if self.packing == "s8" else weights // 2
        return padded * (packed + 9 + (form == GENERAL) - (form == FLOAT) + 3 * (form == SIGNED))


class FullyConnectedUniformS8Mve(MveKernel):
    """Fully connected layers whose outputs share a multiplier, row by row: eight outputs at least."""

    ops = frozenset({"FULLY_CONNECTED"})

    def applies(self, context: Context) -> bool:
        if context.input(1).shape[0] < EIGHT:
            return False
        scale = mve_requant(quantized_layer(context))
        return scale.by_factors and len(set(zip(scale.multiplier, scale.shift, strict=True))) == 1

    def lower(self, context: Context) -> Lowered:
        layer, (channels, depth) = quantized_layer(context), context.input(1).shape
        scale = mve_requant(layer)
        shape = {"rows": context.input().elements // depth, "depth": depth, "outputs": channels}
        shape |= {"multiplier": int(scale.multiplier[0]), "factor": int(scale.factors[0])}
        shape["out_zero"] = layer.zero_point
        table = ConstantTable("packed", "int32_t", pack_uniform(layer.weights.astype(np.int8), scale))
        call = Call("fully_connected_uniform_s8_mve", (In(), table, Out()), shape)
        return Lowered("fully_connected_uniform_s8_mve", (call,))

    def access_order(self, context: Context) -> AccessOrder:
        channels, depth = context.input(1).shape
        return rows(context, depth, channels, block_of(channels, EIGHT))

    def loops(self, context: Context) -> Loops:
        channels, depth = context.input(1).shape
        count, vectors = context.input().elements // depth, -(-depth // LANES)
        blocks, loaded = count * -(-channels // EIGHT), max(vectors - _HELD, 0)
        far = depth > EIGHT * LANES
        return {
            "row": count,
            "back": count * (channels % EIGHT > 0),
            "block": blocks,
            "held": blocks * min(vectors, _HELD),
            "step": blocks * loaded,
            "far": blocks * far,
            "round": blocks * -(-loaded // 12) * far,
        }

    def reads(self, context: Context) -> float:
        return self.loops(context)["row"]

    def flash(self, context: Context) -> int:
        channels, depth = context.input(1).shape
        return -(-channels // EIGHT) * EIGHT * (4 + -(-depth // LANES) * LANES)


_HELD = 4
"""Vectors of a row that stay in registers."""


class Conv1x1FewS8Mve(FullyConnectedS8Mve):
    """1x1 convolutions of fewer channels than a block: a fully connected layer of every pixel."""

    ops = frozenset({"CONV_2D"})
    roundings = EITHER_ROUNDING

    def applies(self, context: Context) -> bool:
        return context.output().shape[3] < 4 and is_one_by_one(context)

    def sizes(self, context: Context) -> tuple[int, int, int]:
        window = in_runs(context)
        return window.pixels, context.output().shape[3], depth_of(window)


class FullyConnectedRowsS8Mve(MveKernel):
    """Fully connected layers of two rows and more: a 1x1 convolution; attributes as those of FullyConnectedS8Mve."""

    ops = frozenset({"FULLY_CONNECTED"})
    roundings = EITHER_ROUNDING
    function: ClassVar[str] = "conv_1x1_s8_mve"
    packing: ClassVar[Packing] = "s8"

    def applies(self, context: Context) -> bool:
        channels, depth = context.input(1).shape
        return context.input().elements // depth > 1 and 4 <= channels <= MAX_CHANNELS and readable(depth)

    def lower(self, context: Context) -> Lowered:
        x, layer = context.input(), quantized_layer(context)
        weights, scale = layer.weights.astype(np.int8), mve_requant(layer)
        channels, depth = weights.shape
        steps, tail = split_depth(depth)
        shape = {"pixels": x.elements // depth, "x_step": depth, "steps": steps, "tail": tail, "out_c": channels}
        form = gemm_form(layer, depth, self.packing)
        shape |= output_shape(layer, form) | {"out_step": channels}
        table = ConstantTable("packed", "int32_t", pack_gemm(weights, scale, self.packing, form))
        return Lowered(self.function, (Call(self.function, (In(), table, Out()), shape),))

    def access_order(self, context: Context) -> AccessOrder:
        return pairs(context, context.input(1).shape[1])

    def loops(self, context: Context) -> Loops:
        depth = context.input(1).shape[1]
        form = gemm_form(quantized_layer(context), depth, self.packing)
        return gemm_loops(context, 1, context.input().elements // depth, depth, form, alone=True)

    def reads(self, context: Context) -> float:
        return self.loops(context)["pair"]

    def flash(self, context: Context) -> int:
        channels, depth = context.input(1).shape
        form = gemm_form(quantized_layer(context), depth, self.packing)
        return packed_bytes(channels, depth, form, self.packing)


KERNELS: tuple[Kernel, ...] = (
    FullyConnectedS8Mve(),
    FullyConnectedUniformS8Mve(),
    Conv1x1FewS8Mve(),
    FullyConnectedRowsS8Mve(),
)
