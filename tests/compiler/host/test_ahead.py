"""Weights copied ahead by a hook: exact with it, without it, and with one that does nothing or fails."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from harness.boards import find_board
from harness.cli.app import app
from harness.compiler.ahead import copies, estimate_ahead
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit, write_package
from harness.compiler.emit.relocatable import emit_relocatable
from harness.compiler.goals import Goals
from harness.cycles.targets import target_of
from harness.errors import BudgetError, OptionError
from harness.frontends.tflite.writer import write
from harness.hardware.target import Target
from harness.ir.graph import Graph
from harness.oracle.specification import run
from tests.support.compiled import VECTORS, check_on_board
from tests.support.perceptrons import perceptron
from tests.support.scale import scaled

ROOM = 4096
HOOKS = {
    "none": "",
    "that copies": """
        int32_t net_prefetch(void *to, const void *from, size_t size) { memcpy(to, from, size); ++copied; return 0; }
        int32_t net_prefetch_wait(void) { ++waited; return 0; }""",
    "that is late": """
        static void *later; static const void *source; static size_t bytes;
        int32_t net_prefetch(void *to, const void *from, size_t size) 
        {
            later = to; source = from; bytes = size; ++copied; return 0;
        }
        int32_t net_prefetch_wait(void) { memcpy(later, source, bytes); ++waited; return 0; }""",
    "that never runs": """
        int32_t net_prefetch(void *to, const void *from, size_t size) { (void)to; (void)from; (void)size; return 0; }
        int32_t net_prefetch_wait(void) { return 0; }""",
    "that refuses": """
        int32_t net_prefetch(void *to, const void *from, size_t size) { (void)to; (void)from; (void)size; return 1; }
        int32_t net_prefetch_wait(void) { return 0; }""",
    "that fails": """
        int32_t net_prefetch(void *to, const void *from, size_t size) 
        {
            memset(to, 85, size - 1); (void)from; return 0;
        }
        int32_t net_prefetch_wait(void) { return 7; }""",
}


def several_parts() -> Graph:
    """A perceptron whose weights take several copies."""
    goals = Goals("time", prefetch=ROOM)
    found = map(perceptron, range(20))
    return next(graph for graph in found if len(copies(compile_graph(graph, core="host", goals=goals).steps)) > 5)


def test_perceptrons_with_weights_copied_ahead_equal_the_specification() -> None:
    graphs = [perceptron(seed) for seed in range(scaled(5, 200))]
    plans = [compile_graph(graph, core="host", goals=Goals("time", prefetch=ROOM)) for graph in graphs]
    assert max(len(copies(plan.steps)) for plan in plans) > 3, "some layers have several parts"
    for target in (Target("host"), Target("host", scratch_apart=True)):
        assert check_on_board(graphs, "host", sanitize=True, target=target, prefetch=ROOM) == len(graphs) * VECTORS


@pytest.mark.parametrize("hook", HOOKS)
def test_any_hook_gives_the_same_results(hook: str, tmp_path: Path) -> None:
    graph = several_parts()
    package = emit(compile_graph(graph, core="host", name="net", goals=Goals("time", prefetch=ROOM)))
    many = len(copies(package.plan.steps))
    assert many > 3 and "net_prefetch" in package.files["net.h"]
    write_package(package, tmp_path)
    x = np.random.default_rng(0).integers(-128, 128, graph.tensors[graph.inputs[0]].shape).astype(np.int8)
    (tmp_path / "main.c").write_text(
        f"""
        #include <stdio.h>
        #include <string.h>
        #include "net.h"
        static int copied, waited;
        {HOOKS[hook]}
        static const int8_t x[] = {{{", ".join(map(str, x.reshape(-1)))}}};
        static _Alignas(NET_ARENA_ALIGN) uint8_t arena[NET_ARENA_SIZE];
        int main(void) {{
            net_context c;
            net_init(&c, arena, sizeof arena);
            for (int i = 0; i < 2; ++i) {{
                memcpy(net_input_0(&c), x, sizeof x);
                net_invoke(&c, NULL, NULL);
            }}
            if (copied != waited || (copied != 0 && copied != {2 * many})) return 1;
            for (int j = 0; j < NET_OUTPUT_0_COUNT; ++j) printf("%d ", net_output_0(&c)[j]);
            return 0;
        }}
        """
    )
    command = ["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "main.c"]
    subprocess.run([*command, *package.sources, "-o", "main"], cwd=tmp_path, check=True)
    printed = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True).stdout
    assert [int(n) for n in printed.split()] == run(graph, [x]).outputs[0].reshape(-1).tolist()


def test_it_is_asked_for_counted_and_expected_to_gain_where_weights_wait_for_flash() -> None:
    graph = several_parts()
    target = target_of(find_board("nucleo-h7a3"))
    plain = compile_graph(graph, core=target, goals=Goals("time"))
    assert plain.prefetch_at is None and not copies(plain.steps)
    plan = compile_graph(graph, core=target, goals=Goals("time", prefetch=ROOM))
    tables = [table.data.nbytes for table in copies(plan.steps)]
    assert max(tables) <= ROOM and plan.arena_size >= max(tables[::2]) + max(tables[1::2])
    assert [layer.macs for layer in plan.layers] == [layer.macs for layer in plain.layers]
    expected = estimate_ahead(plan, target)
    before = estimate_ahead(plain, target)
    assert expected.cycles < before.cycles == pytest.approx(before.without)
    assert 0 < expected.waited < expected.cycles < expected.without
    with pytest.raises(BudgetError, match="buffers for weights"):
        compile_graph(graph, core=target, goals=Goals("time", max_arena=plain.arena_size, prefetch=ROOM))
    with pytest.raises(OptionError, match="relocatable"):
        emit_relocatable(plan, 64, None)


def test_generate_takes_it_and_says_what_it_is_expected_to_gain(tmp_path: Path) -> None:
    model = tmp_path / "net.tflite"
    model.write_bytes(write(several_parts()))
    command = ["generate", str(model), "-o", str(tmp_path / "out"), "--board", "nucleo-h7a3", "--prefetch", "4KiB"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    told = " ".join(result.output.split())
    assert re.search(r"copied ahead in \d+ parts: [\d,]+ expected cycles with a hook net_prefetch", told)
    assert "net_prefetch_wait" in (tmp_path / "out" / "net.h").read_text(encoding="utf-8")
    result = CliRunner().invoke(app, [*command, "--relocatable", "--force"])
    assert isinstance(result.exception, OptionError)
