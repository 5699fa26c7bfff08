"""Plan -> C package: readable C11 with shapes as literals; the same plan gives the same bytes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness import version
from harness.compiler.ahead import HEADER, buffers_of, copies
from harness.compiler.emit.folder import write_folder
from harness.compiler.emit.kernels import kernel_files_of
from harness.compiler.emit.layers import (
    Constants,
    float_literal,
    layer_entries,
    shape_text,
    weights_header,
    weights_source,
)
from harness.compiler.emit.manifest import manifest, manifest_text
from harness.compiler.emit.stack import StackNeed
from harness.compiler.emit.templates import render
from harness.compiler.emit.text import plain_text, string_literal
from harness.compiler.emit.wrappers import chosen
from harness.compiler.emit.wrappers.wrapper import Facts
from harness.compiler.plan import Plan
from harness.errors import CompileError
from harness.ir.graph import Tensor
from harness.ir.operators.ethos_u import EthosUAttrs
from harness.quantization.types import DType

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

_LABELS_SHOWN = 20
_LABEL_CHARACTERS = 40

_FEATURES = (
    ("dsp", "the DSP extension", "!defined(__ARM_FEATURE_DSP) || !__ARM_FEATURE_DSP"),
    ("mve", "MVE (Helium)", "!defined(__ARM_FEATURE_MVE) || !(__ARM_FEATURE_MVE & 1)"),
)
"""Core features that kernels may need: the name for people, the preprocessor's condition where one is absent."""


@dataclass(frozen=True, eq=False)
class Package:
    """A network as C, in memory.

    Attributes:
        files: text by path; what a user compiles into a firmware of their own, with CMakeLists.txt and NAME.mk.
        sources: paths of the files among them that are compiled: C, and assembly (.S).
        shared: those of `sources` that are a kernel's code, the same for every model that uses the kernel.
        glue: text of NAME_hil.c, which describes the model to tinyhil's own runtime.
        manifest: the plan as JSON-ready data, see harness.compiler.emit.manifest; not to be changed.
        constant_bytes: bytes of weights and tables.
        archives: bytes by path: files made of the others.
        facts: what wrappers say of it.
    """

    plan: Plan
    files: Mapping[str, str]
    sources: tuple[str, ...]
    glue: str
    manifest: Mapping[str, Any]
    constant_bytes: int
    shared: tuple[str, ...]
    archives: Mapping[str, bytes]
    facts: Facts


def emit(plan: Plan, ecosystems: Iterable[str] = (), stack: StackNeed | None = None) -> Package:
    """The package of a plan.

    Args:
        plan: what is computed.
        ecosystems: names of harness.compiler.emit.wrappers.WRAPPERS whose files it brings, beside CMake and make.
            One that compiles only a folder src/ puts the C there.
        stack: what the header says of it.

    Raises:
        CompileError: a kernel's source file is missing.
        OptionError: there is no such ecosystem.
    """
    wrappers = chosen(ecosystems)
    constants = Constants()
    model = model_facts(plan, constants, stack)
    functions = {function for layer in model["layers"] for function in layer["functions"]}
    # Even a model without a layer needs the macros.
    kernels = kernel_files_of(functions or {"requantize"}, version.__version__)
    model["headers"] = [name for name in kernels if name.removesuffix(".h") in functions] or list(kernels)
    name = plan.name
    shared = tuple(file for file in kernels if not file.endswith(".h"))
    code = {
        f"{name}.h": render("model.h.j2", m=model),
        f"{name}.c": render("model.c.j2", m=model),
        f"{name}_weights.h": weights_header(name, version.__version__, constants.arrays),
        f"{name}_weights.c": weights_source(name, version.__version__, constants.arrays),
        **kernels,
    }
    folder = "src/" if any(wrapper.src for wrapper in wrappers) else ""
    facts = _facts(model, (f"{name}.c", f"{name}_weights.c", *shared), code, folder)
    files = {folder + path: text for path, text in code.items()}
    for wrapper in wrappers:
        files.update(wrapper.files(facts))
    described = manifest(plan, stack)
    own = f"{name}.json"
    files[own] = manifest_text(described, files)
    archives = {path: data for wrapper in wrappers for path, data in wrapper.archives(facts, files).items()}
    if archives:  # they hold a manifest without themselves
        del files[own]
        files[own] = manifest_text(described, {**files, **archives})
    return Package(
        plan=plan,
        files=files,
        sources=tuple(folder + source for source in facts.sources),
        glue=render("glue.c.j2", m=model),
        manifest=described,
        constant_bytes=model["constant_bytes"],
        shared=tuple(folder + source for source in shared),
        archives=archives,
        facts=facts,
    )


def _facts(model: Mapping[str, Any], sources: tuple[str, ...], code: Iterable[str], folder: str) -> Facts:
    return Facts(
        name=model["name"],
        upper=model["upper"],
        version=version.__version__,
        sha256=model["sha256"],
        core=model["core"],
        needs=tuple(need["feature"] for need in model["needs"]),
        assembly=any(source.endswith(".S") for source in sources),
        folder=folder,
        sources=sources,
        headers=tuple(file for file in code if file.endswith(".h")),
        inputs=len(model["inputs"]),
        outputs=len(model["outputs"]),
        summary=f"Neural network {model['name']}: {model['macs']} multiply-accumulates an inference, "
        f"{model['constant_bytes']} bytes of weights and tables, {model['arena_size']} bytes of arena"
        + (f", {model['scratch_size']} of scratch" if model["scratch_size"] else ""),
        scratch=model["scratch_size"] > 0,
    )


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
    return render(
        "models.c.j2",
        version=version.__version__,
        names=names,
        align=max((p.plan.arena_align for p in packages), default=16),
        size=max((p.plan.arena_size for p in packages), default=1),
        scratch=max((p.plan.scratch_size for p in packages), default=0),
        ahead=[p.plan.name for p in packages if p.plan.prefetch_at is not None],
    )


def write_package(package: Package, directory: Path, *, force: bool = False) -> list[Path]:
    """Write the package's files into `directory`, which is made if missing; files of others there stay.

    What tinyhil wrote there before goes, of this model or of another. All changes at once: after an error, a full disk
    or a kill the old package is as it was.

    Args:
        package: what to write.
        directory: where.
        force: also replace files of an older package that were changed since tinyhil wrote them.

    Returns:
        The paths written.

    Raises:
        CompileError: the directory cannot be written, or has files in the way that tinyhil did not write, or that were
            changed since.
        OutputError: there is no room.
    """
    contents: dict[str, str | bytes] = {**package.files, **package.archives}
    write_folder(directory, contents, force=force)
    return [directory / name for name in contents]


def model_facts(plan: Plan, constants: Constants, stack: StackNeed | None) -> dict[str, Any]:
    """What the templates say of a plan; `constants` takes its arrays."""
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
        "version": version.__version__,
        "sha256": sha256,
        "sha256_bytes": ", ".join(f"0x{b:02x}" for b in bytes.fromhex(sha256)),
        "constant_bytes": constant_bytes,
        "arena_size": plan.arena_size,
        "arena_align": plan.arena_align,
        "scratch_size": plan.scratch_size,
        "inputs": inputs,
        "outputs": outputs,
        "layers": layers,
        "shared": shared,
        "states": [_state(plan, i, constants) for i in range(len(graph.states))],
        "tables": tables,
        "core": plain_text(plan.core),
        "optimize": plan.goals.optimize,
        "macs": plan.macs,
        "macs_of_file": plan.macs_of_file,
        "needs": _needs(plan),
        "may_fail": any(layer["may_fail"] for layer in layers),
        "npu": _npu(plan),
        "stack": stack,
        "parameters": "uint8_t *arena, uint8_t *scratch" if plan.scratch_apart else "uint8_t *arena",
        "weights_apart": False,
        "ahead": _ahead(plan, constants),
    }


def _ahead(plan: Plan, constants: Constants) -> dict[str, Any] | None:
    """The tables that NAME_prefetch copies, in order, and where to; None where none are."""
    if plan.prefetch_at is None:
        return None
    tables = copies(plan.steps)
    names = [constants.add("", table.ctype, table.data, table.align) for table in tables]
    return {
        "at": plan.prefetch_at,
        "buffers": plan.prefetch_at + HEADER,
        "second": buffers_of(tables)[0],
        "tables": [{"name": name, "bytes": table.data.nbytes} for name, table in zip(names, tables, strict=True)],
    }


def _needs(plan: Plan) -> list[dict[str, Any]]:
    """The core features that the chosen kernels need; NAME.c does not compile without them."""
    wanted = {feature for step in plan.steps for part in step.parts for feature in part.kernel.features}
    return [
        {"feature": feature, "name": name, "absent": absent, "floats": feature == "mve"}
        for feature, name, absent in _FEATURES
        if feature in wanted
    ]


def _npu(plan: Plan) -> dict[str, Any] | None:
    """The NPU that the plan needs, and how many layers it computes."""
    found = [node.attrs.accelerator for node in plan.graph.nodes if isinstance(node.attrs, EthosUAttrs)]
    return {"name": found[0].name, "layers": len(found)} if found else None


def _io(plan: Plan, tensor_id: int, index: int, role: str) -> dict[str, Any]:
    tensor = plan.graph.tensors[tensor_id]
    quant = tensor.quant
    return {
        "title": f"{role} {index}: {plain_text(tensor.name)}, {tensor.dtype.value} {shape_text(tensor)}",
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
        **_labels(plan.graph.labels_of(index) if role == "output" else ()),
        **_conversion(tensor, role),
    }


def _labels(labels: Sequence[str]) -> dict[str, Any]:
    """The names of an output's classes: as C strings, and in the header's lines as far as they are few."""
    shown = [plain_text(label, _LABEL_CHARACTERS) for label in labels[:_LABELS_SHOWN]]
    shown += [f"and {len(labels) - _LABELS_SHOWN} more"] if len(labels) > _LABELS_SHOWN else []
    return {
        "labels": [string_literal(label) for label in labels],
        "label_lines": textwrap.wrap(f"classes: {', '.join(shown)}", 110, break_on_hyphens=False) if labels else [],
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
