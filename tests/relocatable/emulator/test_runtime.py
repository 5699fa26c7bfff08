"""The runtime of relocatable models on emulated boards: models in flash and RAM at once, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.build.jobs import run_tool
from harness.build.port import core_flags
from harness.build.toolchain import find
from harness.compiler.compile import compile_graph
from harness.elf.symbols import symbol_address
from harness.frontends import load
from harness.ir.interpreter import run
from harness.quantization.types import Array
from harness.relocatable.make import Relocatable, make_relocatable
from tests.support.cross import LINK, START, emulate
from tests.support.paths import FIRMWARE, FIXTURES, REPOSITORY
from tests.support.scale import scaled
from tests.support.tiny import tiny_graph

RELOCATABLE = FIRMWARE / "relocatable"
RUNTIME = [str(RELOCATABLE / name) for name in ("tinyhil_relocatable.c", "tinyhil_hash.c")]
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror")
MACHINES = {
    "cortex-m0plus": "microbit",
    "cortex-m3": "mps2-an385",
    "cortex-m4": "mps2-an386",
    "cortex-m7": "mps2-an500",
    "cortex-m55": "mps3-an547",
}
CORES = {"cortex-m0plus": 0xC60, "cortex-m3": 0xC23, "cortex-m4": 0xC24, "cortex-m7": 0xC27, "cortex-m55": 0xD22}
NOT_READY, BAD_ARENA, NOT_VERIFIED, BAD_CORE, BAD_SIZE = 78, 76, 77, 70, 64
PLACES = """
    .section .rodata.places
    .global first_blob, first_weights, second_blob, first_inputs, second_inputs
    .global first_bytes, first_weights_bytes, second_bytes
    .balign 8
    .space 4
first_blob: .incbin "first.bin"
    .balign 16
first_weights: .incbin "weights.bin"
    .balign 8
    .space 4
second_blob: .incbin "second.bin"
    .balign 4
first_inputs: .incbin "first_inputs.bin"
second_inputs: .incbin "second_inputs.bin"
    .balign 4
"""


def vectors(graph, seed: int) -> list[list[Array]]:
    """Two random vectors."""
    rng = np.random.default_rng(seed)
    tensors = [graph.tensors[index] for index in graph.inputs]
    return [[rng.integers(-128, 128, one.shape).astype(one.dtype.numpy) for one in tensors] for _ in range(2)]


def joined(arrays: Sequence[Array]) -> bytes:
    return b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)


def image(folder: Path, core: str, made: Sequence[Relocatable], inputs: Sequence[list[list[Array]]]) -> Path:
    """The program with both models in it."""
    first, second = made
    (folder / "first.bin").write_bytes(first.file)
    (folder / "second.bin").write_bytes(second.file)
    (folder / "weights.bin").write_bytes(first.weights or b"")
    for name, given in zip(("first", "second"), inputs, strict=True):
        (folder / f"{name}_inputs.bin").write_bytes(b"".join(map(joined, given)))
    sizes = {"first": first.file, "first_weights": first.weights or b"", "second": second.file}
    words = [f"{name}_bytes: .word {len(data)}" for name, data in sizes.items()]
    (folder / "places.s").write_text("\n".join((PLACES, *words, "")))
    link = list(LINK)
    if MACHINES[core] == "microbit":
        script = Path(link[0].removeprefix("-T")).read_text().replace("LENGTH = 512K\n}", "LENGTH = 16K\n}")
        (folder / "link.ld").write_text(script)
        link[0] = "-Tlink.ld"
    arena = max(one.model.arena_bytes for one in made)
    command = [
        str(find("arm").cc), *core_flags(FIRMWARE, core), "-std=c11", "-O2", "-ffunction-sections", "-fdata-sections",
        "-Wl,--gc-sections", *WARNINGS, f"-I{RELOCATABLE}",
        f"-DRAM_BYTES={len(first.file) + 4}", f"-DARENA_BYTES={-(-arena // 16) * 16}", START,
        str(REPOSITORY / "tests/support/relocatable_two.c"), *RUNTIME, "places.s", *link, "-o", "two.elf",
    ]  # fmt: skip
    run_tool(command, folder, "the firmware does not link", find("arm"))
    return folder / "two.elf"


CASES = [("cortex-m0plus", True, "tiny")]
EVERY = [(core, apart, "digits") for core in MACHINES if core != "cortex-m0plus" for apart in (False, True)]


@pytest.mark.parametrize(("core", "apart", "first"), scaled(CASES, [*CASES, *EVERY]))
def test_models_run_at_once(core, apart, first, tmp_path):
    """One without and one with states; microbit has no RAM for a larger one."""
    graphs = [tiny_graph() if first == "tiny" else load(FIXTURES / f"{first}.tflite"), load(FIXTURES / "stream.tflite")]
    made = [
        make_relocatable(compile_graph(graph, core=core), weights_apart=apart and index == 0)
        for index, graph in enumerate(graphs)
    ]
    inputs = [vectors(graph, index) for index, graph in enumerate(graphs)]
    elf = image(tmp_path, core, made, inputs)
    assert symbol_address(elf, "tinyhil_reloc_abi") is not None, "tinyhil inspect --against looks for it"
    told = emulate(elf, core, MACHINES[core]).splitlines()
    expected = [outputs(graph, given) for graph, given in zip(graphs, inputs, strict=True)]
    assert told[0].split()[:2] == ["core", f"{CORES[core]:x}"]
    said = [line.split() for line in told[1:8]]
    assert [line[0] for line in said] == ["first", "second", "copy"] * 2 + ["anew"]
    (a, b), (c, d) = ([values.hex() for values in each] for each in expected)
    assert [line[1] for line in said] == [a, c, b, b, d, a, c]
    layers = [len(one.model.layers) for one in made]
    assert told[8] == f"verified 3 observed {4 * layers[0] + 3 * layers[1]}"
    statuses = [0, NOT_READY, NOT_READY, BAD_ARENA, BAD_ARENA, NOT_VERIFIED, BAD_CORE, BAD_SIZE]
    assert told[9].split() == ["refused", *map(str, statuses)]


def outputs(graph, given: list[list[Array]]) -> list[bytes]:
    """The specification's outputs for one vector after the other, states kept."""
    held = None
    found = []
    for vector in given:
        execution = run(graph, vector, held)
        held = execution.states
        found.append(joined(execution.outputs))
    return found
