"""Networks as shapes: arena and weights are the compiler's to the byte, modelled cycles its estimate."""

from __future__ import annotations

import random

import numpy as np
import pytest

from harness.compiler.compile import compile_graph
from harness.compiler.cost.estimate import estimate_costs
from harness.compiler.cost.flash import FlashEstimate
from harness.compiler.emit.package import emit
from harness.compiler.goals import Goals, Mode
from harness.cycles.targets import target_of
from harness.errors import OptionError
from harness.fit import NetworkLimits, NetworkShape, ShapeOracle, fits, known_parts
from harness.fit.lines import with_lines
from harness.fit.shapes import graph_of
from harness.hardware.boards_file import known_board
from harness.hardware.target import Target
from harness.ir.graph import Graph
from harness.ir.interpreter import run
from tests.support.scale import scaled

ORACLES: dict[tuple[str, Mode], ShapeOracle] = {}


def target(board: str) -> Target:
    found = known_board(board)
    assert found is not None
    return target_of(found)


def oracle(board: str, mode: Mode = "balanced") -> ShapeOracle:
    """One oracle a board and mode, as a search has."""
    return ORACLES.setdefault((board, mode), ShapeOracle(target(board), mode))


def drawn(rng: random.Random) -> NetworkShape:
    """Blocks as those of MobileNet, with and without expansion and residual, on an image of one or three channels."""
    size = rng.choice((17, 20, 24, 28, 32))
    net = NetworkShape.begin((size, size, rng.choice((1, 1, 3))))
    x = net.conv(net.input, 4 * rng.randint(1, 8), kernel=3, stride=rng.choice((1, 2, 2)))
    for _ in range(rng.randint(1, 5)):
        stride, kernel, depth = rng.choice((1, 1, 2)), rng.choice((3, 5, 7)), net.shape_of(x)[-1]
        channels = depth if rng.random() < 0.5 else rng.choice((4 * rng.randint(1, 12), rng.randint(3, 40)))
        expansion = rng.choice((1, 2, 3, 4))
        y = net.conv(x, depth * expansion) if expansion > 1 else x
        y = net.conv(net.depthwise(y, kernel=kernel, stride=stride), channels, clamped=False)
        x = net.add(x, y) if stride == 1 and channels == depth else y
    net.dense(net.mean(x), 10)
    return net


@pytest.mark.parametrize(
    ("board", "mode"),
    [
        ("nucleo-l4r5", "balanced"),
        ("nucleo-l4r5", "time"),
        ("nucleo-h743", "balanced"),
        ("mps3-an547", "balanced"),
        ("nucleo-u575", "balanced"),
        ("nucleo-g0b1", "balanced"),
    ],
)
def test_arena_weights_and_cycles_are_those_of_the_compiler(board: str, mode: Mode) -> None:
    for seed in range(scaled(3, 40)):
        net = drawn(random.Random(f"{board} {mode} {seed}"))
        needs = oracle(board, mode).needs(net)
        plan = compile_graph(with_lines(graph_of(net, seed=seed + 1)), core=target(board), goals=Goals(mode))
        assert needs.arena == plan.arena_size, seed
        assert needs.constants == emit(plan).constant_bytes, seed
        assert needs.cycles == pytest.approx(sum(cost.cycles for cost in estimate_costs(plan)), rel=0.001), seed
        assert needs.code >= FlashEstimate(plan.steps).code, seed


def scales(graph: Graph) -> list[float]:
    return [scale for tensor in graph.tensors if tensor.quant is not None for scale in tensor.quant.scales]


def test_scales_with_lines_change_an_output_by_less_than_its_rounding() -> None:
    net = NetworkShape.begin((12, 12, 3))
    x = net.conv(net.depthwise(net.conv(net.input, 48, kernel=3), kernel=5), 64)
    net.dense(net.mean(x), 10)
    graphs = (graph_of(net, seed=seed) for seed in range(20))
    graph, lined = next((a, b) for a, b in ((a, with_lines(a)) for a in graphs) if scales(a) != scales(b))
    assert 0 < np.abs(np.array(scales(lined)) / np.array(scales(graph)) - 1).max() < 2**-8
    image = np.random.default_rng(0).integers(-128, 128, graph.tensors[0].shape).astype(np.int8)
    before, after = (run(one, [image]).outputs[0].astype(int) for one in (graph, lined))
    assert np.abs(before - after).max() <= 2


def test_fits_tells_what_is_left_and_what_to_shrink() -> None:
    net = NetworkShape.begin((28, 28, 1))
    x = net.conv(net.input, 16, kernel=3)
    net.dense(net.mean(net.conv(x, 200)), 10)
    limits = NetworkLimits(arena=24_000, flash=8_000, cycles=2e6)
    answer = fits(net, limits, oracle("nucleo-l4r5"))
    assert not answer.fits
    assert answer.slack("arena") == 24_000 - answer.needs.arena < 0
    assert answer.slack("energy") == float("inf")
    assert answer.excess > 0
    hints = answer.hints()
    assert hints[0].startswith("arena")
    assert "layer 1, CONV_2D to 28x28x200" in hints[0]
    roomy = fits(net, NetworkLimits(arena=1 << 20), oracle("nucleo-l4r5"))
    assert roomy.fits
    assert roomy.hints() == ()


def test_limits_of_a_board_are_its_memory_its_clock_and_its_current() -> None:
    part = known_parts()["nucleo-l4r5"]
    limits = NetworkLimits.of(part, latency_s=0.01, energy=1e-3)
    assert limits.arena == part.bytes_of("ram") - part.stack_size
    assert limits.cycles == pytest.approx(0.01 * part.clock_hz)
    assert part.run is None or 0 < limits.joules_a_cycle < 1e-8


def test_modes_that_fuse_layers_are_refused() -> None:
    with pytest.raises(OptionError):
        ShapeOracle(Target("cortex-m4"), "ram")


def test_other_forms_are_compiled() -> None:
    net = NetworkShape.begin((8, 8, 4))
    x = net.conv(net.input, 8)
    net.dense(net.mean(net.add(x, x)), 3)
    asked = ShapeOracle(Target("cortex-m4"))
    needs = asked.needs(net)
    assert asked.compiled == 1
    plan = compile_graph(with_lines(graph_of(net)), core=Target("cortex-m4"))
    assert (needs.arena, needs.constants) == (plan.arena_size, emit(plan).constant_bytes)
