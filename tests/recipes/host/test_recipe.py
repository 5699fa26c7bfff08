"""Recipes as files, carried out, stopped and gone on with, and delivered."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from harness.errors import RecipeError, ResultsError
from harness.recipes.file import StepChoice, read_recipe
from harness.recipes.run import run_recipe
from harness.recipes.steps import STEPS
from tests.cli.host.test_cli import tinyhil
from tests.support.absent import tinyhil_without
from tests.support.paths import REPOSITORY
from tests.support.scale import scaled
from tests.support.tiny_recipe import TINY

EXAMPLE = REPOSITORY / "examples" / "recipes" / "digits.yaml"


def written(folder: Path, **more: object) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({**TINY, **more}))
    return path


def carried_out(path: Path, folder: Path, progress=None):
    return run_recipe(read_recipe(path), folder, base=path.parent, progress=progress)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"steps": [{"prun": {}}]}, "Extra inputs"),
        ({"steps": [{"prune": {}, "tune": {}}]}, "one of prune"),
        ({"steps": [{"project": {}}]}, "weights or cycles"),
        ({"network": [{"conv": {"channels": 0}}]}, "greater than"),
        ({"train": None}, "train, or the weights"),
        ({"name": "a b"}, "pattern"),
        ({"network": "net.py"}, "no network"),
        ({"network": ["global_pool"]}, "10 classes"),
    ],
)
def test_recipes_that_cannot_be_carried_out_are_refused(tmp_path, change, said):
    with pytest.raises(RecipeError, match=said):
        carried_out(written(tmp_path, **change), tmp_path / "out")


def test_a_function_of_a_file_and_weights_of_torch_are_taken(tmp_path):
    import torch

    (tmp_path / "net.py").write_text("from tests.support.torch_small import mobile as make\n")
    from tests.support.torch_small import mobile, stirred

    torch.save(stirred(mobile).state_dict(), tmp_path / "weights.pt")
    path = written(tmp_path, network="net.py:make", weights="weights.pt", train=None, steps=[])
    run = carried_out(path, tmp_path / "out")
    assert [row.step for row in run.rows] == ["train"]
    again = written(tmp_path, weights="weights.pt", train=None)
    with pytest.raises(RecipeError, match="not the weights"):
        carried_out(again, tmp_path / "other")


class StoppedError(Exception):
    pass


def test_a_recipe_that_is_stopped_anywhere_ends_with_the_same_model(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.training.loop.SAVED_S", 0.0)
    path = written(tmp_path, steps=scaled([TINY["steps"][0], TINY["steps"][-1]], TINY["steps"]))
    whole = carried_out(path, tmp_path / "whole")
    told = np.random.default_rng(0)
    sessions = 0
    while True:
        left = int(told.integers(5, 30))

        def stop(_: str, done: int, total: int) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise StoppedError

        sessions += 1
        try:
            parts = carried_out(path, tmp_path / "parts", stop)
            break
        except StoppedError:
            continue
    assert sessions > 2
    assert parts.model == whole.model
    assert [row.float_accuracy for row in parts.rows] == [row.float_accuracy for row in whole.rows]
    assert [row.said for row in parts.rows] == [row.said for row in whole.rows]
    first, last = whole.rows[0], whole.rows[-1]
    assert [row.step for row in whole.rows] == ["train", *(read.kind for read in read_recipe(path).steps)]
    assert last.costs.cycles < first.costs.cycles
    other = carried_out(written(tmp_path, steps=TINY["steps"][:1]), tmp_path / "parts")
    assert len(other.rows) == 2


def test_every_step_of_the_schema_can_be_done():
    assert list(StepChoice.model_fields) == list(STEPS)


def test_without_torch_the_extra_is_named(tmp_path):
    done = tinyhil_without(("torch",), tmp_path, "recipe", EXAMPLE, "-o", tmp_path / "out")
    assert done.returncode == 3
    assert "needs the package torch" in done.stderr and "pip install 'tinyhil[search]'" in done.stderr


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "00-train").mkdir()
    (tmp_path / "00-train" / "mine").write_text("mine")
    with pytest.raises(ResultsError, match="something else"):
        carried_out(written(tmp_path), tmp_path)


def test_the_example_becomes_a_model_that_is_validated_and_kept(tmp_path):
    store = tmp_path / "history.db"
    done = tinyhil("recipe", EXAMPLE, "-o", tmp_path / "out", "--history", store, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["kind"] == "recipe" and document["validation"]["verdict"]["passed"]
    first, *_, last = document["steps"]
    assert last["costs"]["cycles"] <= 0.7 * first["costs"]["cycles"]
    assert first["int8_accuracy"] > 0.85 and last["int8_accuracy"] > first["int8_accuracy"] - 0.06
    assert all(abs(step["int8_accuracy"] - step["float_accuracy"]) < 0.02 for step in document["steps"])
    assert document["validation"]["arena"]["size"] == last["costs"]["arena"]
    page = (tmp_path / "out" / "recipe.html").read_text()
    assert page.count("<svg") == len(document["steps"]) and "0 train" in page
    shown = tinyhil("history", "--history", store)
    assert "digits" in shown.stdout, shown.stdout
