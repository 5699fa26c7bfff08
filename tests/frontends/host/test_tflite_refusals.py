"""What tinyhil does not compile is refused at import: by name, all at once, with counts."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import Category, GraphError, ModelFileError, TinyhilError, UnsupportedModelError
from harness.frontends import load
from harness.frontends.tflite import reader as tflite
from harness.frontends.tflite.flatbuffer import FlatTable
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.ir.operators.tflite import OperatorDraft
from harness.quantization.types import Quantization
from tests.frontends.host.test_tflite_import import Q, int8, one_operator
from tests.support import graft
from tests.support.generated import KINDS, random_graph
from tests.support.models import real_model
from tests.support.paths import FIXTURES

FIXTURE = FIXTURES / "digits.tflite"


def refusal(data: bytes) -> str:
    with pytest.raises(UnsupportedModelError) as caught:
        tflite.load(data)
    assert caught.value.category is Category.INPUT and caught.value.hint
    return caught.value.message


def chain(*operators: tuple[str, str, dict[str, object]]) -> bytes:
    """Operators one after another over int8 [1, 4] tensors."""
    tensors = [int8(f"t{i}", 1, 4) for i in range(len(operators) + 1)]
    main = SubgraphDraft("main", (0,), (len(operators),), tensors)
    for i, (op, options, fields) in enumerate(operators):
        main.operators.append(OperatorDraft(op, (i,), (i + 1,), options, fields))
    return serialize([main])


def test_all_unsupported_operators_are_listed_with_counts():
    plain = [(op, "", {}) for op in ("LSTM", "LSH_PROJECTION", "RELU6", "LSTM", "BIDIRECTIONAL_SEQUENCE_RNN")]
    assert "operators: LSTM x2, LSH_PROJECTION x1, BIDIRECTIONAL_SEQUENCE_RNN x1" in refusal(chain(*plain))


def test_operators_types_and_features_come_in_one_message():
    main = SubgraphDraft("main", (0,), (3,), [int8("a", 1, 4), int8("b", 1, 4), int8("c", 1, 4), int8("d", 1, 4)])
    wide = main.add(TensorDraft("wide", (1, 4), "int64", Q))
    main.operators += [
        OperatorDraft("ADD", (0, 0), (1,), "Add", {"FusedActivationFunction": 4}),
        OperatorDraft("LSH_PROJECTION", (1,), (2,)),
        OperatorDraft("ADD", (2, wide), (3,), "Add"),
    ]
    message = refusal(serialize([main]))
    assert "operators: LSH_PROJECTION x1" in message
    assert "types: int64 activations x1" in message
    assert "features: ADD with fused activation TANH x1" in message


def test_a_model_of_dynamic_range_is_told_to_be_quantized():
    with pytest.raises(UnsupportedModelError) as caught:
        load(real_model("mlperftiny_kws_float32"))
    assert "float32 activations with int8 weights x5" in caught.value.message
    assert "dynamic range" in caught.value.hint


def test_a_custom_operator_is_refused_by_its_name():
    data = chain(("RELU6", "", {}))
    at = graft.element(graft.FlatTable.root(data, "test"), graft.OPERATOR_CODES, 0)
    custom = {"DeprecatedBuiltinCode": 32, "BuiltinCode": 32, "CustomCode": "TFLite_Other_PostProcess"}
    assert "custom operator 'TFLite_Other_PostProcess' x1" in refusal(graft.graft(data, at, "OperatorCode", custom))


@pytest.mark.parametrize(("code", "name"), [(1, "float16"), (4, "int64"), (99, "type 99")])
def test_weights_of_another_type_are_refused_by_name(code, name):
    data = FIXTURE.read_bytes()
    graph = tflite.load(data)
    weights = graph.tensors[graph.nodes[0].inputs[1]]
    at = graft.element(graft.main_subgraph(data), graft.TENSORS, weights.source)
    fields = {"Shape": list(weights.shape), "Type": code, "Buffer": 1, "Name": "w"}
    assert f"types: {name} weights x1" in refusal(graft.graft(data, at, "Tensor", fields))


@pytest.mark.parametrize(
    ("fields", "what"),
    [({"IsVariable": True}, "variable tensors"), ({"Buffer": 1}, "buffers stored outside the FlatBuffer")],
)
def test_odd_tensors_are_refused_by_name(fields, what):
    data = one_operator("PAD", (1, 4), (1, 4), [[0, 0, 0, 0]])
    if "Buffer" in fields:
        data = graft.graft(
            data,
            graft.element(graft.FlatTable.root(data, "test"), graft.BUFFERS, 1),
            "Buffer",
            {"Offset": 4096, "Size": 64},
        )
    at = graft.element(graft.main_subgraph(data), graft.TENSORS, 0)
    tensor = {"Shape": [1, 4], "Type": 9, "Name": "odd", **fields}
    assert what in refusal(graft.graft(data, at, "Tensor", tensor))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (
            one_operator("STRIDED_SLICE", (4, 4), (4,), [[0, 0], [1, 4], [1, 1]], "StridedSlice", EllipsisMask=1),
            "ellipsis_mask",
        ),
        (
            one_operator("STRIDED_SLICE", (4, 4), (4,), [[0, 0], [1, 4], [1, 1]], "StridedSlice", NewAxisMask=1),
            "new_axis_mask",
        ),
        (
            one_operator("STRIDED_SLICE", (4, 4), (4,), [[0, 0], [1, 4], [1, 1]], "StridedSlice", Offset=True),
            "end as an offset",
        ),
        (
            one_operator("STRIDED_SLICE", (4,), (), [[-1], [0], [-1]], "StridedSlice", ShrinkAxisMask=1),
            "shrink_axis_mask along a negative stride",
        ),
        (
            one_operator("STRIDED_SLICE", (4, 4), (1, 4), [[0], [1], [1]], "StridedSlice"),
            "fewer indices than dimensions",
        ),
        (
            chain(("CONCATENATION", "Concatenation", {"FusedActivationFunction": 1})),
            "CONCATENATION with fused activation",
        ),
    ],
)
def test_features_tflm_does_not_have_are_refused_by_name(data, what):
    assert what in refusal(data)


def test_operands_computed_at_run_time_are_refused():
    main = SubgraphDraft("main", (0, 1), (2,), [int8("x", 1, 4), TensorDraft("shape", (1,), "int32"), int8("y", 4)])
    main.operators.append(OperatorDraft("RESHAPE", (0, 1), (2,)))
    assert "RESHAPE with shape computed at run time x1" in refusal(serialize([main]))


def test_a_depthwise_bias_of_minus_one_is_refused_because_tflm_crashes_on_it():
    data = FIXTURE.read_bytes()
    graph = tflite.load(data)
    index = next(i for i, op in enumerate(graph.source_ops) if op == "DEPTHWISE_CONV_2D")
    main = graft.main_subgraph(data)
    operator = main.tables(graft.OPERATORS, "operator", 100)[index]
    at = operator.field(6)
    third = at + int.from_bytes(data[at : at + 4], "little") + 4 + 8
    assert "DEPTHWISE_CONV_2D with a third input of -1" in refusal(
        data[:third] + b"\xff\xff\xff\xff" + data[third + 4 :]
    )


# --- files that are no models ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "not a .tflite file"),
        (b"\x00" * 100, "not a .tflite file"),
        (b"\x7fELF" + b"TFL3" + bytes(100), "outside the file"),
        (b"\x10\x00\x00\x00TFL3", "outside the file"),
        (FIXTURE.read_bytes()[:5000], "leads out of the file"),
    ],
)
def test_what_is_no_model_says_so(data, what):
    with pytest.raises(ModelFileError, match=what):
        tflite.load(data, name="broken")


def test_missing_files_folders_and_other_formats_say_so(tmp_path):
    with pytest.raises(ModelFileError, match="No such file"):
        load(tmp_path / "nothing.tflite")
    with pytest.raises(ModelFileError, match="nothing: no such file"):
        load(tmp_path / "nothing")
    (tmp_path / "folder.tflite").mkdir()
    with pytest.raises(ModelFileError, match="directory"):
        load(tmp_path / "folder.tflite")
    (tmp_path / "model.caffe").write_bytes(b"")
    with pytest.raises(ModelFileError, match="format '.caffe' is not supported") as caught:
        load(tmp_path / "model.caffe")
    assert ".tflite" in caught.value.hint


def test_another_schema_version_is_refused():
    data = bytearray(FIXTURE.read_bytes())
    at = graft.FlatTable.root(bytes(data), "test").field(4)
    data[at] = 4
    with pytest.raises(ModelFileError, match="schema version 4"):
        tflite.load(bytes(data))


@pytest.mark.parametrize("shape", [(1, 1 << 30), (1 << 16, 1 << 16), (1 << 30, 1 << 30, 1 << 30)])
def test_enormous_tensors_are_refused_before_anything_is_allocated(shape):
    with pytest.raises(ModelFileError, match="needs more than"):
        tflite.load(one_operator("RELU6", shape, shape, []))


def test_data_of_another_length_than_the_shape_is_refused():
    main = SubgraphDraft("main", (0,), (2,), [int8("x", 1, 4)])
    main.add(TensorDraft("c", (1, 5), "int8", Q, np.zeros(4, np.int8)))
    main.add(int8("y", 1, 4))
    main.operators.append(OperatorDraft("ADD", (0, 1), (2,), "Add"))
    with pytest.raises(ModelFileError, match=r"4 bytes of data for shape \[1, 5\]"):
        tflite.load(serialize([main]))


@pytest.mark.parametrize("scale", [-0.5, float("nan"), float("inf"), 1e-37])
def test_impossible_scales_are_refused(scale):
    main = SubgraphDraft(
        "main", (0,), (1,), [int8("x", 1, 4), TensorDraft("y", (1, 4), "int8", Quantization((scale,), (0,)))]
    )
    main.operators.append(OperatorDraft("RELU", (0,), (1,)))
    with pytest.raises(ModelFileError, match="scales"):
        tflite.load(serialize([main]))


def test_a_graph_that_breaks_a_rule_names_file_and_operator(tmp_path):
    path = tmp_path / "wrong.tflite"
    path.write_bytes(one_operator("RELU6", (1, 4), (1, 5), []))
    with pytest.raises(GraphError, match=r"wrong.tflite: operator 0 \(RELU6\) gives shape \[1, 4\]"):
        load(path)


@pytest.mark.parametrize(
    ("operators", "tensors", "what"),
    [
        ([OperatorDraft("READ_VARIABLE", (2,), (1,))], [], "READ_VARIABLE"),
        ([OperatorDraft("CALL_ONCE", (), (), "CallOnce", {"InitSubgraphIndex": 7})], [], "CALL_ONCE of subgraph 7"),
    ],
)
def test_variables_without_handle_or_initializer_are_refused(operators, tensors, what):
    main = SubgraphDraft("main", (0,), (1,), [int8("x", 1, 2), int8("y", 1, 2), TensorDraft("h", (), "resource")])
    main.operators += operators
    with pytest.raises(TinyhilError, match=what):
        tflite.load(serialize([main]))


def test_half_a_field_in_a_table_is_refused():
    """TFLM would read a byte of it and another behind it, and compute something else than this reader."""
    data = bytearray((FIXTURES / "digits.tflite").read_bytes())
    root = FlatTable.root(bytes(data), "test")
    vtable = root.pos - int.from_bytes(data[root.pos : root.pos + 4], "little", signed=True)
    data[vtable] += 1
    with pytest.raises(ModelFileError, match="half a field too many"):
        tflite.load(bytes(data))


@pytest.mark.parametrize("kind", KINDS)
def test_other_element_types_are_taken_or_refused_for_every_operator(kind):
    """Of all tensors that an operator touches, one after another: float32, int32, int64, bool, int16, uint8."""
    for number in range(2):
        model = random_graph(np.random.default_rng(number), kind).model
        (main,) = FlatTable.root(model, "test").tables(graft.SUBGRAPHS, "subgraph", 8)[:1]
        for tensor in main.tables(graft.TENSORS, "tensor", 10_000):
            place = tensor.field(6)  # its type; a float32 may be left out
            for other in (0, 2, 4, 6, 7, 3) if place else ():
                try:
                    tflite.load(model[:place] + bytes((other,)) + model[place + 1 :])
                except TinyhilError as error:
                    assert error.message and error.hint
