"""A recipe of all steps for a network that trains in seconds."""

from __future__ import annotations

from typing import Any

TINY: dict[str, Any] = {
    "name": "tiny",
    "data": "digits",
    "board": "nucleo-l4r5",
    "network": [
        {"conv": {"channels": 16, "kernel": 3, "stride": 2}},
        "depthwise",
        {"conv": {"channels": 32}},
        "global_pool",
        {"dense": {"outputs": 10}},
    ],
    "train": {"epochs": 2, "batch": 64},
    "steps": [
        {"prune": {"cycles": 0.85, "rounds": 2, "multiple": 2, "train": {"epochs": 1, "batch": 64}}},
        {"project": {"weights": 0.9, "energy": 0, "multiple": 1, "train": {"epochs": 1}}},
        {"distil": {"width": 1, "multiple": 1, "train": {"epochs": 1}}},
        "tune",
        "quantize",
    ],
}
