"""Signal operators against TFLM where generated graphs do not go: what it leaves undefined, and ends of numbers."""

from __future__ import annotations

import numpy as np
import pytest

from harness.ir.graph import Graph, NoAttrs
from harness.ir.operators.signal_fft import EnergyAttrs
from harness.ir.operators.signal_filter_bank import GAINS, LogAttrs, PcanAttrs
from harness.ir.operators.signal_frames import FramerAttrs, StackerAttrs
from harness.oracle import open_oracle
from harness.quantization.types import Array, DType
from tests.support.builders.signal import stateful
from tests.support.compiled import check_on_board
from tests.support.draft import Draft


def graph_of(op: str, x: Array, attrs: object, *more: tuple[DType, Array | int]) -> Graph:
    """One operator of an input like x, and of constants; outputs are of x's shape and of the types given."""
    draft = Draft(np.random.default_rng(0))
    first = draft.input(x.shape, dtype=DType(x.dtype.name))
    constants = tuple(draft.constant(np.asarray(values), None) for _, values in more if not isinstance(values, int))
    made = [(kind, (n,) if n else ()) for kind, n in more if isinstance(n, int)]
    outputs = tuple(draft.tensor(shape, None, kind) for kind, shape in made)
    draft.node(op, (first, *constants), outputs, attrs)
    return draft.finish(op.lower(), outputs)


def both(graph: Graph, vectors: list[Array]) -> list[tuple[tuple[Array, ...], tuple[Array, ...]]]:
    with open_oracle("spec", graph) as spec, open_oracle("tflm", graph) as tflm:
        return [(spec.invoke([x]).outputs, tflm.invoke([x]).outputs) for x in vectors]


def same(graph: Graph, vectors: list[Array]) -> None:
    for ours, theirs in both(graph, vectors):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a.reshape(-1), b.reshape(-1))


def test_silence_is_not_scaled_and_the_lowest_number_has_no_magnitude() -> None:
    low = -32768
    rows = [[0, 0, 0, 0], [low] * 4, [low, 5, -7, 1], [5, low, low, -3], [low, -9, -20, 0]]
    rows += [[1, -1, 0, 0], [3, 2, 1, low]]
    vectors = [np.array(row, np.int16) for row in rows]
    graph = graph_of("SignalFftAutoScale", vectors[0], NoAttrs(), (DType.INT16, 4), (DType.INT32, 0))
    same(graph, vectors)
    shifts = [int(ours[1]) for ours, _ in both(graph, vectors)]
    assert shifts == [0, 0, 12, 0, 10, 14, 0]


def test_roots_at_the_ends_of_their_types() -> None:
    edges = [0, 1, 2, 3, 65535**2, 65535 * 65536, 65535 * 65536 + 1, (1 << 32) - 1, 1 << 32]
    edges += [(1 << 64) - (1 << 32), (1 << 64) - 1]
    edges += [n * n + n + more for n in (1, 7, 65536, 4294967294) for more in (-1, 0, 1)]
    x = np.array(edges, np.uint64)
    shift = np.array(0, np.int32)
    same(graph_of("SignalFilterBankSquareRoot", x, NoAttrs(), (DType.INT32, shift), (DType.UINT32, len(edges))), [x])


def test_logarithms_and_gains_of_all_sizes() -> None:
    edges = sorted({(1 << n) + more for n in range(32) for more in (-1, 0, 1)} | {(1 << 32) - 1})
    x = np.array(edges, np.uint32)
    for scale, bits in ((64, 0), (64, 3), (70000, 1)):
        same(graph_of("SignalFilterBankLog", x, LogAttrs(scale, bits), (DType.INT16, len(edges))), [x])
    gains = np.random.default_rng(1).integers(-32768, 32767, GAINS).astype(np.int16)
    noise = np.random.default_rng(2).permutation(x)
    for shift in (0, 6, 40):
        more = ((DType.UINT32, noise), (DType.INT16, gains), (DType.UINT32, len(edges)))
        same(graph_of("SignalPCAN", x, PcanAttrs(shift), *more), [x])


def test_energies_outside_of_the_range_are_zero() -> None:
    x = np.random.default_rng(3).integers(-32768, 32767, 20, endpoint=True).astype(np.int16)
    graph = graph_of("SignalEnergy", x, EnergyAttrs(2, 7), (DType.UINT32, 10))
    ((ours, theirs),) = both(graph, [x])
    np.testing.assert_array_equal(ours[0][2:7], theirs[0][2:7])
    assert not ours[0][:2].any() and not ours[0][7:].any() and ours[0][2:7].any()
    assert check_on_board([graph], "host", sanitize=True)


CASES = [("SignalFramer", FramerAttrs(size, step, prefill=False)) for size, step in ((7, 3), (8, 4), (5, 4), (20, 3))]
STACKS = ((0, 2, 3), (3, 1, 2), (2, 2, 5), (0, 3, 1), (4, 0, 3))
CASES += [("SignalStacker", StackerAttrs(*numbers)) for numbers in STACKS]


@pytest.mark.parametrize(("op", "attrs"), CASES, ids=str)
def test_frames_are_zeros_until_they_are_whole(op: str, attrs: FramerAttrs | StackerAttrs) -> None:
    """When they are whole TFLM says, too; what they are then is the same."""
    rng = np.random.default_rng(4)
    draft = Draft(rng)
    if isinstance(attrs, FramerAttrs):
        x = draft.input((2, attrs.frame_step), dtype=DType.INT16)
        shape: tuple[int, ...] = (2, 1, attrs.frame_size)
    else:
        x = draft.input((5,), dtype=DType.INT16)
        shape = (5 * attrs.frames,)
    y = stateful(draft, op, x, (shape, ()), attrs)
    graph = draft.finish(op.lower(), (y, y + 1))
    vectors = [rng.integers(1, 999, draft.shape(x)).astype(np.int16) for _ in range(20)]
    whole = 0
    for ours, theirs in both(graph, vectors):
        assert ours[1] == theirs[1]
        whole += int(ours[1])
        np.testing.assert_array_equal(ours[0], theirs[0] if ours[1] else np.zeros_like(ours[0]))
    assert 0 < whole < len(vectors)
    assert check_on_board([graph], "host", sanitize=True)
