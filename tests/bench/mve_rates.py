"""What a round of each loop of the MVE kernels takes: python -m tests.bench.mve_rates [KERNEL...]

Every kernel computes some tens of layers on the emulated Cortex-M55. The rates are those that explain their executed
instructions and modelled cycles best (least squares of relative errors, nothing negative); beside them stands how far
the rates in harness/kernels are off.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from harness import kernels
from harness.compiler import compile_graph
from harness.cycles.predict import predict
from harness.cycles.record import observable
from harness.emit import emit
from harness.goals import Goals
from harness.graph import Graph, Node, Pads
from harness.kernels.base import Kernel
from harness.kernels.effort_mve import MveKernel
from tests.support.draft import Rng, between, chance, pick
from tests.support.layers import (
    binary_layer,
    conv_layer,
    copy_layer,
    fully_connected_layer,
    mean_layer,
    pool_layer,
)
from tests.support.opgen import random_graph, random_inputs

BOARD = "mps3-an547"
LAYERS = 40


def _conv(rng: Rng, kernel: tuple[int, int], stride: tuple[int, int], depth: int, depthwise: bool = False) -> Graph:
    image = (1, between(rng, 6, 24), between(rng, 6, 24), depth)
    channels = depth if depthwise else pick(rng, 8, 16, 32, between(rng, 4, 50))
    pads = None if chance(rng, 0.6) else Pads()
    return conv_layer(rng, image, channels, kernel, stride, pads=pads, depthwise=depthwise)


def _depth(rng: Rng) -> int:
    return pick(rng, 3, 8, 16, 24, 32, 40, 48, 64, 96, between(rng, 1, 100))


def _pair(rng: Rng, low: int, high: int) -> tuple[int, int]:
    return between(rng, low, high), between(rng, low, high)


def _line(rng: Rng) -> Graph:
    taps = between(rng, 2, 13)
    image = (between(rng, 14, 40), between(rng, 1, 3))
    image, kernel = (image, (taps, 1)) if chance(rng, 0.5) else (image[::-1], (1, taps))
    depth = _depth(rng)
    pads = None if chance(rng, 0.4) else Pads()
    return conv_layer(rng, (1, *image, depth), depth, kernel, pads=pads, depthwise=True)


def _binary(rng: Rng, op: str) -> Graph:
    shape = (between(rng, 1, 10), between(rng, 1, 10), between(rng, 8, 90))
    other = tuple(1 if chance(rng, 0.4) else n for n in shape) if chance(rng, 0.5) else shape
    return binary_layer(rng, op, (shape, other))


def _pool(rng: Rng, op: str) -> Graph:
    image = (1, between(rng, 6, 16), between(rng, 6, 16), between(rng, 4, 70))
    kernel = pick(rng, (2, 2), (3, 3), image[1:3], _pair(rng, 1, 5))
    return pool_layer(rng, op, image, kernel, pick(rng, (1, 1), (2, 2)))


CASES: dict[str, Callable[[Rng], Graph]] = {
    "Conv1x1S8Mve": lambda rng: _conv(rng, (1, 1), (1, 1), _depth(rng)),
    "ConvS8Mve": lambda rng: _conv(rng, _pair(rng, 1, 5), _pair(rng, 1, 2), _depth(rng)),
    "FullyConnectedS8Mve": lambda rng: fully_connected_layer(rng, 1, between(rng, 4, 300), _depth(rng)),
    "DepthwiseConv3x3S8Mve": lambda rng: _conv(rng, (3, 3), (1, 1), _depth(rng), True),
    "DepthwiseConv4x4S8Mve": lambda rng: _conv(rng, _pair(rng, 2, 4), _pair(rng, 1, 3), _depth(rng), True),
    "DepthwiseConvLineS8Mve": _line,
    "DepthwiseConvS8Mve": lambda rng: _conv(rng, _pair(rng, 1, 6), _pair(rng, 1, 2), _depth(rng), True),
    "AddLinearS8Mve": lambda rng: _binary(rng, "ADD"),
    "AddS8Mve": lambda rng: _binary(rng, "ADD"),
    "MulS8Mve": lambda rng: _binary(rng, "MUL"),
    "AveragePoolS8Mve": lambda rng: _pool(rng, "AVERAGE_POOL_2D"),
    "MaxPoolS8Mve": lambda rng: _pool(rng, "MAX_POOL_2D"),
    "MeanS8Mve": lambda rng: mean_layer(rng, (1, *_pair(rng, 2, 20), between(rng, 4, 70)), (1, 2)),
    "Lut8Mve": lambda rng: random_graph(rng, "LOGISTIC"),
    "SoftmaxS8Mve": lambda rng: random_graph(rng, "SOFTMAX"),
    "ConcatMve": lambda rng: copy_layer(rng, "CONCATENATION"),
    "SplitMve": lambda rng: copy_layer(rng, "SPLIT_V"),
    "StridedSliceMve": lambda rng: copy_layer(rng, "STRIDED_SLICE"),
    "PadMve": lambda rng: copy_layer(rng, "PAD"),
}


def side_by_side(graphs: Sequence[Graph]) -> Graph:
    """One graph that computes all of them."""
    tensors, nodes, inputs, outputs = [], [], [], []
    for graph in graphs:
        base = len(tensors)

        def moved(index: int, base: int = base) -> int:
            return index + base if index >= 0 else index

        tensors += [replace(t, name=f"t{base + i}", source=base + i) for i, t in enumerate(graph.tensors)]
        for node in graph.nodes:
            where = tuple(map(moved, node.inputs)), tuple(map(moved, node.outputs))
            nodes.append(Node(node.op, *where, node.attrs, sources=(len(nodes),)))
        inputs += map(moved, graph.inputs)
        outputs += map(moved, graph.outputs)
    ops = tuple(node.op for node in nodes)
    return Graph("many", tuple(tensors), tuple(nodes), tuple(inputs), tuple(outputs), source_ops=ops)


def measured(name: str, count: int) -> tuple[list[str], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(names of loops, rounds [layer, loop], [layer, (instructions, cycles)]) of layers that kernel `name` computes."""
    rng = np.random.default_rng(7)
    kernel = next(k for k in kernels.KERNELS if type(k).__name__ == name)
    assert isinstance(kernel, MveKernel)
    fitting: list[Graph] = []
    while len(fitting) < count:
        graph = CASES[name](rng)
        steps = compile_graph(graph, core="cortex-m55", prefer={name}).steps
        if any(step.kernel is kernel for step in steps):
            fitting.append(graph)
    graph = side_by_side(fitting)
    plan = compile_graph(graph, core="cortex-m55", prefer={name}, goals=Goals("time"))
    package = emit(plan)
    found = predict(observable(BOARD), package, random_inputs(graph, rng, 1)[0])
    layers = {layer.index: layer for layer in found.estimate.layers}
    loops = sorted(kernel.rates)
    rows, taken = [], []
    for index, step in enumerate(plan.steps):
        if step.kernel is kernel:
            counts = kernel.loops(step.context)
            rows.append([float(counts.get(loop, 0)) for loop in loops])
            taken.append([layers[index].instructions.value, layers[index].cycles.value])
    return loops, np.array(rows), np.array(taken)


def fitted(rounds: npt.NDArray[np.float64], taken: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Rates that explain `taken` with the smallest relative errors, none of them negative."""
    active = rounds.any(axis=0)
    rates = np.zeros(rounds.shape[1])
    while active.any():
        scaled = rounds[:, active] / taken[:, None]
        rates[:] = 0
        rates[active] = np.linalg.lstsq(scaled, np.ones(len(taken)), rcond=None)[0]
        negative = rates < 0
        if not negative.any():
            break
        active &= ~negative
    return rates


def main(names: Sequence[str]) -> None:
    for name in names or CASES:
        loops, rounds, taken = measured(name, LAYERS)
        kernel: Kernel = next(k for k in kernels.KERNELS if type(k).__name__ == name)
        assert isinstance(kernel, MveKernel)
        print(f"{name}: {len(taken)} layers")
        columns = []
        for which, attribute in enumerate(("instructions", "cycles")):
            best = fitted(rounds, taken[:, which])
            now = np.array([getattr(kernel.rates[loop], attribute) for loop in loops])
            errors = [np.abs(rounds @ rates / taken[:, which] - 1) for rates in (best, now)]
            print(f"  {attribute}: fitted {errors[0].mean():.2%} mean {errors[0].max():.2%} worst", end="; ")
            print(f"now {errors[1].mean():.2%} mean {errors[1].max():.2%} worst")
            columns.append(best)
        for loop, instructions, cycles, total in zip(loops, *columns, rounds.sum(axis=0), strict=True):
            print(f'    "{loop}": Rate({instructions:.4g}, {cycles:.4g}),  # {total:.0f} rounds')


if __name__ == "__main__":
    main(sys.argv[1:])
