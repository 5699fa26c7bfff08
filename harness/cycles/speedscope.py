"""A prediction as a speedscope file, which opens in https://www.speedscope.app and viewers of its kind.

The format is https://www.speedscope.app/file-format-schema.json: frames, and samples that are stacks of frames with a
weight. Modelled cycles and executed instructions are two profiles in one file: a viewer shows one at a time.
"""

from __future__ import annotations

from typing import Any

from harness.cycles.predict import Prediction
from harness.elf.symbols import Symbols
from harness.version import __version__

SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def speedscope(prediction: Prediction) -> dict[str, Any]:
    """The file's content: a stack of layer, function and source line for each line of code that was executed."""
    symbols = Symbols(prediction.profile.elf)
    frames: dict[tuple[str, str, int], int] = {}

    def frame(name: str, file: str = "", line: int = 0) -> int:
        return frames.setdefault((name, file, line), len(frames))

    def profile(name: str, weights: dict[tuple[int, ...], float]) -> dict[str, Any]:
        return {
            "type": "sampled",
            "name": name,
            "unit": "none",
            "startValue": 0,
            "endValue": sum(weights.values()),
            "samples": [list(stack) for stack in weights],
            "weights": list(weights.values()),
        }

    cycles: dict[tuple[int, ...], float] = {}
    instructions: dict[tuple[int, ...], float] = {}
    for estimated, executed in zip(prediction.estimate.layers, prediction.profile.layers, strict=True):
        root = frame(f"{estimated.index} {estimated.name}")
        for address, count in executed.counts.items():
            place = symbols.at(address)
            function = place.function if place else "?"
            stack: tuple[int, ...] = (root, frame(function))
            if place and place.file:
                stack = (root, frame(function, place.file), frame(f"{place.file}:{place.line}", place.file, place.line))
            instructions[stack] = instructions.get(stack, 0) + count
            spent = sum(estimated.by_address.get(address, {}).values())
            if spent:
                cycles[stack] = cycles.get(stack, 0.0) + spent
    estimate = prediction.estimate
    where = estimate.board or f"{estimate.core} alone"
    return {
        "$schema": SCHEMA,
        "name": f"{prediction.profile.model} on {where}",
        "exporter": f"tinyhil {__version__}",
        "activeProfileIndex": 0,
        "shared": {
            "frames": [
                {"name": name, **({"file": file} if file else {}), **({"line": line} if line else {})}
                for name, file, line in frames
            ]
        },
        "profiles": [
            profile(f"modelled cycles, {where} ({estimate.label})", cycles),
            profile("instructions", instructions),
        ],
    }
