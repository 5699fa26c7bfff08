"""The generated C package: deterministic, free of warnings, free of global state, whole or not there."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import Package, emit, float_literal, model_list, write_package
from harness.compiler.names import identifier
from harness.errors import CompileError
from harness.ir.interpreter import run
from tests.support.generated import KINDS, random_graph
from tests.support.graphs import Builder
from tests.support.paths import REPOSITORY

WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror")


def small_package(name: str = "small", core: str = "host") -> Package:
    """A convolution, its padding and an addition."""
    b = Builder()
    x = b.input(1, 6, 5, 3, zero=7)
    conv = b.conv(b.pad(x, 1, 1, 1, 1), 4)
    y = b.add(conv, b.conv(b.pad(x, 1, 1, 1, 1), 4, seed=5))
    return emit(compile_graph(b.graph(y, name=name), core=core))


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_compiles_without_a_warning(compiler: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for kind in KINDS:
        package = emit(compile_graph(random_graph(rng, op=kind), core="host", name=f"k_{kind}"))
        folder = tmp_path / kind
        write_package(package, folder)
        for source in package.sources:
            command = [compiler, *WARNINGS, "-O1", "-fsyntax-only", source]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


def test_the_same_model_gives_the_same_bytes() -> None:
    assert small_package().files == small_package().files
    assert small_package().glue == small_package().glue


def test_another_process_gives_the_same_bytes() -> None:
    """Sets and dicts have another order there: no order of theirs may show."""
    code = (
        "from tests.compiler.host.test_emit import small_package; import hashlib\n"
        "made = small_package(); print(hashlib.sha256(repr((made.files, made.glue)).encode()).hexdigest())"
    )
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True)
    here = small_package()
    assert done.stdout.strip() == hashlib.sha256(repr((here.files, here.glue)).encode()).hexdigest()


def test_two_contexts_run_side_by_side_and_bad_arenas_are_refused(tmp_path: Path) -> None:
    package = small_package()
    write_package(package, tmp_path)
    graph = package.plan.graph
    rng = np.random.default_rng(0)
    vectors = [rng.integers(-128, 128, (1, 6, 5, 3)).astype(np.int8) for _ in range(2)]
    arrays = [", ".join(map(str, v.reshape(-1))) for v in vectors]
    (tmp_path / "main.c").write_text(
        f"""
        #include <stdio.h>
        #include <string.h>
        #include "small.h"
        static const int8_t x[2][{vectors[0].size}] = {{{{{arrays[0]}}}, {{{arrays[1]}}}}};
        static _Alignas(SMALL_ARENA_ALIGN) uint8_t arena[2][(SMALL_ARENA_SIZE + 15) / 16 * 16];
        int main(void) {{
            small_context c[2];
            if (small_init(&c[0], arena[0], SMALL_ARENA_SIZE - 1) != SMALL_ARENA_TOO_SMALL) return 1;
            if (small_init(&c[0], arena[0] + 1, SMALL_ARENA_SIZE) != SMALL_ARENA_MISALIGNED) return 2;
            if (small_init(&c[0], NULL, SMALL_ARENA_SIZE) != SMALL_NULL_POINTER) return 3;
            for (int i = 0; i < 2; ++i) {{
                if (small_init(&c[i], arena[i], SMALL_ARENA_SIZE) != SMALL_OK) return 4;
                memcpy(small_input_0(&c[i]), x[i], sizeof x[i]);
            }}
            for (int i = 1; i >= 0; --i) small_invoke(&c[i], NULL, NULL);
            for (int i = 0; i < 2; ++i)
                for (int j = 0; j < SMALL_OUTPUT_0_COUNT; ++j) printf("%d ", small_output_0(&c[i])[j]);
            return 0;
        }}
        """
    )
    command = ["gcc", "-std=c11", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "main.c"]
    subprocess.run([*command, *package.sources, "-o", "main"], cwd=tmp_path, check=True)
    printed = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True).stdout
    wanted = [run(graph, [v]).outputs[0].reshape(-1) for v in vectors]
    assert [int(n) for n in printed.split()] == np.concatenate(wanted).tolist()


def test_objects_hold_no_writable_data(tmp_path: Path) -> None:
    package = small_package()
    write_package(package, tmp_path)
    for source in package.sources:
        subprocess.run(["gcc", "-std=c11", "-O2", "-fno-pie", "-c", source], cwd=tmp_path, check=True)
        listed = subprocess.run(
            ["nm", Path(source).stem + ".o"], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        assert {line.split()[-2] for line in listed.splitlines()} <= {"T", "t", "W", "R", "r", "U"}, listed


def test_scalars_compile() -> None:
    b = Builder()
    package = emit(compile_graph(b.graph(b.add(b.input(), b.input())), core="host"))
    assert ".nest.n4 = 1, .nest.a0 = 0" in package.files["hand_made.c"]


def test_the_manifest_tells_layers_and_arena() -> None:
    package = small_package()
    data = json.loads(package.files["small.json"])
    assert [layer["op"] for layer in data["layers"]] == ["CONV_2D", "CONV_2D", "ADD"]
    assert data["layers"][0]["fused"] == ["PAD"]
    assert data["macs"] == 2 * 6 * 5 * 4 * 27
    assert data["arena"]["size"] == package.plan.arena_size
    assert set(data["files"]) == set(package.files) - {"small.json"}


def test_a_folder_that_cannot_be_written_is_an_error_and_stays_as_it_was(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("mine")
    with pytest.raises(CompileError, match="cannot write"):
        write_package(small_package(), blocked)
    assert blocked.read_text() == "mine"


def test_one_image_takes_each_name_once() -> None:
    with pytest.raises(CompileError, match="small"):
        model_list([small_package(), small_package()])


def test_names_and_numbers_are_valid_c() -> None:
    assert identifier("2nd model/é.v1") == "m_2nd_model_v1"
    assert identifier("***") == "model"
    assert identifier("string") == "m_string" and identifier("requantize") == "m_requantize"
    assert float_literal(0.5) == "0.5f" and float_literal(3.0) == "3.0f" and float_literal(-2e-20) == "-1.99999994e-20f"
    for value in np.random.default_rng(1).integers(0, 0x7F800000, 2000).astype(np.uint32).view(np.float32):
        assert np.float32(float(float_literal(float(value)).removesuffix("f"))) == value
