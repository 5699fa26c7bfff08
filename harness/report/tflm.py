"""Words on TFLM: which builds the figures are of, and the sums of a run of its program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.report.plain import one_line
from harness.runtimes import DEFAULT_RUNTIME

OF_ALL_OPERATORS = "the program of all operators that TFLM has there, and the model file"


def program_of(document: Mapping[str, Any]) -> str:
    """The program of a run of a runtime that takes model files; "" of generated code."""
    return str(document.get("program") or "")


def runtime_of(document: Mapping[str, Any]) -> str:
    """The name of the runtime of a run or an error."""
    return str(document.get("runtime") or DEFAULT_RUNTIME)


def builds(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each kernel set of TFLM which build its figures are of, and whether they were measured or recorded."""
    found: dict[str, None] = {}
    for document in documents:
        for baseline in document.get("baselines", ()):
            if not baseline.get("build"):
                continue
            how = f"measured now on {baseline['machine']}" if baseline["live"] else f"recorded for {baseline['core']}"
            found[f"TFLM {baseline['kernels']}: {how}, {one_line(baseline['build'])}"] = None
    return list(found)


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
