"""The steps that recipes have, by the keys of their entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from harness.recipes.distil import distil
from harness.recipes.project import project
from harness.recipes.prune import prune
from harness.recipes.quantize import quantize
from harness.recipes.tune import tune
from harness.recipes.workshop import Workshop
from harness.training.network import TorchNetwork

Step: TypeAlias = Callable[[TorchNetwork, Any, Workshop], TorchNetwork]

STEPS: Mapping[str, Step] = {
    "prune": prune,
    "project": project,
    "distil": distil,
    "tune": tune,
    "quantize": quantize,
}
