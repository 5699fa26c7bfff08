"""Every wrong kind of file gets its own next step."""

from __future__ import annotations

import numpy as np
import pytest

from harness.cli.options import make_cards
from harness.errors import CardError, ModelFileError, UnsupportedModelError
from harness.frontends import load
from harness.frontends.tflite import reader
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.ir.operators.tflite import OperatorDraft
from harness.quantization.types import Quantization
from tests.support import graft

Q = Quantization((0.5,), (3,))


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("m.onnx", "onnx2tf"),
        ("m.h5", "from_keras_model"),
        ("m.keras", "from_keras_model"),
        ("m.pt", "litert-torch"),
        ("m.pth", "litert-torch"),
        ("m.pte", "go back to the PyTorch model"),
        ("m.pb", "from_saved_model"),
        ("m.safetensors", "litert-torch"),
        ("m.zip", "unpack it"),
        ("m.cc", "xxd"),
        ("https://example.com/m.tflite", "download the file"),
        ("http://example.com/m", "download the file"),
    ],
)
def test_names_have_their_next_step(tmp_path, name, step):
    path = name if "://" in name else tmp_path / name
    if "://" not in name:
        path.write_bytes(b"\x00" * 64)
    with pytest.raises(ModelFileError) as caught:
        load(path)
    assert step in caught.value.hint


@pytest.mark.parametrize(
    ("content", "what", "step"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS", "git lfs pull"),
        (b"\n<!DOCTYPE html><html>", "web page", "raw link"),
        (b"\x89HDF\r\n\x1a\n" + bytes(32), "Keras", "from_keras_model"),
        (b"\x10\x00\x00\x00ET12" + bytes(32), "ExecuTorch", "PyTorch"),
        (b"PK\x03\x04" + bytes(26) + b"archive/data.pkl", "PyTorch", "litert-torch"),
        (b"PK\x03\x04" + bytes(26) + b"metadata.json", "Keras", "from_keras_model"),
        (b"\x08\x07\x12\x07pytorch\x1a\x052.0.0", "ONNX", "onnx2tf"),
        (b"\x1f\x8b\x08" + bytes(32), "gzip", "unpack"),
        (b"\x80\x04\x95" + bytes(32), "pickle", "Keras"),
    ],
)
@pytest.mark.parametrize("name", ["m.tflite", "m", "m.bin"])
def test_content_has_its_next_step_whatever_its_name(tmp_path, name, content, what, step):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelFileError, match=what) as caught:
        load(tmp_path / name)
    assert step in caught.value.hint


def test_folders_have_their_next_step(tmp_path):
    for folder, file, step in (
        ("saved", "saved_model.pb", "from_saved_model"),
        ("cards", "a.hil.yaml", "tinyhil validate"),
        ("models", "a.tflite", "a.tflite"),
        ("saved.tflite", "saved_model.pb", "from_saved_model"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).touch()
        with pytest.raises(ModelFileError) as caught:
            load(tmp_path / folder)
        assert step in caught.value.hint
    with pytest.raises(CardError, match="SavedModel") as refused:
        make_cards([tmp_path / "saved"])
    assert "from_saved_model" in refused.value.hint


def fully_connected(x: str, weights: str) -> bytes:
    drafts = [TensorDraft("x", (1, 4), x, Q), TensorDraft("y", (1, 2), x, Q)]
    main = SubgraphDraft("main", (0,), (1,), drafts)
    w = main.constant("w", np.ones((2, 4), "float32" if weights == "float16" else weights), Quantization((0.1,), (0,)))
    main.operators.append(OperatorDraft("FULLY_CONNECTED", (0, w), (1,), "FullyConnected"))
    data = serialize([main])
    if weights == "float16":
        at = graft.element(graft.main_subgraph(data), graft.TENSORS, w)
        data = graft.graft(data, at, "Tensor", {"Shape": [2, 4], "Type": 1, "Buffer": 1, "Name": "w"})
    return data


@pytest.mark.parametrize(
    ("x", "weights", "step"),
    [
        ("float32", "float32", "float model"),
        ("float32", "float16", "float16 model"),
        ("float32", "int8", "dynamic range"),
        ("uint8", "uint8", "uint8 model"),
        ("int16", "int8", "int16x8 model"),
    ],
)
def test_models_of_other_types_have_their_next_step(x, weights, step):
    with pytest.raises(UnsupportedModelError) as caught:
        reader.load(fully_connected(x, weights))
    assert step in caught.value.hint and "int8" in caught.value.hint


def test_types_of_unsupported_operators_are_listed_too():
    drafts = [TensorDraft("x", (1, 4), "float32"), TensorDraft("y", (1, 4), "int16", Q)]
    main = SubgraphDraft("main", (0,), (1,), drafts)
    middle = main.add(TensorDraft("m", (1, 4), "float32"))
    w = main.constant("w", np.ones((1, 4), np.float32))
    main.operators += [OperatorDraft("SVDF", (0, w), (middle,)), OperatorDraft("LSH_PROJECTION", (middle,), (1,))]
    with pytest.raises(UnsupportedModelError, match="operators: SVDF x1, LSH_PROJECTION x1") as caught:
        reader.load(serialize([main]))
    assert "float32 activations x2, float32 weights x1, int16 activations x1" in caught.value.message


@pytest.mark.parametrize(
    ("custom", "who"), [("ethos-u", "Vela"), ("edgetpu-custom-op", "Edge TPU"), ("XC_conv2d_v2", "XMOS")]
)
def test_compiled_models_ask_for_the_original(custom, who):
    drafts = [TensorDraft("x", (1, 4), "int8", Q), TensorDraft("y", (1, 4), "int8", Q)]
    main = SubgraphDraft("main", (0,), (1,), drafts, [OperatorDraft("RELU6", (0,), (1,))])
    data = serialize([main])
    at = graft.element(graft.FlatTable.root(data, "test"), graft.OPERATOR_CODES, 0)
    fields = {"DeprecatedBuiltinCode": 32, "BuiltinCode": 32, "CustomCode": custom}
    with pytest.raises(UnsupportedModelError) as caught:
        reader.load(graft.graft(data, at, "OperatorCode", fields))
    assert who in caught.value.hint and "give the original" in caught.value.hint


def test_shapes_computed_at_run_time_ask_for_a_fixed_batch():
    drafts = [TensorDraft("x", (1, 4), "int8", Q), TensorDraft("y", (2,), "int32")]
    main = SubgraphDraft("main", (0,), (1,), drafts, [OperatorDraft("SHAPE", (0,), (1,))])
    with pytest.raises(UnsupportedModelError) as caught:
        reader.load(serialize([main]))
    assert "fixed batch" in caught.value.hint
