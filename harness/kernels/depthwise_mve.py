"""DEPTHWISE_CONV_2D, int8, on Armv8.1-M MVE."""

from __future__ import annotations

from harness.graph import ConvAttrs
from harness.kernels.base import Call, Context, Cost, In, Kernel, Lowered, Out, Scratch, Table
from harness.kernels.convolution import weights_of
from harness.kernels.convolution_mve import Geometry, geometry
from harness.kernels.mve import LANES, MVE, layer_scaling, output_shape, pack_records, pack_scale


class DepthwiseConv3x3S8Mve(Kernel):
    """3x3 depthwise convolutions with stride 1 and multiplier 1, in place or not."""

    ops = frozenset({"DEPTHWISE_CONV_2D"})
    features = MVE

    def applies(self, context: Context) -> bool:
        g = geometry(context)
        attrs = context.node.attrs
        assert isinstance(attrs, ConvAttrs)
        channels = context.output().shape[3]
        plain = (g.kernel_h, g.kernel_w) == (3, 3) and attrs.stride == (1, 1) and attrs.dilation == (1, 1)
        return plain and channels == g.in_c and max(g.pad_top, g.pad_left) <= 2 and _offsets_fit(g, channels)

    def by_rows(self, g: Geometry) -> bool:
        """Whether the inner dimension is a row."""
        return g.in_c < LANES or _pairs_cost(g.out_h, g.out_w) <= _pairs_cost(g.out_w, g.out_h)

    def strip(self, g: Geometry) -> int:
        """Bytes of scratch."""
        inner = g.out_w if self.by_rows(g) else g.out_h
        return (4 * -(-inner // 4) + 2) * 4 * min(g.in_c, LANES) + 64 * (g.in_c < LANES)

    def lower(self, context: Context) -> Lowered:
        g = geometry(context)
        rows = self.by_rows(g)
        taps = weights_of(context)[0]  # row, column, channel
        inner_first = taps.transpose(1, 0, 2) if rows else taps
        records = inner_first.reshape(9, g.in_c).T
        scale = layer_scaling(context, records)
        row, column, out_row = g.in_w * g.in_c, g.in_c, g.out_w * g.in_c
        sizes = ((g.in_w, g.in_h), (g.out_w, g.out_h), (column, row), (column, out_row), (g.pad_left, g.pad_top))
        names = ("in_{}", "out_{}", "in_{}_step", "out_{}_step", "pad_{}")
        shape = {"batches": g.batches, "channels": g.in_c}
        for name, pair in zip(names, sizes, strict=True):
            inner, outer = pair if rows else pair[::-1]
            shape |= {name.format("inner"): inner, name.format("outer"): outer}
        shape |= {"in_zero": context.input().q.zero_point, **output_shape(context, scale.form)}
        tables = Table("scale", "int32_t", pack_scale(scale)), Table("taps", "int8_t", pack_records(records, scale))
        call = Call("depthwise_conv_3x3_s8_mve", (In(), *tables, Out(), Scratch()), shape)
        return Lowered("depthwise_conv_3x3_s8_mve", (call,), self.strip(g))

    def overwritable(self, context: Context) -> tuple[int, ...]:
        # By columns, an output must land on its own pixel.
        g = geometry(context)
        smaller = g.batches == 1 and g.out_h <= g.in_h and g.out_w <= g.in_w
        return (0,) if smaller and (self.by_rows(g) or g.out_w == g.in_w) else ()

    def cost(self, context: Context) -> Cost:
        g = geometry(context)
        cost = _pairs_cost(g.out_h, g.out_w)
        return Cost(g.batches * g.in_c * (cost if self.by_rows(g) else _pairs_cost(g.out_w, g.out_h)), self.strip(g))


def _pairs_cost(outer: int, inner: int) -> float:
    """Instructions a channel of a 3x3 depthwise convolution."""
    return (outer + 1) // 2 * (28 + 28 * (inner // 4) + 32 * (inner % 4 > 0) + (inner + 2) * 17 / LANES)


def _offsets_fit(g: Geometry, channels: int) -> bool:
    """Whether a round's outputs lie within uint16 of each other, by rows or by columns."""
    return (g.out_w + 8) * channels * 4 <= 65535


KERNELS: tuple[Kernel, ...] = (DepthwiseConv3x3S8Mve(),)
