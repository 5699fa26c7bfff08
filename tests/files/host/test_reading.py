"""Files that a person names: what is no file is refused before it is read, and what is read has bounds."""

from __future__ import annotations

import os
import threading
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
import tflite

from harness.boards import find_board
from harness.build import build_image
from harness.compiler.emit.package import write_package
from harness.cycles.board_tables import BoardTable
from harness.cycles.tables import read as read_table
from harness.elf.lines import read_lines
from harness.elf.sections import read_sections
from harness.elf.segments import read_segments
from harness.elf.symbols import read_symbols
from harness.errors import Category, ImageFileError, TinyhilError, VectorsError
from harness.files.reading import TooLargeError, open_regular, read_regular
from harness.frontends import load
from harness.frontends.tflite import reader
from harness.hardware.boards_file import read_boards
from harness.ir.graph import Graph
from harness.report.bundle import MANIFEST, Invocation, check_folder, read_bundle, write_bundle
from harness.validate import vectors
from harness.validate.card import FileVectors, card_of, load_card, parse_vectors
from harness.validate.workbench import Workbench
from tests.support.paths import FIXTURES
from tests.support.patience import ends, little_work
from tests.support.tiny import tiny_package

MODEL = FIXTURES / "digits.tflite"
ENDLESS = Path("/dev/zero")


def graph() -> Graph:
    return load(MODEL)


READERS: dict[str, Callable[[Path], object]] = {
    "model": lambda path: load(path),
    "card": lambda path: load_card(path),
    "vectors": lambda path: vectors.load(parse_vectors(str(path), Path()), graph(), Path()),
    "boards": lambda path: read_boards(path),
    "cycle table": lambda path: read_table(path, BoardTable),
}
MADE: dict[str, Callable[[Path], object]] = {
    "image's functions": lambda path: read_symbols(path),
    "image's sections": lambda path: read_sections(path),
    "image's loaded parts": lambda path: read_segments(path),
    "manifest of results": lambda path: read_bundle(path.parent),
    "results to write over": lambda path: check_folder(path.parent),
}
"""Readers of files that tinyhil makes, whose errors are of other categories."""
SUFFIXES = {"model": ".tflite", "card": ".hil.yaml", "vectors": ".npz", "boards": ".yaml", "cycle table": ".yaml"}


def refused(read: Callable[[], object], *, given: bool = True) -> str:
    """The message of the refusal, which must come at once; bad input where the file is one that a person gives."""
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
    assert caught and (caught[0].category is Category.INPUT or not given) and caught[0].hint
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
    with little_work(), pytest.raises(TinyhilError) as caught:
        load_card(path)
    assert len(caught.value.details) < 10_000


@pytest.mark.parametrize("text", ["[" * 20_000, "{a: " * 20_000, "- " * 20_000, "a: 1\n" * 200_000])
def test_a_card_of_nothing_but_depth_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.hil.yaml"
    path.write_text(text)
    with little_work():
        refused(lambda: load_card(path))


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


@pytest.mark.parametrize("what", MADE)
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "text", "nested", "sparse"])
def test_files_of_ours_are_read_within_bounds_too(tmp_path: Path, what: str, kind: str) -> None:
    path = tmp_path / MANIFEST
    makers: dict[str, Callable[[], object]] = {
        "pipe": lambda: os.mkfifo(path),
        "device": lambda: path.symlink_to(ENDLESS),
        "folder": path.mkdir,
        "text": lambda: path.write_text("\\ud800 {"),
        "nested": lambda: path.write_text("[" * 100_000),
        "sparse": lambda: (path.touch(), os.truncate(path, 1 << 41)),
    }
    makers[kind]()
    refused(lambda: MADE[what](path), given=False)


@pytest.mark.parametrize(
    "text",
    ["[]", "3", '{"files": 3}', *(f'{{"files": {{"{name}": ""}}}}' for name in ("/dev/zero", "../x", "\\ud800"))],
)
def test_a_manifest_of_any_content(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    refused(lambda: read_bundle(tmp_path), given=False)


def test_a_damaged_image_is_told(tmp_path: Path) -> None:
    """Either what it says is taken, or it is told that it cannot be read; whatever pyelftools runs into."""
    board = find_board("mps2-an500")
    good = build_image([tiny_package(core=board.core)], board).elf.read_bytes()
    path = tmp_path / "x.elf"
    rng = np.random.default_rng(1)
    told = 0
    for number in range(40):
        data = bytearray(good)
        places = (rng.integers(0, 64, 2), rng.integers(0, len(data), 30), len(data) - rng.integers(1, 2000, 4))
        for at in places[number % 3]:
            data[at] = int(rng.choice([0, 1, 127, 255]))
        path.write_bytes(data)
        for read in (read_symbols, read_sections, read_lines)[: 2 + (number % 8 == 0)]:
            try:
                read(path)
            except ImageFileError as error:
                told += 1
                assert str(path) in error.message and error.hint
    assert told > 10


# --- archives --------------------------------------------------------------------------------------------------------


def vectors_of(path: Path) -> Callable[[], object]:
    return lambda: vectors.load(parse_vectors(str(path), Path()), graph(), Path())


def archive_of(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def npy(shape: str, content: bytes = b"", dtype: str = "|i1") -> bytes:
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


def test_an_archive_with_a_huge_directory(tmp_path: Path) -> None:
    """Each name in it becomes an object of some 500 bytes."""
    path = tmp_path / "v.npz"
    entry = b"PK\x01\x02" + bytes(24) + (1000).to_bytes(2, "little") + bytes(16) + b"n" * 1000
    directory = entry * 30_000
    count, size = (30_000).to_bytes(2, "little"), len(directory).to_bytes(4, "little")
    path.write_bytes(directory + b"PK\x05\x06" + bytes(4) + count * 2 + size + bytes(4) + bytes(2))
    tracemalloc.start()
    assert "directory has more than 1,048,576 bytes" in refused(vectors_of(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30_000_000


@pytest.mark.parametrize("shape", ["(4611686018427387904,)", "(3000000000, 8, 8, 1)", "(70, 8, 8, 1)", "(-1, 8, 8, 1)"])
def test_an_array_that_claims_more_than_it_has(tmp_path: Path, shape: str) -> None:
    path = archive_of(tmp_path / "v.npz", {"input_0.npy": npy(shape, bytes(640))})
    assert "not a readable .npz file" in refused(vectors_of(path))


def test_sizes_in_the_directory_that_lie(tmp_path: Path) -> None:
    """10 MB behind an entry of 200 bytes; an entry of 4 GB behind which is nothing."""
    path = archive_of(tmp_path / "v.npz", {"input_0.npy": npy("(10000000,)", bytes(10_000_000))}, zipfile.ZIP_DEFLATED)
    data = path.read_bytes()
    real = (10_000_000 + 128).to_bytes(4, "little")
    assert data.count(real) == 2
    for claim in (200, 2**32 - 2):
        path.write_bytes(data.replace(real, claim.to_bytes(4, "little")))
        tracemalloc.start()
        refused(vectors_of(path))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 5_000_000


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_numpy_does_not_use(tmp_path: Path, method: int) -> None:
    """A few bytes of it may become hundreds of megabytes in one step."""
    path = archive_of(tmp_path / "v.npz", {"input_0.npy": npy("(64,)", bytes(64))}, method)
    assert "which numpy does not use" in refused(vectors_of(path))


@pytest.mark.parametrize("seed", range(8))
def test_damaged_archives(tmp_path: Path, seed: int) -> None:
    """Whatever zipfile, zlib and numpy raise, it is bad input."""
    good = tmp_path / "good.npz"
    save = np.savez_compressed if seed % 2 else np.savez
    save(good, input_0=np.zeros((3, 8, 8, 1), np.int8), labels=np.zeros(3, np.int64))
    rng = np.random.default_rng(seed)
    path = tmp_path / "bad.npz"
    for _ in range(60):
        data = bytearray(good.read_bytes())
        for at in rng.integers(0, len(data), 3):
            data[at] ^= int(rng.integers(1, 256))
        path.write_bytes(data)
        try:
            vectors_of(path)()
        except TinyhilError as error:
            assert error.category is Category.INPUT and "\n" not in error.message


# --- YAML files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["boards", "cycle table"])
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" * 40 + "]" * 40, "levels"),
        ("a: " + "{a: " * 3000, "levels"),
        ("".join(f"k{n}: 1\n" for n in range(60_000)), ",000 keys and values"),
        ('a: "\\ud800"', "character"),
        ("a: &a [1]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}]\n" for n in range(9)), "within what"),
        ("a: &a\n  b: *a\n", "within what an anchor names"),
    ],
)
def test_a_file_that_nobody_writes(tmp_path: Path, what: str, text: str, problem: str) -> None:
    path = tmp_path / "boards.yaml"
    path.write_text(text)
    with ends():
        assert problem in refused(lambda: READERS[what](path))
