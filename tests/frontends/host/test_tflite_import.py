"""Reading .tflite files: what the Graph holds is what the file says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.errors import ModelFileError
from harness.frontends import load
from harness.frontends.tflite import reader as tflite
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.ir.graph import Graph, NoAttrs, Node
from harness.ir.operators.strided_slice import SliceAttrs
from harness.ir.operators.tflite import OperatorDraft
from harness.ir.window import Pads
from harness.quantization.types import DType, Quantization
from tests.support import graft
from tests.support.generated import random_graph
from tests.support.models import real_model, wake_word_models
from tests.support.paths import FIXTURES
from tests.support.scale import scaled
from tests.support.shapes import without_shapes

Q = Quantization((0.5,), (3,))


def int8(name: str, *shape: int) -> TensorDraft:
    return TensorDraft(name, shape, "int8", Q)


def one_operator(
    op: str, x: tuple[int, ...], y: tuple[int, ...], operands: list[list[int]], options: str = "", **fields: object
) -> bytes:
    """A file of one operator from x to y, with int32 constants after its input."""
    main = SubgraphDraft("main", (0,), (1,), [int8("x", *x), int8("y", *y)])
    extra = [main.constant(f"operand {i}", values) for i, values in enumerate(operands)]
    main.operators.append(OperatorDraft(op, (0, *extra), (1,), options, fields))
    return serialize([main])


def same_node(node: Node) -> Node:
    """Strides over a single element say nothing; graphs within a node are compared apart."""
    if node.attrs.graphs:
        return replace(node, attrs=NoAttrs())
    if isinstance(node.attrs, SliceAttrs):
        strides = tuple(1 if n == 1 else s for s, n in zip(node.attrs.strides, node.attrs.counts, strict=True))
        return replace(node, attrs=replace(node.attrs, strides=strides))
    return node


def assert_same(a: Graph, b: Graph) -> None:
    """Equal up to the numbering of tensors."""
    # Within a node tensors have no number in the file; names are their own in generated graphs.
    ids = {(t.source, t.name): i for i, t in enumerate(b.tensors)}
    new = {i: ids[t.source, t.name] for i, t in enumerate(a.tensors) if (t.source, t.name) in ids} | {-1: -1}
    assert [new[t] for t in a.inputs] == list(b.inputs) and [new[t] for t in a.outputs] == list(b.outputs)
    assert len(a.nodes) == len(b.nodes) and len(a.states) == len(b.states)
    for n, m in zip(a.nodes, b.nodes, strict=True):
        moved = replace(n, inputs=tuple(new[t] for t in n.inputs), outputs=tuple(new[t] for t in n.outputs))
        assert same_node(moved) == same_node(m)
        for within, read in zip(n.attrs.graphs, m.attrs.graphs, strict=True):
            assert_same(within, read)
    for old, now in new.items():
        if old >= 0:
            t, u = a.tensors[old], b.tensors[now]
            assert (t.name, t.shape, t.dtype, t.quant) == (u.name, u.shape, u.dtype, u.quant)
            assert (t.data is None) == (u.data is None) and (t.data is None or np.array_equal(t.data, u.data))
    for s, r in zip(a.states, b.states, strict=True):
        assert s.dtype is r.dtype and np.array_equal(s.initial, r.initial)


def test_every_operator_is_read_as_it_was_written():
    rng = np.random.default_rng(11)
    seen = set()
    for _ in range(scaled(400, 4000)):
        graph = random_graph(rng)
        read = tflite.load(graph.model, name=graph.name)
        assert_same(without_shapes(graph), read)
        assert read.sha256 == graph.sha256
        assert all(read.source_ops[i] == n.op for n in read.nodes for i in n.sources)
        seen.update(n.op for n in read.nodes)
    assert len(seen) >= 25


@pytest.mark.parametrize(
    ("name", "nodes"),
    [
        ("mlperftiny_kws_int8", 13),
        ("mlperftiny_vww_int8", 31),
        ("mlperftiny_ic_int8", 16),
        ("mlperftiny_ad_int8", 10),
        ("mlperftiny_sww_int8", 11),
        ("tflm_micro_speech_quantized", 4),
        ("tflm_hello_world_int8", 3),
        ("tflm_simple_add_model", 1),
        ("tinymaix_mnist_resnet_q", 8),
        ("tinymaix_mnist_valid_q", 6),
        ("mww_v2_vad", 27),
    ],
)
def test_real_models_are_read(name, nodes):
    graph = load(real_model(name))
    assert len(graph.nodes) == nodes
    assert graph.name == name


def test_wake_word_models_have_their_states():
    for model in wake_word_models():
        graph = load(model)
        assert len(graph.states) == 6
        assert all((state.initial == state.quant.zero_point).all() for state in graph.states)
        kinds = [n.op for n in graph.nodes]
        assert kinds.count("READ_VARIABLE") == kinds.count("ASSIGN_VARIABLE") == 6
        assert not {"VAR_HANDLE", "CALL_ONCE"} & set(kinds)
        assert graph.tensors[graph.outputs[0]].dtype is DType.UINT8


def test_same_padding_puts_the_odd_row_and_column_at_the_end():
    data = one_operator(
        "MAX_POOL_2D", (1, 8, 7, 2), (1, 4, 3, 2), [], "Pool2D", StrideW=3, StrideH=2, FilterWidth=4, FilterHeight=3
    )
    attrs = tflite.load(data).nodes[0].attrs
    assert attrs.pads == Pads(0, 1, 1, 2)  # rows: 3 * 2 + 3 - 8 = 1; columns: 2 * 3 + 4 - 7 = 3


def test_slices_take_what_numpy_takes():
    """Every mask, negative indices and strides, against numpy's own slicing."""
    rng = np.random.default_rng(5)
    found = 0
    while found < scaled(300, 3000):
        rank = int(rng.integers(1, 5))
        shape = tuple(int(n) for n in rng.integers(1, 6, rank))
        x = np.arange(np.prod(shape)).reshape(shape)
        begin, end = (rng.integers(-7, 8, rank).tolist() for _ in range(2))
        strides = [int(s) for s in rng.choice((-2, -1, 1, 1, 2, 3), rank)]
        masks = [int(m) for m in rng.integers(0, 1 << rank, 3)]
        index: list[object] = []
        for i in range(rank):
            if masks[2] >> i & 1:
                strides[i] = 1
                begin[i] = int(rng.integers(-shape[i], shape[i]))
                masks[0] &= ~(1 << i)
                index.append(begin[i])
            else:
                first = None if masks[0] >> i & 1 else begin[i]
                index.append(slice(first, None if masks[1] >> i & 1 else end[i], strides[i]))
        expected = x[tuple(index)]
        if expected.size == 0:
            continue
        found += 1
        fields = {"BeginMask": masks[0], "EndMask": masks[1], "ShrinkAxisMask": masks[2]}
        data = one_operator("STRIDED_SLICE", shape, expected.shape, [begin, end, strides], "StridedSlice", **fields)
        attrs = tflite.load(data).nodes[0].attrs
        picked = np.ix_(
            *(b + s * np.arange(n) for b, s, n in zip(attrs.begin, attrs.strides, attrs.counts, strict=True))
        )
        assert np.array_equal(x[picked].reshape(expected.shape), expected), (shape, begin, end, strides, masks)


@pytest.mark.parametrize(
    ("operands", "option"),
    [
        ([[2, 6]], None),
        ([[-1, 6]], None),
        ([], [2, 6]),
        ([], [-1, 6]),
        ([[2, 6]], [2, 6]),
        ([[2, 6]], [7, 9]),
        ([], None),
    ],
)
def test_reshape_may_say_its_shape_in_every_way(operands, option):
    fields = {} if option is None else {"NewShape": option}
    data = one_operator("RESHAPE", (3, 4), (2, 6), operands, "" if option is None else "Reshape", **fields)
    node = tflite.load(data).nodes[0]
    assert node.op == "RESHAPE" and len(node.inputs) == 1


@pytest.mark.parametrize(("operands", "option"), [([[3, 4]], None), ([], [3, 4]), ([[-1, -1]], None), ([[12]], None)])
def test_a_reshape_that_contradicts_its_output_is_refused(operands, option):
    fields = {} if option is None else {"NewShape": option}
    data = one_operator("RESHAPE", (3, 4), (2, 6), operands, "" if option is None else "Reshape", **fields)
    with pytest.raises(ModelFileError, match="RESHAPE to .* but its output has shape"):
        tflite.load(data)


def test_an_open_batch_is_read_as_one():
    data = one_operator("RESHAPE", (1, 4), (4,), [])
    at = graft.element(graft.main_subgraph(data), graft.TENSORS, 0)
    fields = {"Shape": [1, 4], "ShapeSignature": [-1, 4], "Type": 9, "Name": "open"}
    graph = tflite.load(graft.graft(data, at, "Tensor", fields))
    assert (graph.tensors[0].name, graph.tensors[0].shape) == ("open", (1, 4))
    assert graph.notes == ("input 'open' is ?x4 in the file, taken as 1x4",)
    assert tflite.load(data).notes == ()


def test_what_is_not_needed_may_be_damaged_or_follow_the_file():
    data = one_operator("RELU6", (1, 4), (1, 4), [])
    plain = tflite.load(data)
    assert_same(plain, tflite.load(data + bytes(1000)))
    description = graft.FlatTable.root(data, "test").field(10)
    assert_same(plain, tflite.load(data[:description] + b"\xff\xff\xff\x7f" + data[description + 4 :]))


def test_a_variable_nobody_initializes_starts_at_its_zero_point():
    main = SubgraphDraft("main", (0,), (1,), [int8("x", 1, 2), int8("y", 1, 2), TensorDraft("h", (), "resource")])
    names = {"Container": "", "SharedName": "memory"}
    main.operators += [
        OperatorDraft("VAR_HANDLE", (), (2,), "VarHandle", names),
        OperatorDraft("READ_VARIABLE", (2,), (1,)),
        OperatorDraft("ASSIGN_VARIABLE", (2, 0), ()),
    ]
    graph = tflite.load(serialize([main]))
    assert [n.op for n in graph.nodes] == ["READ_VARIABLE", "ASSIGN_VARIABLE"]
    assert graph.states[0].name == "memory" and graph.states[0].initial.tolist() == [[3, 3]]


def test_weights_are_read_only():
    graph = load(FIXTURES / "digits.tflite")
    constants = [t.data for t in graph.tensors if t.data is not None]
    assert constants and not any(data.flags.writeable for data in constants)
