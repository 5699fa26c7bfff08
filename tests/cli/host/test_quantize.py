"""`tinyhil quantize` as it is called: files, tables, JSON, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from harness.frontends.tflite.reader import load
from tests.support.float_twin import float_twin
from tests.support.paths import FIXTURES
from tests.support.process import tinyhil


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("quantize")
    (place / "digits.tflite").write_bytes(float_twin(load(FIXTURES / "digits.tflite")))
    images = np.random.default_rng(0).random((24, 8, 8, 1), np.float32)
    np.savez(place / "images.npz", input_0=images)
    return place
