"""Generated packages whose layers write what they should, but for single bits, each in one run only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.compiler.emit.package import Package
from harness.compiler.plan import Plan
from harness.ir.interpreter import run
from harness.quantization.types import Array

_CALL = "        layers[i](context->arena);\n"


@dataclass(frozen=True)
class Flip:
    """After layer `layer` of inference `run` (from 0, since the start), the bits of `mask` of an arena byte change."""

    run: int
    layer: int
    place: int
    mask: int


def with_flips(package: Package, flips: Sequence[Flip]) -> Package:
    """The package with these faults."""
    name = package.plan.name
    rows = ", ".join(f"{{{f.run}U, {f.layer}U, {f.place}U, {f.mask}U}}" for f in flips)
    code = (
        f"static const uint32_t flips[{len(flips)}][4] = {{{rows}}};\n"
        "static void flip(uint8_t *arena, uint32_t layer)\n{\n    static uint32_t runs;\n"
        f"    for (uint32_t i = 0; i < {len(flips)}U; i++) {{\n"
        "        if (flips[i][0] == runs && flips[i][1] == layer) {\n"
        "            arena[flips[i][2]] = (uint8_t)(arena[flips[i][2]] ^ flips[i][3]);\n        }\n    }\n"
        f"    runs += layer == {len(package.plan.layers) - 1}U ? 1U : 0U;\n}}\n\n"
    )
    text = package.files[f"{name}.c"]
    assert text.count(_CALL) == 1
    start = text.index(f"{name}_status {name}_invoke(")
    text = text[:start] + code + text[start:].replace(_CALL, f"{_CALL}        flip(context->arena, i);\n")
    return replace(package, files={**package.files, f"{name}.c": text})


def right_tensors(plan: Plan, vectors: Sequence[Sequence[Array]]) -> list[Mapping[int, Array]]:
    """Per vector of a model without states the specification's tensors, by their index in the model file."""
    rows = []
    for vector in vectors:
        made = run(plan.graph, vector).tensors
        rows.append({
            source: values
            for index, values in made.items()
            if (source := plan.graph.tensors[index].source) is not None and plan.graph.tensors[index].kept is None
        })
    return rows
