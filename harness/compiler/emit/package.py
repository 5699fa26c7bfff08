"""Plan -> C package: readable C11 with shapes as literals; the same plan gives the same bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from harness import resources
from harness.compiler.emit.layers import (
    Constants,
    float_literal,
    layer_entries,
    shape_text,
    weights_header,
    weights_source,
)
from harness.compiler.emit.manifest import manifest, manifest_text
from harness.compiler.plan import Plan
from harness.errors import CompileError, OutputError
from harness.files.writing import is_full, publish, reason, staging, write_new
from harness.ir.graph import Tensor
from harness.kernels.discovery import kernel_file
from harness.quantization.types import DType
from harness.version import __version__

CTYPES = {
    DType.INT8: "int8_t",
    DType.UINT8: "uint8_t",
    DType.INT16: "int16_t",
    DType.INT32: "int32_t",
    DType.UINT32: "uint32_t",
    DType.INT64: "int64_t",
    DType.UINT64: "uint64_t",
    DType.BOOL: "uint8_t",
    DType.FLOAT32: "float",
}
_CONVERTED = (DType.INT8, DType.UINT8, DType.INT16)
"""Types with helpers that convert from and to float exactly as the operators QUANTIZE and DEQUANTIZE do."""

_TAKEN_TARGET = re.compile(
    "all|c|clean|continuous|debug|default_target|depend|doc|docs|edit_cache|experimental|flash|gcc|general|help|install|m|"
    "nightly|none|nosys|optimized|package|package_source|preinstall|rebuild_cache|stdc|test|uninstall"
)
"""Names that mean something else to CMake's generators or to target_link_libraries."""

_FEATURES = (
    ("dsp", "the DSP extension", "!defined(__ARM_FEATURE_DSP) || !__ARM_FEATURE_DSP"),
    ("mve", "MVE (Helium)", "!defined(__ARM_FEATURE_MVE) || !(__ARM_FEATURE_MVE & 1)"),
)
"""Core features that kernels may need: the name for people, the preprocessor's condition where one is absent."""


@dataclass(frozen=True, eq=False)
class Package:
    """A network as C, in memory.

    Attributes:
        files: text by file name; what a user compiles into a firmware of their own, with CMakeLists.txt and NAME.mk.
        sources: names of the files among them that are compiled: C, and assembly (.S).
        shared: those of `sources` that are a kernel's code, the same for every model that uses the kernel.
        glue: text of NAME_hil.c, which describes the model to tinyhil's own runtime.
        manifest: the plan as JSON-ready data, see harness.compiler.emit.manifest; not to be changed.
        constant_bytes: bytes of weights and tables.
    """

    plan: Plan
    files: Mapping[str, str]
    sources: tuple[str, ...]
    glue: str
    manifest: Mapping[str, Any]
    constant_bytes: int
    shared: tuple[str, ...] = ()


@cache
def _environment() -> Any:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.data("templates")),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - this is C, not HTML
    )


def emit(plan: Plan) -> Package:
    """The package of a plan.

    Raises:
        CompileError: a kernel's source file is missing.
    """
    constants = Constants()
    model = _model(plan, constants)
    functions = {function for layer in model["layers"] for function in layer["functions"]}
    # Even a model without a layer needs the macros.
    kernels = _kernel_files(functions or {"requantize"})
    model["headers"] = [name for name in kernels if name.removesuffix(".h") in functions] or list(kernels)
    environment = _environment()
    name = plan.name
    shared = tuple(file for file in kernels if not file.endswith(".h"))
    sources = (f"{name}.c", f"{name}_weights.c", *shared)
    model["sources"] = sources
    model["target"] = f"{name}_model" if _TAKEN_TARGET.fullmatch(name) else name
    files = {
        f"{name}.h": environment.get_template("model.h.j2").render(m=model),
        f"{name}.c": environment.get_template("model.c.j2").render(m=model),
        f"{name}_weights.h": weights_header(name, __version__, constants.arrays),
        f"{name}_weights.c": weights_source(name, __version__, constants.arrays),
        **kernels,
        "CMakeLists.txt": environment.get_template("CMakeLists.txt.j2").render(m=model),
        f"{name}.mk": environment.get_template("model.mk.j2").render(m=model),
    }
    described = manifest(plan)
    files[f"{name}.json"] = manifest_text(described, files)
    glue = environment.get_template("glue.c.j2").render(m=model)
    return Package(plan, files, sources, glue, described, model["constant_bytes"], shared)


def model_list(packages: Sequence[Package]) -> str:
    """Text of hil_models.c for an image that holds these models.

    Raises:
        CompileError: two models have one name.
    """
    names = [p.plan.name for p in packages]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise CompileError(
            f"two models of one image are named {', '.join(twice)}", hint="give each model a name of its own"
        )
    text: str = (
        _environment()
        .get_template("models.c.j2")
        .render(
            version=__version__,
            names=names,
            align=max((p.plan.arena_align for p in packages), default=16),
            size=max((p.plan.arena_size for p in packages), default=1),
        )
    )
    return text


def write_package(package: Package, directory: Path) -> list[Path]:
    """Write the package's files into `directory`, which is made if missing; other files there stay.

    All are written aside first, so that a full disk leaves no partial package, and an older one as it was.

    Returns:
        The paths written.

    Raises:
        CompileError: the directory cannot be written.
        OutputError: there is no room.
    """
    try:
        with staging(directory) as staged:
            for name, text in package.files.items():
                write_new(staged / name, text)
            publish(staged, directory, list(package.files))
    except OSError as error:
        message = f"cannot write to '{directory}': {reason(error)}"
        if is_full(error):
            raise OutputError(message, hint="free some space, or write elsewhere") from error
        raise CompileError(message, hint="choose a folder that you may write to") from error
    return [directory / name for name in package.files]


@cache
def _kernel_text(name: str) -> str | None:
    path = kernel_file(name)
    return None if path is None else path.read_text()


def _kernel_files(functions: Iterable[str]) -> dict[str, str]:
    """Text by file name of these kernels' headers, of the sources beside them, and of all that they include."""
    found: dict[str, str] = {}
    wanted = [f"{function}.h" for function in functions]
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        text = _kernel_text(name)
        if text is None:
            raise CompileError(f"no kernel has a file {name}", hint="reinstall tinyhil: a file of it is missing")
        found[name] = text
        wanted += re.findall(r'#include "([^"]+)"', text)
        if name.endswith(".h"):
            stem = name.removesuffix(".h")
            wanted += [file for file in (f"{stem}.c", f"{stem}.S") if _kernel_text(file) is not None]
    return dict(sorted(found.items()))


def _model(plan: Plan, constants: Constants) -> dict[str, Any]:
    graph = plan.graph
    upper = plan.name.upper()
    layers, shared = layer_entries(plan, constants)
    constant_bytes = constants.bytes  # of the layers: initial values of states come after
    inputs = [_io(plan, t, i, "input") for i, t in enumerate(graph.inputs)]
    outputs = [_io(plan, t, i, "output") for i, t in enumerate(graph.outputs)]
    tables = [{"name": "model_inputs", "tensors": [(t["offset"], t["bytes"]) for t in inputs]}] if inputs else []
    tables.append({"name": "model_outputs", "tensors": [(t["offset"], t["bytes"]) for t in outputs]})
    for layer, emitted in zip(plan.layers, layers, strict=True):
        emitted["table"] = "NULL"
        if layer.outputs:
            emitted["table"] = f"outputs_{layer.index}"
            placed = [plan.placement_of(t) for t in layer.outputs]
            tables.append({"name": emitted["table"], "tensors": [(p.offset, p.size) for p in placed]})
    sha256 = graph.sha256 or "0" * 64
    return {
        "name": plan.name,
        "upper": upper,
        "version": __version__,
        "sha256": sha256,
        "sha256_bytes": ", ".join(f"0x{b:02x}" for b in bytes.fromhex(sha256)),
        "constant_bytes": constant_bytes,
        "arena_size": plan.arena_size,
        "arena_align": plan.arena_align,
        "inputs": inputs,
        "outputs": outputs,
        "layers": layers,
        "shared": shared,
        "states": [_state(plan, i, constants) for i in range(len(graph.states))],
        "tables": tables,
        "core": plan.core,
        "optimize": plan.goals.optimize,
        "macs": sum(layer.macs for layer in plan.layers),
        "needs": _needs(plan),
    }


def _needs(plan: Plan) -> list[dict[str, Any]]:
    """The core features that the chosen kernels need; NAME.c does not compile without them."""
    wanted = {feature for step in plan.steps for part in step.parts for feature in part.kernel.features}
    return [
        {"name": name, "absent": absent, "floats": feature == "mve"}
        for feature, name, absent in _FEATURES
        if feature in wanted
    ]


def _comment(text: str) -> str:
    """Text of the model file as part of a C comment: ASCII, without comment ends, continuations and trigraphs."""
    return re.sub(r"[^ -~]", "?", text).replace("*/", "* /").replace("\\", "/").replace("??", "? ?")


def _io(plan: Plan, tensor_id: int, index: int, role: str) -> dict[str, Any]:
    tensor = plan.graph.tensors[tensor_id]
    quant = tensor.quant
    return {
        "title": _comment(f"{role} {index}: {tensor.name}, {tensor.dtype.value} {shape_text(tensor)}"),
        "macro": f"{role.upper()}_{index}",
        "accessor": f"{role}_{index}",
        "qualifier": "const " if role == "output" else "",
        "ctype": CTYPES[tensor.dtype],
        "shape": tensor.shape,
        "count": tensor.elements,
        "scale": float_literal(quant.scale) if quant else None,
        "zero_point": quant.zero_point if quant else None,
        "offset": plan.placement_of(tensor_id).offset,
        "bytes": tensor.bytes,
        "index": index,
        **_conversion(tensor, role),
    }


def _conversion(tensor: Tensor, role: str) -> dict[str, Any]:
    """What the header says of a tensor's quantization, and which helper converts its elements to or from float."""
    quant = tensor.quant
    if quant is None:
        return {"quantization": None, "helper": None}
    scale = float_literal(quant.scale).removesuffix("f")
    zero = quant.zero_point
    element = f"(element {'-' if zero > 0 else '+'} {abs(zero)})" if zero else "element"
    low, high = tensor.dtype.range
    return {
        "quantization": f"scale {scale}, zero point {zero}: number = {scale} * {element}",
        "helper": {"input": "quantize", "output": "dequantize"}[role] if tensor.dtype in _CONVERTED else None,
        "minimum": low,
        "maximum": high,
        "lowest": low - zero,
        "highest": high - zero,
    }


def _state(plan: Plan, index: int, constants: Constants) -> dict[str, Any]:
    state = plan.graph.states[index]
    offset = next(p.offset for p in plan.placements if p.state == index)
    data = np.ascontiguousarray(state.initial).view(np.uint8).reshape(-1)
    uniform = int(data[0]) if (data == data[0]).all() else None
    name = f"{plan.name}_state_{index}"
    if uniform is None:
        name = constants.add(name, "uint8_t", data)
    return {"offset": offset, "size": state.bytes, "uniform": uniform, "array": name}
