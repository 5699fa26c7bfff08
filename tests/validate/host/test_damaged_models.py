"""Damaged models through the whole of `tinyhil validate -b host`: exact, or refused; nothing crashes or hangs."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.support.fuzz_validate import HANG_S, judge
from tests.support.generated import KINDS, random_graph
from tests.support.paths import FIXTURES, REPOSITORY
from tests.support.scale import scaled

COUNT = scaled(60, 5000)
FIRST = 4160
"""Where the sample begins: a float among its types ended in a traceback once (4188)."""


def seeds(folder):
    """The fixtures, and small models of all operators."""
    made = sorted(FIXTURES.glob("*.tflite"))
    for number, kind in enumerate(KINDS):
        for variant in range(2):
            path = folder / f"{kind.lower()}_{variant}.tflite"
            path.write_bytes(random_graph(np.random.default_rng((10, number, variant)), kind).model)
            made.append(path)
    return made


@pytest.mark.timeout(7200)
def test_damaged_models_are_exact_or_refused(tmp_path):
    (tmp_path / "seeds").mkdir()
    (tmp_path / "work").mkdir()
    first = scaled(FIRST, 0)
    command = [sys.executable, "-m", "tests.support.fuzz_validate", str(first), str(COUNT), str(tmp_path / "work")]
    child = subprocess.run(
        [*command, *map(str, seeds(tmp_path / "seeds"))],
        cwd=REPOSITORY,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=7000,
    )
    assert child.returncode == 0, f"the caller crashed: {child.stderr[-2000:]}"
    report = json.loads(child.stdout)
    assert not report["wrong"], "\n".join(report["wrong"][:10])
    outcomes = report["outcomes"]
    assert sum(outcomes.values()) == COUNT and report["slowest"][0] < HANG_S
    assert outcomes["exact"] >= COUNT // 10 and outcomes["refused model-file"] >= COUNT // 10, outcomes


@pytest.mark.parametrize(
    ("code", "out", "err", "wrong"),
    [
        (0, '{"kind": "results"}', "", ""),
        (0, "", "", "no JSON"),
        (1, '{"runs": [{"checks": [{"name": "outputs", "status": "fail"}]}]}', "", "not exact"),
        (2, '{"error": {"code": "graph", "stage": "verify", "message": "m", "hint": "h"}}', "", ""),
        (2, '{"error": {"code": "graph", "stage": "verify", "message": "m", "hint": ""}}', "", "hint"),
        (2, '{"error": {"code": "graph", "stage": "s", "message": "m", "hint": "h"}}', "Traceback ...", "exit 2"),
        (4, '{"error": {"code": "oracle", "stage": "oracle", "message": "m", "hint": "h"}}', "", ""),
        (4, '{"error": {"code": "build", "stage": "build", "message": "m", "hint": "h"}}', "", "no clear refusal"),
        (70, '{"error": {}}', "unexpected", "exit 70"),
        (3, '{"error": {"code": "tool", "stage": "s", "message": "m", "hint": "h"}}', "", "exit 3"),
    ],
)
def test_what_counts_as_wrong(code, out, err, wrong):
    _, problem = judge(code, out, err)
    assert wrong in problem and bool(wrong) == bool(problem)
