"""Digests: the device's and the host's are the same, made of Chaskey's permutation, and differ where bytes do."""

from __future__ import annotations

import ctypes
import random
import subprocess

import numpy as np
import pytest

from harness.link.digest import digests, permute
from tests.support.paths import FIRMWARE

SIZES = [0, 1, 3, 4, 15, 16, 17, 31, 32, 255, 256, 257, 271, 272, 273, 511, 512, 513, 1000, 8000, 8001]
WRAPPER = """
#include "hil_digest.h"
void wrapped(const hil_digest *key, uint32_t number, const uint8_t *bytes, size_t size, hil_digest *out);
void wrapped(const hil_digest *key, uint32_t number, const uint8_t *bytes, size_t size, hil_digest *out)
{
    *out = hil_digest_of(key, number, bytes, size);
}
"""


@pytest.fixture(scope="module", params=["gcc", "clang"])
def device(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("digest")
    source, library = folder / "wrapped.c", folder / "digest.so"
    source.write_text(WRAPPER)
    runtime = FIRMWARE / "runtime"
    command = [request.param, "-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC"]
    command += [f"-I{runtime}", str(source), str(runtime / "hil_digest.c"), "-o", str(library)]
    subprocess.run(command, check=True, timeout=60)
    function = ctypes.CDLL(str(library)).wrapped

    def digest(key, number, data):
        out = ctypes.create_string_buffer(16)
        function(key, ctypes.c_uint32(number), data, ctypes.c_size_t(len(data)), out)
        return out.raw

    return digest


def on_host(key, number, data):
    return digests(key, [(number, data)])[0].astype("<u4").tobytes()


def test_device_and_host_agree(device):
    rng = random.Random(1)
    key = rng.randbytes(16)
    tensors = [(rng.randrange(256), rng.randbytes(size)) for size in SIZES * 2]
    together = digests(key, tensors)
    for (number, data), row in zip(tensors, together, strict=True):
        assert device(key, number, data) == row.astype("<u4").tobytes() == on_host(key, number, data), len(data)


def test_the_permutation_is_chaskeys():
    """Test vectors of Chaskey's authors: key, and the codes of the messages "", 00, 00 01 and so on."""
    key = [0x833D3433, 0x009F389F, 0x2398E64F, 0x417ACF39]
    codes = [
        [0x792E8FE5, 0x75CE87AA, 0x2D1450B5, 0x1191970B],
        [0x13A9307B, 0x50E62C89, 0x4577BD88, 0xC0BBDC18],
        [0x55DF8922, 0x2C7FF577, 0x73809EF4, 0x4E5084C0],
    ]

    def doubled(words):
        low = [words[0] << 1 & 0xFFFFFFFF, *((words[i] << 1 | words[i - 1] >> 31) & 0xFFFFFFFF for i in (1, 2, 3))]
        return [low[0] ^ (0x87 if words[3] >> 31 else 0), *low[1:]]

    last = np.array(doubled(doubled(key)), np.uint32)
    for size, code in enumerate(codes):
        state = np.array(key, np.uint32)[:, None]
        block = np.frombuffer(bytes(range(size)) + b"\1" + bytes(15 - size), "<u4")
        state[:, 0] ^= block ^ last
        permute(state)
        assert (state[:, 0] ^ last).tolist() == code


def test_no_change_of_a_tensor_keeps_its_digest():
    rng = random.Random(2)
    key, data = rng.randbytes(16), rng.randbytes(1000)
    changed = [data[:i] + bytes((data[i] ^ 1 << rng.randrange(8),)) + data[i + 1 :] for i in range(1000)]
    changed += [data[256:512] + data[:256] + data[512:], data[:-1], data + b"\0", data[::-1], bytes(1000), b""]
    rows = digests(key, [(7, data), (8, data), *((7, other) for other in changed)])
    assert len({row.tobytes() for row in rows}) == len(changed) + 2
    assert len({int(row[0]) for row in rows}) == len(changed) + 2  # of this key, even the first words


def test_another_key_gives_another_digest():
    rng = random.Random(3)
    data = rng.randbytes(500)
    assert len({on_host(rng.randbytes(16), 0, data) for _ in range(200)}) == 200
    keys = [bytes(i) + b"\1" + bytes(15 - i) for i in range(16)]
    assert len({on_host(key, 0, data) for key in keys}) == 16
