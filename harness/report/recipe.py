"""A recipe that was carried out, as a JSON-ready document and as a table; docs/recipes.md describes the columns."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.report.document import SCHEMA_VERSION, Document, finite
from harness.report.table import ReportTable

if TYPE_CHECKING:  # it needs torch
    from harness.recipes.run import RecipeRun


def recipe_document(run: RecipeRun) -> Document:
    """The document of `tinyhil recipe`."""
    data = run.data
    return finite(
        {
            "kind": "recipe",
            "schema": SCHEMA_VERSION,
            "name": run.recipe.name,
            "board": run.recipe.board,
            "data": {
                "name": data.name,
                "sha256": data.sha256,
                "train": len(data.train_y),
                "held": len(data.held_y),
                "test": len(data.test_y),
            },
            "recipe": run.recipe.model_dump(mode="json", exclude_none=True),
            "steps": [asdict(row) for row in run.rows],
        }
    )


def steps(document: Document) -> ReportTable:
    """A line a step, the training of the first network first."""
    rows = tuple(
        (
            step["step"],
            f"{step['float_accuracy']:.4f}",
            f"{step['int8_accuracy']:.4f}",
            f"{step['costs']['macs']:,}",
            f"{step['costs']['weights']:,}",
            f"{step['costs']['arena']:,}",
            f"{step['costs']['flash']:,}",
            f"{step['costs']['cycles']:,}",
            f"{_share(document, step, 'cycles'):.2f}x",
            f"{step['seconds']:.0f}",
            step["scheme"],
        )
        for step in document["steps"]
    )
    columns = ("step", "float", "int8", "MACs", "weights", "arena B", "flash B", "cycles", "of first", "s", "scheme")
    return ReportTable(
        f"{document['name']} on {document['board']}",
        columns,
        rows,
        right=frozenset(columns[1:-1]),
        notes=tuple(f"{step['step']}: {said}" for step in document["steps"] for said in step["said"]),
        drop=("scheme", "weights", "MACs", "of first"),
    )


def summary(document: Document) -> list[str]:
    """What came of it, in words."""
    first, last, data = document["steps"][0], document["steps"][-1], document["data"]
    lost = 100 * (first["int8_accuracy"] - last["int8_accuracy"])
    change = f"{abs(lost):.2f} points of accuracy {'lost' if lost >= 0 else 'won'}"
    return [
        f"{document['name']}: {_share(document, last, 'cycles'):.2f} of the first network's modelled cycles, {change}",
        f"data: {data['name']}, trained on {data['train']:,}, decided by {data['held']:,}, told by {data['test']:,}",
        f"cycles are modelled ones of {document['board']}; flash with estimated code; accuracy over the test part",
    ]


def _share(document: Document, step: Document, key: str) -> float:
    """Of the first network's."""
    found: float = step["costs"][key] / document["steps"][0]["costs"][key]
    return found
