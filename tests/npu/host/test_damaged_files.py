"""Damaged and odd files of Vela's: one error that names the place, never a crash or a package that computes wrongly."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import CommandStreamError, GraphError, ModelFileError, TinyhilError, UnsupportedModelError
from harness.ethosu.disassembly import commands
from harness.frontends.tflite.reader import load
from harness.frontends.tflite.vela_file import VelaModel, read_vela
from harness.ir.graph import Graph
from harness.ir.operators.ethos_u import EthosUAttrs
from tests.support.builders import BUILDERS
from tests.support.draft import Draft
from tests.support.models import real_model
from tests.support.npu_graphs import npu_graphs
from tests.support.scale import scaled
from tests.support.vela import compile_model


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    """Small models, most with several operators on the NPU and some on the core."""
    return [found.file for found in npu_graphs(900, 6)]


@pytest.fixture(scope="module")
def preprocessor() -> bytes:
    return compile_model(real_model("tflm_audio_preprocessor_int8").read_bytes(), "ethos-u55-128").file


def streams(graph: Graph) -> list[EthosUAttrs]:
    return [node.attrs for node in graph.nodes if isinstance(node.attrs, EthosUAttrs)]


def with_offset(file: bytes, tensor: int, offset: int) -> bytes:
    """The file with one tensor elsewhere in the arena."""
    offsets = np.array(read_vela(file, "file").offsets, "<i4")
    start = file.index(offsets.tobytes())
    return file[: start + 4 * tensor] + struct.pack("<i", offset) + file[start + 4 * tensor + 4 :]


def first_output(model: VelaModel) -> int:
    return model.operators[0][1].outputs[0]


@given(data=st.data())
def test_files_with_damaged_bytes(files: list[bytes], data: st.DataObject) -> None:
    file = bytearray(data.draw(st.sampled_from(files)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(file) - 1))
        file[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(file)), st.integers(0, len(file))))
    try:
        load(bytes(file[:cut]), name="damaged")
    except TinyhilError as error:
        assert error.message and error.hint


@pytest.mark.parametrize("part", range(scaled(1, 10)))
def test_files_with_damaged_streams(files: list[bytes], part: int) -> None:
    """The words of a stream alone: what reaches out of its region is found when the file is read."""
    rng = np.random.default_rng([31, part])
    refused = 0
    for turn in range(120):
        file = bytearray(files[turn % len(files)])
        attrs = streams(load(bytes(file)))[0]
        start = file.index(attrs.stream)
        for _ in range(3):
            word = int(rng.integers(len(attrs.stream) // 4))
            file[start + 4 * word + int(rng.integers(4))] ^= 1 << int(rng.integers(8))
        try:
            load(bytes(file), name="damaged")
        except TinyhilError as error:
            refused += 1
            assert "damaged" in error.message or isinstance(error, CommandStreamError), error.message
    assert refused > 10


def test_a_command_that_reaches_out_of_the_arena_is_named(preprocessor: bytes) -> None:
    attrs = streams(load(preprocessor))[0]
    word = next(c.word for c in commands(attrs.words.tolist()) if c.form.name == "NPU_SET_OFM_BASE0")
    at = preprocessor.index(attrs.stream) + 4 * (word + 1)
    broken = preprocessor[:at] + struct.pack("<I", 1 << 20) + preprocessor[at + 4 :]
    with pytest.raises(CommandStreamError, match=r"operator \d+: word \d+, NPU_OP_\w+: writes bytes 1048576 to \d+ of"):
        load(broken)


def test_a_tensor_where_no_stream_writes_is_named(preprocessor: bytes) -> None:
    model = read_vela(preprocessor, "file")
    output = first_output(model)
    with pytest.raises(ModelFileError, match=r"operator \d+ needs bytes \d+ to \d+ of region 1, which nothing"):
        load(with_offset(preprocessor, output, model.offsets[output] + 1024))


def test_a_tensor_that_is_overwritten_before_it_is_read_is_named(files: list[bytes]) -> None:
    """Every input of the model in turn where the first stream writes."""
    refused = 0
    for file in files:
        model = read_vela(file, "file")
        target = model.offsets[first_output(model)]
        for tensor in model.subgraph.inputs:
            try:
                load(with_offset(file, tensor, target))
            except (ModelFileError, GraphError) as error:
                refused += "is overwritten in the arena before" in error.message
    assert refused


@pytest.mark.parametrize("offset", [1 << 30, -7, 1 << 12])
def test_a_tensor_outside_of_the_arena_is_named(preprocessor: bytes, offset: int) -> None:
    output = first_output(read_vela(preprocessor, "file"))
    with pytest.raises((GraphError, ModelFileError), match=r"operator \d+"):
        load(with_offset(preprocessor, output, offset))


def test_without_the_list_of_places_the_file_is_refused(preprocessor: bytes) -> None:
    with pytest.raises(ModelFileError, match="has no place in the arena"):
        load(preprocessor.replace(b"OfflineMemoryAllocation", b"OfflineMemoryAllocatioN"))


def test_another_instruction_set_is_named() -> None:
    draft = Draft(np.random.default_rng(4))
    graph = draft.finish("one", (BUILDERS["RELU"](draft, None),))
    with pytest.raises(UnsupportedModelError, match=r"operator 0: compiled for an Ethos-U85"):
        load(compile_model(graph.model, "ethos-u85-256").file)


def test_what_is_not_vela_s_payload_is_named(preprocessor: bytes) -> None:
    with pytest.raises(ModelFileError, match="not COP1 or COP2"):
        load(preprocessor.replace(b"COP1", b"COP9"))
