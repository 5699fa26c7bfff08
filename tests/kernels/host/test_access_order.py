"""Safe distances between a layer's output and input: derived right from the declared order, and kept by the kernels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compiler.choice import KernelChoice, applicable
from harness.compiler.memory.overlap import Overlap, is_safe, overlap_of
from harness.hardware.cores import CORES
from harness.hardware.target import Target
from harness.ir.window import ConvAttrs, Pads
from harness.kernels.access_order import AccessOrder, quads
from harness.kernels.context import Context
from harness.kernels.discovery import all_kernels
from harness.passes import optimize
from harness.quantization.types import DType
from tests.support.builders.weights import weighted
from tests.support.draft import Draft
from tests.support.generated import KINDS, random_graph
from tests.support.overlapped import check, layer_of, layers
from tests.support.scale import scaled


def replay(reads: np.ndarray, writes: np.ndarray, distance: int) -> bool:
    """Executes the steps on memory: whether each byte is read before it is overwritten, and the output stays whole."""
    base = max(0, -distance)
    memory = [None] * (base + max(len(reads), distance + len(writes)))
    for r in range(len(reads)):
        memory[base + r] = ("in", r)
    for step in range(int(max(reads.max(), writes.max())) + 1):
        for r in np.flatnonzero(reads == step):
            if memory[base + r] != ("in", r):
                return False
        for w in np.flatnonzero(writes == step):
            memory[base + distance + w] = ("out", w)
    return all(memory[base + distance + w] == ("out", w) for w in range(len(writes)))


@st.composite
def orders(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Steps of reads and writes: any, forward or backward."""
    reads = np.array(draw(st.lists(st.integers(-1, 9), min_size=1, max_size=30)), np.int32)
    writes = np.array(draw(st.lists(st.integers(0, 9), min_size=1, max_size=30)), np.int32)
    kind = draw(st.sampled_from(["any", "forward", "backward"]))
    if kind != "any":
        reads, writes = np.sort(reads), np.sort(writes)
    return (reads[::-1].copy(), writes[::-1].copy()) if kind == "backward" else (reads, writes)


@settings(max_examples=scaled(100, 2000), deadline=None)
@given(orders(), st.integers(0, 5))
def test_allowed_distances_are_safe_when_replayed(order: tuple[np.ndarray, np.ndarray], pitch: int) -> None:
    reads, writes = order
    overlap = overlap_of(reads, writes, pitch)
    for distance in range(-len(writes) - 2, len(reads) + 3):
        safe = replay(reads, writes, distance)
        assert is_safe(reads, writes, distance) == safe
        assert safe or not overlap.allows(distance)
        if not overlap.allows(distance) and not overlap.allows(0):
            # the ends are as near as they can be
            assert distance not in (overlap.below + 1, overlap.above - 1) or not safe


def declared(seed: int, count: int) -> list[tuple[str, Context, AccessOrder]]:
    """Orders that kernels declare for layers of random graphs, on any core."""
    found = []
    rng = np.random.default_rng(seed)
    targets = [Target(core) for core in CORES.names()]
    for number in range(count):
        graph = optimize(random_graph(rng, op=KINDS[number % len(KINDS)]))
        for node in graph.nodes:
            context = Context(graph, node, targets[number % len(targets)])
            for kernel in applicable(context):
                accesses = kernel.access_order(context)
                if accesses is not None and len(node.outputs) == 1:
                    found.append((type(kernel).__name__, context, accesses))
    return found


def test_declared_orders_cover_every_byte_and_replay_at_their_safe_distances() -> None:
    tight = 0
    for name, context, accesses in declared(5, scaled(130, 2000)):
        y = context.output()
        assert len(accesses.writes) == y.bytes and (accesses.writes >= 0).all(), name
        for position, reads in accesses.reads.items():
            assert len(reads) == context.input(position).bytes, name
            overlap = overlap_of(reads, accesses.writes, accesses.pitch)
            for distance in (overlap.below, overlap.point, overlap.above):
                assert distance is None or replay(reads, accesses.writes, distance), (name, overlap)
            tight += not replay(reads, accesses.writes, overlap.below + 1)
    assert tight > 50


def test_scratch_told_in_the_cost_is_what_the_layer_gets() -> None:
    with_scratch = set()
    for name, context, _ in declared(6, len(KINDS)):
        kernel = next(k for k in all_kernels() if type(k).__name__ == name)
        choice = KernelChoice(context, kernel)
        assert choice.cost.scratch == choice.lowered.scratch, name
        with_scratch |= {name} if choice.cost.scratch else set()
    assert len(with_scratch) >= 3


def test_quads_follow_four_channels_at_a_time() -> None:
    assert quads(10) == [0, 0, 0, 0, 1, 1, 1, 1, 2, 3]
    assert quads(6, 2) == [0, 1, 2, 3, 4, 5]
    assert quads(10, 2) == [0, 0, 0, 0, 1, 2, 2, 2, 2, 3]


@pytest.mark.parametrize("two", [Overlap(-4, 9, None), Overlap(-9, 7, 0)])
def test_overlaps_combine(two: Overlap) -> None:
    one = Overlap(-8, 8, 0)
    allowed = [distance for distance in range(-12, 13) if one.both(two).allows(distance)]
    assert allowed == [distance for distance in range(-12, 13) if one.allows(distance) and two.allows(distance)]
    assert 0 < len(allowed) < 25 and (0 in allowed) == (two.point == 0)


def test_kernels_keep_to_the_order_they_declare() -> None:
    """Under AddressSanitizer on this machine; tests/kernels/emulator/test_access_order.py has the cores."""
    found = list(layers(Target("host"), 7, scaled(2, 20)))
    assert len({layer.kernel for layer in found}) >= 12
    cases = [(layer, distance) for layer in found for distance in layer.nearest]
    right = check("host", cases, sanitize=True)
    wrong = [(layer.kernel, layer.overlap, d) for (layer, d), ok in zip(cases, right, strict=True) if not ok]
    assert not wrong
    further = [(layer, layer.overlap.below + more) for layer in found for more in (1, 4, 9)]
    further = [(layer, d) for layer, d in further if not layer.overlap.allows(d)]
    broken = {layer.kernel for (layer, _), ok in zip(further, check("host", further), strict=True) if not ok}
    assert len(broken) >= 10 and {"ConvS8Portable", "DepthwiseConvS8Portable", "FullyConnectedS8Portable"} <= broken


@pytest.mark.parametrize("dtype", [DType.INT8, DType.FLOAT32])
@pytest.mark.parametrize("each", [1, 3, 6])
def test_groups_of_channels_that_are_no_fours_keep_to_their_order(dtype: DType, each: int) -> None:
    """Quads begin anew with every group: float32 layers once read windows that the group before had overwritten."""
    cases = []
    for kernel in all_kernels():
        for groups in (2, 3):
            draft = Draft(np.random.default_rng([groups, each]))
            x = draft.input((1, 8, 1, 2 * groups), dtype=dtype)
            w, b, y = weighted(draft, x, (groups * each, 3, 1, 2), 0, (1, 3, 1, groups * each))
            draft.node("CONV_2D", (x, w, b), (y,), ConvAttrs((2, 1), (1, 1), Pads(), dtype.range))
            runs = "CONV_2D" in kernel.ops and kernel.runs_on(Target("host").features)
            layer = layer_of(Target("host"), kernel, draft.finish("groups", (y,))) if runs else None
            cases += [(layer, distance) for distance in layer.nearest] if layer is not None else []
    assert cases
    assert all(check("host", cases, sanitize=True))
