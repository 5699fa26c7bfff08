"""Layers whose output lies over their input at a chosen distance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from harness.boards import load_boards, open_session, resolve
from harness.boards.session import open_client
from harness.build import BuildOptions, build_image
from harness.compiler.choice import KernelChoice, applicable
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.compiler.memory.overlap import Overlap
from harness.compiler.plan import ArenaPlacement, Plan
from harness.hardware.target import Target
from harness.ir.graph import Graph
from harness.ir.interpreter import run
from harness.ir.operators import OPERATORS
from harness.kernels.base import Kernel
from harness.kernels.context import Context
from harness.kernels.discovery import all_kernels
from harness.validate.measurement import measure
from tests.support.generated import OPS, random_graph, random_inputs


@dataclass(frozen=True)
class Layer:
    """A plan of one layer that a kernel computes, and how that may overlap."""

    kernel: str
    plan: Plan
    graph: Graph
    pair: tuple[int, int]
    overlap: Overlap

    @property
    def nearest(self) -> list[int]:
        """The largest distances that are safe, and where the kernel reads backwards the smallest."""
        size_in, size_out = (self.plan.graph.tensors[t].bytes for t in self.pair[::-1])
        found = [max(self.overlap.below, -size_out)]
        found += [self.overlap.point] if self.overlap.point is not None else []
        return found + ([self.overlap.above] if self.overlap.above < size_in else [])


def layers(target: Target, seed: int, each: int, kernels: tuple[Kernel, ...] = all_kernels()) -> Iterator[Layer]:
    """`each` random layers of every kernel that declares an order on this target."""
    for number, kernel in enumerate(kernels):
        ops = sorted(kernel.ops & set(OPS))
        # Variants of another kernel, for layers that are larger than random ones, have tests of their own.
        alone = kernel.costs_itself and not kernel.costs_as
        if not ops or not kernel.runs_on(target.features) or not alone:
            continue
        found = tried = 0
        for attempt in range(100 * each):
            name = ops[attempt % len(ops)]
            graph = random_graph(np.random.default_rng([seed, number, attempt]), op=name)
            if OPERATORS[name].types_of(graph, graph.nodes[-1]) not in kernel.types:
                continue
            layer = layer_of(target, kernel, graph)
            if layer is not None:
                yield layer
            found, tried = found + (layer is not None), tried + 1
            if found == each or tried == 12 * each:
                break


def layer_of(target: Target, kernel: Kernel, graph: Graph) -> Layer | None:
    """The graph's only layer, computed by `kernel`, or None where that cannot be or nothing may overlap."""
    plan = compile_graph(graph, core=target, prefer=(type(kernel).__name__,))
    if len(plan.steps) != 1:
        return None
    step = plan.steps[0]
    context = Context(plan.graph, step.node, target)
    if len(step.node.outputs) != 1 or kernel not in applicable(context):
        return None
    choice = KernelChoice(context, kernel)
    plan = replace(plan, steps=(choice.step,))
    plan = replace(plan, layers=(replace(plan.layers[0], kernel=choice.lowered.kernel, scratch=sum(choice.scratch)),))
    for pair, overlap in choice.overlaps.items():
        once = step.node.inputs.count(pair[1]) == 1
        if once and pair[1] in plan.graph.inputs and overlap.below > -plan.graph.tensors[pair[0]].bytes:
            return Layer(type(kernel).__name__, plan, graph, pair, overlap)
    return None


def at_distance(layer: Layer, distance: int, name: str) -> Plan:
    """The layer's plan with its output `distance` bytes after its input, and everything else apart."""
    plan, (over, under) = layer.plan, layer.pair
    sizes = {t: plan.graph.tensors[t].bytes for t in layer.pair}
    base = max(-distance, 0)
    base = -(-base // 16) * 16
    offsets = {under: base, over: base + distance}
    end = max(offsets[t] + sizes[t] for t in layer.pair)
    placements = [ArenaPlacement(f"t{t}", t, None, offsets[t], sizes[t], -1, 1) for t in layer.pair]
    others = [t for t in (*plan.graph.inputs, *plan.graph.outputs) if t not in layer.pair]
    for t in others:
        end = -(-end // 16) * 16
        placements.append(ArenaPlacement(f"t{t}", t, None, end, plan.graph.tensors[t].bytes, -1, 1))
        end += plan.graph.tensors[t].bytes
    end = -(-end // 16) * 16
    scratch = plan.layers[0].scratch
    placements.append(ArenaPlacement("scratch of layer 0", None, None, end, scratch, 0, 0))
    return replace(plan, name=name, placements=tuple(placements), arena_size=end + max(scratch, 1))


def check(board_name: str, cases: list[tuple[Layer, int]], *, sanitize: bool = False, odd: float = 0.0) -> list[bool]:
    """Runs each layer at its distance; whether it equals the specification. `odd`: share of odd floats in inputs."""
    board = load_boards()[board_name]
    plans = [at_distance(layer, distance, f"o{i:03d}") for i, (layer, distance) in enumerate(cases)]
    packages = [emit(plan) for plan in plans]
    image = build_image(packages, board, BuildOptions(link="fast", sanitize=sanitize, unity=True))
    right = []
    with open_session(resolve(board_name), image) as session:
        client = open_client(session, image)
        for i, ((layer, _), package) in enumerate(zip(cases, packages, strict=True)):
            # every byte another: what is overwritten too early shows
            vectors = random_inputs(layer.graph, np.random.default_rng(i), 2, odd)
            measured = measure(session, image, package, vectors, layers=False, profile=False, client=client)
            wanted = [run(layer.graph, vector).outputs for vector in vectors]
            right.append(
                all(
                    np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
                    for ours, theirs in zip(measured.outputs, wanted, strict=True)
                    for a, b in zip(ours, theirs, strict=True)
                )
            )
    return right
