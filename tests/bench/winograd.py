"""Networks of 3x3 convolutions with and without Winograd's kernels: instructions, modelled cycles, arena, exactness."""

from __future__ import annotations

from unittest import mock

from rich.console import Console

from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.compiler.goals import Goals
from harness.cycles.predict import predict
from harness.cycles.record import observable
from harness.cycles.targets import target_of_run
from harness.frontends import load
from harness.ir.graph import Graph
from harness.ir.interpreter import run as interpret
from harness.kernels.convolution_winograd import ConvWinograd
from harness.quantization.types import Array
from tests.bench.common import mlperf_models, table
from tests.support.conv_networks import resnet_like, vgg_like
from tests.support.generated import random_inputs

BOARDS = ("nucleo-l4r5", "nucleo-h7a3")
MODES = ("time", "balanced")
MOST = 0.5
"""Of the instructions before, which the networks of our own are held to in `time`."""
BEFORE = {
    ("VGG-like, 32x32, 16-32-64", "nucleo-l4r5"): 10_022_000,
    ("VGG-like, 32x32, 16-32-64", "nucleo-h7a3"): 10_233_000,
    ("VGG-like, 64x64, 16-32-64", "nucleo-l4r5"): 39_405_000,
    ("VGG-like, 64x64, 16-32-64", "nucleo-h7a3"): 40_279_000,
    ("ResNet-like, 32x32, 16-32-64", "nucleo-l4r5"): 31_491_000,
    ("ResNet-like, 32x32, 16-32-64", "nucleo-h7a3"): 32_132_000,
    ("ResNet-like, 48x48, 32-64", "nucleo-l4r5"): 176_091_000,
    ("ResNet-like, 48x48, 32-64", "nucleo-h7a3"): 179_621_000,
}
"""Instructions when these kernels were made. What there is without them today is less, as other kernels became faster
since; it stands for them where nothing was measured then."""


def networks() -> dict[str, Graph]:
    """Our own, then ic where it is."""
    own = {
        "VGG-like, 96x96, 16-32-64": vgg_like(96, (16, 32, 64)),
        "VGG-like, 64x64, 16-32-64": vgg_like(64, (16, 32, 64)),
        "VGG-like, 32x32, 16-32-64": vgg_like(32, (16, 32, 64)),
        "ResNet-like, 32x32, 16-32-64": resnet_like(32, (16, 32, 64)),
        "ResNet-like, 48x48, 32-64": resnet_like(48, (32, 64)),
    }
    models = mlperf_models()
    return own | ({"ic": load(models["ic"])} if "ic" in models else {})


def run(console: Console) -> None:
    """Print a row per network, board and mode."""
    import numpy as np

    made = table(
        "Winograd's kernels, M instructions and modelled cycles",
        *("network", "board", "mode", "before", "without", "with", "of before", "cycles", "with", "ratio"),
        *("arena B", "with", "exact", ""),
    )
    for name, graph in networks().items():
        inputs = random_inputs(graph, np.random.default_rng(0), 1)[0]
        for board in BOARDS:
            for mode in MODES if name == "ic" else MODES[:1]:
                recorded = BEFORE.get((name, board))
                made.add_row(name, board, mode, *_cells(graph, inputs, board, mode, recorded, own=name != "ic"))
    console.print(made)


def _cells(graph: Graph, inputs: list[Array], board: str, mode: str, recorded: int | None, own: bool) -> list[str]:
    with mock.patch.object(ConvWinograd, "applies", return_value=False):
        without = measured(graph, inputs, board, mode)
    after = measured(graph, inputs, board, mode)
    before = recorded or without[0]
    share = after[0] / before
    cells = [f"{count / 1e6:.3f}" for count in (before, without[0], after[0])] + [f"{share:.3f}"]
    cells += [f"{without[1] / 1e6:.3f}", f"{after[1] / 1e6:.3f}", f"{after[1] / without[1]:.3f}"]
    verdict = "" if not own or mode != "time" else "ok" if share <= MOST else "OVER"
    return [*cells, f"{without[2]:,}", f"{after[2]:,}", "yes" if without[3] and after[3] else "NO", verdict]


def measured(graph: Graph, inputs: list[Array], board: str, mode: str) -> tuple[int, int, int, bool]:
    """(instructions, modelled cycles, bytes of arena, whether outputs equal the specification's)"""
    resolved = observable(board)
    plan = compile_graph(graph, core=target_of_run(resolved), goals=Goals("time" if mode == "time" else "balanced"))
    prediction = predict(resolved, emit(plan), inputs)
    wanted = [output.tobytes() for output in interpret(graph, inputs).outputs]
    exact = [bytes(output) for output in prediction.recording.outputs] == wanted
    instructions = sum(layer.instructions.value for layer in prediction.estimate.layers)
    return instructions, prediction.estimate.cycles.value, plan.arena_size, exact
