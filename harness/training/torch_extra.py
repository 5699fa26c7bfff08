"""PyTorch, which the extra `search` brings: the one place that imports it."""

from __future__ import annotations

from harness.errors import PackageMissingError

try:
    import torch
    from torch import fx, nn
    from torch.nn import functional
except ImportError:
    raise PackageMissingError.of("torch", "training a network", "search") from None

__all__ = ["functional", "fx", "nn", "torch"]
