"""ONNX files whose weights lie in files beside them."""

from __future__ import annotations

import hashlib
import os

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import ModelFileError, TinyhilError, UnsupportedModelError
from harness.frontends import load
from harness.frontends.onnx.reader import read
from tests.support.onnx_networks import both, small_network, values_of
from tests.support.scale import scaled


@pytest.fixture
def apart(tmp_path):
    """A network whose six tensors lie in weights.bin."""
    folder = tmp_path / "model"
    folder.mkdir()
    model = onnx.load_from_string(small_network())
    onnx.save(model, folder / "m.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    return folder / "m.onnx"


def changed(path, key, value):
    """The file with another entry of its first tensor outside."""
    model = onnx.load(path, load_external_data=False)
    tensor = next(t for t in model.graph.initializer if t.external_data)
    for entry in [e for e in tensor.external_data if e.key == key]:
        tensor.external_data.remove(entry)
    if value is not None:
        tensor.external_data.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())


def test_the_network_is_that_of_one_file(apart):
    graph, whole = load(apart), read(small_network(), "m", "m")
    assert graph.model == whole.model
    assert graph.sha256 == hashlib.sha256(graph.original).hexdigest()
    ours, theirs = both(graph, values_of(graph, 0))
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5, atol=1e-5)
    weights = apart.parent / "weights.bin"
    first, *rest = weights.read_bytes()
    weights.write_bytes(bytes([first ^ 1, *rest]))
    assert load(apart).sha256 != graph.sha256, "other weights are another model"


@pytest.mark.parametrize(
    "location",
    ["../weights.bin", "/etc/passwd", "a/../../weights.bin", "C:\\w.bin", "\\w.bin", "..\\w.bin", "", "w\0b"],
)
def test_paths_that_leave_the_folder_are_refused(apart, location):
    (apart.parent.parent / "weights.bin").write_bytes((apart.parent / "weights.bin").read_bytes())
    changed(apart, "location", location)
    with pytest.raises(ModelFileError, match="which is not in the model's folder") as caught:
        load(apart)
    assert caught.value.hint


def test_links_that_leave_the_folder_are_refused(apart):
    weights, outside = apart.parent / "weights.bin", apart.parent.parent / "outside.bin"
    outside.write_bytes(weights.read_bytes())
    weights.unlink()
    weights.symlink_to(outside)
    with pytest.raises(ModelFileError, match="not in the model's folder"):
        load(apart)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("location", "missing.bin", "missing.bin"),
        ("offset", "100000000", "bytes are wanted"),
        ("offset", "-4", "bytes are wanted"),
        ("offset", "x", "is no number"),
        ("length", "1", "bytes are wanted"),
        ("length", "99999999999999999999999", "bytes are wanted"),
    ],
)
def test_damaged_entries_are_one_clear_error(apart, key, value, said):
    changed(apart, key, value)
    with pytest.raises(ModelFileError, match=said) as caught:
        load(apart)
    assert caught.value.hint


def test_a_short_file_and_a_folder_are_refused(apart):
    weights = apart.parent / "weights.bin"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelFileError, match="bytes are wanted"):
        load(apart)
    weights.unlink()
    weights.mkdir()
    with pytest.raises(ModelFileError, match="weights.bin"):
        load(apart)


def test_huge_tensors_are_refused_before_they_are_read(apart):
    model = onnx.load(apart, load_external_data=False)
    model.graph.initializer[0].dims[:] = [1 << 40, 1 << 20]
    apart.write_bytes(model.SerializeToString())
    with pytest.raises(ModelFileError, match="of shape"):
        load(apart)


def test_bytes_without_a_folder_are_refused(apart):
    with pytest.raises(UnsupportedModelError, match="tensors .* in files beside it"):
        read(apart.read_bytes(), "m", "m")


@settings(max_examples=scaled(30, 500), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(["location", "offset", "length"]), value=st.text(max_size=40))
def test_whatever_stands_there_is_read_or_refused(apart, key, value):
    before = apart.read_bytes()
    changed(apart, key, value)
    try:
        load(apart)
    except TinyhilError as error:
        assert error.hint
    finally:
        apart.write_bytes(before)
    assert os.listdir(apart.parent)
