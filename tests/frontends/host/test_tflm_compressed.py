"""Files that TFLM's tools compressed: the values that they stand for, TFLM's own opinion of them, and damaged ones."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compression.levels import LEVELS
from harness.compression.network import Compressor
from harness.errors import ModelFileError, OptionError, TinyhilError, UnsupportedModelError
from harness.frontends.tflite.compressed import METADATA
from harness.frontends.tflite.compressing import with_decode, with_narrow
from harness.frontends.tflite.decoding import decoded, looked_up
from harness.frontends.tflite.reader import load
from harness.frontends.tflite.schema import FileTensor, read_model
from harness.frontends.tflite.writer import write
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from harness.oracle import open_file, open_oracle
from tests.support.generated import random_inputs
from tests.support.kws import kws_graph
from tests.support.mutate import mutate, seed
from tests.support.tflm_compressed import LutEntry, bits_of, lut_metadata, with_metadata
from tests.support.weighted import weighted

PAGE = [2, 4, 4, 10, 1, 7, 99, 10, 2, 4]
"""The example of tflite-micro's compression.md."""


def tensor(shape, kind, **rest):
    return FileTensor(0, "tensor 0", "w", shape, kind, None, (), (), 0, "", **rest)


def bitstring(text):
    return np.array([int(text[i : i + 8], 2) for i in range(0, len(text), 8)], np.uint8)


def shared(graph, level="high"):
    return Compressor(graph, LEVELS[level], None).model().graph


def weights_of(graph):
    return [n.inputs[1] for n in graph.nodes if has(n, Trait.WEIGHTS)]


def same_constants(one, other):
    for a, b in zip(one.nodes, other.nodes, strict=True):
        for s, t in zip(a.inputs, b.inputs, strict=True):
            if s != -1 and one.tensors[s].data is not None:
                np.testing.assert_array_equal(one.tensors[s].data, other.tensors[t].data)


def test_the_examples_of_tflms_page():
    values = np.array([99, 2, 10, 4, 1, 7], "<i2").view(np.uint8)
    made = looked_up(tensor((10,), "int16"), bitstring("00101101101010010100001000101100"), values, 3, None, 12, "x")
    assert made.data.view("<i2").tolist() == PAGE
    tables = np.array([1, 10, 2, 4, 0, 99, 10, 2, 7, 4], "<i2").view(np.uint8)
    made = looked_up(tensor((2, 5), "int16"), bitstring("01001101100100001100000101010000"), tables, 3, 0, 10, "x")
    assert made.data.view("<i2").tolist() == PAGE


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 7), st.sampled_from(["int8", "int16", "int32", "int64", "float32"]))
def test_any_width_and_type(seed_, bits, kind):
    rng = np.random.default_rng(seed_)
    table = rng.integers(-100, 100, (3, 1 << bits)).astype(np.dtype(kind).newbyteorder("<"))
    indices = rng.integers(0, 1 << bits, (3, int(rng.integers(1, 20))))
    axis = [None, 0, 1][int(rng.integers(3))]
    tables = table[:1] if axis is None else np.resize(table, (indices.shape[axis], 1 << bits))
    want = tables[{None: 0, 0: np.arange(3)[:, None], 1: np.arange(indices.shape[1])[None, :]}[axis], indices]
    stride = tables.shape[1] * tables.itemsize
    flat = np.ascontiguousarray(tables).reshape(-1).view(np.uint8)
    made = looked_up(tensor(indices.shape, kind), bits_of(indices, bits), flat, bits, axis, stride, "x")
    np.testing.assert_array_equal(made.data.view(tables.dtype).reshape(indices.shape), want)


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("kind", ["fully connected", "window"])
def test_metadata_of_2024(kind, per_channel):
    plain = shared(weighted(np.random.default_rng(0), kind, per_channel=per_channel))
    data = with_metadata(plain, weights_of(plain), 4)
    made = load(data)
    same_constants(plain, made)
    assert "decompressed" in made.notes[-1] and made.model != data


def test_both_decode_operators_and_what_tflm_computes_of_them():
    plain = shared(kws_graph())
    data = with_decode(plain, weights_of(plain))
    assert len(data) < 0.8 * len(plain.model)
    made = load(data)
    same_constants(plain, made)
    assert not any(has(n, Trait.PLACED) for n in made.nodes) and "TFLM_DECODE" not in made.source_ops
    raw = open_file("tflm", data)
    try:
        with open_oracle("tflm", made) as session:
            for inputs in random_inputs(made, np.random.default_rng(0), 3):
                np.testing.assert_array_equal(raw.invoke(inputs, ())[0][0], session.invoke(inputs).outputs[0])
    finally:
        raw.close()


def test_tflms_own_tool_writes_what_we_read_and_the_bytes_that_we_write():
    tool = importlib.import_module("tflite_micro.tensorflow.lite.micro.compression.compress")
    spec = importlib.import_module("tflite_micro.tensorflow.lite.micro.compression.spec")
    plain = shared(weighted(np.random.default_rng(0), "fully connected", per_channel=False))
    (w,) = weights_of(plain)
    method = spec.LookUpTableCompression(index_bitwidth=4, mode=spec.PerTensor())
    wanted = [spec.Tensor(subgraph=0, tensor=plain.tensors[w].source, compression=[method])]
    theirs, ours = bytes(tool.compress(plain.model, wanted)), with_decode(plain, [w])
    same_constants(plain, load(theirs))
    pairs = []
    for data in (theirs, ours):
        (main,) = read_model(data, "x")
        (op,) = [o for o in main.operators if o.custom]
        pairs.append([main.tensors[t].data.tobytes() for t in op.inputs])
    assert pairs[0] == pairs[1]


def test_pruned_constants():
    bits, kept = np.array([0b10100000, 0b01000000], np.uint8), np.array([5, -3, 7], np.int8).view(np.uint8)
    head = np.zeros(16, np.uint8)
    head[:2] = 2, 1
    made = decoded(tensor((2, 5), "int8"), bits, np.concatenate([head, kept]), "x")
    assert made.data.view(np.int8).tolist() == [5, 0, -3, 0, 0, 0, 0, 0, 0, 7]
    with pytest.raises(ModelFileError, match="3 elements"):
        decoded(tensor((2, 5), "int8"), bits, np.concatenate([head, kept[:2]]), "x")


def test_int4_weights_are_stored_in_half_the_bytes():
    plain = Compressor(kws_graph(), LEVELS["int4"], None).model().graph
    data = with_narrow(plain, weights_of(plain))
    assert len(plain.model) - len(data) > 8_000
    same_constants(plain, load(data))
    raw = open_file("tflm", data)
    try:
        with open_oracle("spec", plain) as session:
            (inputs,) = random_inputs(plain, np.random.default_rng(0), 1)
            np.testing.assert_array_equal(raw.invoke(inputs, ())[0][0], session.invoke(inputs).outputs[0])
    finally:
        raw.close()


# --- refusals --------------------------------------------------------------------------------------------------------


def plain_layer():
    plain = shared(weighted(np.random.default_rng(0), "fully connected", per_channel=False))
    return plain, weights_of(plain)[0]


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([[LutEntry(99, 1, 4)]], "tensor 99, of"),
        ([[LutEntry(-1, 1, 4)]], "tensor -1, of"),
        ([[LutEntry(1, 900, 4)]], "value_buffer 900, of"),
        ([[LutEntry(1, 4, 0)]], "indices of 0 bits"),
        ([[LutEntry(1, 4, 8)]], "indices of 8 bits"),
        ([[LutEntry(1, 4, 5)]], "elements of 5 bits"),
        ([[LutEntry(1, 4, 4), LutEntry(1, 4, 4)]], "tensor 1 for the second time"),
        ([[LutEntry(0, 4, 4)]], "has no indices"),
        ([[LutEntry(1, 0, 4)]], "0 bytes of values"),
        ([[], [LutEntry(1, 4, 4)]], "2 subgraphs, the model has 1"),
    ],
)
def test_metadata_that_name_what_is_not_there(entries, told):
    plain, w = plain_layer()
    assert w == 1
    with pytest.raises(ModelFileError) as caught:
        load(with_metadata(plain, [w], 4, lut_metadata(entries)), name="m")
    assert METADATA in caught.value.message and told in caught.value.message


def test_an_index_beyond_its_table():
    with pytest.raises(ModelFileError, match="index 7 in a table of 6 values"):
        looked_up(tensor((4,), "int8"), bits_of(np.array([1, 2, 7, 0]), 3), np.zeros(6, np.uint8), 3, None, 6, "x")


def test_metadata_of_a_later_version():
    plain, w = plain_layer()
    with pytest.raises(UnsupportedModelError, match="version 2"):
        load(with_metadata(plain, [w], 4, lut_metadata([[]], 2)))


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        ({0: 1}, UnsupportedModelError, "Huffman"),
        ({0: 200}, UnsupportedModelError, "way 200"),
        ({1: 2}, UnsupportedModelError, "TFLM_DECODE of version 2"),
        ({4: 9}, UnsupportedModelError, "tables of version 9"),
        ({5: 0xF0}, ModelFileError, "indices of 0 bits"),
        ({5: 0xF7}, ModelFileError, "elements of 7 bits"),
        ({5: 0x94}, ModelFileError, "along dimension 9"),
        ({5: 0x14}, ModelFileError, "bytes of values for"),
    ],
)
def test_headers_of_decode(change, error, told):
    plain, w = plain_layer()
    data = bytearray(with_decode(plain, [w]))
    (main,) = read_model(bytes(data), "x")
    (op,) = [o for o in main.operators if o.custom]
    at = bytes(data).index(main.tensors[op.inputs[1]].data.tobytes())
    for place, value in change.items():
        data[at + place] = value
    with pytest.raises(error, match=told):
        load(bytes(data))


def test_what_decode_cannot_look_up():
    graph = weighted(np.random.default_rng(0), "fully connected")
    unlike = np.arange(graph.tensors[1].elements).reshape(graph.tensors[1].shape) % 255 - 127
    tensors = (graph.tensors[0], replace(graph.tensors[1], data=unlike.astype(np.int8)), *graph.tensors[2:])
    graph = load(write(replace(graph, tensors=tensors)))
    with pytest.raises(OptionError, match="128 values or fewer"):
        with_decode(graph, weights_of(graph))


@pytest.mark.parametrize("form", ["metadata", "decode"])
def test_damaged_files_are_one_error(form):
    """Wherever a file is damaged, it is read or refused by name; nothing else happens."""
    plain, w = plain_layer()
    data = with_decode(plain, [w]) if form == "decode" else with_metadata(plain, [w], 4)
    sound = seed(form, data)
    refused = 0
    for number in range(150):
        try:
            load(mutate([sound], number)[1])
        except TinyhilError as error:
            refused += 1
            assert error.message and error.hint
    assert refused > 30
