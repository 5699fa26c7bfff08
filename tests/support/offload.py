"""Models for NPUs, in files: all on the NPU, some of it on the CPU, and all on the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.ethosu.vela import VelaOptions
from harness.offload.running import NpuRequest, OffloadRun, run_subject
from harness.offload.subject import read_subject
from harness.validate.card import RandomVectors
from tests.support.builders import BUILDERS
from tests.support.draft import Draft


def mixed_model(folder: Path) -> Path:
    """CONV_2D, L2_NORMALIZATION, which Vela leaves to the CPU, and LOGISTIC."""
    draft = Draft(np.random.default_rng(4))
    x = BUILDERS["CONV_2D"](draft, None)
    x = BUILDERS["L2_NORMALIZATION"](draft, x)
    path = folder / "mixed.tflite"
    path.write_bytes(draft.finish("mixed", (BUILDERS["LOGISTIC"](draft, x),)).model)
    return path


def offloaded(path: Path, *options: str, vectors: int = 2, waits: bool | None = None) -> OffloadRun:
    """A model on an NPU; options as of VelaOptions."""
    request = NpuRequest(VelaOptions(*options), RandomVectors(random=vectors), waits=waits)
    return run_subject(read_subject(path), request, lambda what, done, total: None)
