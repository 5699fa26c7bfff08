"""Scratch apart from the arena: the same results, an arena without it, and refusals of scratch that will not do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from harness.cli.app import app
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit, write_package
from harness.compiler.emit.relocatable import emit_relocatable
from harness.compiler.goals import MODES, Goals
from harness.errors import OptionError
from harness.frontends import load
from harness.hardware.target import Target
from harness.oracle.specification import run
from tests.support.compiled import VECTORS, check_on_board
from tests.support.generated import random_graph
from tests.support.paths import FIXTURES
from tests.support.scale import scaled

KINDS = ("ROWS", "CHAIN", "SPARSE", "STATE")


def test_the_arena_holds_all_but_scratch() -> None:
    graph = load(FIXTURES / "digits.tflite")
    for mode in MODES:
        inside, apart = (
            compile_graph(graph, core=Target("cortex-m7", scratch_apart=apart), goals=Goals(mode))
            for apart in (False, True)
        )
        assert inside.scratch_size == 0 and apart.arena_size <= inside.arena_size
        assert [layer.kernel for layer in apart.layers] == [layer.kernel for layer in inside.layers]
        assert apart.scratch_size == max(layer.scratch for layer in inside.layers)
        assert not any(p.tensor is None and p.state is None for p in apart.placements)
        assert inside.arena_size <= apart.arena_size + apart.scratch_size + apart.arena_align


def test_networks_with_scratch_apart_equal_the_specification() -> None:
    rng = np.random.default_rng(178)
    found = [random_graph(rng, op=KINDS[i % len(KINDS)]) for i in range(scaled(12, 400))]
    target = Target("host", scratch_apart=True)
    assert any(compile_graph(graph, core=target).scratch_apart for graph in found)
    compared = check_on_board(found, "host", sanitize=True, prefer={"RowFusion"}, target=target)
    assert compared == len(found) * VECTORS


def test_scratch_that_will_not_do_is_refused(tmp_path: Path) -> None:
    graph = load(FIXTURES / "digits.tflite")
    goals = Goals("ram")
    package = emit(compile_graph(graph, core=Target("host", scratch_apart=True), name="net", goals=goals))
    assert package.manifest["scratch"] == {"size": package.plan.scratch_size, "align": 16}
    write_package(package, tmp_path)
    rng = np.random.default_rng(0)
    x = rng.integers(-128, 128, graph.tensors[graph.inputs[0]].shape).astype(np.int8)
    (tmp_path / "main.c").write_text(
        f"""
        #include <stdio.h>
        #include <string.h>
        #include "net.h"
        static const int8_t x[] = {{{", ".join(map(str, x.reshape(-1)))}}};
        static _Alignas(NET_ARENA_ALIGN) uint8_t arena[NET_ARENA_SIZE], scratch[NET_SCRATCH_SIZE + 16];
        int main(void) {{
            net_context c;
            if (net_init(&c, arena, sizeof arena, NULL, NET_SCRATCH_SIZE) != NET_NULL_POINTER) return 1;
            if (net_init(&c, arena, sizeof arena, scratch, NET_SCRATCH_SIZE - 1) != NET_ARENA_TOO_SMALL) return 2;
            if (net_init(&c, arena, sizeof arena, scratch + 1, NET_SCRATCH_SIZE) != NET_ARENA_MISALIGNED) return 3;
            if (net_init(&c, arena, sizeof arena, scratch, NET_SCRATCH_SIZE) != NET_OK) return 4;
            memcpy(net_input_0(&c), x, sizeof x);
            net_invoke(&c, NULL, NULL);
            for (int j = 0; j < NET_OUTPUT_0_COUNT; ++j) printf("%d ", net_output_0(&c)[j]);
            return 0;
        }}
        """
    )
    command = ["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "main.c"]
    subprocess.run([*command, *package.sources, "-o", "main"], cwd=tmp_path, check=True)
    printed = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True).stdout
    assert [int(n) for n in printed.split()] == run(graph, [x]).outputs[0].reshape(-1).tolist()


def test_generate_says_what_the_caller_provides(tmp_path: Path) -> None:
    command = ["generate", str(FIXTURES / "digits.tflite"), "-o", str(tmp_path / "out"), "--core", "cortex-m7"]
    result = CliRunner().invoke(app, [*command, "--scratch", "apart", "--for", "arduino"])
    assert result.exit_code == 0, result.output
    assert "B of scratch" in " ".join(result.output.split())
    sketch = next((tmp_path / "out").rglob("*.ino")).read_text(encoding="utf-8")
    assert "sizeof arena, scratch, sizeof scratch)" in sketch
    result = CliRunner().invoke(app, [*command, "--scratch", "apart", "--relocatable"])
    assert isinstance(result.exception, OptionError) and "scratch in the arena" in str(result.exception)


def test_relocatable_models_keep_it_in_the_arena() -> None:
    plan = compile_graph(load(FIXTURES / "digits.tflite"), core=Target("cortex-m7", scratch_apart=True))
    with pytest.raises(OptionError, match="scratch in the arena"):
        emit_relocatable(plan, 64, None)
