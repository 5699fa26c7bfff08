"""Recipes on Fashion-MNIST: what pruning, projection, distillation and all of it cost in accuracy, against targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

import yaml
from rich.console import Console

from tests.bench.common import table
from tests.support.paths import REPOSITORY

RECIPES = REPOSITORY / "examples" / "recipes"
_SHORT = Path(gettempdir()) / "tinyhil-bench-recipes"
"""Kept, so that a bench that was stopped goes on."""

_MOST_LOST, _ALL_LOST, _INT8 = 0.007, 0.015, 0.003
"""Accuracy that a step may cost, that all may cost, and that int8 may differ by."""


@dataclass(frozen=True)
class Target:
    """A figure beside what it is to be."""

    what: str
    figure: str
    wanted: str
    is_met: bool


def run(console: Console) -> None:
    """Carries out the recipes of examples/recipes, and prints every step and every target."""
    from harness.recipes.run import RecipeRow

    rows: dict[str, tuple[RecipeRow, ...]] = {}
    for name in ("clothes", "clothes-half", "clothes-pruned", "clothes-projected"):
        rows[name] = _carried_out(name)
        told = table(name, "step", "float", "int8", "MACs", "weights", "arena", "flash", "cycles", "s")
        for row in rows[name]:
            c = row.costs
            figures = (f"{row.float_accuracy:.4f}", f"{row.int8_accuracy:.4f}")
            sizes = (c.macs, c.weights, c.arena, c.flash, c.cycles)
            told.add_row(row.step, *figures, *(f"{size:,}" for size in sizes), f"{row.seconds:.0f}")
        console.print(told)
    told = table("targets", "what", "figure", "wanted", "")
    for target in _targets(rows):
        told.add_row(target.what, target.figure, target.wanted, "met" if target.is_met else "missed")
    console.print(told)


def _carried_out(name: str) -> tuple:
    from harness.recipes.file import RecipeFile
    from harness.recipes.run import run_recipe

    return run_recipe(RecipeFile.model_validate(recipe_of(name)), _SHORT / name, base=RECIPES).rows


def recipe_of(name: str) -> dict:
    """A recipe of examples/recipes; `clothes-half` is the student of clothes, trained alone."""
    if name != "clothes-half":
        return yaml.safe_load((RECIPES / f"{name}.yaml").read_text(encoding="utf-8"))
    found = recipe_of("clothes")
    width = found["steps"][0]["distil"]["width"]
    for block in found["network"]:
        if isinstance(block, dict) and "conv" in block:
            block["conv"]["channels"] = round(block["conv"]["channels"] * width)
    return {**found, "train": found["steps"][0]["distil"]["train"] | {"teacher_weight": 0}, "steps": []}


def _targets(rows: dict) -> Iterator[Target]:
    teacher, student, *_, last = rows["clothes"]
    (alone,) = rows["clothes-half"]
    first, pruned = rows["clothes-pruned"]
    yield _cut("pruning: cycles", pruned.costs.cycles / first.costs.cycles, 0.5)
    yield _lost("pruning: accuracy, int8", first, pruned, _MOST_LOST)
    whole, projected = rows["clothes-projected"]
    yield _cut("projection: weights", projected.costs.weights / whole.costs.weights, 0.5)
    yield _lost("projection: accuracy, int8", whole, projected, _MOST_LOST)
    back = (student.int8_accuracy - alone.int8_accuracy) / (teacher.int8_accuracy - alone.int8_accuracy)
    yield Target("distillation: won back of what half the width loses", f"{back:.0%}", "50 %", back >= 0.5)
    yield _cut("all: cycles", last.costs.cycles / teacher.costs.cycles, 0.25)
    yield _lost("all: accuracy, int8", teacher, last, _ALL_LOST)
    off = max(abs(row.float_accuracy - row.int8_accuracy) for found in rows.values() for row in found)
    yield Target("int8 from float, the worst step", f"{off:.2%}", f"{_INT8:.1%}", off <= _INT8)


def _cut(what: str, share: float, most: float) -> Target:
    return Target(what, f"{share:.3f}x", f"{most:g}x", share <= most)


def _lost(what: str, before, after, most: float) -> Target:
    lost = before.int8_accuracy - after.int8_accuracy
    return Target(what, f"{-lost:+.2%}", f"{-most:+.1%}", lost <= most)
