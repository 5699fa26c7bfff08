"""Spaces of architectures: what may differ within one, and drawing, changing and crossing of its members."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.search.architecture import Architecture, BlockShape, StageShape, rounded

KERNELS = (3, 5, 7)
EXPANSIONS = (1, 2, 3, 4)
_SMALL = 16
"""Pixels: smaller images are not halved by the stem, and keep their resolution."""
SHARES = (0.5, 0.75, 1.0, 1.25)
"""Of the space's channels that a stage may have."""


@dataclass(frozen=True)
class StagePlan:
    """What a space allows in a stage.

    Attributes:
        channels: most, before the width multiplier.
        stride: of its first block.
        depth: fewest and most blocks; a stage of stride 1 may have none.
    """

    channels: int
    stride: int
    depth: tuple[int, int]


@dataclass(frozen=True)
class SearchSpace:
    """Architectures of one width multiplier and resolution.

    Attributes:
        width: times the channels of stem and stages.
        size: (height, width, channels) of the input.
        classes: outputs.
        stem: most channels of the stem, before the multiplier.
        stem_stride: its stride.
        stages: in order.
        kernels, expansions: of blocks.
    """

    width: float
    size: tuple[int, int, int]
    classes: int
    stem: int
    stem_stride: int
    stages: tuple[StagePlan, ...]
    kernels: tuple[int, ...] = KERNELS
    expansions: tuple[int, ...] = EXPANSIONS

    @property
    def text(self) -> str:
        """Such as `w0.75 r24`."""
        return f"w{self.width:g} r{self.size[0]}"

    def channels(self, most: int) -> tuple[int, ...]:
        """Numbers of channels that a stem or stage of at most so many may have, ascending."""
        return tuple(sorted({rounded(most * self.width * share) for share in SHARES}))

    def widest(self) -> Architecture:
        """The largest member: what a supernet has weights for."""
        block = BlockShape(max(self.kernels), max(self.expansions))
        stages = tuple(StageShape(self.channels(s.channels)[-1], s.stride, (block,) * s.depth[1]) for s in self.stages)
        return self._made(self.channels(self.stem)[-1], stages)

    def smallest(self) -> Architecture:
        """The smallest member."""
        block = BlockShape(min(self.kernels), min(self.expansions))
        stages = tuple(StageShape(self.channels(s.channels)[0], s.stride, (block,) * s.depth[0]) for s in self.stages)
        return self._made(self.channels(self.stem)[0], stages)

    def draw(self, rng: random.Random) -> Architecture:
        """A member; all choices are equally likely."""
        stages = tuple(
            StageShape(
                rng.choice(self.channels(s.channels)),
                s.stride,
                tuple(self._block(rng) for _ in range(rng.randint(*s.depth))),
            )
            for s in self.stages
        )
        return self._made(rng.choice(self.channels(self.stem)), stages)

    def changed(self, net: Architecture, rng: random.Random, rate: float = 0.15) -> Architecture:
        """A member in which each choice is drawn anew with this probability."""
        drawn = self.draw(rng)
        stages = []
        for old, new, plan in zip(net.stages, drawn.stages, self.stages, strict=True):
            depth = rng.randint(*plan.depth) if rng.random() < rate else len(old.blocks)
            blocks = [*old.blocks, *(self._block(rng) for _ in range(depth))][:depth]
            channels = new.channels if rng.random() < rate else old.channels
            stages.append(StageShape(channels, old.stride, tuple(self._changed(block, rng, rate) for block in blocks)))
        stem = drawn.stem if rng.random() < rate else net.stem
        return self._made(stem, tuple(stages))

    def crossed(self, one: Architecture, other: Architecture, rng: random.Random) -> Architecture:
        """A member whose stem and stages are each of one of two others."""
        stages = tuple(rng.choice(pair) for pair in zip(one.stages, other.stages, strict=True))
        return self._made(rng.choice((one.stem, other.stem)), stages)

    def _block(self, rng: random.Random) -> BlockShape:
        return BlockShape(rng.choice(self.kernels), rng.choice(self.expansions))

    def _changed(self, block: BlockShape, rng: random.Random, rate: float) -> BlockShape:
        kernel = rng.choice(self.kernels) if rng.random() < rate else block.kernel
        return BlockShape(kernel, rng.choice(self.expansions) if rng.random() < rate else block.expansion)

    def _made(self, stem: int, stages: tuple[StageShape, ...]) -> Architecture:
        """A member; a stage without blocks has no channels to tell apart, and takes the fewest."""
        told = tuple(
            stage if stage.blocks else replace(stage, channels=self.channels(plan.channels)[0])
            for stage, plan in zip(stages, self.stages, strict=True)
        )
        return Architecture(self.size, stem, self.stem_stride, told, self.classes)


def spaces_for(
    size: tuple[int, int, int], classes: int, widths: Sequence[float] = (), resolutions: Sequence[int] = ()
) -> tuple[SearchSpace, ...]:
    """Width multipliers x resolutions, for pictures of this size: each halved until some 4 pixels are left.

    Images of 16 pixels and more are halved by the stem as well.
    """
    height, width, channels = size
    found = []
    usual = [round(height * share) for share in ((1, 6 / 7, 5 / 7) if height >= _SMALL else (1,))]
    for resolution in resolutions or usual:
        large = resolution >= _SMALL
        stages = (StagePlan(16, 1, (0, 2)), StagePlan(32, 2, (1, 3)), StagePlan(64, 2, (1, 3)))
        pictures = (resolution, round(resolution * width / height), channels)
        base = SearchSpace(1.0, pictures, classes, 16, 2 if large else 1, stages)
        found += [replace(base, width=multiplier) for multiplier in widths or (0.5, 0.75, 1.0, 1.25)]
    return tuple(found)


def hand_made(size: tuple[int, int, int], classes: int) -> Architecture:
    """What one would scale by hand: 3x3 throughout, an expansion of 3 and two blocks a stage, as many a MobileNet."""
    block = BlockShape(3, 3)
    later = (StageShape(32, 2, (block, block)), StageShape(64, 2, (block, block)))
    stages = (StageShape(16, 1, (BlockShape(3, 1),)), *later)
    return Architecture(size, 16, 2 if size[0] >= _SMALL else 1, stages, classes)
