"""Plan -> C whose code runs at any address: direct calls instead of tables of functions, weights inside or apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness import version
from harness.compiler.emit.kernels import kernel_files_of
from harness.compiler.emit.layers import ConstantArray, Constants, weights_header, weights_source
from harness.compiler.emit.package import model_facts
from harness.compiler.emit.templates import render
from harness.compiler.plan import Plan
from harness.errors import OptionError, UnsupportedModelError
from harness.ir.operators.ethos_u import EthosUAttrs
from harness.quantization.types import Array

LEAST_ALIGN = 4
"""Loads of several words need words' alignment, and no load of a Cortex-M needs more."""

_TWO_WORDS = 8
_STATUS = {"small": 1, "misaligned": 2, "null": 3}
"""NAME_ARENA_TOO_SMALL and so on of model.h.j2."""


@dataclass(frozen=True, eq=False)
class RelocatableSources:
    """A network as C for a relocatable model.

    Attributes:
        files: text by name.
        sources: the files among them that are compiled.
        shared: those of them that are kernels' code, the same in every model.
        glue: nothing: the file itself describes the model.
        constant_bytes: bytes of weights and tables.
        constants: what lies apart, for the place behind the header of its file; None where it lies inside.
        align, weights_align: that the addresses of code and of weights must have; 0 for weights that are not apart.
        context_bytes: bytes that the entries keep from call to call.
        linker_script: text of the linker's script.
    """

    plan: Plan
    files: Mapping[str, str]
    sources: tuple[str, ...]
    shared: tuple[str, ...]
    glue: str
    constant_bytes: int
    constants: bytes | None
    align: int
    weights_align: int
    context_bytes: int
    linker_script: str


class ApartConstants(Constants):
    """Constants behind a pointer `weights`: `add` gives the C expression of where one lies."""

    def __init__(self, start: int) -> None:
        super().__init__()
        self._start = start
        self._places: dict[str, str] = {}
        self.data = bytearray()

    def add(self, name: str, ctype: str, data: Array, align: int = 0) -> str:
        """An expression of C instead of the array's name."""
        array = super().add(name, ctype, data, align)
        if array not in self._places:
            at = self._start + len(self.data)
            gap = -at % max(align, LEAST_ALIGN, data.dtype.itemsize)
            self.data += bytes(gap) + np.ascontiguousarray(data).tobytes()
            self._places[array] = f"(const {ctype} *)(weights + {at + gap})"
        return self._places[array]


def emit_relocatable(plan: Plan, base: int, apart: int | None = None) -> RelocatableSources:
    """The sources of a plan.

    Args:
        plan: what is computed.
        base: the offset of the code in its file.
        apart: the offset of the constants in a file of their own; None to have them inside.

    Raises:
        CompileError: a kernel's source file is missing.
        UnsupportedModelError: a layer runs on an NPU, whose driver has state of its own.
    """
    _refuse_npu(plan)
    _refuse_scratch(plan)
    constants = Constants() if apart is None else ApartConstants(apart)
    facts = model_facts(plan, constants, None)
    functions = {function for layer in facts["layers"] for function in layer["functions"]}
    kernels = kernel_files_of(functions or {"requantize"}, version.__version__)
    facts["headers"] = [name for name in kernels if name.removesuffix(".h") in functions] or list(kernels)
    facts |= _form(apart is not None)
    name = plan.name
    shared = tuple(file for file in kernels if not file.endswith(".h"))
    files = {file: hidden(text) if file.endswith(".c") else text for file, text in kernels.items()}
    files[f"{name}.c"] = render("relocatable.c.j2", m=facts)
    if apart is None:
        files[f"{name}_weights.h"] = weights_header(name, version.__version__, constants.arrays)
        files[f"{name}_weights.c"] = weights_source(name, version.__version__, constants.arrays)
    own = [file for file in files if file.endswith(".c") and file not in shared]
    return RelocatableSources(
        plan=plan,
        files=files,
        sources=(*own, *shared),
        shared=shared,
        glue="",
        constant_bytes=constants.bytes,
        constants=bytes(constants.data) if isinstance(constants, ApartConstants) else None,
        align=LEAST_ALIGN if apart is not None else _align(constants.arrays),
        weights_align=0 if apart is None else _align(constants.arrays),
        context_bytes=facts["context_bytes"],
        linker_script=render("relocatable.ld.j2", name=name, base=base),
    )


def _form(apart: bool) -> dict[str, object]:
    """What the template says of where constants lie."""
    return {
        "status": _STATUS,
        "weights_apart": apart,
        "parameters": "uint8_t *arena, const uint8_t *weights" if apart else "uint8_t *arena",
        "arguments": "arena, weights" if apart else "arena",
        "context_arguments": "context->arena, context->weights" if apart else "context->arena",
        "context_bytes": 8 if apart else 4,
    }


def _align(arrays: list[ConstantArray]) -> int:
    """What arrays need by the hardware's rules: two words need the alignment of one."""
    return max([LEAST_ALIGN, *(array.align for array in arrays if array.align > _TWO_WORDS)])


def hidden(text: str) -> str:
    """A kernel's C, whose functions are taken for linked with it: else their addresses would be in a table."""
    return f"#pragma GCC visibility push(hidden)\n{text}"


def _refuse_scratch(plan: Plan) -> None:
    if plan.prefetch_at is not None:
        raise OptionError(f"{plan.name}: no hook copies weights of a relocatable model", hint="leave --prefetch out")
    if plan.scratch_apart:
        raise OptionError(
            f"{plan.name}: a relocatable model has its scratch in the arena", hint="leave the placement of scratch out"
        )


def _refuse_npu(plan: Plan) -> None:
    steps = zip(plan.layers, plan.steps, strict=True)
    layers = [layer.name for layer, step in steps if isinstance(step.node.attrs, EthosUAttrs)]
    if layers:
        raise UnsupportedModelError(
            f"{plan.name}: on an NPU, whose driver a relocatable model cannot hold, run: {', '.join(layers[:5])}",
            hint="make it without --npu, or a package: tinyhil generate without --relocatable",
        )
