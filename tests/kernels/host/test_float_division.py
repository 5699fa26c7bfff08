"""floor and fmod of kernels against the C library's, through numpy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

from harness.build import find
from tests.support.paths import FIRMWARE

PROGRAM = """
#include <stdio.h>
#include "float_division.h"

int main(void)
{
    float pair[2];
    while (fread(pair, 4, 2, stdin) == 2) {
        const float rest = hil_float_remainder(pair[0], pair[1]);
        const double whole = hil_floor_double((double)pair[0] / (double)pair[1]);
        fwrite(&rest, 4, 1, stdout);
        fwrite(&whole, 8, 1, stdout);
    }
    return 0;
}
"""
CORNERS = (
    0,
    1,
    2,
    0x7FFFFF,
    0x800000,
    0x800001,
    0x3F800000,
    0x4B000000,
    0x4B800001,
    0x7F7FFFFF,
    0x7F800000,
    0x7FC00000,
)
"""Bits of zero, subnormal numbers, the smallest, one, 2^23 and beyond, the largest, infinity, and no number."""


def test_they_equal_the_c_librarys(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    bits = rng.integers(0, 2**32, (40_000, 2), np.uint32)
    bits[10_000:20_000] = bits[10_000:20_000] & 0x83FFFFFF | 0x3C000000  # near one another
    bits[20_000:22_000] &= 0x807FFFFF  # subnormal
    bits[22_000:24_000, 1] &= 0x807FFFFF
    signed = np.array([c | sign for c in CORNERS for sign in (0, 0x80000000)], np.uint32)
    pairs = np.concatenate([bits, np.stack(np.meshgrid(signed, signed), -1).reshape(-1, 2)]).view(np.float32)
    source, program = tmp_path / "division.c", tmp_path / "division"
    source.write_text(PROGRAM, encoding="utf-8")
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined", "-fno-sanitize-recover=all"]
    subprocess.run([find("host").cc, *flags, f"-I{FIRMWARE / 'kernels'}", source, "-o", program], check=True)
    told = subprocess.run([program], input=pairs.tobytes(), capture_output=True, check=True).stdout
    found = np.frombuffer(told, np.dtype([("rest", "<f4"), ("whole", "<f8")]))
    with np.errstate(all="ignore"):
        expected = np.fmod(pairs[:, 0], pairs[:, 1])
        whole = np.floor(pairs[:, 0].astype(np.float64) / pairs[:, 1].astype(np.float64))
    for ours, theirs in ((found["rest"], expected), (found["whole"], whole)):
        np.testing.assert_array_equal(ours, theirs)  # any NaN is a NaN
        number = ~np.isnan(theirs)
        np.testing.assert_array_equal(np.signbit(ours[number]), np.signbit(theirs[number]))
