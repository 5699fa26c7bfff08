"""Architectures as torch modules: one alone, and the supernet whose members share its weights."""

from __future__ import annotations

import random
from typing import Any

from harness.search.architecture import Architecture, BlockShape
from harness.search.space import SearchSpace
from harness.training.loop import Loss
from harness.training.torch_extra import functional, nn, torch


class Alone(nn.Module):  # type: ignore[misc]
    """One architecture, as it is trained and exported: [n, channels, height, width] -> [n, classes]."""

    def __init__(self, net: Architecture) -> None:
        super().__init__()
        self.net = net
        depth = net.size[2]
        layers: list[Any] = [*_conv(depth, net.stem, 3, net.stem_stride), nn.ReLU()]
        depth = net.stem
        for stage in net.stages:
            for number, block in enumerate(stage.blocks):
                stride = stage.stride if number == 0 else 1
                layers.append(_AloneBlock(depth, stage.channels, block, stride))
                depth = stage.channels
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(depth, net.classes)

    def forward(self, x: Any) -> Any:
        """Outputs, before any softmax."""
        return self.head(self.features(x).mean((2, 3)))


class _AloneBlock(nn.Module):  # type: ignore[misc]
    def __init__(self, depth: int, channels: int, block: BlockShape, stride: int) -> None:
        super().__init__()
        inner = depth * block.expansion
        layers: list[Any] = [*_conv(depth, inner, 1), nn.ReLU()] if block.expansion > 1 else []
        layers += [*_conv(inner, inner, block.kernel, stride, inner), nn.ReLU(), *_conv(inner, channels, 1)]
        self.body = nn.Sequential(*layers)
        self.sums = stride == 1 and depth == channels

    def forward(self, x: Any) -> Any:
        return x + self.body(x) if self.sums else self.body(x)


def _conv(depth: int, channels: int, kernel: int, stride: int = 1, groups: int = 1) -> tuple[Any, Any]:
    made = nn.Conv2d(depth, channels, kernel, stride, kernel // 2, groups=groups, bias=False)
    return made, nn.BatchNorm2d(channels)


class Supernet(nn.Module):  # type: ignore[misc]
    """All members of a space in the widest's weights: the first channels, the middle of kernels, the first blocks.

    Batch norms take the statistics of the batch at hand, in evaluation as well, since those of members differ.
    """

    def __init__(self, space: SearchSpace) -> None:
        super().__init__()
        widest = self.widest = space.widest()
        self.stem = nn.Conv2d(widest.size[2], widest.stem, 3, widest.stem_stride, 1, bias=False)
        self.stem_norm = nn.BatchNorm2d(widest.stem, track_running_stats=False)
        self.blocks = nn.ModuleList()
        depth = widest.stem
        for stage in widest.stages:
            made = nn.ModuleList()
            for number, block in enumerate(stage.blocks):
                made.append(_SharedBlock(depth, stage.channels, block, stage.stride if number == 0 else 1))
                depth = stage.channels
            self.blocks.append(made)
        self.head = nn.Linear(depth, widest.classes)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Any, net: Architecture | None = None) -> Any:
        """Outputs of a member; of the widest without one."""
        net = net or self.widest
        x = torch.relu(_normed(self.stem_norm, functional.conv2d(x, self.stem.weight[: net.stem], None,
                                                                  net.stem_stride, 1)))  # fmt: skip
        for stage, shared in zip(net.stages, self.blocks, strict=True):
            for block, layer in zip(stage.blocks, shared, strict=False):
                x = layer(x, stage.channels, block)
        x = x.mean((2, 3))
        return functional.linear(x, self.head.weight[:, : x.shape[1]], self.head.bias)


class _SharedBlock(nn.Module):  # type: ignore[misc]
    def __init__(self, depth: int, channels: int, block: BlockShape, stride: int) -> None:
        super().__init__()
        inner = depth * block.expansion
        self.kernel, self.stride = block.kernel, stride
        self.expand, self.expand_norm = nn.Conv2d(depth, inner, 1, bias=False), _batch_norm(inner)
        self.depthwise = nn.Conv2d(inner, inner, block.kernel, stride, groups=inner, bias=False)
        self.depthwise_norm = _batch_norm(inner)
        self.project, self.project_norm = nn.Conv2d(inner, channels, 1, bias=False), _batch_norm(channels)

    def forward(self, x: Any, channels: int, block: BlockShape) -> Any:
        depth = x.shape[1]
        inner, y = depth * block.expansion, x
        if block.expansion > 1:
            y = functional.conv2d(y, self.expand.weight[:inner, :depth])
            y = torch.relu(_normed(self.expand_norm, y))
        cut = (self.kernel - block.kernel) // 2
        taps = slice(cut, cut + block.kernel)
        weights = self.depthwise.weight[:inner, :, taps, taps]
        y = functional.conv2d(y, weights, None, self.stride, block.kernel // 2, groups=inner)
        y = torch.relu(_normed(self.depthwise_norm, y))
        y = _normed(self.project_norm, functional.conv2d(y, self.project.weight[:channels, :inner]))
        return x + y if self.stride == 1 and depth == channels else y


def _batch_norm(channels: int) -> Any:
    return nn.BatchNorm2d(channels, track_running_stats=False)


def _normed(norm: Any, x: Any) -> Any:
    count = x.shape[1]
    return functional.batch_norm(x, None, None, norm.weight[:count], norm.bias[:count], True)


def sandwich(space: SearchSpace, seed: int) -> Loss:
    """A loss of each step: the widest member by the labels, the smallest and a drawn one by the widest's outputs.

    Source: Yu and Huang 2019, "Universally slimmable networks": sandwich rule and in-place distillation. What step n
    draws is a matter of the seed and n alone: a training that goes on draws the same.
    """

    def loss(module: Any, x: Any, y: Any) -> Any:
        module.steps += 1
        made = module(x)
        found = functional.cross_entropy(made, y)
        found.backward()
        taught = functional.softmax(made.detach(), 1)
        for net in (space.smallest(), space.draw(random.Random(f"{seed} {int(module.steps)}"))):
            functional.cross_entropy(module(x, net), taught).backward()
        return found.detach()

    return loss
