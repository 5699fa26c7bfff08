"""A plan's layers as C functions and constant arrays, for the templates."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from harness.compiler.ahead import AheadTable
from harness.compiler.cost.flash import is_shared
from harness.compiler.emit.statements import statements
from harness.compiler.emit.text import plain_text
from harness.compiler.memory.lifetimes import base_offset, block_offset
from harness.compiler.names import word
from harness.compiler.plan import Layer, LayerCode, Plan
from harness.ir.graph import Tensor
from harness.kernels.base import Argument, At, BlockStart, Call, ConstantTable, Float, In, Scratch, StateOf
from harness.quantization.types import Array

Entry: TypeAlias = dict[str, Any]


@dataclass(frozen=True, eq=False)
class ConstantArray:
    """A constant array of NAME_weights.c."""

    name: str
    ctype: str
    data: Array
    align: int = 0


class Constants:
    """The constant arrays of a model; arrays with the same type and bytes are emitted once."""

    def __init__(self) -> None:
        self.arrays: list[ConstantArray] = []
        self._known: dict[tuple[str, int, bytes], str] = {}
        self._names: set[str] = set()

    def add(self, name: str, ctype: str, data: Array, align: int = 0) -> str:
        """Name of the array that holds the data: an earlier one with the same bytes, or a new one named `name`."""
        key = (ctype, align, hashlib.sha256(np.ascontiguousarray(data).tobytes()).digest())
        if key not in self._known:
            free = name
            while free in self._names:
                free += "_"
            self._names.add(free)
            self._known[key] = free
            self.arrays.append(ConstantArray(free, ctype, data, align))
        return self._known[key]

    @property
    def bytes(self) -> int:
        """Bytes of all arrays."""
        return sum(int(array.data.nbytes) for array in self.arrays)


def layer_entries(plan: Plan, constants: Constants) -> tuple[list[Entry], list[Entry]]:
    """The layers for the template, and the functions that several calls share: an inlined kernel with one shape.

    Calls of one kernel with one shape need its code once, whichever layer they belong to.
    """
    uses = Counter(
        _instance(call) for step in plan.steps for call in step.lowered.calls if not is_shared(call.function)
    )
    shared: dict[object, Entry] = {}
    for step in plan.steps:
        for call in step.lowered.calls:
            key = _instance(call)
            if uses[key] > 1 and key not in shared:
                types = [_parameter(plan, step, argument) for argument in call.arguments]
                shared[key] = {
                    "name": f"{plan.name}_layer_shared_{len(shared)}",
                    "function": call.function,
                    "parameters": ", ".join(f"{kind}a{i}" for i, kind in enumerate(types)),
                    "arguments": ", ".join(f"a{i}" for i in range(len(types))),
                    "fields": fields(call.shape),
                    "may_fail": call.may_fail,
                }
    layers = [
        _LayerWriter(plan, layer, step, constants).entry(shared)
        for layer, step in zip(plan.layers, plan.steps, strict=True)
    ]
    return layers, list(shared.values())


def _instance(call: Call) -> object:
    """Equal for two calls that can share one function: kernel, shape and types of the arguments."""
    return call.function, tuple(sorted(call.shape.items())), tuple(map(_kind, call.arguments))


def _kind(argument: Argument) -> tuple[str, str]:
    if isinstance(argument, Float):
        return "float", ""
    if isinstance(argument, StateOf):
        return "StateOf", argument.ctype
    return ("ConstantTable" if isinstance(argument, ConstantTable) else "data"), argument.ctype


def _parameter(plan: Plan, step: LayerCode, argument: Argument) -> str:
    """C type of a parameter, up to its name."""
    if isinstance(argument, Float):
        return "float "
    return f"const {argument.ctype} *" if isinstance(argument, ConstantTable | In) else f"{argument.ctype} *"


class _LayerWriter:
    """Makes one layer's template entry."""

    def __init__(self, plan: Plan, layer: Layer, step: LayerCode, constants: Constants) -> None:
        self._plan = plan
        self._layer = layer
        self._step = step
        self._constants = constants
        self._shapes: dict[object, Entry] = {}

    def entry(self, shared: Mapping[object, Entry]) -> Entry:
        """The layer's title, shapes and calls."""
        plan, layer, step = self._plan, self._layer, self._step
        read = "".join(shape_text(plan.graph.tensors[t]) for t in step.reads[:1])
        written = ", ".join(shape_text(plan.graph.tensors[t]) for t in layer.outputs)
        extra = f", {layer.macs} MACs" if layer.macs else ""
        fused = f" with {', '.join(map(plain_text, layer.fused))}" if layer.fused else ""
        lowered = step.lowered
        entries = [self._call(call, number, shared) for number, call in enumerate(lowered.calls)]
        lines = list(statements(lowered, entries, self._condition))
        return {
            "index": layer.index,
            "name": layer.name,
            "title": f"{plain_text(layer.op)}{fused}, {f'{read} -> {written}'.strip()}{extra}",
            "function": f"{plan.name}_layer_{layer.index:02d}_{word(layer.op)}",
            "lines": lines,
            "shapes": list(self._shapes.values()),
            "functions": sorted({call.function for call in step.lowered.calls}),
            "output_count": len(layer.outputs),
            "may_fail": any(call.may_fail for call in step.lowered.calls),
        }

    def _condition(self, argument: Argument) -> str:
        return f"*{self._argument(argument, f'{self._plan.name}_{self._layer.name}')} != 0"

    def _call(self, call: Call, number: int, shared: Mapping[object, Entry]) -> Entry:
        several = len(self._step.lowered.calls) > 1
        prefix = f"{self._plan.name}_{self._layer.name}" + (f"_{number}" if several else "")
        arguments = [self._argument(argument, prefix) for argument in call.arguments]
        common = shared.get(_instance(call))
        if common is not None:
            return {"function": common["name"], "arguments": arguments, "may_fail": call.may_fail}
        key = (call.function, tuple(call.shape.items()))
        if key not in self._shapes:
            suffix = f"_{len(self._shapes)}" if several else ""
            name = f"shape{suffix}"
            self._shapes[key] = {"name": name, "type": f"{call.function}_shape", "fields": fields(call.shape)}
        arguments.append(f"&{self._shapes[key]['name']}")
        return {"function": call.function, "arguments": arguments, "may_fail": call.may_fail}

    def _argument(self, argument: Argument, prefix: str) -> str:
        plan, step = self._plan, self._step
        if isinstance(argument, Float):
            return float_literal(argument.value)
        if isinstance(argument, ConstantTable):
            name = f"{prefix}_{word(argument.name)}"
            added = self._constants.add(name, argument.ctype, argument.data, argument.align)
            return f"{plan.name}_ahead(arena, {argument.number})" if isinstance(argument, AheadTable) else added
        if isinstance(argument, StateOf):
            number = step.node.states[argument.index]
            return _pointer(argument.ctype, next(p.offset for p in plan.placements if p.state == number))
        if isinstance(argument, Scratch):
            return self._scratch(argument.ctype, 0)
        if isinstance(argument, BlockStart):
            base = block_offset(plan, self._layer.index, argument.block)
            return _pointer(argument.ctype, base + argument.offset)
        if isinstance(argument, At):
            if argument.tensor is None:
                return self._scratch(argument.ctype, argument.offset, argument.step)
            base = plan.placement_of(argument.tensor).offset
            return _pointer(argument.ctype, base + argument.offset, argument.step)
        tensor_id = step.node.inputs[argument.index] if isinstance(argument, In) else step.node.outputs[argument.index]
        return _pointer(argument.ctype, plan.placement_of(tensor_id).offset)


    def _scratch(self, ctype: str, offset: int, step: int = 0) -> str:
        """C expression of a pointer into the layer's scratch."""
        area = "scratch" if self._plan.scratch_apart else "arena"
        return _pointer(ctype, base_offset(self._plan, self._layer.index) + offset, step, area)


def _pointer(ctype: str, offset: int, step: int = 0, area: str = "arena") -> str:
    """C expression of a pointer into the arena or scratch; in a loop over i it moves by `step` bytes an iteration."""
    place = f"{area} + {offset}" + (f" + i * {step}" if step > 0 else f" - i * {-step}" if step < 0 else "")
    return f"hil_apart({place})" if ctype == "uint8_t" else f"({ctype} *)hil_apart({place})"


def shape_text(tensor: Tensor) -> str:
    """A tensor's shape for a comment, such as "1x49x10x1"."""
    return "x".join(map(str, tensor.shape)) or "scalar"


def fields(shape: Mapping[str, int]) -> list[str]:
    """Designated initializers, in lines of about 100 characters."""
    parts = [f".{key} = {int_literal(value)}," for key, value in shape.items()]
    lines, line = [], ""
    for part in parts:
        if line and len(line) + len(part) > 100:
            lines.append(line)
            line = ""
        line = f"{line} {part}".strip()
    return [*lines, line]


def int_literal(value: float) -> str:
    """C expression of an integer."""
    if -(1 << 31) < value < 1 << 31:
        return str(int(value))
    ends = {-(1 << 31): "INT32_MIN", -(1 << 63): "INT64_MIN"}
    return ends.get(int(value), f"INT64_C({int(value)})")


def word_literal(value: float) -> str:
    """C literal of a word of 32 bits, such as a command."""
    return f"0x{int(value):08x}u"


def float_literal(value: float) -> str:
    """C literal of exactly this float32 value, in decimal: C++ before C++17 has no hexadecimal ones."""
    text = f"{float(np.float32(value)):.9g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def weights_header(name: str, version: str, arrays: Sequence[ConstantArray]) -> str:
    """Text of NAME_weights.h."""
    guard = f"{name.upper()}_WEIGHTS_H"
    lines = [f"/* Constants of {name}: generated by tinyhil {version}. Do not edit. */"]
    lines += [f"#ifndef {guard}", f"#define {guard}", "", "#include <stdint.h>", ""]
    lines.append("/* Where layers and constants go: section attributes, for a firmware that wants them elsewhere. */")
    for macro in ("TINYHIL_CODE", "TINYHIL_WEIGHTS"):
        lines += [f"#ifndef {macro}", f"#define {macro}", "#endif"]
    lines.append("")
    lines += ["#ifdef __cplusplus", 'extern "C" {', "#endif"]
    lines += [f"extern TINYHIL_WEIGHTS const {a.ctype} {a.name}[{a.data.size}];" for a in arrays]
    lines += ["#ifdef __cplusplus", "}", "#endif"]
    return "\n".join([*lines, "", "#endif", ""])


def weights_source(name: str, version: str, arrays: Sequence[ConstantArray]) -> str:
    """Text of NAME_weights.c."""
    lines = [f"/* Constants of {name}: generated by tinyhil {version}. Do not edit. */"]
    lines += [f'#include "{name}_weights.h"', ""]
    for array in arrays:
        align = f"_Alignas({array.align}) " if array.align else ""
        lines.append(f"TINYHIL_WEIGHTS {align}const {array.ctype} {array.name}[{array.data.size}] = {{")
        numbers = array.data.reshape(-1).tolist()
        literal = float_literal if array.ctype == "float" else int_literal
        per_line = 24 if array.data.dtype.itemsize == 1 else 10
        if array.data.dtype == np.uint32:
            literal = word_literal
        for start in range(0, len(numbers), per_line):
            lines.append("    " + ", ".join(map(literal, numbers[start : start + per_line])) + ",")
        lines += ["};", ""]
    return "\n".join(lines)
