"""move_portable against memmove, at every distance between the places, and every alignment of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from harness.build import find
from tests.support.paths import FIRMWARE

PROGRAM = """
#include <stdio.h>
#include <string.h>
#include "move_portable.h"

enum { ROOM = 512, FARTHEST = 48 };

static int wrong(int32_t bytes, int32_t from, int32_t to)
{
    _Alignas(8) uint8_t ours[ROOM];
    uint8_t expected[ROOM];
    for (int i = 0; i < ROOM; ++i) {
        ours[i] = expected[i] = (uint8_t)(i * 7 + i / 256);
    }
    const move_portable_shape shape = {bytes};
    move_portable(ours + from, ours + to, &shape);
    memmove(expected + to, expected + from, (size_t)bytes);
    return memcmp(ours, expected, ROOM) != 0;
}

int main(void)
{
    int tried = 0, differ = 0;
    for (int32_t bytes = 0; bytes <= 200; ++bytes) {
        for (int32_t from = 100; from < 104; ++from) {
            for (int32_t apart = -FARTHEST; apart <= FARTHEST; ++apart) {
                differ += wrong(bytes, from, from + apart);
                ++tried;
            }
        }
    }
    printf("%d of %d differ", differ, tried);
    return 0;
}
"""


def test_it_moves_as_memmove_does(tmp_path: Path) -> None:
    main, program = tmp_path / "main.c", tmp_path / "move"
    main.write_text(PROGRAM, encoding="utf-8")
    kernels = FIRMWARE / "kernels"
    checks = ["-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    files = [f"-I{kernels}", main, kernels / "move_portable.c", "-o", program]
    subprocess.run([find("host").cc, "-std=c11", "-O2", *checks, *files], check=True)
    told = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert told == f"0 of {201 * 4 * 97} differ"
