"""Words on TFLM: where its figures come from and which builds they are of, and the sums of a run of its program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.report.plain import one_line
from harness.runtimes import DEFAULT_RUNTIME
from harness.tflm.origin import Basis

OF_ALL_OPERATORS = "the program of all operators that TFLM has there, and the model file"


def program_of(document: Mapping[str, Any]) -> str:
    """The program of a run of a runtime that takes model files; "" of generated code."""
    return str(document.get("program") or "")


def runtime_of(document: Mapping[str, Any]) -> str:
    """The name of the runtime of a run or an error."""
    return str(document.get("runtime") or DEFAULT_RUNTIME)


MARKS = {Basis.ESTIMATED.value: "~", Basis.LOOKED_UP.value: "*"}
"""What stands before a figure that was not measured of this very model."""

_MEASURED = frozenset(origin.value for origin in Basis if origin.measured)


def marked(text: str, origin: str | None) -> str:
    """A figure of TFLM as it is shown: what was not measured of this model never looks as if it were."""
    return text if text == "-" else MARKS.get(origin or "", "") + text


def origin_of(baseline: Mapping[str, Any], figure: str) -> str:
    """Where a figure of a baseline comes from; documents of before know records and live figures alone."""
    origins = baseline.get("origin")
    if isinstance(origins, Mapping):
        return str(origins.get(figure, Basis.RECORDED.value))
    return Basis.LIVE.value if baseline.get("live") else Basis.RECORDED.value


def is_measured(baseline: Mapping[str, Any]) -> bool:
    """Whether the time of a baseline was measured of this very model."""
    return origin_of(baseline, "total") in _MEASURED


def layer_origin(layer: Mapping[str, Any], kernels: str) -> str | None:
    """Where TFLM's figure beside a layer comes from."""
    found: str | None = layer.get("tflm_origin", {}).get(kernels)
    return found


def builds(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each kernel set of TFLM which build its figures are of, where they come from, and what is wrong with them."""
    found: dict[str, None] = {}
    for document in documents:
        for baseline in document.get("baselines", ()):
            if baseline.get("build"):
                name = f"TFLM {baseline['kernels']}"
                found[f"{name}: {_how(baseline)}, {one_line(baseline['build'])}"] = None
                found |= {f"{name} is wrong here: {one_line(fault)}": None for fault in baseline.get("faults", ())}
    return list(found)


def _how(baseline: Mapping[str, Any]) -> str:
    origin, core = origin_of(baseline, "total"), baseline["core"]
    if origin == Basis.LIVE.value:
        return f"measured now on {baseline['machine']}"
    if origin == Basis.RECORDED.value:
        return f"recorded for {core}"
    if origin == Basis.UNKNOWN.value:
        return f"no sum for {core}, nothing like {one_line(str(baseline['missing'].get('total', '')))} was measured"
    within = f"9 of 10 are within {baseline['error'] * 100:.1f} %"
    mark = MARKS[origin]
    if origin == Basis.LOOKED_UP.value:
        return f"{mark} looked up for {core}, layers as measured in other models, {within}"
    return f"{mark} estimated for {core} from layers of other models, {within}, never held against a limit"


def sums(document: Mapping[str, Any]) -> list[str]:
    """Arena, stack and flash of a run of TFLM's program."""
    memory, groups = document["memory"], document["image"]["groups"]
    program, model = groups["kernels"]["text"], groups["model"]["rodata"]
    arena, stack = memory["arena_measured"], memory["stack_measured"]
    ram = f"RAM {arena + stack:,} B = arena {arena:,} + stack {stack:,}" if stack else "stack: not measured"
    return [
        f"arena {arena:,} B: tensors as TFLM's planner places them, and its records of tensors and operators",
        ram,
        f"flash {program + model:,} B = {program:,} of the program with all its operators + model file {model:,}",
        f"program: {one_line(program_of(document))}",
    ]
