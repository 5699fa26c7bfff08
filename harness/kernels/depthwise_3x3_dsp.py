"""DEPTHWISE_CONV_2D 3x3, int8, on cores with the DSP extension."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.ir.operators.operator import EITHER_ROUNDING
from harness.ir.window import ConvAttrs, WindowAxis
from harness.kernels.access_order import NEVER, AccessOrder
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.quantized_layer import quantized_layer
from harness.kernels.scaling_dsp import DSP, SaturatingRequant, clamp_loops, clamped, depthwise_requant
from harness.kernels.work import Reuse, Work
from harness.quantization.fixedpoint import Ints, wrap32


@dataclass(frozen=True)
class Tile:
    """How the kernels of a stride work; see depthwise_3x3_asm.h.

    Attributes:
        held: lines of a window. shared: lines of two windows. strip: lines from one strip to the next.
        window: strips of a window.
    """

    held: int
    shared: int
    strip: int
    window: int

    @property
    def pair(self) -> int:
        """Bytes of a pair of elements: two channels, all lines."""
        return 8 * self.held


def _tile(stride: int) -> Tile:
    header = f"depthwise_3x3_tile_s{stride}_asm.h"
    held, shared, strip, window = (
        constant(header, f"HIL_TILE_S{stride}_{name}") for name in ("HELD", "SHARED", "STRIP", "WINDOW")
    )
    return Tile(held, shared, strip, window)


MOST_LEFT = 7
"""Left shifts of a channel's sums: weights doubled once more often still are int16."""

TILES = {stride: _tile(stride) for stride in (1, 2)}


@dataclass(frozen=True)
class Lines:
    """An image seen as lines v of elements u, with 3 taps of one stride along both.

    Attributes:
        rows: whether the lines are the image's rows.
    """

    u: WindowAxis
    v: WindowAxis
    rows: bool

    @property
    def tile(self) -> Tile:
        return TILES[self.u.stride]

    @property
    def tiles(self) -> int:
        """Of a strip."""
        return (self.u.out + 1) // 2

    @property
    def strips(self) -> int:
        return (self.v.out + 1) // 2

    @property
    def steps(self) -> float:
        """Tiles, and what each strip takes beside them."""
        return self.strips * (self.tiles + 1) - self.last_alone * self.tiles / 2

    @property
    def last_alone(self) -> bool:
        """Whether the last strip is one line, and tiles of its own compute it."""
        return self.u.stride == 1 and self.v.out % 2 == 1

    @property
    def pairs(self) -> int:
        """Of a line in scratch."""
        return self.u.stride * self.tiles + 1

    @property
    def scratch(self) -> int:
        """Bytes."""
        return self.pairs * self.tile.pair

    @property
    def copied(self) -> int:
        """Elements of a line that are copied."""
        return min(self.u.size, 2 * self.pairs - self.u.pad_before)

    def shape(self, channels: int, zero: int) -> dict[str, int]:
        """The C shape."""
        u, v = self.u, self.v
        columns, element, line = (u, 1, 0) if self.rows else (v, 0, 1)
        in_steps, out_steps = (columns.size * channels, channels), (columns.out * channels, channels)
        lead = u.pad_before % 2
        rest = self.copied - lead
        tile = self.tile.pair * u.stride
        return {
            "in_u": in_steps[element],
            "in_v": in_steps[line],
            "lines": v.size,
            "pad_v": v.pad_before,
            "quads": rest // 4,
            "lead": lead,
            "tail": rest // 2 % 2 + 2 * (rest % 2),
            "first": self.tile.pair * (u.pad_before // 2),
            "pairs": self.pairs,
            "zero": (zero & 0xFFFF) | (zero << 16),
            "channels": channels,
            "step": 1 if channels % 2 else 2,
            "strips": self.strips,
            "odd_v": v.out % 2,
            "run": tile * (u.out // 2),
            "odd_u": u.out % 2,
            "out_u": out_steps[element],
            "out_v": out_steps[line],
        }

    @property
    def windows(self) -> int:
        return -(-self.strips // self.tile.window)

    def read_in(self, line: Ints) -> Ints:
        """The window for which a line of the image is copied, or NEVER."""
        place = line + self.v.pad_before
        last = self.tile.shared + self.tile.strip * self.strips
        window = np.maximum(place - self.tile.shared, 0) // (self.tile.strip * self.tile.window)
        return np.where(place < last, window, NEVER)

    def written_in(self, line: Ints) -> Ints:
        """The window in which a line of the output is computed."""
        return line // (2 * self.tile.window)

    @property
    def in_place(self) -> bool:
        """Whether the lines of the output may lie over as many bytes of the image's first lines."""
        if self.windows == 1:
            return True
        written, read = self.written_in(np.arange(self.v.out)), self.read_in(np.arange(self.v.size))
        if not self.rows:
            return self.v.out == self.v.size and bool((written >= read).all())
        over = (np.arange(self.v.out + 1) * self.u.out + self.u.size - 1) // self.u.size
        return all(bool((read[: over[line + 1]] <= written[line]).all()) for line in range(self.v.out))


class DepthwiseConv3x3S8Dsp(Kernel):
    """3x3, stride 1, multiplier 1, one image, through a window of int16 lines; see depthwise_3x3_asm.h."""

    ops = frozenset({"DEPTHWISE_CONV_2D"})
    roundings = EITHER_ROUNDING
    features = DSP
    function = "depthwise_conv_3x3_s8_dsp"
    stride = 1

    def applies(self, context: Context) -> bool:
        window = context.window
        axes = (window.rows, window.columns)
        plain = all((a.kernel, a.stride, a.dilation) == (3, self.stride, 1) and a.pad_before <= 2 for a in axes)
        if not plain or window.batches != 1 or window.out_c != window.in_c:
            return False
        scale = depthwise_requant(context)
        return scale is not None and bool((scale.left <= MOST_LEFT).all())

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, ConvAttrs)
        weights = quantized_layer(context).weights
        scale = depthwise_requant(context)
        assert scale is not None
        lines = lines_of(context)
        shape = lines.shape(len(weights), context.input().q.zero_point)
        taps = weights.reshape(-1, 3, 3) if lines.rows else weights.reshape(-1, 3, 3).transpose(0, 2, 1)
        table = ConstantTable("packed", "int32_t", _records(_line_bytes(taps, self.stride), scale))
        call = Call(self.function, (In(), table, Out(), Scratch("int32_t")), shape)
        return Lowered(self.function, clamped(context, (call,), attrs.clamp), lines.scratch)

    def access_order(self, context: Context) -> AccessOrder:
        lines = lines_of(context)
        x, y = context.input(), context.output()
        channels = np.arange(x.shape[3]) // (1 if x.shape[3] % 2 else 2) * lines.windows
        read, written = lines.read_in(np.arange(lines.v.size)), lines.written_in(np.arange(lines.v.out))
        if lines.rows:
            read, written = read[:, None], written[:, None]
        steps_in = np.broadcast_to(read[..., None] + channels, x.shape[1:])
        unread = np.broadcast_to(read[..., None] < 0, x.shape[1:])
        steps_out = np.broadcast_to(written[..., None] + channels, y.shape[1:])
        reads = np.where(unread, NEVER, steps_in).astype(np.int32).reshape(-1)
        return AccessOrder({0: reads}, steps_out.astype(np.int32).reshape(-1), x.shape[3])

    def work(self, context: Context) -> Work:
        attrs = context.node.attrs
        assert isinstance(attrs, ConvAttrs)
        lines, channels = lines_of(context), context.output().shape[3]
        step = 1 if channels % 2 else 2
        groups = channels // step
        scale = depthwise_requant(context)
        assert scale is not None
        linear = int(scale.linear.sum())
        alone = lines.tiles * lines.last_alone
        tiles = lines.strips * lines.tiles
        windows = lines.windows
        seen = lines.tile.shared + lines.tile.strip * lines.strips
        copied = int((lines.read_in(np.arange(lines.v.size)) != NEVER).sum())
        fields = lines.shape(channels, 0)
        kind = "pair" if step == 2 else "single"
        loops = {
            "fill": lines.pairs,
            "group": groups,
            "window": groups * windows,
            "line": groups * copied,
            "padding_line": groups * (seen - copied),
            "padding": groups * (seen - copied) * lines.pairs * (windows > 1),
            f"{kind}_quad": groups * copied * fields["quads"],
            f"{kind}_rest": groups * copied * (fields["lead"] + fields["tail"] % 2 + fields["tail"] // 2),
            "moved": groups * (windows - 1) * lines.pairs,
            "channel": channels,
            "strip": channels * lines.strips,
            "half": channels * lines.strips * fields["odd_u"],
            "tile": linear * (tiles - alone),
            "line_tile": linear * alone,
            "rounded_tile": (channels - linear) * tiles,
            **clamp_loops(context, attrs.clamp),
        }
        loops = {"pair_quad": 0, "single_quad": 0, "pair_rest": 0, "single_rest": 0, **loops}
        x, y = context.input(), context.output()
        reuse = (
            Reuse("input", x.bytes, groups, lines.scratch),
            Reuse("output", y.bytes, groups, lines.scratch),
            Reuse("weights", 28 * channels, 1),
        )
        return Work(loops, reuse, lines.scratch)


class DepthwiseConv3x3S8DualIssue(DepthwiseConv3x3S8Dsp):
    """The same, with loads that the M7 issues beside multiplications."""

    features = frozenset({"dsp", "dual-issue"})
    function = "depthwise_conv_3x3_s8_dual_issue"


class DepthwiseConv3x3Stride2S8Dsp(DepthwiseConv3x3S8Dsp):
    """3x3 with stride 2."""

    function = "depthwise_conv_3x3_s2_s8_dsp"
    stride = 2


class DepthwiseConv3x3Stride2S8DualIssue(DepthwiseConv3x3S8DualIssue):
    """3x3 with stride 2, for the M7."""

    function = "depthwise_conv_3x3_s2_s8_dual_issue"
    stride = 2


def lines_of(context: Context) -> Lines:
    """Rows or columns, whichever makes fewer steps; the output over the input comes first."""
    window = context.window
    rows, columns = Lines(window.columns, window.rows, True), Lines(window.rows, window.columns, False)
    return min(rows, columns, key=lambda lines: (not lines.in_place, lines.steps, not lines.rows))


def _line_bytes(taps: Ints, stride: int) -> Ints:
    """(channels, line, byte) of taps (channels, line, element): bytes 0 and 2 make a pair of int16, 1 and 3 another."""
    k0, k1, k2 = taps[:, :, 0], taps[:, :, 1], taps[:, :, 2]
    if stride == 1:
        return np.stack([k0, k1, k1, k2], axis=2)
    zero = np.zeros(len(taps), np.int64)
    low, high = np.stack([k2[:, 0], zero, k2[:, 2]], axis=1), np.stack([k2[:, 1], zero, k2[:, 2]], axis=1)
    return np.stack([k0, low, k1, high], axis=2)


def _records(lines: Ints, scale: SaturatingRequant) -> npt.NDArray[np.int32]:
    """The records of channels from lines of four weights each."""
    words = np.ascontiguousarray(lines.astype(np.int8)).view("<i4")[:, :, 0]
    records: list[Ints] = []
    for channel, three in enumerate(words):
        records += [three.astype(np.int64), _constants(scale, channel)]
    return np.concatenate(records).astype(np.int32)


def _constants(scale: SaturatingRequant, channel: int) -> Ints:
    """Start and multiplier of the linear form; else of doubled sums, and addend, and shift with doublings above it."""
    start, multiplier = scale.start[channel], scale.multiplier[channel]
    if scale.linear[channel]:
        return np.array([start, multiplier], np.int64)
    doublings = scale.left[channel] + 1
    rest = (~multiplier, scale.addend[channel], scale.shift[channel] | doublings << 8)
    return np.array([wrap32(start << doublings), *rest], np.int64)


KERNELS: tuple[Kernel, ...] = (
    DepthwiseConv3x3S8Dsp(),
    DepthwiseConv3x3S8DualIssue(),
    DepthwiseConv3x3Stride2S8Dsp(),
    DepthwiseConv3x3Stride2S8DualIssue(),
)
