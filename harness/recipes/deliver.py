"""What a recipe leaves behind: the int8 .tflite, vectors with labels, and a card that holds it to its figures."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import yaml

from harness.errors import ResultsError
from harness.files.writing import reason, write_whole, writing_hint
from harness.frontends.tflite.reader import load
from harness.recipes.run import RecipeRun
from harness.training.export import int8_accuracy


def deliver(run: RecipeRun, folder: Path) -> Path:
    """Writes NAME.tflite, NAME_vectors.npz and NAME.hil.yaml; returns the card's path.

    The card wants outputs and layers exact, the accuracy that the network has on these vectors, and its arena.

    Raises:
        ResultsError: they cannot be written.
    """
    name, count, data = run.recipe.name, run.recipe.vectors, run.data
    x, y = data.test_x[:count], data.test_y[:count]
    right = int8_accuracy(load(run.model, name=name), x, y)
    packed = io.BytesIO()
    np.savez(packed, input_0=x, labels=y)
    card = {
        "model": f"{name}.tflite",
        "vectors": f"{name}_vectors.npz",
        "checks": {"outputs": "exact", "layers": "exact", "accuracy": {"min": math.floor(right * 1e4) / 1e4}},
        "budgets": {run.recipe.board: {"arena": run.rows[-1].costs.arena}},
        **({"labels": list(data.classes)} if data.classes else {}),
    }
    files: dict[str, str | bytes] = {
        f"{name}.tflite": run.model,
        f"{name}_vectors.npz": packed.getvalue(),
        f"{name}.hil.yaml": yaml.safe_dump(card, sort_keys=False, width=120),
    }
    for file, content in files.items():
        try:
            write_whole(folder / file, content)
        except OSError as error:
            raise ResultsError(
                f"{folder / file} cannot be written: {reason(error)}", hint=writing_hint(folder / file, error)
            ) from None
    return folder / f"{name}.hil.yaml"
