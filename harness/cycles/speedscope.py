"""Modelled cycles as a speedscope file, for https://www.speedscope.app and similar viewers.

The format is https://www.speedscope.app/file-format-schema.json: frames, and samples that are stacks of frames with a
weight. Modelled cycles and executed instructions are two profiles in one file: a viewer shows one at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.cycles.engine import Estimate
from harness.cycles.profile import Profile
from harness.elf.symbols import Symbols
from harness.version import __version__

SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def speedscope(profile: Profile, estimate: Estimate, roots: Sequence[Sequence[str]] = ()) -> dict[str, Any]:
    """The file's content: a stack of layer, function and source line for each executed line of code.

    Args:
        profile, estimate: of a model, or of a program's regions.
        roots: by layer, the frames that its functions lie in, the outermost first; empty: each its own.
    """
    stacks = _Stacks(profile, estimate, roots or [[f"{one.index} {one.name}"] for one in profile.layers])
    where = estimate.board or f"{estimate.core} alone"
    return {
        "$schema": SCHEMA,
        "name": f"{profile.model} on {where}",
        "exporter": f"tinyhil {__version__}",
        "activeProfileIndex": 0,
        "shared": {
            "frames": [
                {"name": name, **({"file": file} if file else {}), **({"line": line} if line else {})}
                for name, file, line in stacks.frames
            ]
        },
        "profiles": [
            _profile(f"modelled cycles, {where} ({estimate.label})", stacks.cycles),
            _profile("instructions", stacks.instructions),
        ],
    }


def _profile(name: str, weights: Mapping[tuple[int, ...], float]) -> dict[str, Any]:
    return {
        "type": "sampled",
        "name": name,
        "unit": "none",
        "startValue": 0,
        "endValue": sum(weights.values()),
        "samples": [list(stack) for stack in weights],
        "weights": list(weights.values()),
    }


class _Stacks:
    """Cycles and instructions by stack of frames.

    Attributes:
        frames: (name, file, line) -> number.
        cycles, instructions: stack as numbers of frames -> cycles, instructions.
    """

    def __init__(self, profile: Profile, estimate: Estimate, roots: Sequence[Sequence[str]]) -> None:
        self.frames: dict[tuple[str, str, int], int] = {}
        self.cycles: dict[tuple[int, ...], float] = {}
        self.instructions: dict[tuple[int, ...], float] = {}
        self._symbols = Symbols(profile.elf)
        for estimated, executed, outer in zip(estimate.layers, profile.layers, roots, strict=True):
            within = [self._frame(name) for name in outer]
            for address, count in executed.counts.items():
                stack = (*within, *self._frames_of(address))
                self.instructions[stack] = self.instructions.get(stack, 0) + count
                spent = sum(estimated.by_address.get(address, {}).values())
                if spent:
                    self.cycles[stack] = self.cycles.get(stack, 0.0) + spent

    def _frames_of(self, address: int) -> tuple[int, ...]:
        """Frames of function and line; of the function alone where no line is known."""
        place = self._symbols.at(address)
        if place is None:
            return (self._frame("?"),)
        function = self._frame(place.function, place.file)
        if not place.file:
            return (function,)
        return function, self._frame(f"{place.file}:{place.line}", place.file, place.line)

    def _frame(self, name: str, file: str = "", line: int = 0) -> int:
        return self.frames.setdefault((name, file, line), len(self.frames))
