"""Reads the values of one tensor, of one vector or several, from .npy, .csv and .bin files."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np

from harness.errors import VectorsError, one_line
from harness.files.reading import TooLargeError, read_regular
from harness.ir.graph import Tensor
from harness.quantization.types import Array, DType

MAX_BYTES = 256 << 20
"""Most bytes of such a file."""


def read_values(path: Path, tensor: Tensor) -> Array:
    """[vectors, *tensor.shape] of the tensor's type: real numbers of .npy and .csv files are none of an integer type.

    .npy holds the tensor's shape, with or without an axis for vectors before it; .csv numbers and .bin little-endian
    elements, in order, as many as a vector or several have.

    Raises:
        VectorsError: it cannot be read, or does not fit the tensor.
    """
    try:
        data = read_regular(path, MAX_BYTES)
    except TooLargeError as error:
        raise VectorsError(f"{path}: {error.strerror}", hint="use fewer vectors") from None
    except OSError as error:
        raise VectorsError(f"{path}: {error.strerror or error}", hint="check its permissions") from None
    suffix = path.suffix.lower()
    if suffix == ".bin":
        return _shaped(_raw(data, path, tensor), path, tensor)
    values = _npy(data, path) if suffix == ".npy" else _csv(data, path, tensor)
    return _shaped(_typed(values, path, tensor), path, tensor)


def _raw(data: bytes, path: Path, tensor: Tensor) -> Array:
    if len(data) % tensor.dtype.size:
        raise VectorsError(
            f"{path}: {len(data):,} bytes are no whole number of {tensor.dtype.value}",
            hint=f"write '{tensor.name}' as the bytes of its elements, little-endian",
        )
    made: Array = np.frombuffer(data, tensor.dtype.numpy.newbyteorder("<")).astype(tensor.dtype.numpy)
    return made


def _npy(data: bytes, path: Path) -> Array:
    try:
        values = np.load(io.BytesIO(data), allow_pickle=False)
        if not isinstance(values, np.ndarray):
            raise ValueError("it is an archive of arrays")
    except (ValueError, OSError, EOFError, MemoryError, OverflowError, SyntaxError, zipfile.BadZipFile) as error:
        raise VectorsError(
            f"{path}: not a readable .npy file: {one_line(str(error) or type(error).__name__)}",
            hint="write it with numpy.save, without pickled objects",
        ) from None
    made: Array = values
    return made


def _csv(data: bytes, path: Path, tensor: Tensor) -> Array:
    real = tensor.dtype is DType.FLOAT32
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
        cells = [cell.strip() for row in rows for cell in row if cell.strip()]
        if real:
            return np.array([float(cell) for cell in cells], np.float64)
        return np.array([int(cell) for cell in cells], np.int64)
    except (ValueError, OverflowError, csv.Error) as error:
        kind = "numbers" if real else "integers"
        raise VectorsError(
            f"{path}: {one_line(str(error))}",
            hint=f"write {kind} with commas between, as '{tensor.name}' is of {tensor.dtype.value}",
        ) from None


def _typed(values: Array, path: Path, tensor: Tensor) -> Array:
    """The same numbers in the tensor's type, which must have them all."""
    wanted = tensor.dtype
    kind = values.dtype.kind
    if kind not in "biuf" or (kind == "f" and wanted is not DType.FLOAT32):
        raise VectorsError(
            f"{path}: values of {values.dtype}, '{tensor.name}' is of {wanted.value}",
            hint=f"save {wanted.value} values, quantized as the model says",
        )
    with np.errstate(over="ignore"):
        made = values.astype(wanted.numpy)
    if kind != "f" and wanted is not DType.FLOAT32 and not np.array_equal(made, values):
        raise VectorsError(
            f"{path}: values outside of {wanted.value}, the type of '{tensor.name}'", hint="save values of that type"
        )
    return made


def _shaped(values: Array, path: Path, tensor: Tensor) -> Array:
    if values.ndim > 1 and tensor.shape not in (values.shape, values.shape[1:]):
        raise VectorsError(
            f"{path}: shape {list(values.shape)}, '{tensor.name}' is {list(tensor.shape)}",
            hint="save an array of the tensor's shape, or several along an axis before it",
        )
    if not values.size or values.size % tensor.elements:
        raise VectorsError(
            f"{path}: {values.size:,} elements, '{tensor.name}' has {tensor.elements:,}",
            hint="give the elements of one vector, or of several one after another",
        )
    return np.ascontiguousarray(values.reshape(-1, *tensor.shape))
