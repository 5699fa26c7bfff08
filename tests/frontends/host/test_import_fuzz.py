"""Damaged .tflite files give a clear error or a graph that compiles; never a traceback, a hang or a flood of memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.errors import TinyhilError
from harness.frontends.tflite import reader as tflite
from harness.oracle import open_oracle
from harness.validate.rounding import EXACT, allowances
from tests.support.generated import KINDS, random_graph, random_inputs
from tests.support.models import model_folders
from tests.support.mutate import mutate, seed
from tests.support.paths import FIXTURES, REPOSITORY
from tests.support.scale import scaled

MODELS = sorted(FIXTURES.glob("*.tflite"))
REAL = (
    "tflm_hello_world_int8",
    "tflm_simple_add_model",
    "tinymaix_mnist_valid_q",
    "mww_v2_vad",
    "tflm_trained_lstm_int8",
)
PARTS = 2


def seed_files(folder: Path) -> list[Path]:
    """The fixtures, real models where there are any, and a file of every operator, which is written to `folder`."""
    real = [folder / f"{name}.tflite" for folder in model_folders() for name in REAL]
    drawn = []
    for number, kind in enumerate(KINDS):
        drawn.append(folder / f"{kind}.tflite")
        drawn[-1].write_bytes(random_graph(np.random.default_rng([77, number]), kind).model)
    return MODELS + [path for path in real if path.is_file()] + drawn


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
def test_damaged_files_are_refused_or_compile(part, tmp_path):
    count = scaled(5000, 20000) // PARTS
    command = [sys.executable, "-m", "tests.support.fuzz_import", str(part * count), str(count)]
    child = subprocess.run(
        [*command, *(str(p) for p in seed_files(tmp_path))],
        cwd=REPOSITORY,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=800,
    )
    assert child.returncode == 0, child.stderr[-2000:]
    report = json.loads(child.stdout)
    assert not report["wrong"], "\n".join(report["wrong"][:10])
    assert report["memory"] < 1 << 30
    outcomes = report["outcomes"]
    # The damage reaches every depth: the file's structure, unknown operators, the verifier, and the compiler.
    assert min(outcomes.get(k, 0) for k in ("model-file", "unsupported-model", "graph", "compiled")) >= count // 100
    assert outcomes["accepted"] == outcomes["compiled"]


@pytest.mark.timeout(900)
def test_a_damaged_file_that_is_accepted_means_the_same_to_tflm(tmp_path):
    """Such a file is another model: the numpy specification of what was imported equals TFLM on the file itself.

    TFLM may refuse it (it reads parts of the file that tinyhil does not need), which the oracle reports.
    """
    paths = [path for path in seed_files(tmp_path) if path in MODELS or path.parent == tmp_path]
    seeds = [seed(path.stem, path.read_bytes()) for path in paths]
    wanted, same, refused = scaled(60, 2000), 0, 0
    for number in range(10_000, 10_000 + 100 * wanted):
        how, data = mutate(seeds, number)
        try:
            graph = tflite.load(data)
        except TinyhilError:
            continue
        if any(data.startswith(s.data) for s in seeds):
            continue
        inputs, allowed = random_inputs(graph, np.random.default_rng(number), 2), allowances(graph)
        try:
            with open_oracle("spec", graph) as ours, open_oracle("tflm", graph, isolated=True) as theirs:
                for vector in inputs:
                    pairs = zip(graph.outputs, theirs.invoke(vector).outputs, ours.invoke(vector).outputs, strict=True)
                    for t, theirs_made, made in pairs:
                        assert allowed.get(t, EXACT).covers(theirs_made, made).all(), (number, how)
            same += 1
        except TinyhilError:
            refused += 1
        if same + refused == wanted:
            break
    assert same >= 0.9 * wanted, (same, refused)
