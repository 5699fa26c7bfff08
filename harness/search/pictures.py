"""Pictures in another resolution, by the mean of the area that a pixel covers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from harness.training.data import Pictures, TrainingData


def resized(data: TrainingData, height: int, width: int) -> TrainingData:
    """The same data with pictures of another size; itself where they have it."""
    if data.shape[:2] == (height, width):
        return data
    parts = (_resized(part, height, width) for part in (data.train_x, data.held_x, data.test_x))
    train_x, held_x, test_x = parts
    name = f"{data.name}, {height}x{width}"
    return replace(data, name=name, train_x=train_x, held_x=held_x, test_x=test_x)


def _resized(x: Pictures, height: int, width: int) -> Pictures:
    rows, columns = shares(x.shape[1], height), shares(x.shape[2], width)
    made = np.einsum("ih,nhwc,jw->nijc", rows, x, columns, optimize=True)
    return np.ascontiguousarray(made, dtype=np.float32)


def shares(before: int, after: int) -> npt.NDArray[np.float32]:
    """[after, before]: how much each old pixel counts in a new one; rows sum to 1."""
    edges = np.linspace(0, before, after + 1)
    start, end = edges[:-1, None], edges[1:, None]
    at = np.arange(before)[None]
    covered = np.clip(np.minimum(end, at + 1) - np.maximum(start, at), 0, None)
    found: npt.NDArray[np.float32] = (covered / covered.sum(axis=1, keepdims=True)).astype(np.float32)
    return found
