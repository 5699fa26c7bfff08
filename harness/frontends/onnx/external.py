"""Weights in files beside an ONNX file, read into it: within the file's folder, and within bounds."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import ModelFileError, UnsupportedModelError
from harness.frontends.model_file import read_model_file

if TYPE_CHECKING:
    import onnx

MOST_BYTES = 256 << 20
"""Of one file, and of all tensors together: as of the ONNX file itself."""

_AGAIN = "export the model again, or save it as one file"


def with_external_data(model: onnx.ModelProto, place: str, folder: Path | None) -> bool:
    """Reads all tensors that lie in other files into the model; whether there were any.

    folder: of the ONNX file; None where it is not known, as of bytes.

    Raises:
        UnsupportedModelError: there are such tensors, and no folder to look in.
        ModelFileError: a path leaves the folder, a file is missing, too short or too large, or an entry is damaged.
    """
    from onnx import TensorProto
    from onnx.external_data_helper import _get_all_tensors, uses_external_data

    outside = [tensor for tensor in _get_all_tensors(model) if uses_external_data(tensor)]
    if not outside:
        return False
    if folder is None:
        raise UnsupportedModelError(
            f"{place}: {len(outside)} tensors ('{outside[0].name}', ...) are in files beside it",
            hint="give the path of the ONNX file, or save it as one file",
        )
    files: dict[str, bytes] = {}
    left = MOST_BYTES
    for tensor in outside:
        where = f"{place}: '{tensor.name}'"
        entry = {pair.key: pair.value for pair in tensor.external_data}
        size = _bytes_of(tensor, where)
        left -= size
        if left < 0:
            raise ModelFileError(
                f"{place}: tensors in files beside it of more than {MOST_BYTES} bytes",
                hint="give a model that is meant for a microcontroller",
            )
        location = entry.get("location", "")
        if location not in files:
            files[location] = read_model_file(_path(location, folder, where), MOST_BYTES)
        tensor.raw_data = _part(files[location], entry, size, where, location)
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]
    return True


def _bytes_of(tensor: Any, where: str) -> int:
    import onnx

    if tensor.data_type in (onnx.TensorProto.STRING, onnx.TensorProto.UNDEFINED):
        raise ModelFileError(f"{where} is text in a file beside it", hint=_AGAIN)
    try:
        kind = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
        bits = {"int4": 4, "uint4": 4, "float4_e2m1fn": 4, "int2": 2, "uint2": 2}.get(kind.name, 8 * kind.itemsize)
    except (KeyError, TypeError, ValueError):
        raise ModelFileError(f"{where} of the unknown type {tensor.data_type}", hint=_AGAIN) from None
    elements = 1
    for dim in tensor.dims:
        elements *= int(dim)
        if not 0 <= elements <= 8 * MOST_BYTES:
            raise ModelFileError(f"{where} of shape {list(tensor.dims)[:8]}", hint=_AGAIN)
    return int((elements * bits + 7) // 8)


def _path(location: str, folder: Path, where: str) -> Path:
    """The file at `location`, which is below the folder, links followed."""
    windows, posix = PureWindowsPath(location), PurePosixPath(location)
    apart = windows.drive or windows.root or posix.is_absolute() or ".." in (*windows.parts, *posix.parts)
    path = folder / location
    try:
        if apart or not location or "\0" in location or not path.resolve().is_relative_to(folder.resolve()):
            raise ModelFileError(
                f"{where} is in the file {location[:200]!r}, which is not in the model's folder",
                hint="put the files of weights beside the ONNX file, and name them without a path",
            )
    except (OSError, RuntimeError) as error:  # a circle of links, a name that is too long
        raise ModelFileError(f"{where}: {location[:200]!r}: {error}", hint=_AGAIN) from None
    return path


def _part(data: bytes, entry: dict[str, str], size: int, where: str, location: str) -> bytes:
    """The bytes of a tensor in its file."""
    try:
        offset, length = (int(entry.get(key) or default) for key, default in (("offset", 0), ("length", size)))
    except ValueError:
        raise ModelFileError(f"{where}: offset or length is no number", hint=_AGAIN) from None
    if length != size or offset < 0 or offset + size > len(data):
        raise ModelFileError(
            f"{where}: {size} bytes are wanted, {length} at {offset} of {location!r}, which has {len(data)}",
            hint=_AGAIN,
        )
    return data[offset : offset + size]
