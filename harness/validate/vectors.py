"""Test vectors: recorded ones from an .npz file or a sound, or random ones of several kinds from a seed.

Uniform noise alone hides errors, since most networks give the same saturated output for all of it. Random vectors
therefore alternate between noise, structure and the corners of the value range.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.errors import VectorsError, one_line
from harness.files.reading import TooLargeError
from harness.ir.graph import Graph, Tensor
from harness.quantization.types import Array, DType
from harness.validate.archive import BROKEN, read_arrays
from harness.validate.card import FileVectors, RandomVectors
from harness.validate.classification import class_count
from harness.validate.sound import frames, is_sound

MAX_FILE_BYTES = 1 << 30
"""The most that the arrays of a vectors file may take unpacked."""

MAX_VECTORS = 100_000
"""The most vectors of a run."""

_TRUTH = ("labels", "targets")
_BLOCK_ELEMENTS = 1 << 20
"""Real numbers that are quantized at a time, since each takes 16 bytes meanwhile."""


@dataclass(frozen=True, eq=False)
class Vectors:
    """Inputs of a run, in order.

    Attributes:
        name: the file's name, or "random COUNT, seed SEED".
        inputs: [vector][model input], of the input's shape and dtype.
        labels: int64 [vectors], the class of each vector; None without labels.
        targets: [vectors, ...], what the first output should be; None without.
        sha256: of all inputs, labels and targets, hexadecimal.
    """

    name: str
    inputs: tuple[tuple[Array, ...], ...]
    labels: Array | None
    sha256: str
    targets: Array | None = None

    def __len__(self) -> int:
        return len(self.inputs)


def load(spec: RandomVectors | FileVectors, graph: Graph, base_dir: Path) -> Vectors:
    """The vectors of `spec` in the shapes and types of the inputs of `graph`; relative paths start from `base_dir`.

    Raises:
        VectorsError: the file is missing or damaged, or its arrays do not fit the model.
    """
    if isinstance(spec, RandomVectors):
        return random_vectors(graph, spec.random, spec.seed)
    return _from_file(base_dir / spec.file, spec, graph)


def from_arrays(arrays: list[list[Array]], graph: Graph, name: str = "given") -> Vectors:
    """Vectors from arrays in memory: [vector][model input], quantized values or real numbers.

    Raises:
        VectorsError: an array does not fit its input.
    """
    tensors = _inputs(graph)
    if not arrays:
        raise VectorsError(f"{name}: no vectors", hint="give at least one")
    rows = []
    for index, row in enumerate(arrays):
        where = f"{name}: vector {index}"
        if len(row) != len(tensors):
            raise VectorsError(
                f"{where}: {len(row)} arrays for a model with {len(tensors)} inputs", hint="give one array per input"
            )
        rows.append(tuple(_fit(np.asarray(a)[None], t, where)[0] for a, t in zip(row, tensors, strict=True)))
    return _vectors(name, tuple(rows), None)


def real_inputs(
    spec: RandomVectors | FileVectors, graph: Graph, base_dir: Path, given: Vectors
) -> Iterator[tuple[Array, ...]]:
    """For every vector of `given`, which `load` made of `spec`, the inputs as real numbers: as the file has them, or
    where it has quantized values, what those stand for.

    Raises:
        VectorsError: the file cannot be read.
    """
    tensors = _inputs(graph)
    arrays = _read(base_dir / spec.file, spec.step, tensors) if isinstance(spec, FileVectors) else {}
    reals = [arrays.get(f"input_{i}") for i in range(len(tensors))]
    for index, row in enumerate(given.inputs):
        yield tuple(
            real[index] if real is not None and np.issubdtype(real.dtype, np.floating) else _dequantized(value, tensor)
            for real, value, tensor in zip(reals, row, tensors, strict=True)
        )


def _dequantized(value: Array, tensor: Tensor) -> Array:
    if tensor.quant is None:
        return value
    return (value.astype(np.float64) - tensor.q.zero_point) * tensor.q.scale


# --- files -----------------------------------------------------------------------------------------------------------


def _from_file(path: Path, spec: FileVectors, graph: Graph) -> Vectors:
    tensors = _inputs(graph)
    arrays = _read(path, spec.step, tensors)
    wanted = [f"input_{i}" for i in range(len(tensors))]
    missing = [name for name in wanted if name not in arrays]
    if missing:
        raise VectorsError(
            f"{path}: no array {', '.join(missing)} (it has: {', '.join(sorted(arrays)) or 'nothing'})",
            hint="numpy.savez(path, input_0=..., labels=...): one array per model input, vectors along the first axis",
        )
    surplus = [name for name in arrays if name.startswith("input_") and name not in wanted]
    if surplus:
        raise VectorsError(
            f"{path}: {', '.join(sorted(surplus))}, but the model has {len(tensors)} input(s)",
            hint="these vectors are another model's, or the array needs another name",
        )
    used = _count(path, arrays, wanted, spec.count)
    columns = [
        _fit(arrays[name][:used] if arrays[name].ndim else arrays[name], tensor, f"{path}: {name}")
        for name, tensor in zip(wanted, tensors, strict=True)
    ]
    labels = arrays.get("labels")
    if labels is not None:
        classes = class_count(graph.tensors[graph.outputs[0]])
        if labels.min() < 0 or labels.max() >= classes:
            raise VectorsError(
                f"{path}: labels go from {labels.min()} to {labels.max()}, the model has {classes} classes",
                hint="labels count classes from 0",
            )
    rows = tuple(tuple(column[i] for column in columns) for i in range(used))
    targets = arrays.get("targets")
    return _vectors(
        path.name,
        rows,
        None if labels is None else labels[:used].astype(np.int64),
        None if targets is None else targets[:used],
    )


def _count(path: Path, arrays: dict[str, Array], wanted: list[str], count: int | None) -> int:
    """How many vectors of a file are used.

    Raises:
        VectorsError: its arrays differ in their number, or it is too small or too large for what is asked.
    """
    lengths = {len(arrays[name]) for name in wanted if arrays[name].ndim}
    labels = arrays.get("labels")
    if labels is not None:
        if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
            raise VectorsError(
                f"{path}: labels are {labels.dtype} {list(labels.shape)}", hint="labels are integers, one per vector"
            )
        lengths.add(len(labels))
    targets = arrays.get("targets")
    if targets is not None:
        real = any(np.issubdtype(targets.dtype, kind) for kind in (np.integer, np.floating))
        if targets.ndim == 0 or not real or not np.isfinite(targets).all():
            raise VectorsError(
                f"{path}: targets are {targets.dtype} {list(targets.shape)}",
                hint="targets are finite real numbers, one row per vector",
            )
        lengths.add(len(targets))
    if len(lengths) > 1 or lengths == {0}:
        raise VectorsError(
            f"{path}: its arrays hold {' and '.join(str(n) for n in sorted(lengths))} vectors",
            hint="all arrays need the same number of vectors, at least one, along their first axis",
        )
    total = lengths.pop() if lengths else 0
    if count is not None and count > total:
        raise VectorsError(f"{path}: {count} vectors asked for, {total} there", hint="lower `count` in the card")
    used = count or total
    if used > MAX_VECTORS:
        raise VectorsError(
            f"{path}: {used:,} vectors, more than the {MAX_VECTORS:,} of a run",
            hint="use fewer, or take the first with `vectors: {file: NAME.npz, count: N}` in a card",
        )
    return used


def _read(path: Path, step: int | None, tensors: list[Tensor]) -> dict[str, Array]:
    if is_sound(path):
        if len(tensors) != 1:
            raise VectorsError(
                f"{path}: one sound for a model with {len(tensors)} inputs",
                hint="save an .npz with one array per input",
            )
        return {"input_0": frames(path, tensors[0], step)}
    if step is not None:
        raise VectorsError(f"{path}: `step` is for sounds (.wav)", hint="take `step` out of the card")
    try:
        return read_arrays(path, lambda name: name in _TRUTH or name.startswith("input_"), MAX_FILE_BYTES)
    except FileNotFoundError as error:
        raise VectorsError(
            f"{path}: no such file", hint="correct the path; paths in a card start from the card's folder"
        ) from error
    except TooLargeError as error:
        raise VectorsError(f"{path}: {error.strerror}", hint="use fewer vectors") from None
    except BROKEN as error:
        raise VectorsError(
            f"{path}: not a readable .npz file: {one_line(str(error) or type(error).__name__)}",
            hint="write it with numpy.savez, without pickled objects",
        ) from error


def _fit(array: Array, tensor: Tensor, where: str) -> Array:
    """`array` [vectors, ...] as [vectors, *tensor.shape] of the tensor's dtype; real numbers are quantized.

    A leading batch dimension of 1 may be left out.
    """
    shape = tensor.shape
    if array.ndim and array.shape[1:] != shape and shape[:1] == (1,) and array.shape[1:] == shape[1:]:
        array = array[:, None]
    if array.ndim == 0 or array.shape[1:] != shape:
        raise VectorsError(
            f"{where} has shape {list(array.shape[1:])} per vector, input '{tensor.name}' is {list(shape)}",
            hint="the first axis counts vectors, the others are the input's shape (a batch of 1 may be left out)",
        )
    if array.dtype == tensor.dtype.numpy:
        return np.ascontiguousarray(array)
    if np.issubdtype(array.dtype, np.floating):
        return _quantize(array, tensor, where)
    raise VectorsError(
        f"{where} is {array.dtype}, input '{tensor.name}' is {tensor.dtype.value}",
        hint=f"save {tensor.dtype.value} values, or real numbers (float) to have them quantized",
    )


def _quantize(array: Array, tensor: Tensor, where: str) -> Array:
    if not np.isfinite(array).all():
        raise VectorsError(f"{where} holds NaN or infinity", hint="give finite values")
    if tensor.dtype is DType.FLOAT32:
        return np.ascontiguousarray(array, dtype=np.float32)
    low, high = tensor.dtype.range
    result = np.empty(array.shape, tensor.dtype.numpy)
    rows = max(_BLOCK_ELEMENTS // max(array[:1].size, 1), 1)
    for first in range(0, len(array), rows):
        block = array[first : first + rows].astype(np.float64)
        result[first : first + rows] = np.clip(np.round(block / tensor.q.scale) + tensor.q.zero_point, low, high)
    return result


# --- random vectors --------------------------------------------------------------------------------------------------


def random_vectors(graph: Graph, count: int, seed: int) -> Vectors:
    """`count` random vectors; vector i depends only on the seed and i, so that more vectors begin with the same ones.

    The kinds alternate: uniform noise, smooth noise, blocks, a gradient, low contrast around the zero point, sparse
    peaks, and one of the corners (all lowest, all highest, all zero point, a checkerboard of lowest and highest).
    """
    rows = []
    for index in range(count):
        kind = _KINDS[index % len(_KINDS)]
        row = []
        for position, tensor in enumerate(_inputs(graph)):
            rng = np.random.default_rng([seed, index, position])
            unit = kind(tensor.shape, rng, index // len(_KINDS))
            row.append(_from_unit(unit, tensor, around_zero=kind in _AROUND_ZERO))
        rows.append(tuple(row))
    return _vectors(f"random {count}, seed {seed}", tuple(rows), None)


_Unit = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def _from_unit(unit: _Unit, tensor: Tensor, *, around_zero: bool) -> Array:
    """Values of -1..1 scaled to the dtype's range; 0 becomes the zero point if `around_zero`, else the middle."""
    if tensor.dtype is DType.FLOAT32:
        return (unit * 4.0).astype(np.float32)
    low, high = tensor.dtype.range
    zero = tensor.quant.zero_point if around_zero and tensor.quant else (low + high) / 2
    spread = np.where(unit < 0, zero + unit * (zero - low), zero + unit * (high - zero))
    highest = float(high) if int(float(high)) <= high else np.nextafter(float(high), 0.0)  # 2**63 - 1 is no float
    return np.clip(np.round(spread), low, highest).astype(tensor.dtype.numpy)


def _noise(shape: tuple[int, ...], rng: np.random.Generator, turn: int) -> _Unit:
    return rng.uniform(-1, 1, shape)


def _smooth(shape: tuple[int, ...], rng: np.random.Generator, turn: int) -> _Unit:
    """A random walk along each axis longer than 1, scaled to the full range, so that neighbours are similar."""
    values = rng.normal(size=shape)
    for axis, length in enumerate(shape):
        if length > 1:
            values = np.cumsum(values, axis=axis)
            values = values - values.mean(axis=axis, keepdims=True)
    peak = float(np.abs(values).max(initial=0.0))
    return values / peak if peak else values


def _blocks(shape: tuple[int, ...], rng: np.random.Generator, turn: int) -> _Unit:
    """Patches of one value, like flat regions of an image or silence in a spectrogram."""
    values = np.full(shape, rng.uniform(-1, 1))
    for _ in range(6):
        box = tuple(slice(a, a + int(rng.integers(1, n + 1))) for n in shape for a in [int(rng.integers(0, n))])
        values[box] = rng.uniform(-1, 1)
    return values


def _gradient(shape: tuple[int, ...], rng: np.random.Generator, turn: int) -> _Unit:
    values = np.zeros(shape)
    for axis, length in enumerate(shape):
        line = np.linspace(-1, 1, length) * rng.uniform(-1, 1)
        values = values + line.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return np.clip(values + rng.normal(scale=0.02, size=shape), -1, 1)


def _faint(shape: tuple[int, ...], rng: np.random.Generator, turn: int) -> _Unit:
    return np.clip(rng.normal(scale=0.05, size=shape), -1, 1)


def _peaks(shape: tuple[int, ...], rng: np.random.Generator, turn: int) -> _Unit:
    hit = rng.uniform(size=shape) < 0.05
    return np.where(hit, rng.choice([-1.0, 1.0], size=shape), 0.0)


def _corner(shape: tuple[int, ...], rng: np.random.Generator, turn: int) -> _Unit:
    if turn % 4 < 3:
        return np.full(shape, (-1.0, 1.0, 0.0)[turn % 4])
    return np.where(np.indices(shape).sum(axis=0) % 2, 1.0, -1.0)


_Kind = Callable[[tuple[int, ...], np.random.Generator, int], _Unit]
_KINDS: tuple[_Kind, ...] = (_noise, _smooth, _blocks, _gradient, _faint, _peaks, _corner)
_AROUND_ZERO: tuple[_Kind, ...] = (_faint, _peaks, _corner)


# --- shared ----------------------------------------------------------------------------------------------------------


def _inputs(graph: Graph) -> list[Tensor]:
    return [graph.tensors[t] for t in graph.inputs]


def _vectors(
    name: str, rows: tuple[tuple[Array, ...], ...], labels: Array | None, targets: Array | None = None
) -> Vectors:
    digest = hashlib.sha256()
    for row in rows:
        for array in row:
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    if labels is not None:
        digest.update(b"labels" + labels.tobytes())
    if targets is not None:
        digest.update(f"targets{targets.dtype}{targets.shape}".encode() + np.ascontiguousarray(targets).tobytes())
    return Vectors(name, rows, labels, digest.hexdigest(), targets)
