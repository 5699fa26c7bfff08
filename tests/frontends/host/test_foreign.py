"""Every wrong kind of file gets its own next step."""

from __future__ import annotations

import re
import subprocess

import numpy as np
import pytest

from harness.cli.options import make_cards
from harness.errors import CardError, ModelFileError, UnsupportedModelError
from harness.frontends import foreign, load
from harness.frontends.tflite import reader
from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, serialize
from harness.ir.operators.tflite import OperatorDraft
from harness.quantization.types import Quantization
from tests.support import graft
from tests.support.paths import FIXTURES, REPOSITORY

Q = Quantization((0.5,), (3,))


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("m.h5", "export_keras.py"),
        ("m.keras", "export_keras.py"),
        ("m.pt", "torch.onnx.export"),
        ("m.pth", "torch.onnx.export"),
        ("m.pt2", "torch.onnx.export"),
        ("m.pte", "go back to the PyTorch model"),
        ("m.pb", "SavedModel or Keras"),
        ("m.safetensors", "weights and no network"),
        ("m.ckpt", "weights and no network"),
        ("m.gguf", "no microcontroller"),
        ("m.mlmodel", "model that it was made from"),
        ("m.engine", "model that it was made from"),
        ("m.rknn", "before it was compiled"),
        ("m.pkl", "from-sklearn"),
        ("m.joblib", "from-sklearn"),
        *((f"m.{archive}", "unpack it") for archive in ("zip", "gz", "tgz", "tar", "tar.gz", "bz2", "xz", "7z")),
        ("m.cc", "turns the bytes back"),
        ("m.h", "turns the bytes back"),
        ("m.npz", "--vectors"),
        ("m.elf", "built into it"),
        ("m.hil.yaml", "tinyhil validate"),
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
        (b"\n<!DOCTYPE html><html>", "web page", "raw"),
        (b"\xef\xbb\xbf\r\n<!-- saved from github.com -->\n<html lang='en'>", "web page", "raw"),
        (b"\x89HDF\r\n\x1a\n" + bytes(32), "Keras", "export_keras.py"),
        (b"\x10\x00\x00\x00ET12" + bytes(32), "ExecuTorch", "PyTorch"),
        (b"PK\x03\x04" + bytes(26) + b"archive/data.pkl", "PyTorch", "torch.onnx.export"),
        (b"PK\x03\x04" + bytes(26) + b"metadata.json", "Keras", "export_keras.py"),
        (b"PK\x03\x04" + bytes(26) + b"input_0.npy", "numpy", "--vectors"),
        (b"PK\x03\x04" + bytes(26) + b"model.tflite", "archive", "unpack"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "PyTorch", "torch.onnx.export"),
        (b"\x10\x00\x00\x00ET21" + bytes(32), "ExecuTorch", "PyTorch"),
        (bytes(257) + b"ustar\x0000", "archive", "unpack"),
        (b"BZh91AY&SY", "archive", "unpack"),
        (b"GGUF\x03\x00\x00\x00", "GGUF", "no microcontroller"),
        (b"\x50\x00\x00\x00\x00\x00\x00\x00{\"conv.weight\":{", "weights", "framework"),
        (b"\x7fELF\x01\x01", "program", "built into it"),
        (b'{\n  "version": 3,\n  "operator_codes": [\n', "JSON", "written from"),
        (b"{version: 3, operator_codes: [", "JSON", "written from"),
        (b'{"format": "layers-model", "modelTopology": {', "TensorFlow.js", "Keras"),
        (b"/* Copyright */\n#include \"model_data.h\"\n", "C source", "turns the bytes back"),
        (b"alignas(16) const unsigned char g_model[] = {\n  0x1c, ", "C source", "turns the bytes back"),
        (b"unsigned char m_tflite[] = {", "C source", "turns the bytes back"),
        (b"\x08\x07\x12\x07pytorch\x1a\x052.0.0", "ONNX", "tinyhil[onnx]"),
        (b"\x1f\x8b\x08" + bytes(32), "archive", "unpack"),
        (b"\x80\x04\x95" + bytes(32), "pickle", "scikit-learn"),
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
        ("saved", "saved_model.pb", "to_float.py"),
        ("hub", "model.safetensors", "weights and no network"),
        ("exported", "net.onnx", "tinyhil[onnx]"),
        ("apple.mlpackage", "Manifest.json", "made from"),
        ("cards", "a.hil.yaml", "tinyhil validate"),
        ("models", "a.tflite", "a.tflite"),
        ("saved.tflite", "saved_model.pb", "to_float.py"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).touch()
        with pytest.raises(ModelFileError) as caught:
            load(tmp_path / folder)
        assert step in caught.value.hint
    with pytest.raises(CardError, match="SavedModel") as refused:
        make_cards([tmp_path / "saved"])
    assert "to_float.py" in refused.value.hint


@pytest.mark.parametrize("name", ["m", "m.bin", "m.lite", "m.tfl", "m.onnx"])
def test_a_tflite_under_another_name_is_told(tmp_path, name):
    (tmp_path / name).write_bytes((FIXTURES / "digits.tflite").read_bytes())
    with pytest.raises(ModelFileError, match=r"a \.tflite by its content") as caught:
        load(tmp_path / name)
    assert "m.tflite" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("m.pth", b"\x80\x04\x95" + bytes(32), "PyTorch"),
        ("m.pt2", b"PK\x03\x04" + bytes(40), "exported by PyTorch"),
        ("m.pkl", b"\x80\x04\x95" + bytes(32), "pickle"),
        ("m.onnx", b"\x89HDF\r\n\x1a\n" + bytes(32), "Keras"),
    ],
)
def test_a_suffix_says_more_than_a_container_and_less_than_other_content(tmp_path, name, content, what):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelFileError, match=what):
        load(tmp_path / name)


def test_scripts_and_sections_that_hints_name_are_on_their_page():
    pages = {path.stem: path.read_text() for path in (REPOSITORY / "docs").glob("*.md")}
    script = re.compile(r"(\w+\.py) of `tinyhil docs ([\w-]+)`")
    named = {found for _, step in foreign.KINDS.values() for found in script.findall(step)}
    assert named == {("export_keras.py", "from-keras"), ("to_float.py", "quantize")}
    for name, page in named:
        blocks = dict(re.findall(r"`(\w+\.py)`(?:(?!```).)*?```python\n(.*?)```", pages[page], re.DOTALL))
        compile(blocks[name], name, "exec")
        assert f"/bin/python {name}" in pages[page]
    assert "## A model as a C array" in pages["quantize"]


def test_the_line_that_turns_a_c_array_back_does(tmp_path):
    page = (REPOSITORY / "docs" / "quantize.md").read_text()
    (line,) = re.findall(r"^    (python3 -c .* > model\.tflite)$", page, re.MULTILINE)
    model = (FIXTURES / "digits.tflite").read_bytes()
    array = ",\n  ".join(", ".join(f"0x{b:02x}" for b in model[i : i + 12]) for i in range(0, len(model), 12))
    text = f'#include "m.h"\nconst unsigned char g_model[] = {{\n  {array}}};\nconst int g_model_len = {len(model)};\n'
    (tmp_path / "model_data.cc").write_text(text)
    subprocess.run(["sh", "-c", line], cwd=tmp_path, check=True)  # noqa: S607
    assert (tmp_path / "model.tflite").read_bytes() == model
    load(tmp_path / "model.tflite")


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
        ("float32", "float16", "float16 model"),
        ("float32", "int8", "dynamic range"),
    ],
)
def test_models_of_other_types_have_their_next_step(x, weights, step):
    with pytest.raises(UnsupportedModelError) as caught:
        reader.load(fully_connected(x, weights))
    assert step in caught.value.hint and "int8" in caught.value.hint


def test_a_model_whose_weights_are_partly_quantized_is_one_of_dynamic_range():
    """The converter leaves small weights as they are."""
    drafts = [TensorDraft("x", (1, 4), "float32"), TensorDraft("y", (1, 2), "float32")]
    main = SubgraphDraft("main", (0,), (1,), drafts)
    middle = main.add(TensorDraft("m", (1, 4), "float32"))
    large = main.constant("large", np.ones((4, 4), np.int8), Quantization((0.1,), (0,)))
    small = main.constant("small", np.ones((2, 4), np.float32))
    main.operators += [
        OperatorDraft("FULLY_CONNECTED", (0, large), (middle,), "FullyConnected"),
        OperatorDraft("FULLY_CONNECTED", (middle, small), (1,), "FullyConnected"),
    ]
    with pytest.raises(UnsupportedModelError) as caught:
        reader.load(serialize([main]))
    assert "dynamic range" in caught.value.hint 


@pytest.mark.parametrize("dtype", ["int32", "uint8", "int16", "float32"])
def test_every_type_of_an_unsupported_operators_activations_is_listed(dtype):
    drafts = [TensorDraft("x", (1, 4), "int8", Q), TensorDraft("y", (1, 4), dtype, None)]
    main = SubgraphDraft("main", (0,), (), drafts)
    end = main.add(TensorDraft("end", (1, 4), "int8", Q))
    axis = main.constant("axis", np.zeros(1, np.int32))
    main.operators += [OperatorDraft("SEGMENT_SUM", (0, axis), (1,)), OperatorDraft("WHERE", (1,), (end,))]
    main.outputs = (end,)
    with pytest.raises(UnsupportedModelError, match=f"types: {dtype} activations x1 ") as caught:
        reader.load(serialize([main]))
    assert "SEGMENT_SUM x1, WHERE x1" in caught.value.message


def test_types_of_unsupported_operators_are_listed_too():
    drafts = [TensorDraft("x", (1, 4), "float32"), TensorDraft("y", (1, 4), "int16", Q)]
    main = SubgraphDraft("main", (0,), (1,), drafts)
    middle = main.add(TensorDraft("m", (1, 4), "float32"))
    w = main.constant("w", np.ones((1, 4), np.float32))
    main.operators += [OperatorDraft("RNN", (0, w), (middle,)), OperatorDraft("LSH_PROJECTION", (middle,), (1,))]
    with pytest.raises(UnsupportedModelError, match="operators: RNN x1, LSH_PROJECTION x1") as caught:
        reader.load(serialize([main]))
    assert "float32 activations x2, float32 weights x1, int16 activations x1" in caught.value.message


@pytest.mark.parametrize(
    ("custom", "who"),
    [
        ("edgetpu-custom-op", "Edge TPU"),
        ("XC_conv2d_v2", "XMOS"),
        ("NeutronGraph", "NXP"),
        ("FlexErf", "SELECT_TF_OPS"),
    ],
)
def test_compiled_models_ask_for_the_original(custom, who):
    drafts = [TensorDraft("x", (1, 4), "int8", Q), TensorDraft("y", (1, 4), "int8", Q)]
    main = SubgraphDraft("main", (0,), (1,), drafts, [OperatorDraft("RELU6", (0,), (1,))])
    data = serialize([main])
    at = graft.element(graft.FlatTable.root(data, "test"), graft.OPERATOR_CODES, 0)
    fields = {"DeprecatedBuiltinCode": 32, "BuiltinCode": 32, "CustomCode": custom}
    with pytest.raises(UnsupportedModelError) as caught:
        reader.load(graft.graft(data, at, "OperatorCode", fields))
    assert who in caught.value.hint
    assert ("give the original" in caught.value.hint) == (who not in ("SELECT_TF_OPS", "picks boxes"))


def test_shapes_computed_at_run_time_ask_for_a_fixed_batch():
    drafts = [TensorDraft("x", (1, 4), "int8", Q), TensorDraft("y", (4, 1), "int8", Q)]
    drafts.append(TensorDraft("to", (2,), "int32"))
    main = SubgraphDraft("main", (0, 2), (1,), drafts, [OperatorDraft("RESHAPE", (0, 2), (1,))])
    with pytest.raises(UnsupportedModelError, match="RESHAPE with shape computed at run time x1") as caught:
        reader.load(serialize([main]))
    assert "fixed batch" in caught.value.hint


def test_shapes_of_shapes_are_computed_when_the_model_is_read():
    """As Keras writes Flatten of an unknown batch: SHAPE, STRIDED_SLICE, PACK into RESHAPE."""
    drafts = [TensorDraft("x", (1, 2, 4), "int8", Q), TensorDraft("y", (1, 8), "int8", Q)]
    main = SubgraphDraft("main", (0,), (1,), drafts)
    shape, batch, wanted = (main.add(TensorDraft(n, s, "int32")) for n, s in (("s", (3,)), ("b", ()), ("w", (2,))))
    begin, end, step = (main.constant(f"c{i}", np.array([i], np.int32)) for i in (0, 1, 1))
    rest = main.constant("rest", np.array(8, np.int32))
    main.operators += [
        OperatorDraft("SHAPE", (0,), (shape,), "Shape", {"OutType": 2}),
        OperatorDraft("STRIDED_SLICE", (shape, begin, end, step), (batch,), "StridedSlice", {"ShrinkAxisMask": 1}),
        OperatorDraft("PACK", (batch, rest), (wanted,), "Pack", {"ValuesCount": 2}),
        OperatorDraft("RESHAPE", (0, wanted), (1,), "Reshape"),
    ]
    graph = reader.load(serialize([main]))
    assert [node.op for node in graph.nodes] == ["RESHAPE"]
    assert [index for index, _ in graph.removed] == [0, 1, 2]
