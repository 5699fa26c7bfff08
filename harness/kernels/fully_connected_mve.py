"""FULLY_CONNECTED, int8, on Armv8.1-M MVE."""

from __future__ import annotations

from harness.kernels.accesses import Accesses, rows
from harness.kernels.base import Call, Context, Cost, In, Kernel, Lowered, Out, Scratch, Table
from harness.kernels.convolution import weights_of
from harness.kernels.convolution_mve import block_of, pairs
from harness.kernels.mve import (
    LANES,
    MAX_CHANNELS,
    MVE,
    layer_scaling,
    output_shape,
    pack_fully_connected,
    pack_gemm,
    readable,
    split_depth,
)


class FullyConnectedS8Mve(Kernel):
    """Fully connected layers, row by row."""

    ops = frozenset({"FULLY_CONNECTED"})
    features = MVE

    def lower(self, context: Context) -> Lowered:
        x, weights = context.input(), weights_of(context)
        channels, depth = weights.shape
        scale = layer_scaling(context, weights)
        steps, tail = split_depth(depth)
        fours = channels % 8 if channels % 8 <= 4 else 0
        shape = {"rows": x.elements // depth, "depth": depth, "steps": steps, "tail": tail}
        shape |= {"eights": channels - fours, "fours": fours, **output_shape(context, scale.form)}
        scratch = self._scratch(depth)
        table = Table("packed", "int32_t", pack_fully_connected(weights, scale))
        arguments = (In(), table, Out(), Scratch() if scratch else Out())
        return Lowered("fully_connected_s8_mve", (Call("fully_connected_s8_mve", arguments, shape),), scratch)

    def _scratch(self, depth: int) -> int:
        return 0 if readable(depth) else LANES * split_depth(depth)[0]

    def accesses(self, context: Context) -> Accesses:
        channels, depth = context.input(1).shape
        return rows(context, depth, channels, block_of(channels, 8) if readable(depth) else None)

    def cost(self, context: Context) -> Cost:
        channels, depth = context.input(1).shape
        return Cost(context.output().elements * (depth / 7 + 6) + 100, self._scratch(depth))


class FullyConnectedRowsS8Mve(Kernel):
    """Fully connected layers of two rows and more: a 1x1 convolution."""

    ops = frozenset({"FULLY_CONNECTED"})
    features = MVE

    def applies(self, context: Context) -> bool:
        channels, depth = context.input(1).shape
        return context.input().elements // depth > 1 and 4 <= channels <= MAX_CHANNELS and readable(depth)

    def lower(self, context: Context) -> Lowered:
        x, weights = context.input(), weights_of(context)
        channels, depth = weights.shape
        scale = layer_scaling(context, weights)
        steps, tail = split_depth(depth)
        shape = {"pixels": x.elements // depth, "x_step": depth, "steps": steps, "tail": tail, "out_c": channels}
        shape |= output_shape(context, scale.form)
        table = Table("packed", "int32_t", pack_gemm(weights, scale))
        return Lowered("conv_1x1_s8_mve", (Call("conv_1x1_s8_mve", (In(), table, Out()), shape),))

    def accesses(self, context: Context) -> Accesses:
        return pairs(context, context.input(1).shape[1])

    def cost(self, context: Context) -> Cost:
        channels, depth = context.input(1).shape
        return Cost(context.output().elements * (depth / 9 + 5) + 100)


KERNELS: tuple[Kernel, ...] = (FullyConnectedS8Mve(), FullyConnectedRowsS8Mve())
