"""Model files as TFLM sees them: the layers of real files are those that were measured."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ModelFileError
from harness.tflm import records
from harness.tflm.figures import figures
from harness.tflm.layer import TflmLayer
from harness.tflm.reading import read
from tests.support.models import real_model
from tests.support.paths import FIXTURES

REAL = (
    "arm_yolo_fastest_192_face_v4", "armzoo_ds_cnn_quantized", "mlperftiny_kws_int8", "mww_v2_vad",
    "tflm_keyword_scrambled_8bit", "tflm_trained_lstm_int8", "tinymaix_mbnet96_0.25_q", "tinymaix_mnist_dw_f",
)  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_layers_of_a_file_are_those_that_were_measured(name):
    data = real_model(name).read_bytes()
    record = records.recorded(hashlib.sha256(data).hexdigest())
    model = read(data)
    table = records.layers()
    assert len(model.layers) == len(record.rows)
    for layer, row in zip(model.layers, record.rows, strict=True):
        assert records.same_cost(layer) == records.same_cost(table[row].layer)
    assert [(t.bytes, t.first, t.last) for t in model.tensors] == [
        (t.bytes, t.first, t.last) for t in record.memory.tensors
    ]


def test_a_tensor_lives_from_the_operator_that_writes_it_to_the_last_that_reads_it():
    model = read((FIXTURES / "residual.tflite").read_bytes())
    assert all(0 <= tensor.first <= tensor.last < len(model.layers) for tensor in model.tensors)
    assert sum(tensor.first == 0 for tensor in model.tensors) >= 2, "the input, and what the first operator writes"
    assert any(tensor.last - tensor.first > 1 for tensor in model.tensors), "what is added later lives longer"


def test_all_measured_layers_survive_their_dictionaries():
    for measured in records.layers()[::7]:
        assert TflmLayer.from_dict(measured.layer.as_dict()) == measured.layer


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_file_is_an_error_or_a_model(draw):
    """Bytes of a good file are changed: what can still be read has figures, and nothing else is raised."""
    data = bytearray((FIXTURES / "digits.tflite").read_bytes())
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(8, len(data) - 1))] = draw.draw(st.integers(0, 255))
    try:
        found = figures(bytes(data), "", draw.draw(st.sampled_from(records.cores())))
    except ModelFileError as error:
        assert error.message
        return
    assert found.total.value is None or found.total.value > 0
