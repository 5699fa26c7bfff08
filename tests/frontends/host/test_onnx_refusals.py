"""ONNX files that are refused, whole or damaged, and the command that fixes their sizes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from harness.errors import ModelFileError, OptionError, OracleError, TinyhilError, UnsupportedModelError
from harness.frontends import load
from harness.frontends.onnx.reader import read
from harness.ir.interpreter import run
from harness.oracle import open_oracle
from tests.support.command import called
from tests.support.onnx_networks import model_of, small_network, unary, values_of
from tests.support.paths import FIXTURES
from tests.support.scale import scaled


def test_all_that_has_no_form_is_named_at_once_with_counts():
    nodes = [
        *(helper.make_node("Asin", ["x"], [f"a{i}"]) for i in range(2)),
        helper.make_node("Relu", ["a0"], ["r"]),
        helper.make_node("Pow", ["x", "e"], ["p"]),
        helper.make_node("MaxPool", ["x"], ["m"], kernel_shape=[2, 2], dilations=[2, 2]),
        helper.make_node("Sum", ["r", "a1", "p"], ["y"]),
    ]
    data = model_of(
        nodes, [("x", 1, (1, 2, 5, 5))], [("y", 1, None), ("m", 1, None)], [("e", np.float32(2.5))]
    )
    with pytest.raises(UnsupportedModelError) as caught:
        read(data, "net.onnx", "net")
    assert caught.value.message == (
        "net.onnx: not supported: operators: Asin x2; "
        "features: Pow with exponent 2.5 x1, MaxPool with dilations [2, 2] x1"
    )
    assert "tinyhil docs onnx" in caught.value.hint


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (unary("Relu", ("N", "frames")), "left open: frames"),
        (unary("Relu", (1, None)), r"left open: x\[1\]"),
        (unary("Relu", kind=TensorProto.DOUBLE), r"types: double \(input\) x1"),
        (unary("Relu", kind=TensorProto.FLOAT16), r"types: float16 \(input\) x1"),
        (model_of([], [("x", 1, (1,))], [("x", 1, (1,))], opset=5), "opset 5, where 7 to"),
        (model_of([], [("x", 1, (1,))], [("x", 1, (1,))], opset=999), "opset 999"),
        (unary("Softmax", axis=7), "axis"),
        (b"", "without a graph"),
        (b"\x00\x01nonsense", "no ONNX file, or a damaged one"),
        (b'{"graph": {}}', "text, not an ONNX file"),
    ],
)
def test_each_kind_of_bad_input_is_one_clear_error(data, said):
    with pytest.raises(TinyhilError, match=said) as caught:
        read(data, "m", "m")
    assert caught.value.hint


def test_huge_constants_are_refused_before_they_are_made():
    node = helper.make_node("ConstantOfShape", ["s"], ["c"])
    add = helper.make_node("Add", ["x", "c"], ["y"])
    shape = np.array([1 << 20, 1 << 20], np.int64)
    data = model_of([node, add], [("x", 1, (1, 1))], [("y", 1, None)], [("s", shape)])
    with pytest.raises(UnsupportedModelError, match="a constant that is too large"):
        read(data, "m", "m")


def test_products_of_constants_are_bounded_too():
    sides = [("a", np.ones((1 << 14, 1), np.float32)), ("b", np.ones((1, 1 << 14), np.float32))]
    nodes = [helper.make_node("MatMul", ["a", "b"], ["c"]), helper.make_node("Add", ["x", "c"], ["y"])]
    with pytest.raises(UnsupportedModelError, match="a constant that is too large"):
        read(model_of(nodes, [("x", 1, (1, 1))], [("y", 1, None)], sides), "m", "m")


def test_without_the_package_the_line_that_installs_it_is_said(tmp_path, monkeypatch):
    (tmp_path / "m.onnx").write_bytes(unary("Relu"))
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ModelFileError, match="onnx, which is not installed") as caught:
        load(tmp_path / "m.onnx")
    assert caught.value.hint == "pip install 'tinyhil[onnx]'"


def test_the_oracle_says_that_a_tflite_is_no_onnx_file():
    with pytest.raises(OracleError, match="no file for 'onnxruntime'"):
        open_oracle("onnxruntime", load(FIXTURES / "digits.tflite"))


@settings(max_examples=scaled(40, 1000), deadline=None)
@given(st.integers(0, 3), st.randoms(use_true_random=False))
def test_damaged_files_are_one_clear_error(kind, chance):
    data = bytearray(small_network())
    place = chance.randrange(len(data) - 8)
    if kind == 0:
        del data[place:]
    elif kind == 1:
        del data[place : place + chance.randrange(1, 8)]
    else:
        # Names and numbers of nodes stand in front of the weights.
        data[chance.randrange(600) if kind == 2 else place] = chance.randrange(256)
    try:
        read(bytes(data), "m", "m")
    except TinyhilError as error:
        assert error.hint and "m: " in error.message or "package" in error.message


def test_convert_writes_a_tflite_with_the_sizes_given(tmp_path: Path):
    source, made = tmp_path / "m.onnx", tmp_path / "m.tflite"
    source.write_bytes(unary("Sigmoid", ("N", "frames", 4)))
    refused = called("analyze", source)
    assert refused.returncode == 2 and "--dim frames=N" in refused.stderr
    done = called("convert", source, "-o", made, "--dim", "frames=6")
    assert done.returncode == 0 and "float32[1, 6, 4]" in done.stdout and "(frames) is taken as 6" in done.stderr
    graph = load(made)
    (x,) = values_of(graph)
    np.testing.assert_allclose(run(graph, [x]).outputs[0], 1 / (1 + np.exp(-x)), rtol=1e-5)
    document = json.loads(called("convert", source, "-o", made, "--dim", "frames=6", "--json").stdout)
    assert document["operators"] == ["LOGISTIC"] and document["bytes"] == made.stat().st_size


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--dim", "frames"), "no NAME=N"),
        (("--dim", "frames=0"), "no NAME=N"),
        (("--dim", "frames=6", "--dim", "rows=2"), "no dimension rows open"),
        (("-o", "m.onnx"), "no name of a .tflite"),
    ],
)
def test_convert_refuses_wrong_options(tmp_path, arguments, said):
    source = tmp_path / "m.onnx"
    source.write_bytes(unary("Sigmoid", ("N", "frames", 4)))
    done = called("convert", source, "-o", tmp_path / "m.tflite", *arguments)
    assert done.returncode == 2 and said in done.stderr and not (tmp_path / "m.tflite").exists()


def test_a_size_of_a_dimension_that_is_fixed_is_refused():
    with pytest.raises(OptionError, match="leaves no dimension x"):
        read(unary("Relu", (1, 4)), "m", "m", {"x": 2})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x89HDF\r\n\x1a\n" + bytes(32), "this is a Keras model"),
        (b"PK\x03\x04" + bytes(60), "this is an archive"),
        ((FIXTURES / "digits.tflite").read_bytes(), r"a \.tflite by its content"),
        (bytes(64), "no ONNX file, or a damaged one"),
    ],
)
def test_other_files_named_onnx_are_told(tmp_path, data, said):
    (tmp_path / "m.onnx").write_bytes(data)
    with pytest.raises(ModelFileError, match=said) as caught:
        load(tmp_path / "m.onnx")
    assert caught.value.hint
