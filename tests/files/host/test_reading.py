"""Files that a person names: what is no file is refused before it is read, and what is read has bounds."""

from __future__ import annotations

import os
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
import tflite

from harness.compiler.emit.package import write_package
from harness.errors import Category, TinyhilError, VectorsError
from harness.files.reading import TooLargeError, open_regular, read_regular
from harness.frontends import load
from harness.frontends.tflite import reader
from harness.hardware.boards_file import read_boards
from harness.ir.graph import Graph
from harness.report.bundle import Invocation, check_folder, write_bundle
from harness.validate import vectors
from harness.validate.card import FileVectors, card_of, load_card, parse_vectors
from harness.validate.workbench import Workbench
from tests.support.paths import FIXTURES

MODEL = FIXTURES / "digits.tflite"
ENDLESS = Path("/dev/zero")


def graph() -> Graph:
    return load(MODEL)


READERS: dict[str, Callable[[Path], object]] = {
    "model": lambda path: load(path),
    "card": lambda path: load_card(path),
    "vectors": lambda path: vectors.load(parse_vectors(str(path), Path()), graph(), Path()),
    "boards": lambda path: read_boards(path),
}
SUFFIXES = {"model": ".tflite", "card": ".hil.yaml", "vectors": ".npz", "boards": ".yaml"}


def refused(read: Callable[[], object]) -> str:
    """The message of the refusal, which must come at once."""
    caught: list[TinyhilError] = []

    def attempt() -> None:
        try:
            read()
        except TinyhilError as error:
            caught.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(5.0)
    assert not thread.is_alive(), "it waits"
    assert caught and caught[0].category is Category.INPUT and caught[0].hint
    return caught[0].message


@pytest.mark.parametrize("what", READERS)
def test_pipes_devices_folders_and_sockets_are_no_files(tmp_path: Path, what: str) -> None:
    path = tmp_path / f"x{SUFFIXES[what]}"
    os.mkfifo(path)
    assert "a named pipe" in refused(lambda: READERS[what](path))
    path.unlink()
    path.symlink_to(ENDLESS)
    assert "a device" in refused(lambda: READERS[what](path))
    path.unlink()
    path.mkdir()
    told = "this is a folder" if what == "model" else "a directory"  # a folder in a model's place has a hint of its own
    assert told in refused(lambda: READERS[what](path))


@pytest.mark.parametrize("what", READERS)
@pytest.mark.parametrize("odd", ["\ud800", "\udfff", "\0"])
def test_a_path_that_no_file_can_have_is_bad_input(what: str, odd: str) -> None:
    refused(lambda: READERS[what](Path(odd + SUFFIXES[what])))


@pytest.mark.parametrize("odd", ["\ud800", "\0"])
def test_nor_can_a_result_or_a_card_name_one(tmp_path: Path, odd: str) -> None:
    bench = Workbench()
    package = bench.package(graph(), "cortex-m4")
    refused(lambda: write_package(package, tmp_path / odd))
    refused(lambda: parse_vectors(f"{odd}.npz", tmp_path))
    refused(lambda: bench.graph(Path(f"{odd}.tflite")))
    refused(lambda: bench.graph(card_of(Path(odd)).model))
    for write in (check_folder, lambda folder: write_bundle(folder, [], Invocation([], {}))):
        with pytest.raises(TinyhilError, match="no file has a path"):
            write(tmp_path / odd)
    escaped = {"\ud800": "\\ud800", "\0": "\\0"}[odd]
    path = tmp_path / "m.hil.yaml"
    for text in (f'model: "{escaped}.tflite"\n', f'model: m.tflite\nvectors: "{escaped}.npz"\n'):
        path.write_text(text)
        refused(lambda: load_card(path))


def test_a_name_that_is_no_utf_8_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.tflite")
    path.write_bytes(MODEL.read_bytes())
    assert load(path).sha256 == graph().sha256


def test_no_more_is_read_than_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(100))
    assert len(read_regular(path, 100)) == 100
    with pytest.raises(TooLargeError):
        read_regular(path, 99)
    with open_regular(path) as file:
        assert os.get_blocking(file.fileno()) in (True, False) and file.read(1) == b"\0"
    sparse = tmp_path / "sparse.tflite"
    with sparse.open("wb") as out:
        out.truncate(1 << 40)
    assert "more than" in refused(lambda: load(sparse))
    sparse.rename(tmp_path / "sparse.hil.yaml")
    assert "more than" in refused(lambda: load_card(tmp_path / "sparse.hil.yaml"))


@pytest.mark.parametrize("begin", ["", "budgets:\n", "checks:\n", "vectors:\n", "budgets:\n  default:\n"])
def test_a_card_of_thousands_of_unknown_keys_is_refused_at_once(tmp_path: Path, begin: str) -> None:
    path = tmp_path / "m.hil.yaml"
    indent = "" if not begin else " " * (4 if "default" in begin else 2)
    path.write_text("model: m.tflite\n" + begin + "".join(f"{indent}key{i}: 1\n" for i in range(20_000)))
    start = time.process_time()
    with pytest.raises(TinyhilError) as caught:
        load_card(path)
    assert time.process_time() - start < 1.0
    assert len(caught.value.details) < 10_000


@pytest.mark.parametrize("text", ["[" * 20_000, "{a: " * 20_000, "- " * 20_000, "a: 1\n" * 200_000])
def test_a_card_of_nothing_but_depth_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.hil.yaml"
    path.write_text(text)
    start = time.process_time()
    refused(lambda: load_card(path))
    assert time.process_time() - start < 1.0


def test_more_vectors_than_a_run_takes_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", input_0=np.zeros((100_001, 8, 8, 1), np.int8))
    with pytest.raises(VectorsError, match="100,001 vectors, more than the 100,000"):
        vectors.load(FileVectors(file="v.npz"), graph(), tmp_path)
    assert len(vectors.load(FileVectors(file="v.npz", count=3), graph(), tmp_path)) == 3


def shared_file(*, tensors: int = 1, scales: int = 1, subgraphs: int = 1, letters: int = 1, shape: int = 1) -> bytes:
    """A model whose tensors, and whose subgraphs, all lie at one place."""
    builder = flatbuffers.Builder(1 << 16)
    ready = {
        "scale": builder.CreateNumpyVector(np.ones(scales, "<f4")),
        "zero": builder.CreateNumpyVector(np.zeros(scales, "<i8")),
        "name": builder.CreateString("n" * letters),
        "shape": builder.CreateNumpyVector(np.ones(shape, "<i4")),
    }
    tflite.QuantizationParametersStart(builder)
    tflite.QuantizationParametersAddScale(builder, ready["scale"])
    tflite.QuantizationParametersAddZeroPoint(builder, ready["zero"])
    quantization = tflite.QuantizationParametersEnd(builder)
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, ready["shape"])
    tflite.TensorAddType(builder, 9)
    tflite.TensorAddName(builder, ready["name"])
    tflite.TensorAddQuantization(builder, quantization)
    tensor = tflite.TensorEnd(builder)
    many = repeated(builder, tensor, tensors)
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, many)
    graphs = repeated(builder, tflite.SubGraphEnd(builder), subgraphs)
    tflite.BufferStart(builder)
    buffers = repeated(builder, tflite.BufferEnd(builder), 1)
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddSubgraphs(builder, graphs)
    tflite.ModelAddBuffers(builder, buffers)
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def repeated(builder: flatbuffers.Builder, table: int, count: int) -> int:
    builder.StartVector(4, count, 4)
    for _ in range(count):
        builder.PrependUOffsetTRelative(table)
    return int(builder.EndVector())


@pytest.mark.parametrize(
    "how",
    [
        {"tensors": 20_000, "subgraphs": 64},
        {"tensors": 10_000, "scales": 4_000},
        {"tensors": 10_000, "letters": 900, "subgraphs": 60},
        {"tensors": 20_000, "shape": 8, "subgraphs": 60},
    ],
    ids=lambda how: "-".join(how),
)
def test_tables_at_one_place_are_counted_as_often_as_they_are_used(how: dict[str, int]) -> None:
    data = shared_file(**how)
    assert len(data) < 100_000
    tracemalloc.start()
    try:
        message = refused(lambda: reader.load(data))
        assert tracemalloc.get_traced_memory()[1] < 300 << 20
    finally:
        tracemalloc.stop()
    assert "share their parts" in message


def test_a_file_that_shares_a_little_is_read() -> None:
    assert reader.read_model(shared_file(tensors=100, scales=10, subgraphs=3), "few")[2].tensors[99].name == "n"
