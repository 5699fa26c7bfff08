"""The format of relocatable models: what is written is read, what is damaged is refused, C and Python agree."""

import struct
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import RelocatableError
from harness.quantization.types import DType
from harness.relocatable import format as form
from harness.relocatable.numbers import cores, feature_bits, number, type_numbers

CODE = bytes(range(200)) + b"\1\2"
MODEL = form.RelocatableModel(
    name="kws",
    version="1.2.3",
    model_sha256="ab" * 32,
    core="cortex-m4",
    features=frozenset({"dsp", "fpu_single", "hard_float_abi"}),
    align=4,
    weights_align=0,
    total_bytes=0,
    code_offset=0,
    code_bytes=0,
    init=form.HEADER.size + 16,
    invoke=form.HEADER.size + 100,
    arena_bytes=4096,
    arena_align=16,
    context_bytes=8,
    stack_bytes=0,
    inputs=(form.RelocatableTensor("x", DType.INT8, (1, 49, 10, 1), 16, 490, 0.5, -3),),
    outputs=(form.RelocatableTensor("ÿ" * 40, DType.FLOAT32, (), 4000, 4),),
    layers=((form.LayerOutput(0, 100), form.LayerOutput(100, 7)), (), (form.LayerOutput(4092, 4),)),
)


def with_crc(data: bytes) -> bytes:
    """The same with a header whose CRC is right."""
    head = data[: form.HEADER.size - 4]
    return head + struct.pack("<I", zlib.crc32(head)) + data[form.HEADER.size :]


def test_what_is_written_is_read():
    file, said = form.pack(MODEL, CODE)
    found = form.read(file, "kws.bin")
    assert found == replace(said, outputs=found.outputs)
    assert file[found.code_offset :][: found.code_bytes] == CODE
    assert found.outputs[0].name == "ÿ" * 13  # cut between characters
    assert found.outputs[0].scale is None and found.inputs == MODEL.inputs
    assert found.layers == MODEL.layers and found.features == MODEL.features
    assert form.pack(MODEL, CODE)[0] == file


def test_weights_apart_belong_to_one_model():
    model = replace(MODEL, weights_align=4)
    plain, _ = form.pack(MODEL, CODE)
    weights = form.pack_weights(b"weights" * 9, form.body_of(plain).sha256)
    file, said = form.pack(model, CODE, weights)
    found = form.read(file, "kws.bin")
    assert found.weights == said.weights
    form.check_weights(found, weights, "kws_weights.bin")
    for wrong, words in (
        (weights[:-1], "damaged"),
        (weights[:60] + b"\xff" + weights[61:], "damaged"),
        (weights[:20] + b"\xff" + weights[21:], "another model"),
        (b"", "no file of weights"),
    ):
        with pytest.raises(RelocatableError, match=words):
            form.check_weights(found, wrong, "kws_weights.bin")
    with pytest.raises(RelocatableError, match="holds its weights itself"):
        form.check_weights(form.read(plain, "kws.bin"), weights, "kws_weights.bin")


def test_every_flipped_or_missing_byte_is_refused():
    file, _ = form.pack(MODEL, CODE)
    for at in range(0, len(file), 3):
        with pytest.raises(RelocatableError):
            form.read(file[:at] + bytes([file[at] ^ 0x40]) + file[at + 1 :], "kws.bin")
        with pytest.raises(RelocatableError):
            form.read(file[:at], "kws.bin")
    with pytest.raises(RelocatableError, match=r"kws\.bin.*damaged"):
        form.read(file + b"\0", "kws.bin")


@settings(max_examples=200, deadline=None)
@given(at=st.integers(4, form.HEADER.size - 5), value=st.binary(min_size=1, max_size=4))
def test_a_forged_header_leads_nowhere_outside(at, value):
    """With a right CRC, too: whatever is read lies within file and arena."""
    file, _ = form.pack(MODEL, CODE)
    forged = with_crc(file[:at] + value + file[at + len(value) :])[: len(file)]
    try:
        found = form.read(forged, "kws.bin")
    except RelocatableError:
        return
    assert found.code_offset + found.code_bytes <= len(forged)
    for region in (*found.inputs, *found.outputs, *(one for layer in found.layers for one in layer)):
        assert region.offset + region.bytes <= found.arena_bytes


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        (4, b"\2\0", "format 2"),
        (12, b"\2\0", "ABI is 2"),
        (16, b"\xff\xff", "no core 0xFFFF"),
        (20, b"\3\0", "alignment of its file is 3"),
        (32, b"\0\0\0\0", "entry of init"),
        (form.HEADER.size - 6, b"\1", "reserved"),
    ],
)
def test_what_is_wrong_is_named(field, value, words):
    file, _ = form.pack(MODEL, CODE)
    with pytest.raises(RelocatableError, match=words):
        form.read(with_crc(file[:field] + value + file[field + len(value) :]), "kws.bin")


def test_c_and_python_have_the_same_sizes():
    assert form.HEADER.size == number("HEADER_BYTES") and form.WEIGHTS_HEADER.size == number("WEIGHTS_HEADER_BYTES")
    assert set(type_numbers()) == set(DType) and len(set(type_numbers().values())) == len(DType)
    assert sum(feature_bits().values()) == number("FEATURES")
    assert cores()["cortex-m0plus"] == 0xC60 and len(cores()) == 6
