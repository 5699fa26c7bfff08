"""Real models by others, which the project never contains."""

from __future__ import annotations

import importlib.resources
import os
from pathlib import Path

import pytest

from tests.support.paths import REPOSITORY


def model_folders() -> list[Path]:
    """Where real models may be: $TINYHIL_MODELS first, then beside the checkout."""
    named = os.environ.get("TINYHIL_MODELS")
    beside = REPOSITORY.parent / "shared" / "models"
    return [Path(named), beside] if named else [beside]


def find_model(name: str) -> Path | None:
    """Path of NAME.tflite; None when it is in none of the folders."""
    paths = (folder / f"{name}.tflite" for folder in model_folders())
    return next((path for path in paths if path.is_file()), None)


def real_model(name: str) -> Path:
    """Path of NAME.tflite; skips the test when it is in none of the folders."""
    path = find_model(name)
    if path is not None:
        return path
    pytest.skip(f"{name}.tflite is in none of: set TINYHIL_MODELS to a folder that has it")


def wake_word_models() -> list[Path]:
    """The four streaming models that package pymicro-wakeword ships."""
    folder = Path(str(importlib.resources.files("pymicro_wakeword") / "models"))
    return sorted(folder.glob("*.tflite"))
