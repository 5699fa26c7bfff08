"""Networks of MobileNet-like blocks as plain records: a stem, stages of blocks, the mean of each channel, outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.fit.shapes import NetworkShape


@dataclass(frozen=True)
class BlockShape:
    """1x1 to `expansion` times the channels (left out for 1), depthwise, 1x1: with a sum where input and output agree.

    Attributes:
        kernel: of the depthwise convolution.
        expansion: channels within, as a multiple of those of the input.
    """

    kernel: int
    expansion: int


@dataclass(frozen=True)
class StageShape:
    """Blocks on images of one size; the first of them has the stride.

    Attributes:
        channels: of each block's output.
        stride: of the first block.
        blocks: in order.
    """

    channels: int
    stride: int
    blocks: tuple[BlockShape, ...]


@dataclass(frozen=True)
class Architecture:
    """A network.

    Attributes:
        size: (height, width, channels) of the input.
        stem: channels of the first convolution.
        stem_stride: its stride; its kernel is 3x3.
        stages: in order.
        classes: outputs.
    """

    size: tuple[int, int, int]
    stem: int
    stem_stride: int
    stages: tuple[StageShape, ...]
    classes: int

    @property
    def text(self) -> str:
        """In a line: `28 s12/2 | 16: 3x1 5x3 | 24/2: 3x3`, blocks as kernel x expansion."""
        stages = [
            f"{s.channels}{f'/{s.stride}' if s.stride > 1 else ''}: "
            + " ".join(f"{b.kernel}x{b.expansion}" for b in s.blocks)
            for s in self.stages
            if s.blocks
        ]
        return " | ".join([f"{self.size[0]} s{self.stem}/{self.stem_stride}", *stages])

    def document(self) -> dict[str, Any]:
        """JSON-ready; `architecture_from` reads it."""
        return asdict(self)


def architecture_from(document: Mapping[str, Any]) -> Architecture:
    """What `document` made."""
    stages = tuple(
        StageShape(s["channels"], s["stride"], tuple(BlockShape(b["kernel"], b["expansion"]) for b in s["blocks"]))
        for s in document["stages"]
    )
    height, width, channels = document["size"]
    return Architecture(
        (height, width, channels), document["stem"], document["stem_stride"], stages, document["classes"]
    )


def shape_of(net: Architecture) -> NetworkShape:
    """The architecture's layers, for costs."""
    made = NetworkShape.begin(net.size)
    x = made.conv(made.input, net.stem, kernel=3, stride=net.stem_stride)
    for stage in net.stages:
        for number, block in enumerate(stage.blocks):
            stride = stage.stride if number == 0 else 1
            depth = made.shape_of(x)[-1]
            y = made.conv(x, depth * block.expansion) if block.expansion > 1 else x
            y = made.depthwise(y, kernel=block.kernel, stride=stride)
            y = made.conv(y, stage.channels, clamped=False)
            x = made.add(x, y) if stride == 1 and depth == stage.channels else y
    made.dense(made.mean(x), net.classes)
    return made


def rounded(channels: float, multiple: int = 4) -> int:
    """A number of channels that kernels like: the nearest multiple, at least one of it."""
    return max(multiple, multiple * round(channels / multiple))


def scaled(net: Architecture, width: float) -> Architecture:
    """The same blocks with all channels times a width."""
    stages: Sequence[StageShape] = [StageShape(rounded(s.channels * width), s.stride, s.blocks) for s in net.stages]
    return Architecture(net.size, rounded(net.stem * width), net.stem_stride, tuple(stages), net.classes)
