"""Where windows lie, against a list of every tap of every window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.ir.graph import ABSENT, Graph, Node, Tensor
from harness.ir.verifier import verify
from harness.ir.window import (
    NO_WINDOW,
    ONE,
    ConvAttrs,
    Pads,
    PoolAttrs,
    Window2D,
    WindowAxis,
    one_row,
    padding_of,
    same_pads,
    window_fault,
    window_of,
)
from harness.quantization.types import DType
from tests.support.generated import random_graph

axes = st.builds(
    WindowAxis,
    size=st.integers(1, 12),
    out=st.integers(1, 9),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
    pad_before=st.integers(0, 6),
)
"""Any axis: windows may reach beyond the image on both sides, or lie in the padding altogether."""

windows = st.builds(Window2D, st.integers(1, 2), st.integers(1, 3), st.integers(1, 3), axes, axes)


def taps(axis: WindowAxis) -> list[list[int]]:
    """The place of every tap of every window."""
    return [
        [window * axis.stride - axis.pad_before + tap * axis.dilation for tap in range(axis.kernel)]
        for window in range(axis.out)
    ]


def inside(axis: WindowAxis, place: int) -> bool:
    return 0 <= place < axis.size


@given(axes)
def test_every_tap_is_counted_where_it_lies(axis: WindowAxis) -> None:
    every = taps(axis)
    assert axis.inside().tolist() == [[inside(axis, place) for place in window] for window in every]
    assert axis.taps_inside() == sum(inside(axis, place) for window in every for place in window)
    assert axis.reaches_padding == any(not inside(axis, place) for window in every for place in window)
    met = [any(not inside(axis, window[tap]) for window in every) for tap in range(axis.kernel)]
    assert axis.padding_taps().tolist() == met
    places = [place for window in every for place in window]
    assert axis.length == max(places) - min(places) + 1 and axis.reach == every[0][-1] - every[0][0] + 1
    assert axis.pad_after == max(max(places) - (axis.size - 1), 0)


def test_taps_inside_an_image() -> None:
    assert WindowAxis(size=4, out=4, kernel=3, pad_before=1).taps_inside() == 2 + 3 + 3 + 2
    assert WindowAxis(size=5, out=2, kernel=3, stride=2).taps_inside() == 6
    assert WindowAxis(size=3, out=3, kernel=2, dilation=2, pad_before=1).taps_inside() == 1 + 2 + 1


@given(axes)
def test_whole_windows_are_those_without_a_tap_outside(axis: WindowAxis) -> None:
    assert list(axis.whole) == [i for i, window in enumerate(taps(axis)) if all(inside(axis, p) for p in window)]


@given(axes)
def test_the_last_window_of_each_element(axis: WindowAxis) -> None:
    every = taps(axis)
    for element, last in enumerate(axis.last_windows().tolist()):
        assert last == max((i for i, window in enumerate(every) if element in window), default=NO_WINDOW)


@given(axes, st.data())
def test_what_some_windows_need(axis: WindowAxis, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, axis.out - 1))
    end = data.draw(st.integers(first + 1, axis.out))
    places = [place for window in taps(axis)[first:end] for place in window]
    assert axis.span(first, end) == (min(places), max(places) + 1)
    start, stop = axis.needed(first, end)
    between = [place for place in range(min(places), max(places) + 1) if inside(axis, place)]
    assert list(range(start, stop)) == between


@given(axes)
def test_the_canonical_axis_has_the_same_taps(axis: WindowAxis) -> None:
    assert taps(axis.canonical()) == taps(axis)
    assert axis.canonical().dilation == (1 if axis.kernel == 1 else axis.dilation)


@given(windows)
def test_an_image_is_its_rows_and_columns(window: Window2D) -> None:
    pairs = [(y, x) for row in taps(window.rows) for column in taps(window.columns) for y in row for x in column]
    lie = [inside(window.rows, y) and inside(window.columns, x) for y, x in pairs]
    assert window.taps_inside() == window.batches * sum(lie)
    assert window.reaches_padding == (not all(lie))
    assert window.pixels * window.taps == window.batches * len(pairs)
    turned = window.transposed()
    assert (turned.rows, turned.columns) == (window.columns, window.rows) and turned.transposed() == window
    assert (turned.batches, turned.in_c, turned.out_c) == (window.batches, window.in_c, window.out_c)


@given(windows, st.sampled_from([ONE, replace(ONE, stride=2), replace(ONE, size=2), replace(ONE, kernel=2)]))
def test_only_an_image_one_column_wide_is_taken_for_a_row(window: Window2D, columns: WindowAxis) -> None:
    narrow = replace(window, columns=columns)
    one_wide = columns.size == columns.out == columns.kernel == 1
    assert narrow.column_as_row() == (narrow.transposed() if one_wide else narrow)


def test_a_row_of_pixels() -> None:
    row = one_row(7, 3, 5)
    assert (row.pixels, row.taps, row.in_c, row.out_c) == (7, 1, 3, 5)
    assert row.taps_inside() == 7 and not row.reaches_padding


@given(axes, axes, st.sampled_from(["CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D"]))
def test_a_nodes_windows_are_read_from_its_tensors(rows: WindowAxis, columns: WindowAxis, op: str) -> None:
    pool = op.endswith("POOL_2D")
    if pool:
        rows, columns = replace(rows, dilation=1), replace(columns, dilation=1)
    stride, dilation = (rows.stride, columns.stride), (rows.dilation, columns.dilation)
    kernel = (rows.kernel, columns.kernel)
    pads = Pads(rows.pad_before, rows.pad_after, columns.pad_before, columns.pad_after)
    shapes = [(2, rows.size, columns.size, 4), (6, *kernel, 4) if op == "CONV_2D" else (1, *kernel, 6)]
    shapes.append((2, rows.out, columns.out, 6))
    tensors = tuple(Tensor(f"t{i}", shape, DType.INT8) for i, shape in enumerate(shapes))
    clamp = (-128, 127)
    attrs = PoolAttrs(kernel, stride, pads, clamp) if pool else ConvAttrs(stride, dilation, pads, clamp)
    node = Node(op, (0,) if pool else (0, 1, ABSENT), (2,), attrs)
    graph = Graph("one", tensors, (node,), (0,), (2,))
    assert window_of(graph, node) == Window2D(2, 4, 6, rows, columns)


def pool(size: tuple[int, int], out: tuple[int, int], pads: Pads, **options: tuple[int, int]) -> str | None:
    attrs = PoolAttrs(options.get("kernel", (2, 2)), options.get("stride", (1, 1)), pads, (-128, 127))
    x, y = Tensor("x", (1, *size, 3), DType.INT8), Tensor("y", (1, *out, 3), DType.INT8)
    return window_fault(x, y, attrs.kernel, attrs)


def test_sizes_that_do_not_follow_from_the_window_are_named() -> None:
    assert pool((4, 5), (3, 4), Pads()) is None
    assert pool((4, 5), (2, 2), Pads(), stride=(2, 3)) is None
    assert pool((4, 5), (3, 5), Pads()) == "gives 4 rows or columns, 'y' is [1, 3, 5, 3]"
    assert pool((4, 5), (4, 4), Pads(bottom=-1, top=2)) == "has a negative padding, or a zero kernel or stride"
    assert pool((4, 5), (3, 4), Pads(), stride=(0, 1)) == "has a negative padding, or a zero kernel or stride"
    assert pool((1, 5), (1, 4), Pads()) == "has a kernel larger than its padded input [1, 1, 5, 3]"
    x, y = Tensor("x", (2, 4, 5, 3), DType.INT8), Tensor("y", (1, 3, 4, 3), DType.INT8)
    attrs = PoolAttrs((2, 2), (1, 1), Pads(), (-128, 127))
    assert window_fault(x, y, (2, 2), attrs) == "changes the batch size"
    flat = Tensor("x", (4, 5), DType.INT8)
    assert window_fault(flat, y, (2, 2), attrs) == "reads [4, 5] and writes [1, 3, 4, 3], not NHWC"


@given(st.integers(0, 2**32 - 1))
def test_what_the_verifier_takes_has_no_fault(seed: int) -> None:
    rng = np.random.default_rng(seed)
    op = str(rng.choice(["CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D"]))
    graph = random_graph(rng, op)
    verify(graph)
    over_windows = [node for node in graph.nodes if isinstance(node.attrs, ConvAttrs | PoolAttrs)]
    assert over_windows
    for node in over_windows:
        x, y, window = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]], window_of(graph, node)
        kernel = (window.rows.kernel, window.columns.kernel)
        assert window_fault(x, y, kernel, node.attrs) is None
        longer = replace(y, shape=(*y.shape[:1], y.shape[1] + 1, *y.shape[2:]))
        assert window_fault(x, longer, kernel, node.attrs) is not None
        assert window.rows.pad_after <= node.attrs.pads.bottom
        assert window.columns.pad_after <= node.attrs.pads.right


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3])
def test_same_and_valid_are_recognised(kernel: int, stride: int, dilation: int) -> None:
    size = (9, 8)
    kernels, strides, dilations = (kernel, kernel), (stride, stride), (dilation, dilation)
    same = same_pads(size, kernels, strides, dilations)
    x = Tensor("x", (1, *size, 1), DType.INT8)

    def found(pads: Pads, out: tuple[int, ...]) -> str | None:
        attrs = ConvAttrs(strides, dilations, pads, (-128, 127))
        return padding_of(x, Tensor("y", (1, *out, 1), DType.INT8), kernels, attrs)

    rounded_up = tuple(-(-n // stride) for n in size)
    valid = tuple((n - (kernel - 1) * dilation - 1) // stride + 1 for n in size)
    assert found(Pads(), valid) == "VALID"
    assert found(same, rounded_up) == ("VALID" if same == Pads() and valid == rounded_up else "SAME")
    assert found(replace(same, left=same.left + 1), rounded_up) is None
    assert found(replace(same, bottom=same.bottom + 1), rounded_up) is None
    assert found(Pads(), (valid[0] + 1, valid[1])) is None or rounded_up == (valid[0] + 1, valid[1])


@given(axes)
def test_same_pads_give_the_least_that_rounds_up(axis: WindowAxis) -> None:
    size, kernel, stride, dilation = ((n, n) for n in (axis.size, axis.kernel, axis.stride, axis.dilation))
    pads = same_pads(size, kernel, stride, dilation)
    same = replace(axis, out=-(-axis.size // axis.stride), pad_before=pads.top)
    assert (pads.top, pads.bottom) == (pads.left, pads.right)
    assert pads.bottom - pads.top in (0, 1) and same.pad_after <= pads.bottom
    if pads.top + pads.bottom:
        assert same.length == axis.size + pads.top + pads.bottom
