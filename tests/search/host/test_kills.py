"""`tinyhil search` and `tinyhil recipe`, killed by SIGKILL several times, end as if they had not been, to the byte."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from tests.support.killed import killed_until_done, without_seconds
from tests.support.scale import scaled
from tests.support.tiny_recipe import TINY

KILLS = 5
LIMITS = ("-b", "nucleo-l4r5", "--max-arena", "3k", "--max-flash", "32k", "--max-cycles", "250000")

RECIPE = TINY | {"train": {"epochs": 3, "batch": 64}, "steps": [TINY["steps"][number] for number in (0, 2, 4)]}

pytestmark = [
    pytest.mark.skipif(not scaled(False, True), reason="starts PyTorch a dozen times: TINYHIL_LONG=1"),
    pytest.mark.timeout(3000),
]


def files_of(folder: Path) -> dict[str, bytes]:
    """What a command delivers: models, vectors and cards."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in (".tflite", ".npz",
                                                                                                 ".yaml")}  # fmt: skip


def check(command: Sequence[object], folder: Path, seed: str) -> None:
    whole, _ = killed_until_done([*command, "-o", folder / "whole"], folder / "whole", 0, random.Random(0))
    rng = random.Random(seed)
    printed, kills = killed_until_done([*command, "-o", folder / "killed"], folder / "killed", KILLS, rng)
    assert kills >= 2
    made = files_of(folder / "killed")
    assert made == files_of(folder / "whole") and any(name.endswith(".tflite") for name in made)
    told = printed.replace(str(folder / "killed"), str(folder / "whole"))
    assert without_seconds(told) == without_seconds(whole)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_search_ends_with_the_same_models(tmp_path: Path, jobs: int) -> None:
    command = ["search", "digits", *LIMITS, "--effort", "tiny", "--tune", "2", "--jobs", jobs, "--json"]
    check(command, tmp_path, f"search {jobs}")


def test_a_killed_recipe_ends_with_the_same_model(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(RECIPE))
    check(["recipe", path, "--no-validate", "--json"], tmp_path, "recipe")
