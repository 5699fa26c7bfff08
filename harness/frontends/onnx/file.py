"""An ONNX file, read within bounds: its graph, constants, inputs of fixed sizes, and operator sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import ModelFileError, OptionError, UnsupportedModelError
from harness.frontends.onnx.external import with_external_data
from harness.ir.verifier import MAX_TENSOR_BYTES
from harness.quantization.types import Array

if TYPE_CHECKING:
    import onnx

OLDEST = 7
"""The first opset that is read."""

_STANDARD = ("", "ai.onnx")
_AGAIN = "export the model again"


@dataclass(frozen=True)
class OnnxFile:
    """An ONNX model without local functions.

    Attributes:
        model: the protobuf.
        opset: of the standard operators.
        constants: initializers by name.
        inputs: (name, shape, ONNX element type) of the inputs that are no initializers.
        content: the bytes of the file, with tensors that lie in others within it.
        notes: sizes that the file leaves open, and what is taken for them.
    """

    model: onnx.ModelProto
    opset: int
    constants: Mapping[str, Array]
    inputs: tuple[tuple[str, tuple[int, ...], int], ...]
    content: bytes
    notes: tuple[str, ...] = field(default=())


def missing(place: str) -> ModelFileError:
    """The error where the package that reads ONNX files is not installed."""
    return ModelFileError(
        f"{place}: ONNX files are read with the package onnx, which is not installed",
        hint="pip install 'tinyhil[onnx]'",
    )


def parse(
    data: bytes, place: str, sizes: Mapping[str, int] | None = None, folder: Path | None = None
) -> OnnxFile:
    """Reads the bytes of a file; `sizes` are of its open dimensions, by name, or by "input[axis]".

    folder: of the file, where tensors may lie in others; None of bytes without one.

    Raises:
        ModelFileError: onnx is not installed, or the file is damaged or incomplete.
        UnsupportedModelError: sizes are left open, or the file is of another kind.
    """
    try:
        import onnx
        from onnx import checker, inliner, shape_inference
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "onnx":
            raise ModelFileError(
                f"{place}: package onnx: {error}", hint="reinstall it: pip install 'tinyhil[onnx]'"
            ) from None
        raise missing(place) from None
    model = _protobuf(onnx, data, place)
    opset = _opset(model, place)
    content = model.SerializeToString(deterministic=True) if with_external_data(model, place, folder) else data
    try:
        if model.functions:
            model = inliner.inline_local_functions(model)
        inputs, notes = _fixed(model, place, sizes or {})
        for entry in model.graph.output:  # the checker wants shapes, which are computed here
            if entry.type.HasField("tensor_type"):
                entry.type.tensor_type.shape.SetInParent()
        checker.check_model(model)
        _reopen(model)
        model = shape_inference.infer_shapes(model, strict_mode=False, data_prop=False)
    except (ModelFileError, UnsupportedModelError, OptionError):
        raise
    except Exception as error:  # the checker's classes differ between versions, and C++ errors come as RuntimeError
        said = " ".join(str(error).split())[:200]
        raise ModelFileError(
            f"{place}: {said or type(error).__name__}", hint=f"the file is damaged: {_AGAIN}"
        ) from None
    return OnnxFile(model, opset, _constants(onnx, model, place), inputs, content, notes)


def _protobuf(onnx: Any, data: bytes, place: str) -> onnx.ModelProto:
    if data.lstrip()[:1] in (b"{", b"<"):
        raise ModelFileError(f"{place}: text, not an ONNX file", hint="give the binary .onnx file")
    model: onnx.ModelProto = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception:  # google.protobuf's DecodeError, whose module differs between versions
        raise ModelFileError(
            f"{place}: no ONNX file, or a damaged one", hint="download or export the file again"
        ) from None
    if not model.graph.node and not model.graph.output:
        raise ModelFileError(f"{place}: an ONNX file without a graph", hint=f"the file is cut short or empty: {_AGAIN}")
    if model.graph.sparse_initializer:
        raise UnsupportedModelError(f"{place}: sparse initializers", hint=f"{_AGAIN} with dense weights")
    return model


def _opset(model: onnx.ModelProto, place: str) -> int:
    import onnx

    found = [entry.version for entry in model.opset_import if entry.domain in _STANDARD]
    if not found:
        raise ModelFileError(f"{place}: no opset of standard operators", hint=_AGAIN)
    newest = onnx.defs.onnx_opset_version()
    if not OLDEST <= found[0] <= newest:
        raise UnsupportedModelError(
            f"{place}: opset {found[0]}, where {OLDEST} to {newest} are read",
            hint=f"{_AGAIN} with opset 17" + ("" if found[0] < OLDEST else ", or update the package onnx"),
        )
    return int(found[0])


def _constants(onnx: Any, model: onnx.ModelProto, place: str) -> dict[str, Array]:
    constants = {}
    for tensor in model.graph.initializer:
        size = int(np.prod([int(d) for d in tensor.dims], dtype=object)) if tensor.dims else 1
        if size < 0 or size > MAX_TENSOR_BYTES:
            raise ModelFileError(
                f"{place}: '{tensor.name}' of {size} elements", hint="give a model that is meant for a microcontroller"
            )
        try:
            constants[tensor.name] = np.asarray(onnx.numpy_helper.to_array(tensor))
        except Exception as error:  # ValueError, TypeError, KeyError of whatever the field holds
            raise ModelFileError(
                f"{place}: '{tensor.name}': {' '.join(str(error).split())[:120]}", hint=f"the file is damaged: {_AGAIN}"
            ) from None
    return constants


def _fixed(
    model: onnx.ModelProto, place: str, sizes: Mapping[str, int]
) -> tuple[tuple[tuple[str, tuple[int, ...], int], ...], tuple[str, ...]]:
    """Gives every input fixed sizes, in the model too: an open first dimension is a batch of 1, others are `sizes`."""
    given = {tensor.name for tensor in model.graph.initializer}
    notes: list[str] = []
    inputs = []
    opened: list[str] = []
    used: set[str] = set()
    for entry in model.graph.input:
        if entry.name in given:
            continue
        kind = entry.type.tensor_type
        if not entry.type.HasField("tensor_type") or not kind.HasField("shape"):
            raise UnsupportedModelError(
                f"{place}: input '{entry.name}' is no tensor of known rank", hint=f"{_AGAIN} with an example input"
            )
        shape = []
        for axis, dim in enumerate(kind.shape.dim):
            key = next((k for k in (dim.dim_param, f"{entry.name}[{axis}]") if k and k in sizes), "")
            if key:
                if dim.HasField("dim_value") and dim.dim_value > 0:
                    raise OptionError(f"dimension {key} is {dim.dim_value} in {place}", hint="leave it out")
                used.add(key)
                size = sizes[key]
            elif dim.HasField("dim_value") and dim.dim_value > 0:
                size = dim.dim_value
            elif axis == 0:
                size = 1
            else:
                opened.append(dim.dim_param or f"{entry.name}[{axis}]")
                continue
            if size != dim.dim_value:
                notes.append(f"input '{entry.name}': dimension {axis} ({dim.dim_param or 'open'}) is taken as {size}")
            dim.dim_value = size
            shape.append(int(size))
        inputs.append((entry.name, tuple(shape), int(kind.elem_type)))
    if opened:
        names = list(dict.fromkeys(opened))
        raise UnsupportedModelError(
            f"{place}: dimensions left open: {', '.join(names)}",
            hint=f"fix them: tinyhil convert {place} -o MODEL.tflite " + " ".join(f"--dim {n}=N" for n in names),
        )
    unknown = sorted(set(sizes) - used)
    if unknown:
        raise OptionError(
            f"{place} leaves no dimension {', '.join(unknown)} open", hint="correct the name, or leave it out"
        )
    return tuple(inputs), tuple(notes)


def _reopen(model: onnx.ModelProto) -> None:
    """Takes the sizes of outputs and of values between away: they are computed from the inputs' again."""
    del model.graph.value_info[:]
    for entry in model.graph.output:
        if entry.type.HasField("tensor_type"):
            entry.type.tensor_type.ClearField("shape")


def names_of(values: Sequence[Any]) -> tuple[str, ...]:
    """Names of protobuf entries."""
    return tuple(value.name for value in values)
