"""Division of floats without an FPU and without addresses: bit for bit IEEE's."""

from __future__ import annotations

import ctypes
import subprocess

import numpy as np
import pytest

from harness.build.toolchain import find
from tests.support.paths import FIRMWARE
from tests.support.scale import scaled


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    made = tmp_path_factory.mktemp("division") / "division.so"
    source = FIRMWARE / "soft_float" / "soft_division.c"
    flags = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC")
    subprocess.run([find("host").cc, *flags, source, "-o", made], check=True)
    return ctypes.CDLL(str(made))


def _numbers(bits: type, rng: np.random.Generator, count: int) -> np.ndarray:
    """Any bits, numbers near 1, subnormal ones, halves of few bits, and the corners."""
    info = np.finfo(bits)
    whole = np.uint32 if info.bits == 32 else np.uint64
    corners = [0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, info.tiny, info.smallest_subnormal, info.max, 1 + info.eps]
    drawn = rng.integers(0, np.iinfo(whole).max, count, dtype=whole, endpoint=True).view(bits)
    near = (1 + rng.integers(0, 1 << 12, count) * info.eps).astype(bits)
    small = (rng.integers(0, 1 << 10, count) * info.smallest_subnormal).astype(bits)
    few = rng.integers(-64, 64, count).astype(bits) * info.tiny * rng.choice([1, 0.5, 2.0**20], count).astype(bits)
    return np.concatenate([np.array(corners, bits), drawn, near, small, few.astype(bits)])


@pytest.mark.parametrize("bits", [np.float32, np.float64])
def test_quotients_are_those_of_ieee(library, bits):
    whole = np.uint32 if bits is np.float32 else np.uint64
    divide = library["__aeabi_fdiv" if bits is np.float32 else "__aeabi_ddiv"]
    kind = ctypes.c_uint32 if bits is np.float32 else ctypes.c_uint64
    divide.restype, divide.argtypes = kind, (kind, kind)
    rng = np.random.default_rng(3)
    numbers = _numbers(bits, rng, scaled(150, 3000))
    pairs = [(a, b) for a in numbers[:11] for b in numbers[:11]]
    pairs += list(zip(rng.permutation(np.repeat(numbers, 9)), rng.permutation(np.repeat(numbers, 9)), strict=True))
    a, b = (np.array([pair[side] for pair in pairs], bits) for side in (0, 1))
    with np.errstate(all="ignore"):
        wanted = a / b
    found = np.array([divide(x, y) for x, y in zip(a.view(whole).tolist(), b.view(whole).tolist(), strict=True)], whole)
    numbers_only = ~np.isnan(wanted)
    np.testing.assert_array_equal(found[numbers_only], wanted.view(whole)[numbers_only])
    assert np.isnan(found.view(bits)[~numbers_only]).all()
