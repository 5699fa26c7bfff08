"""Models compiled by Vela, in this process."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ethosu.vela import vela

from harness.errors import UnsupportedModelError
from harness.frontends.tflite.vela_file import VelaModel, read_vela
from harness.npu.inference import NpuInference
from harness.quantization.types import Array

ACCELERATORS = (
    "ethos-u55-32",
    "ethos-u55-64",
    "ethos-u55-128",
    "ethos-u55-256",
    "ethos-u65-256",
    "ethos-u65-512",
)


@dataclass(frozen=True)
class Compiled:
    """What Vela made of a model, what it printed, and its debug database if it was asked for one."""

    file: bytes
    printed: str
    database: str = ""

    @property
    def model(self) -> VelaModel:
        return read_vela(self.file, "compiled")

    def inference(self) -> NpuInference | None:
        """None where some operator is left to the CPU."""
        try:
            return NpuInference(self.model)
        except UnsupportedModelError:
            return None


def compile_model(model: bytes, accelerator: str, *options: str) -> Compiled:
    """Raises AssertionError where Vela fails."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "model.tflite"
        source.write_bytes(model)
        with _stdout(Path(folder) / "printed") as printed:
            status = vela.main(["--accelerator-config", accelerator, *options, "--output-dir", folder, str(source)])
        compiled = Path(folder) / "model_vela.tflite"
        assert not status and compiled.is_file(), f"Vela fails: {printed()}"
        database = Path(folder) / "model_debug.xml"
        text = database.read_text(encoding="utf-8") if database.is_file() else ""
        return Compiled(compiled.read_bytes(), printed(), text)


def compiled_or_refused(model: bytes, accelerator: str) -> Compiled | None:
    """None where Vela says that it cannot."""
    try:
        return compile_model(model, accelerator)
    except RuntimeError:  # what its C++ raises
        return None


@contextlib.contextmanager
def _stdout(path: Path) -> Iterator[object]:
    """What Python and C++ print, by a call after the block."""
    with path.open("wb") as sink, contextlib.redirect_stdout(io.StringIO()) as ours:
        sys.__stdout__.flush()
        kept = os.dup(1)
        os.dup2(sink.fileno(), 1)
        try:
            yield lambda: path.read_text(encoding="utf-8") + ours.getvalue()
        finally:
            os.dup2(kept, 1)
            os.close(kept)


def random_inputs(model: VelaModel, rng: np.random.Generator) -> list[Array]:
    """Inputs of a model, uniform over their types."""
    made = []
    for index in model.subgraph.inputs:
        tensor = model.subgraph.tensors[index]
        limits = np.iinfo(tensor.type)
        made.append(rng.integers(limits.min, limits.max, tensor.shape, endpoint=True, dtype=limits.dtype))
    return made
