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


WAKE_WORDS = ("alexa", "hey_jarvis", "hey_mycroft", "okay_nabu")


def wake_word_model(name: str) -> Path:
    """One of the streaming models that package pymicro-wakeword, one of the tests' own requirements, ships."""
    path = Path(str(importlib.resources.files("pymicro_wakeword") / "models" / f"{name}.tflite"))
    assert path.is_file(), f"pymicro-wakeword has no model {name}"
    return path


def wake_word_models() -> list[Path]:
    """All of them."""
    return [wake_word_model(name) for name in WAKE_WORDS]
