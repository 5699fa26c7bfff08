"""Vectors: seeded random ones excite a network in several ways; files are fitted or refused by name."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from harness.errors import VectorsError
from harness.ir.graph import Graph, Tensor
from harness.quantization.types import DType, Quantization
from harness.validate.card import FileVectors, RandomVectors
from harness.validate.vectors import from_arrays, load, random_vectors


def graph(*inputs: Tensor) -> Graph:
    scores = Tensor("scores", (1, 10), DType.INT8, Quantization((1 / 256,), (-128,)))
    return Graph("g", (*inputs, scores), (), tuple(range(len(inputs))), (len(inputs),))


def image(dtype: DType = DType.INT8, zero_point: int = 3, shape: tuple[int, ...] = (1, 6, 6, 2)) -> Tensor:
    return Tensor("image", shape, dtype, Quantization((0.5,), (zero_point,)))


def test_random_vectors_are_the_same_for_the_same_seed_and_differ_otherwise():
    one, again = random_vectors(graph(image()), 20, 0), random_vectors(graph(image()), 20, 0)
    assert one.sha256 == again.sha256
    assert all((a[0] == b[0]).all() for a, b in zip(one.inputs, again.inputs, strict=True))
    assert random_vectors(graph(image()), 20, 1).sha256 != one.sha256


def test_a_longer_run_begins_with_the_shorter_one():
    short, long = random_vectors(graph(image()), 5, 4), random_vectors(graph(image()), 40, 4)
    assert all((a[0] == b[0]).all() for a, b in zip(short.inputs, long.inputs[:5], strict=True))


def test_random_vectors_hold_all_corners_and_structure():
    rows = [row[0] for row in random_vectors(graph(image(shape=(1, 24, 24, 2))), 40, 0).inputs]
    assert all(a.dtype == np.int8 and a.shape == (1, 24, 24, 2) for a in rows)
    for corner in (-128, 127, 3):
        assert any((a == corner).all() for a in rows), corner
    # Neighbours of smooth images are closer than those of noise.
    step = [np.abs(np.diff(a.astype(int), axis=1)).mean() for a in rows]
    assert step[1] < 0.4 * step[0]
    assert int(rows[0].max()) - int(rows[0].min()) > 200


@pytest.mark.parametrize("dtype", [DType.INT8, DType.UINT8, DType.INT16, DType.FLOAT32, DType.INT32])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (3, 1, 7)])
def test_random_vectors_for_every_type_and_shape(dtype, shape):
    tensor = Tensor("x", shape, dtype, Quantization((1.0,), (0,)))
    vectors = random_vectors(graph(tensor), 14, 0).inputs
    assert len(vectors) == 14
    for (array,) in vectors:
        assert array.shape == shape
        assert array.dtype == dtype.numpy
        assert np.isfinite(array.astype(np.float64)).all()


def test_several_inputs_get_different_noise():
    first, second = random_vectors(graph(image(), image()), 1, 0).inputs[0]
    assert (first != second).any()


def save(tmp_path, **arrays):
    np.savez(tmp_path / "v.npz", **arrays)
    return FileVectors(file="v.npz")


def test_file_with_labels_is_taken_as_it_is(tmp_path):
    values = np.arange(2 * 72, dtype=np.int8).reshape(2, 1, 6, 6, 2)
    given = load(save(tmp_path, input_0=values, labels=np.array([4, 1])), graph(image()), tmp_path)
    assert len(given) == 2
    assert (given.inputs[1][0] == values[1]).all()
    assert given.labels.tolist() == [4, 1]
    assert given.name == "v.npz"


def test_batch_axis_may_be_left_out_and_floats_are_quantized(tmp_path):
    real = np.zeros((3, 6, 6, 2), dtype=np.float32)
    real[0, 0, 0, 0], real[1, 0, 0, 0], real[2, 0, 0, 0] = 1.0, -0.75, 1e9
    given = load(save(tmp_path, input_0=real), graph(image()), tmp_path)
    assert [row[0].flat[0] for row in given.inputs] == [5, 1, 127]  # round half to even: -1.5 -> -2
    assert given.inputs[0][0].flat[1] == 3
    assert given.inputs[0][0].shape == (1, 6, 6, 2)


def test_count_takes_the_first_vectors_with_their_labels(tmp_path):
    save(tmp_path, input_0=np.zeros((5, 1, 6, 6, 2), np.int8), labels=np.arange(5))
    given = load(FileVectors(file="v.npz", count=2), graph(image()), tmp_path)
    assert len(given) == 2
    assert given.labels.tolist() == [0, 1]
    with pytest.raises(VectorsError, match="6 vectors asked for, 5 there"):
        load(FileVectors(file="v.npz", count=6), graph(image()), tmp_path)


GOOD = np.zeros((2, 1, 6, 6, 2), np.int8)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": GOOD}, "no array input_0"),
        ({"input_0": GOOD[:, :, :3]}, r"shape \[1, 3, 6, 2\] per vector, input 'image' is \[1, 6, 6, 2\]"),
        ({"input_0": GOOD.astype(np.uint8)}, "is uint8, input 'image' is int8"),
        ({"input_0": GOOD[:0]}, "0 vectors"),
        ({"input_0": GOOD, "labels": np.arange(3)}, "2 and 3 vectors"),
        ({"input_0": GOOD, "labels": np.zeros(2)}, "labels are float64"),
        ({"input_0": GOOD, "labels": np.array([0, 10])}, "labels go from 0 to 10, the model has 10 classes"),
        ({"input_0": GOOD, "labels": np.array([1, 2**64 - 1], np.uint64)}, "labels go from 1 to 18446744073709551615"),
        ({"input_0": GOOD, "input_1": GOOD}, r"input_1, but the model has 1 input"),
        ({"input_0": np.full((1, 6, 6, 2), np.nan)}, "NaN"),
        ({"input_0": np.int8(3)}, "shape"),
        ({"input_0": np.array([{}], dtype=object)}, "not a readable .npz"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(tmp_path, arrays, words):
    with pytest.raises(VectorsError, match=words):
        load(save(tmp_path, **arrays), graph(image()), tmp_path)


def test_damaged_missing_and_oversized_files(tmp_path):
    with pytest.raises(VectorsError, match="no such file"):
        load(FileVectors(file="none.npz"), graph(image()), tmp_path)
    buffer = io.BytesIO()
    np.savez(buffer, input_0=GOOD)
    raw = buffer.getvalue()
    for cut in range(0, len(raw), 37):
        (tmp_path / "v.npz").write_bytes(raw[:cut])
        with pytest.raises(VectorsError):
            load(FileVectors(file="v.npz"), graph(image()), tmp_path)


def test_an_archive_of_something_else_is_no_vectors_file(tmp_path):
    for name in ("input_0.npy", "input_0", "labels"):
        with zipfile.ZipFile(tmp_path / "v.npz", "w") as archive:
            archive.writestr(name, b"hello")
        with pytest.raises(VectorsError):
            load(FileVectors(file="v.npz"), graph(image()), tmp_path)


def test_a_file_that_unpacks_to_gigabytes_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.validate.vectors.MAX_FILE_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "v.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("input_0.npy", bytes(5000))
    with pytest.raises(VectorsError, match="5000 bytes unpacked"):
        load(FileVectors(file="v.npz"), graph(image()), tmp_path)


def test_arrays_in_memory():
    given = from_arrays([[np.zeros((6, 6, 2))], [GOOD[0]]], graph(image()))
    assert [row[0].flat[0] for row in given.inputs] == [3, 0]
    with pytest.raises(VectorsError, match="2 arrays for a model with 1 inputs"):
        from_arrays([[GOOD[0], GOOD[0]]], graph(image()))


def test_random_spec_is_loaded_through_the_same_door(tmp_path):
    assert load(RandomVectors(random=3, seed=2), graph(image()), tmp_path).name == "random 3, seed 2"
