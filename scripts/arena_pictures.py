"""Writes docs/img: the arena over time of models in fixtures/, compiled for a Cortex-M4.

    python scripts/arena_pictures.py [FOLDER]

The same compiler writes the same pictures: run it after a change to kernels, passes or the planner.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from harness import frontends
from harness.compiler.compile import compile_graph
from harness.compiler.emit.manifest import manifest
from harness.compiler.goals import Goals, Mode
from harness.compiler.memory.arena import allocate
from harness.compiler.memory.lifetimes import Value
from harness.compiler.plan import Plan
from harness.report.arena import arena_document
from harness.report.html.arena import arena_map, standalone

ROOT = Path(__file__).resolve().parents[1]
CORE = "cortex-m4"
MODES: dict[str, tuple[Mode, ...]] = {"digits": ("balanced", "ram"), "residual": ("time", "balanced", "ram")}
"""Pictures of each model; all of a model are on one scale."""


def pictures() -> dict[str, str]:
    """SVG by file name."""
    made = {}
    for model, modes in MODES.items():
        graph = frontends.load(ROOT / "fixtures" / f"{model}.tflite")
        plans = {mode: compile_graph(graph, core=CORE, goals=Goals(mode)) for mode in modes}
        plans |= {"apart": without_overlap(plans["balanced"])}
        most = max(plan.arena_size for plan in plans.values())
        for name, plan in plans.items():
            arena = arena_document(plan, manifest(plan)["arena"])
            drawn = arena_map(arena, [layer.name for layer in plan.layers], most=most, row=20)
            made[f"arena-{model}-{name}.svg"] = standalone(drawn)
    return made


def without_overlap(plan: Plan) -> Plan:
    """The plan with every buffer in bytes of its own while it is needed, placed by the same search."""
    spans = list(dict.fromkeys((p.offset, p.size, p.first, p.last) for p in plan.placements))
    placed = allocate([Value("", size, first, last) for _, size, first, last in spans])
    moved = dict(zip(spans, placed.offsets, strict=True))
    apart = (replace(p, offset=moved[p.offset, p.size, p.first, p.last]) for p in plan.placements)
    return replace(plan, placements=tuple(apart), arena_size=placed.size)


def main() -> None:
    """Write every picture into the folder named, or docs/img."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "img"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pictures().items():
        (folder / name).write_text(text, encoding="utf-8")
        print(folder / name)


if __name__ == "__main__":
    main()
