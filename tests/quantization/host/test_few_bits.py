"""What weights of few values take at least, and that the indices and tables have room in it."""

from __future__ import annotations

import numpy as np
import pytest

from harness.quantization.few_bits import in_few_bits, stored_bytes


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (np.arange(-128, 128).astype(np.int8).reshape(16, 16), 256),
        (np.resize(np.arange(16) * 3, (40, 32)).astype(np.int8), 640 + 16),
        (np.resize(np.arange(-8, 8), (40, 32)).astype(np.int8), 640),
        ((np.arange(4)[:, None] * 9 + np.resize(np.arange(16), (4, 64))).astype(np.int8), 128 + 64),
        (np.resize(np.linspace(-1, 1, 200), (64, 32)).astype(np.float32), 2048 + 800),
        (np.linspace(-1, 1, 2048).reshape(64, 32).astype(np.float32), 2048 + 64 * 32 * 4),
        (np.arange(300).astype(np.int16), 600),
        (np.zeros((0, 4), np.int8), 0),
        (np.int8(3).reshape(()), 1),
    ],
)
def test_bytes(data, wanted):
    assert stored_bytes(data) == min(wanted, data.nbytes)
    assert in_few_bits(data) == (stored_bytes(data) <= 0.9 * data.nbytes)
