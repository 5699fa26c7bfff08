"""Small torch networks of the kinds that harness.training takes; imported where torch is needed only."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding="same", groups=channels, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU6(),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x):
        return torch.relu(x + self.layers(x))


class Named(nn.Module):
    """Functions in place of modules."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 6, 3, 2, 1)
        self.norm = nn.BatchNorm2d(6)
        self.last = nn.Linear(6, 10)

    def forward(self, x):
        x = functional.relu6(self.norm(self.first(x)))
        return self.last(x.mean((2, 3)))


def mobile(channels: int = 16) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, channels, 3, 2, 1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU6(),
        Residual(channels),
        nn.Conv2d(channels, 24, 3, padding=1),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(24, 10),
    )


def flat() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, (3, 2), (1, 2), bias=False),
        nn.BatchNorm2d(4),
        nn.MaxPool2d(2, 1),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(4 * 2 * 1, 20),
        nn.BatchNorm1d(20),
        nn.ReLU(),
        nn.Linear(20, 10),
    )


NETWORKS = {"mobile": mobile, "flat": flat, "named": Named}


def stirred(make: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """A module with weights and statistics as training might leave them."""
    torch.manual_seed(seed)
    module = make()
    drawn = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, values in module.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            noise = torch.randn(values.shape, generator=drawn)
            values.copy_(noise.abs() + 0.5 if name.endswith("running_var") else values + 0.3 * noise)
    return module.eval()
