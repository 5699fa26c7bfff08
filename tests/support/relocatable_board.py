"""Runs relocatable models on emulated boards at three addresses, one of them RAM, one a multiple of 4 only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.build.jobs import run_tool
from harness.build.toolchain import find
from harness.quantization.types import Array
from harness.relocatable.make import Relocatable
from tests.support.cross import CORES, LINK, START, emulate
from tests.support.paths import FIRMWARE, REPOSITORY

_MAIN = REPOSITORY / "tests" / "support" / "relocatable_main.c"
_PLACES = """
    .section .rodata.places
    .balign 16
    .global blob_aligned, blob_odd, weights, inputs, blob_bytes
blob_aligned: .incbin "blob.bin"
    .balign 8
    .space 4
blob_odd: .incbin "blob.bin"
    .balign 8
    .space 4
weights: .incbin "weights.bin"
    .balign 4
inputs: .incbin "inputs.bin"
    .balign 4
blob_bytes: .word {bytes}
"""


def outputs_at_three_addresses(made: Relocatable, vector: Sequence[Array], folder: Path) -> list[bytes]:
    """The bytes of all outputs, at each address."""
    core = made.model.core
    (folder / "blob.bin").write_bytes(made.file)
    (folder / "weights.bin").write_bytes(made.weights or b"")
    (folder / "inputs.bin").write_bytes(b"".join(np.ascontiguousarray(array).tobytes() for array in vector))
    (folder / "places.s").write_text(_PLACES.format(bytes=len(made.file)))
    image = folder / "image.elf"
    command = [
        str(find("arm").cc), *CORES[core], *LINK, "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror",
        f"-I{FIRMWARE / 'relocatable'}", f"-DRAM_BYTES={len(made.file) + 16}",
        f"-DARENA_BYTES={made.model.arena_bytes + 16}", START, str(_MAIN), "places.s", "-o", str(image),
    ]  # fmt: skip
    run_tool(command, folder, "the firmware does not link", find("arm"))
    return [bytes.fromhex(line) for line in emulate(image, core).split()]
